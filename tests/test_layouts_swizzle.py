"""Laws of swizzles, against the formula written out bit by bit."""

from __future__ import annotations

import doctest
import importlib
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import Dim, Layout, Swizzle, make_swizzle
from tensorlib.layouts.swizzle import swizzle_between


@st.composite
def swizzles(draw: st.DrawFn) -> Swizzle:
    bits = draw(st.integers(0, 3))
    shift = draw(st.integers(bits, 4)) * draw(st.sampled_from([1, -1]))
    return Swizzle(bits, draw(st.integers(0, 3)), shift)


def swizzled(bits: int, base: int, shift: int, x: int) -> int:
    """Bit base + k (or base + k + |shift|) of the result is XORed with the one |shift| away."""
    digits = [x >> place & 1 for place in range(64)]
    changed = list(digits)
    for k in range(bits):
        low, high = base + k, base + k + abs(shift)
        target, source = (low, high) if shift >= 0 else (high, low)
        changed[target] = digits[target] ^ digits[source]
    return sum(bit << place for place, bit in enumerate(changed))


offsets = st.integers(0, (1 << 40) - 1)


@given(swizzles(), offsets)
def test_call_is_the_formula(s, x):
    assert s(x) == swizzled(s.bits, s.base, s.shift, x)


@given(swizzles(), offsets)
def test_it_is_its_own_inverse(s, x):
    assert s(s(x)) == x


@given(swizzles(), offsets)
def test_size_is_a_period_and_blocks_are_permuted(s, x):
    assert s(x + s.size) == s(x) + s.size
    assert sorted(s(i) for i in range(s.size)) == list(range(s.size))


@given(swizzles(), offsets, offsets)
def test_it_is_linear_over_bits(s, x, y):
    assert s(x ^ y) == s(x) ^ s(y)


@given(swizzles())
def test_arrays_agree_with_numbers(s):
    expected = [s(x) for x in range(256)]
    for dtype in (np.uint8, np.int16, np.int64, np.uint64):
        found = s(np.arange(256, dtype=dtype))
        assert found.dtype == np.int64
        assert found.tolist() == expected
    assert s(np.uint8(200)) == s(200)


@given(swizzles())
def test_text_round_trip(s):
    assert Swizzle.parse(str(s)) == s
    assert hash(Swizzle.parse(repr(s))) == hash(s)
    assert pickle.loads(pickle.dumps(s)) == s


@given(swizzles())
def test_masks_make_the_swizzle(s):
    made = make_swizzle(s.yyy, s.zzz)
    assert made == s or not s.bits
    assert [made(x) for x in range(300)] == [s(x) for x in range(300)]


@given(swizzles(), st.integers(0, 3), st.integers(0, 1 << 12))
def test_upcast_follows_blocks(s, power, x):
    count = 1 << power
    try:
        blocks = s.upcast(count)
    except LayoutError:
        assert any(s(y) // count != s(y // count * count) // count for y in range(s.size))
    else:
        assert blocks(x // count) == s(x) // count


@given(swizzles(), st.integers(0, 3), offsets, st.integers(0, 7))
def test_downcast_keeps_the_parts_of_an_element(s, power, x, part):
    count = 1 << power
    part %= count
    assert s.downcast(count)(count * x + part) == count * s(x) + part
    assert s.downcast(count).upcast(count) == s


@given(swizzles(), swizzles(), st.lists(offsets, min_size=1, max_size=4))
def test_swizzle_after_swizzle(a, b, xs):
    try:
        both = a @ b
    except LayoutError:
        every = [Swizzle(n, m, s * k) for n in range(7) for m in range(7) for s in range(n, 8)
                 for k in (1, -1)]  # fmt: skip
        table = [a(b(1 << k)) for k in range(13)]
        assert not any([s(1 << k) for k in range(13)] == table for s in every)
    else:
        assert [both(x) for x in xs] == [a(b(x)) for x in xs]


@given(swizzles(), st.lists(st.integers(0, 600), min_size=1, max_size=40))
def test_the_least_swizzle_between_two_tables(s, before):
    after = [s(x) for x in before]
    found = swizzle_between(before, after)
    assert found is not None
    assert found.bits <= s.bits
    assert [found(x) for x in before] == after


def test_no_swizzle_adds():
    assert swizzle_between([0, 1, 2, 3], [1, 2, 3, 4]) is None
    assert swizzle_between([0, 1], [0, 6]) is None


def test_symbolic_offsets_whose_remainder_is_known():
    n, s = Dim("n"), Swizzle(2, 0, 2)
    assert s(16 * n + 5) == 16 * n + s(5)
    with pytest.raises(LayoutError, match=r"Sw<2,0,2>: got the offset n, needed it >= 0 and known"):
        s(n)
    assert Swizzle(0, 0, 0)(n) == n


class Traced:
    """A scalar that records the operators applied to it."""

    def __init__(self, text):
        self.text = text

    def __and__(self, other):
        return Traced(f"({self.text} & {other})")

    def __rshift__(self, other):
        return Traced(f"({self.text} >> {other})")

    def __lshift__(self, other):
        return Traced(f"({self.text} << {other})")

    def __xor__(self, other):
        return Traced(f"({self.text} ^ {other.text})")


def test_traced_scalars_meet_plain_operators():
    assert Swizzle(3, 4, 3)(Traced("x")).text == "(x ^ ((x & 896) >> 3))"
    assert Swizzle(1, 0, -2)(Traced("x")).text == "(x ^ ((x & 1) << 2))"
    assert Swizzle(0, 4, 3)(Traced("x")).text == "x"


@pytest.mark.parametrize(("row", "text"), [
    ((3, 0, 2), r"Swizzle: got Sw<3,0,2>, needed ints: bits >= 0, base >= 0, \|shift\| >= bits"),
    ((-1, 0, 2), r"needed ints: bits >= 0"),
    ((1.0, 0, 2), r"needed ints"),
    ((1, -1, 2), r"base >= 0"),
])  # fmt: skip
def test_no_such_swizzle(row, text):
    with pytest.raises(LayoutError, match=text):
        Swizzle(*row)


def test_errors():
    s = Swizzle(2, 3, -2)
    with pytest.raises(LayoutError, match=r"Sw<2,3,-2>: got the offset -1, needed one >= 0"):
        s(-1)
    with pytest.raises(LayoutError, match=r"Sw<2,3,-2>: got the offset -5, needed offsets >= 0"):
        s(np.array([3, -5]))
    with pytest.raises(LayoutError, match=r"Sw<2,60,-2>: got offsets that it moves past int64"):
        Swizzle(2, 60, -2)(np.array([1 << 61]))
    assert Swizzle(2, 60, -2)(np.array([7])).tolist() == [7]
    with pytest.raises(LayoutError, match=r"upcast: got Sw<2,3,-2> and 3, needed a power of two"):
        s.upcast(3)
    with pytest.raises(LayoutError, match=r"downcast: got Sw<2,3,-2> and 0, needed a power of two"):
        s.downcast(0)
    with pytest.raises(LayoutError, match=r"got Sw<2,3,-2> and 16; bits inside a block move block"):
        s.upcast(16)
    with pytest.raises(LayoutError, match=r"Swizzle.parse: got 'Sw<1,2>', needed text like 'Sw<3,"):
        Swizzle.parse("Sw<1,2>")
    for masks in ((0b1000, 0b0110), (0b101, 0b101000), (0b110, 0b011), (-8, 1), (3, 3)):
        with pytest.raises(
            LayoutError, match=r"make_swizzle: got masks .*needed two runs of equal"
        ):
            make_swizzle(*masks)
    with pytest.raises(LayoutError, match=r"composition: got Sw<1,0,1> and Sw<1,1,1>; no one swiz"):
        Swizzle(1, 0, 1) @ Swizzle(1, 1, 1)
    with pytest.raises(AttributeError):
        s.bits = 1


def test_a_column_of_a_row_major_tile_spreads_over_all_banks():
    tile = Swizzle(5, 0, 5) @ Layout((32, 32), (32, 1))
    assert {tile(row, 0) % 32 for row in range(32)} == set(range(32))


@pytest.mark.parametrize(
    "name",
    ["swizzle", "composed", "overload"]
    + [f"composed_{part}" for part in ("algebra", "divide", "inverse", "modes")],
)
def test_doctests(name):
    result = doctest.testmod(importlib.import_module(f"tensorlib.layouts.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.slow
def test_agrees_with_tensor_layouts_and_pycute():
    peer = pytest.importorskip("tensor_layouts")
    pycute = pytest.importorskip("pycute")
    for bits in range(4):
        for base in range(4):
            for shift in [s for s in range(-5, 6) if abs(s) >= bits and s]:
                s = Swizzle(bits, base, shift)
                xs = range(1 << 10)
                assert [s(x) for x in xs] == [peer.Swizzle(bits, base, shift)(x) for x in xs]
                assert [s(x) for x in xs] == [pycute.Swizzle(bits, base, shift)(x) for x in xs]
