"""Laws of linear layouts, by brute force over their tables; the oracle XORs basis values."""

from __future__ import annotations

import doctest
import importlib
import itertools
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import ComposedLayout, Dim, Layout, LinearLayout, Swizzle, to_linear
from tensorlib.layouts.bits import applied, echelon
from tensorlib.layouts.linear_product import divide_left, divide_right

L = Layout.parse
NAMES = ("lane", "warp", "block")


@st.composite
def linears(draw, out_bits=4, in_bits=4, ins=NAMES[:2], outs=("row", "column")):
    """Any linear layout: basis values may repeat, vanish and depend on each other."""
    split = draw(st.integers(0, out_bits))
    sizes = {outs[0]: 1 << split}
    if len(outs) > 1:
        sizes[outs[1]] = 1 << (out_bits - split)
    else:
        sizes[outs[0]] = 1 << out_bits
    bases = {}
    for name in ins:
        rows = draw(st.integers(0, in_bits // len(ins)))
        value = st.tuples(*(st.integers(0, size - 1) for size in sizes.values()))
        bases[name] = draw(st.lists(value, min_size=rows, max_size=rows))
    return LinearLayout(bases, sizes)


@st.composite
def bijections(draw, bits=4):
    """A product of elementary matrices over a permutation."""
    columns = [1 << k for k in draw(st.permutations(range(bits)))]
    for i, j in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8)):
        if i != j:
            columns[i] ^= columns[j]
    return LinearLayout({"i": columns})


def value(linear, index):
    """The outputs by definition: XOR the basis values of the bits that are set, by dimension."""
    found = [0] * len(linear.outs)
    for name, size in linear.ins:
        index, digit = index // size, index % size
        for k, basis in enumerate(linear.bases[name]):
            if digit >> k & 1:
                entries = basis if isinstance(basis, tuple) else (basis,)
                found = [a ^ b for a, b in zip(found, entries, strict=True)]
    total, step = 0, 1
    for x, (_, size) in zip(found, linear.outs, strict=True):
        total, step = total + x * step, step * size
    return total


def table(linear):
    return [value(linear, i) for i in range(math.prod(size for _, size in linear.ins))]


@given(linears())
def test_call_and_table_xor_the_bases(a):
    assert a.table().tolist() == table(a) == [a(i) for i in range(a.size)]
    assert np.broadcast_to(a(np.arange(a.size)), a.size).tolist() == table(a)


@given(linears(), st.integers(0, 15), st.integers(0, 15))
def test_linearity(a, x, y):
    x, y = x % a.size, y % a.size
    assert a(x ^ y) == a(x) ^ a(y)


@given(linears())
def test_coordinates_stand_side_by_side(a):
    (first, size), (second, count) = a.ins
    for i, j in itertools.product(range(size), range(count)):
        assert a(i, j) == value(a, i + size * j)
        outs = a.apply(**{first: i, second: j})
        rows = dict(a.outs)["row"]
        assert outs["row"] + rows * outs["column"] == value(a, i + size * j)


@given(linears())
def test_rank_injective_surjective(a):
    values = set(table(a))
    assert 1 << a.rank == len(values)
    assert a.is_injective == (len(values) == a.size)
    assert a.is_surjective == (len(values) == a.cosize)
    assert a.is_bijective == (sorted(table(a)) == list(range(a.cosize)))


@given(linears(ins=("x", "y"), outs=("row", "column")), linears(in_bits=4, outs=("x",)))
def test_composition_applies_right_then_left(a, b):
    b = b.reshaped(outs={"x": 4, "y": 4}) if b.cosize == 16 else b
    try:
        found = a @ b
    except LayoutError:
        sizes = dict(a.ins)
        assert any(size > sizes.get(name, 0) for name, size in b.outs)
    else:
        assert found.ins == b.ins
        for i in range(b.size):
            y = b(i)
            sizes = dict(b.outs)
            x = {name: (y // (sizes["x"] if name == "y" else 1)) % sizes[name] for name in sizes}
            assert found(i) == a(x["x"], x["y"])


@given(linears(), linears(ins=("i",), in_bits=2, outs=("lane",), out_bits=2))
def test_composition_of_single_dimensions_takes_any_name(a, b):
    flat = a.reshaped(ins={"anything": a.size})
    assume(b.cosize <= flat.size)
    assert table(flat @ b) == [value(a, x) for x in table(b)]


@given(bijections(), bijections(), bijections())
def test_composition_is_associative(a, b, c):
    assert (a @ b) @ c == a @ (b @ c)


@given(bijections())
def test_inverse(a):
    inverse = a.inverse()
    assert [inverse(x) for x in table(a)] == list(range(a.size))
    assert [a(x) for x in table(inverse)] == list(range(a.size))
    assert inverse.inverse() == a


@given(linears())
def test_pseudo_inverse(a):
    p = a.pseudo_inverse()
    assert (p.ins, p.outs) == (a.outs, a.ins)
    assert [a(p(x)) for x in table(a)] == table(a)
    assert [p(a(x)) for x in table(p)] == table(p)
    if a.is_surjective:
        assert [a(x) for x in table(p)] == list(range(a.cosize))
    if a.is_injective:
        assert [p(x) for x in table(a)] == list(range(a.size))
    assert [p(x) for x in table(a)] == [table(a).index(x) for x in table(a)]


@given(linears(), linears())
def test_solve_finds_the_least_indices(a, b):
    sizes = {name: min(dict(a.outs)[name], size) for name, size in b.outs}
    b = LinearLayout(
        {n: [tuple(x % s for x, s in zip(v, sizes.values(), strict=True)) for v in row]
         for n, row in b.bases.items()}, sizes,
    )  # fmt: skip
    wanted = [x % sizes["row"] + dict(a.outs)["row"] * (x // sizes["row"]) for x in table(b)]
    try:
        c = a.solve(b)
    except LayoutError:
        assert not set(wanted) <= set(table(a))
    else:
        assert (c.ins, c.outs) == (b.ins, a.ins)
        assert table(c) == [table(a).index(x) for x in wanted]


@given(linears())
def test_kernel_is_what_goes_to_zero(a):
    assert sorted(table(a.kernel())) == [i for i, x in enumerate(table(a)) if x == 0]


@given(linears())
def test_free_variables_reach_nothing_new(a):
    masks = a.free_variables
    free = masks["lane"] + masks["warp"] * dict(a.ins)["lane"]
    bound = [i for i in range(a.size) if not i & free]
    assert {value(a, i) for i in bound} == set(table(a))
    assert len(bound) == len(set(table(a)))


@given(linears(), linears(ins=NAMES[1:], outs=("column", "depth")))
def test_product_is_the_direct_sum(a, b):
    found = a * b
    assert [name for name, _ in found.ins] == list(NAMES)
    assert [name for name, _ in found.outs] == ["row", "column", "depth"]
    for i, j in itertools.product(range(a.size), range(b.size)):
        lanes, warps = dict(a.ins)["lane"], dict(a.ins)["warp"]
        high = dict(b.ins)["warp"]
        place = found(i % lanes, i // lanes + warps * (j % high), j // high)
        rows, columns, more = (dict(d) for d in (a.outs, a.outs, b.outs))
        x, y = value(a, i), value(b, j)
        row, column = x % rows["row"], x // rows["row"] + columns["column"] * (y % more["column"])
        width = columns["column"] * more["column"]
        depth = y // more["column"]
        assert place == row + rows["row"] * (column + width * depth)


@given(linears(), linears(ins=NAMES[1:]), linears(ins=("block",)))
def test_product_is_associative_and_division_undoes_it(a, b, c):
    assert (a * b) * c == a * (b * c)
    assert LinearLayout({}, {}) * a == a == a * LinearLayout({}, {})
    whole = a * b
    assert a * divide_left(whole, a) == whole
    assert divide_right(whole, b) * b == whole
    assert table(whole.divide_left(a)) == table(b)
    assert table(whole.divide_right(b)) == table(a)


def quotients(whole, part):
    """Every layout over the dimensions that are left."""
    ins, outs = (
        {name: size // dict(own)[name] for name, size in dims}
        for dims, own in ((whole.ins, part.ins), (whole.outs, part.outs))
    )
    if 0 in (*ins.values(), *outs.values()):
        return
    count, room = math.prod(ins.values()).bit_length() - 1, math.prod(outs.values())
    for columns in itertools.product(range(room), repeat=count):
        yield LinearLayout({"i": list(columns)}, {"o": room}).reshaped(ins, outs)


@given(linears(in_bits=3, out_bits=3, ins=("lane",)), linears(in_bits=2, out_bits=2, ins=("lane",)))
def test_division_is_exact_or_refused(whole, part):
    for divide, product in (
        (divide_left, lambda high: part * high),
        (divide_right, lambda low: low * part),
    ):
        try:
            assert product(divide(whole, part)) == whole
        except LayoutError:
            assert not any(product(other) == whole for other in quotients(whole, part))


@given(linears())
def test_select_sets_the_rest_to_zero(a):
    found = a.select(["warp", "lane"], ["column"])
    rows = dict(a.outs)["row"]
    for i, j in itertools.product(range(dict(a.ins)["lane"]), range(dict(a.ins)["warp"])):
        assert found(j, i) == a(i, j) // rows
    assert a.select(["warp"], ["row", "column"])(0) == 0


@given(linears())
def test_reshape_keeps_the_stacked_function(a):
    found = a.reshaped(ins={"i": a.size}, outs={"o": a.cosize})
    assert table(found) == table(a)
    assert found.reshaped(ins=dict(a.ins), outs=dict(a.outs)) == a


@given(linears())
def test_equality_hash_pickle_and_text(a):
    same = LinearLayout(dict(a.bases), dict(a.outs))
    assert same == a
    assert hash(same) == hash(a)
    assert pickle.loads(pickle.dumps(a)) == a
    assert str(a) == repr(same)


def test_text():
    a = LinearLayout({"thread": [(0, 1), (0, 2)], "value": []}, {"row": 2, "column": 4})
    assert str(a) == "{thread: [(0, 1), (0, 2)], value: []} -> {row: 2, column: 4}"
    assert str(LinearLayout.strided(4, 0)) == "{index: [0, 0]} -> {offset: 1}"


@st.composite
def powers(draw):
    """A layout whose sizes are powers of two and whose strides are anything small."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 4, 8]), max_size=3))
    strides = [draw(st.sampled_from([0, 1, 2, 3, 4, 5, 8, 16, 32])) for _ in sizes]
    return Layout(tuple(sizes), tuple(strides))


@given(powers())
def test_to_linear_exists_exactly_where_the_table_is_linear(a):
    values = a.table().tolist()
    linear = all(
        values[x ^ y] == values[x] ^ values[y] for x in range(a.size) for y in range(a.size)
    )
    try:
        found = to_linear(a)
    except LayoutError:
        assert not linear
    else:
        assert linear
        assert table(found) == values
        assert [size for _, size in found.ins] == list(a.shape)
        assert found.to_layout().table().tolist() == values


@st.composite
def swizzles(draw):
    bits = draw(st.integers(0, 2))
    shift = draw(st.integers(bits, 3)) * draw(st.sampled_from([1, -1]))
    return Swizzle(bits, draw(st.integers(0, 2)), shift)


@given(swizzles())
def test_swizzles_are_linear_and_come_back(s):
    found = to_linear(s)
    assert table(found) == [s(x) for x in range(s.size)]
    assert found.inverse() == found.reshaped(ins={"offset": s.size}, outs={"index": s.size})
    back = found.to_layout()
    assert [back(x) for x in range(s.size)] == table(found)
    assert isinstance(back, ComposedLayout) == (s.bits > 0)


@given(swizzles(), st.integers(0, 3), powers())
def test_composed_layouts_are_linear_where_their_tables_are(s, offset, inner):
    c = ComposedLayout(s, offset, inner)
    values = c.table().tolist()
    linear = all(
        values[x ^ y] == values[x] ^ values[y] for x in range(c.size) for y in range(c.size)
    )
    try:
        found = to_linear(c)
    except LayoutError:
        # a swizzle of offsets that carry may be linear all the same only by accident
        assert not linear or offset == 0
    else:
        assert linear
        assert table(found) == values
        back = found.to_layout()
        assert back.table().tolist() == values
        assert back.size == inner.size


@given(st.lists(st.integers(0, 15), max_size=3))
def test_to_layout_finds_a_swizzle_wherever_one_exists(columns):
    a = LinearLayout({"i": columns}, {"o": 16})
    values = table(a)
    every = [Swizzle(n, m, s * k) for n in range(3) for m in range(5) for s in range(n, 5)
             for k in (1, -1)]  # fmt: skip
    sums = [Layout((2,) * len(columns), tuple(s(c) for c in columns)) for s in every]
    exists = any(
        [s(x) for x in plain.table().tolist()] == values
        for s, plain in zip(every, sums, strict=True)
    )
    try:
        found = a.to_layout()
    except LayoutError:
        assert not exists
    else:
        assert found.table().tolist() == values
        if isinstance(found, ComposedLayout):
            assert sums[0].table().tolist() != values


def test_nested_and_outer_layouts():
    c = ComposedLayout(L("(4,4):(4,1)"), 0, ComposedLayout(Swizzle(1, 0, 2), 0, L("(4,4)")))
    assert to_linear(c).table().tolist() == c.table().tolist()
    assert table(to_linear(Layout(8, 2))) == list(range(0, 16, 2))
    tv = to_linear(L("((4,8),(2,2)):((16,1),(8,64))"), ["thread", "value"], {"m": 16, "k": 8})
    assert tv.apply(thread=5, value=3) == {"m": 9, "k": 5}
    assert tv.is_bijective
    assert tv.inverse().apply(m=9, k=5) == {"thread": 5, "value": 3}


def test_registers_go_to_swizzled_memory():
    smem = to_linear(
        ComposedLayout(Swizzle(2, 0, 2), 0, L("(4,4):(4,1)")), outs={"bank": 4, "line": 4}
    )
    register = LinearLayout(
        {"lane": [(1, 0), (2, 0)], "value": [(0, 1), (0, 2)]}, {"mode0": 4, "mode1": 4}
    )
    moved = smem @ register
    for row, column in itertools.product(range(4), range(4)):
        assert moved.apply(lane=row, value=column) == {"bank": column ^ row, "line": row}
    banks = moved.select(["lane"], ["bank"])
    assert banks.is_injective


class Traced:
    """A scalar that records the operators applied to it."""

    def __init__(self, text):
        self.text = text

    def __getattr__(self, name):
        raise AttributeError(name)


for _name, _sign in {"and": "&", "rshift": ">>", "mul": "*", "xor": "^"}.items():

    def _operator(self, other, sign=_sign):
        return Traced(f"({self.text} {sign} {getattr(other, 'text', other)})")

    setattr(Traced, f"__{_name}__", _operator)


def test_traced_scalars_meet_plain_operators():
    assert LinearLayout({"i": [1, 6]})(Traced("x")).text == (
        "((((x >> 0) & 1) * 1) ^ (((x >> 1) & 1) * 6))"
    )


@given(st.lists(st.integers(0, 31), max_size=6), st.integers(0, 31))
def test_elimination_solves_exactly(columns, target):
    rows = echelon(columns)
    solutions = [x for x in range(1 << len(columns)) if applied(columns, x) == target]
    assert rows.solve(target) == (solutions[0] if solutions else None)
    zero = [x for x in range(1 << len(columns)) if applied(columns, x) == 0]
    assert sorted(applied(rows.kernel, x) for x in range(1 << len(rows.kernel))) == zero
    assert 1 << rows.rank == len({applied(columns, x) for x in range(1 << len(columns))})


def test_errors():
    a = LinearLayout({"lane": [1, 2], "warp": [4]})
    cases = [
        (lambda: LinearLayout({"i": [(1, 2)]}), r"LinearLayout: got bases .*, needed ints >= 0, o"),
        (lambda: LinearLayout({"i": [4]}, {"o": 4}), r"LinearLayout: got the basis 4, needed a va"),
        (lambda: LinearLayout({"i": [(1,)]}, {"o": 4, "p": 2}), r"got the basis \(1,\), needed a "),
        (lambda: LinearLayout({"i": []}, {"o": 3}), r"LinearLayout: got o of size 3, needed a pow"),
        (lambda: LinearLayout.strided(6), r"strided: got index of size 6, needed a power of two"),
        (lambda: LinearLayout.strided(4, 3), r"strided: got stride of size 3, needed a power of t"),
        (lambda: a(8), r"got index 8, needed 0 ... 7"),
        (lambda: a(1, 2), r"got warp 2, needed 0 ... 1"),
        (lambda: a(1, 2, 3), r"got 3 coordinates, needed 2"),
        (lambda: a.apply(lane=1), r"apply: got lane, needed lane, warp"),
        (lambda: a @ a, r"composition: got .* and .*; outputs must fit the inputs"),
        (lambda: LinearLayout.strided(32, 0).inverse(), r"inverse: got .*, needed a bijection; tr"),
        (lambda: a.solve(LinearLayout({}, {"x": 2})), r"solve: got .*, needed the same outputs"),
        (lambda: LinearLayout({"i": [2]}).solve(LinearLayout({"i": [1]})), r"the first lacks a va"),
        (lambda: a.select(["x"], []), r"select: got \['x'\] and \[\], needed names of \{lane"),
        (lambda: a.reshaped(ins={"i": 4}), r"reshaped: got ins .* needed sizes with the same prod"),
        (lambda: LinearLayout.strided(1 << 31, 0).table(), r"table: got .*, needed at most 2\*\*3"),
        (lambda: LinearLayout({"i": [1], "j": []}) * LinearLayout({"j": [], "i": [1]}),
         r"product: got .*; their names come in contrary order"),
        (lambda: divide_left(a, LinearLayout.strided(2)), r"divide: got .* and .*; the first is n"),
        (lambda: a.solve(a).to_layout() and LinearLayout({"i": [3, 5, 6]}).to_layout(),
         r"to_layout: got .*; no swizzle of a layout is the same function"),
        (lambda: to_linear(L("(4,3)")), r"to_linear: got .*; mode 3:4 needs a size that is a powe"),
        (lambda: to_linear(L("4:-1")), r"to_linear: got 4:-1; mode 4:-1 needs a size .* a stride "),
        (lambda: to_linear(L("(2,2):(1,3)")), r"to_linear: got .*; adding mode 2:3 carries"),
        (lambda: to_linear(L("(4,4)"), ["x"]), r"to_linear: got names \['x'\] for .*, needed 2"),
        (lambda: to_linear(L("(4,4)"), outs={"x": 4}), r"to_linear: got outs .*, needed room for "),
        (lambda: to_linear(ComposedLayout(Swizzle(1, 0, 2), 1, Layout(4))), r"its bits are no XOR"),
        (lambda: to_linear(ComposedLayout(Layout(2), 0, Layout(3))), r"of size 3, needed a power "),
        (lambda: to_linear(Layout(Dim("n"))), r"to_linear: got n:1, needed sizes and strides with"),
    ]  # fmt: skip
    for call, text in cases:
        with pytest.raises(LayoutError, match=text):
            call()
    with pytest.raises(AttributeError):
        a.columns = ()


@pytest.mark.parametrize("name", ["bits", "linear", "linear_conversion", "linear_product"])
def test_doctests(name):
    result = doctest.testmod(importlib.import_module(f"tensorlib.layouts.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.slow
@given(powers())
def test_agrees_with_tensor_layouts_where_it_is_right(a):
    analysis = pytest.importorskip("tensor_layouts.analysis")
    peer = pytest.importorskip("tensor_layouts")
    try:
        matrix = analysis.to_F2_matrix(peer.Layout(a.shape, a.stride))
    except (ValueError, NotImplementedError, TypeError):
        return
    columns = (
        [sum(row[k] << i for i, row in enumerate(matrix)) for k in range(len(matrix[0]))]
        if matrix
        else []
    )
    values = [applied(columns, x) for x in range(a.size)]
    if values == a.table().tolist():
        assert table(to_linear(a)) == values
