"""Composed layouts as functions; the oracle applies the parts one by one."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tensorlib import layouts as algebra
from tensorlib.errors import LayoutError
from tensorlib.layouts import ComposedLayout, Dim, Layout, Swizzle
from tensorlib.tests.composed_layouts import (
    at,
    composed,
    index_of,
    leaves,
    table,
)

L = Layout.parse
C = ComposedLayout.parse
n = Dim("n")


@given(composed())
def test_call_and_table_apply_inner_then_offset_then_outer(c):
    assert c.table().tolist() == table(c) == [c(i) for i in range(c.size)]
    assert np.broadcast_to(c(np.arange(c.size)), c.size).tolist() == table(c)


@given(composed(), st.data())
def test_coordinates_of_every_nesting_agree(c, data):
    sizes = leaves(c.shape)
    flat = tuple(data.draw(st.integers(0, size - 1)) for size in sizes)
    assert c.flatten()(*flat) == at(c, index_of(flat, c.shape))
    assert c(index_of(flat, c.shape)) == at(c, index_of(flat, c.shape))


@given(composed())
def test_measures_are_those_of_the_table(c):
    assert (c.shape, c.size, c.rank, c.depth) == (
        c.inner.shape, len(table(c)), c.inner.rank, c.inner.depth,
    )  # fmt: skip
    assert c.cosize == max(table(c)) + 1
    assert len(list(c)) == len(c) == c.rank


@given(composed())
def test_text_and_pickle_round_trip(c):
    assert C(str(c)) == c
    assert hash(C(repr(c))) == hash(c)
    assert pickle.loads(pickle.dumps(c)) == c


@given(composed())
def test_modes_are_the_function_with_the_others_at_zero(c):
    step = 1
    for k, mode in enumerate(c.modes):
        assert c[k] == c.mode(k) == mode
        assert table(mode) == [at(c, i * step) for i in range(mode.size)]
        step *= mode.size


@given(composed(), st.data())
def test_slices_keep_the_modes_of_none(c, data):
    assume(isinstance(c.shape, tuple))
    keep = [data.draw(st.booleans()) for _ in c.shape]
    assume(any(keep))
    fixed = tuple(
        None if kept else data.draw(st.integers(0, mode.size - 1))
        for kept, mode in zip(keep, c.modes, strict=True)
    )
    kept, start = algebra.slice_and_offset(fixed, c)
    assert start == 0
    assert kept == c[fixed]
    for i in range(kept.size):
        rest, whole, step = i, 0, 1
        for at_mode, mode in zip(fixed, c.modes, strict=True):
            digit = rest % mode.size if at_mode is None else at_mode
            rest = rest // mode.size if at_mode is None else rest
            whole, step = whole + digit * step, step * mode.size
        assert at(kept, i) == at(c, whole)


@given(composed())
def test_affine_and_simplify_are_the_same_function(c):
    plainest = c.simplify()
    assert table(plainest) == table(c)
    try:
        found, start = c.affine()
    except LayoutError:
        assert not is_affine(c)
        assert isinstance(plainest, ComposedLayout)
    else:
        assert [start + x for x in table(found)] == table(c)
        assert isinstance(plainest, Layout) == (start == 0)


def is_affine(c):
    """Whether strides of the flat bits and digits add up: every leaf split into its primes."""
    sizes = [p for size in leaves(c.shape) for p in primes(size)]
    values, steps = table(c), [math.prod(sizes[:k]) for k in range(len(sizes))]
    strides = tuple(values[step] - values[0] for step in steps)
    orders = all(len(set(primes(size))) <= 1 for size in leaves(c.shape))
    flat = Layout(tuple(sizes), strides)
    return orders and [values[0] + x for x in table(flat)] == values


def primes(size):
    for p in range(2, size + 1):
        if size % p == 0:
            return [p, *primes(size // p)]
    return []


def test_simplify_folds_identities():
    assert C("Sw<0,0,0> o 0 o (n,8):(8,1)").simplify() == L("(n,8):(8,1)")
    assert str(C("(Sw<1,0,2> o 3 o 64:1) o 1 o 8:1").simplify()) == "Sw<1,0,2> o 4 o 8:1"
    assert str(C("Sw<1,0,2> o 0 o (4,n)").simplify()) == "Sw<1,0,2> o 0 o (4,n):(1,4)"
    assert C("4:1 o 0 o (Sw<3,4,3> o 0 o (4,4))").simplify() == L("(4,4)")
    row = C("Sw<3,0,3> o 0 o (8,8):(8,1)")[None, 5]
    assert row.affine() == (L("(8,):(9,)"), 5) or table(row) == [5, 12, 23, 30, 33, 40, 51, 58]


def test_symbols_go_through_where_they_can():
    c = Swizzle(3, 3, 3) @ Layout((n, 64), (64, 1))
    assert c.size == 64 * n
    assert not c.is_static
    assert str(algebra.zipped_divide(c, (Layout(8), 64))[0].inner) != ""
    assert str(c[2, None]) == "Sw<3,3,3> o 128 o (64,):(1,)"
    assert str(c[n, None]) == "Sw<3,3,3> o 64*n o (64,):(1,)"
    assert c(8 * n, 3) == 512 * n + 3
    assert str(algebra.composition(L("(8,n):(n,1)"), Swizzle(1, 0, 1)).inner) == (
        "Sw<1,0,1> o 0 o (8,n):(1,8)"
    )
    for question in (c.table, c.affine, lambda: c.cosize, lambda: algebra.is_injective(c)):
        with pytest.raises(LayoutError, match=r"needed sizes and strides without symbols"):
            question()
    with pytest.raises(
        LayoutError, match=r"right_inverse: got .* needed sizes and strides without"
    ):
        algebra.right_inverse(c)


class Traced:
    """A scalar that records what happens to it; it can't be compared or hashed."""

    __hash__ = None

    def __init__(self, text):
        self.text = text

    def __bool__(self):
        raise AssertionError("a traced scalar has no value yet")

    def __str__(self):
        return self.text


def _operator(sign, *, swapped):
    def apply(self, other):
        left, right = (other, self) if swapped else (self, other)
        return Traced(f"({left} {sign} {right})")

    return apply


for _name, _sign in {"add": "+", "mul": "*", "and": "&", "xor": "^", "rshift": ">>"}.items():
    setattr(Traced, f"__{_name}__", _operator(_sign, swapped=False))
    setattr(Traced, f"__r{_name}__", _operator(_sign, swapped=True))
Traced.__eq__ = _operator("==", swapped=False)


def test_traced_coordinates_and_offsets():
    c, x = Swizzle(1, 0, 3) @ L("(8,8):(8,1)"), Traced("x")
    assert str(c(1, x)) == "((8 + x) ^ (((8 + x) & 8) >> 3))"
    row = c[x, None]
    assert str(row) == "Sw<1,0,3> o (x*8) o (8,):(1,)"
    assert row == ComposedLayout(row.outer, row.offset, row.inner)
    assert row != c[x, None]
    assert row != c[1, None]
    tile = algebra.zipped_divide(row, (4,))
    assert tile.offset is row.offset
    assert str(tile.inner) == "((4,),(2,)):((1,),(4,))"
    with pytest.raises(LayoutError, match=r"needed sizes and strides without symbols"):
        row.table()
    with pytest.raises(LayoutError, match=r"needed an offset of whole words"):
        algebra.upcast(row, 2)


def test_errors():
    c, s = C("Sw<2,0,2> o 3 o (4,4):(4,1)"), Swizzle(2, 0, 2)
    with pytest.raises(
        LayoutError, match=r"ComposedLayout: got the outer function 3, needed a Swi"
    ):
        ComposedLayout(3, 0, Layout(4))
    with pytest.raises(
        LayoutError, match=r"ComposedLayout: got the inner function Sw<2,0,2>, need"
    ):
        ComposedLayout(s, 0, s)
    with pytest.raises(LayoutError, match=r"ComposedLayout.parse: got 'Sw<2,0,2> o 4:1', needed '"):
        C("Sw<2,0,2> o 4:1")
    with pytest.raises(LayoutError, match=r"slice: got \(1, 2\) for Sw.*, needed a None; try l\("):
        c[1, 2]
    with pytest.raises(
        LayoutError, match=r"affine: got Sw<2,0,2> o 3 o .*; its offsets are no lay"
    ):
        c.affine()
    with pytest.raises(LayoutError, match=r"cosize: got .*, needed at most 1048576 offsets"):
        _ = ComposedLayout(s, 0, Layout(1 << 21)).cosize
    with pytest.raises(LayoutError, match=r"table: got .*, needed offsets that fit int64"):
        ComposedLayout(Layout((2, 2), (1, 1 << 40)), 0, Layout(2, 1 << 40)).table()
