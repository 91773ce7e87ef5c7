"""Laws of the algebra of composed layouts; the oracle applies the parts one by one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tensorlib import layouts as algebra
from tensorlib.errors import LayoutError
from tensorlib.layouts import ComposedLayout, Dim, Layout, Swizzle, make_layout
from tensorlib.testing.layouts import compact_layouts, layouts
from tensorlib.tests.composed_layouts import (
    at,
    composed,
    innermost,
    plain,
    swizzled,
    swizzles,
    table,
)

L = Layout.parse
C = ComposedLayout.parse
n = Dim("n")


@given(composed(), plain)
def test_composition_with_a_layout_applies_right_then_left(c, b):
    try:
        found = c @ b
    except LayoutError:
        with pytest.raises(LayoutError):
            _ = innermost(c) @ b
    else:
        assert found.size == b.size
        assert [at(found, i) for i in range(b.size)] == [at(c, at(b, i)) for i in range(b.size)]


@given(layouts(max_size=48, max_stride=12), composed())
def test_layout_after_composed(a, c):
    found = algebra.composition(a, c)
    assert found.size == c.size
    assert [at(found, i) for i in range(c.size)] == [at(a, x) for x in table(c)]


@given(compact_layouts(), swizzled)
def test_bijection_after_swizzled(a, c):
    found = algebra.composition(a, c)
    assert [at(found, i) for i in range(c.size)] == [at(a, x) for x in table(c)]


@given(layouts(max_size=64, max_stride=24), swizzles())
def test_layout_after_swizzle_has_the_coordinates_of_the_layout(a, s):
    found = algebra.composition(a, s)
    assert found.shape == a.shape
    assert [at(found, i) for i in range(a.size)] == [at(a, at(s, i)) for i in range(a.size)]


def test_a_swizzle_passes_left_through_a_transposition():
    for a in (L("(8,8):(8,1)"), L("((2,4),8):((8,16),1)"), L("(8,8):(1,16)")):
        found = algebra.composition(a, Swizzle(3, 0, 3))
        assert isinstance(found.outer, Swizzle)
        assert found.inner == a
    through = algebra.composition(L("(8,8):(8,1)"), C("Sw<3,0,3> o 0 o (8,8):(8,1)"))
    assert str(through) == "Sw<3,0,-3> o 0 o (8,8):(1,8)"


@given(swizzles(), composed())
def test_swizzle_after_composed(s, c):
    found = algebra.composition(s, c)
    assert [at(found, i) for i in range(c.size)] == [at(s, x) for x in table(c)]


@given(swizzles(), plain)
def test_swizzle_after_layout(s, b):
    found = s @ b
    assert (found is b) == (s.bits == 0)
    assert [at(found, i) for i in range(b.size)] == [at(s, x) for x in table(b)]
    assert (s @ found) == b or s.bits == 0


def test_other_right_operands():
    s, c = Swizzle(2, 0, 2), C("Sw<2,0,2> o 0 o (4,4):(4,1)")
    assert str(s @ 8) == "Sw<2,0,2> o 0 o 8:1"
    assert (s @ None) == s
    assert (c @ None) == c
    assert str(c @ (2, Layout(2, 2))) == "Sw<2,0,2> o 0 o (2,2):(4,2)"
    assert str(c @ 4) == "Sw<2,0,2> o 0 o 4:4"
    assert (c @ s).table().tolist() == [at(c, at(s, i)) for i in range(16)]
    assert c @ c == ComposedLayout(s, 0, algebra.composition(L("(4,4):(4,1)"), c))
    with pytest.raises(
        LayoutError, match=r"composition: got Sw<2,0,2> and \(2, 2\); needed a layou"
    ):
        s @ (2, 2)


@given(composed())
def test_coalesce_keeps_the_table(c):
    assert table(algebra.coalesce(c)) == table(c)
    assert algebra.coalesce(c).depth <= 1


@given(composed())
def test_filter_keeps_the_set_of_offsets(c):
    assert set(table(algebra.filter(c))) == set(table(c))
    assert set(table(algebra.filter_zeros(c))) == set(table(c))
    assert algebra.filter_zeros(c).rank == c.rank


@given(swizzled, st.integers(1, 80))
def test_complement_fills_what_the_inner_layout_leaves(c, target):
    assume(len(set(table(c.inner))) == c.size)
    try:
        rest = algebra.complement(c, target)
    except LayoutError:
        return
    whole = table(c.over(make_layout(c.inner, rest)))
    assert len(set(whole)) == len(whole)
    assert whole[: c.size] == table(c)


@given(composed(), st.integers(1, 12))
def test_logical_divide_keeps_the_function(c, tile):
    try:
        found = algebra.logical_divide(c, tile)
    except LayoutError:
        return
    assert table(found[0]) == [at(c, i) for i in range(tile)]
    if c.size % tile == 0:
        assert sorted(table(found)) == sorted(table(c))
        zipped = algebra.zipped_divide(c, tile)
        assert table(zipped) == table(found)


@given(swizzled)
def test_divisions_by_mode_arrange_the_inner_modes(c):
    assume(isinstance(c.shape, tuple))
    tiler = tuple(1 if i % 2 else mode.size for i, mode in enumerate(c.modes))
    for divide in (algebra.zipped_divide, algebra.tiled_divide, algebra.flat_divide):
        assert sorted(table(divide(c, tiler))) == sorted(table(c))
    assert algebra.zipped_divide(c, tiler).rank == 2


@given(layouts(max_size=64, max_stride=9), swizzles(), st.integers(1, 3))
def test_division_by_a_swizzled_tiler(a, s, power):
    tiler = s @ Layout(1 << power)
    assume(isinstance(tiler, ComposedLayout))
    try:
        found = algebra.logical_divide(a, tiler)
    except LayoutError:
        return
    tile = 1 << power
    assert [at(found, i) for i in range(tile)] == [at(a, at(tiler, i)) for i in range(tile)]
    if a.size % tile == 0:
        assert sorted(table(found)) == sorted(table(a))


@given(swizzled, layouts(max_size=6, max_stride=4, max_depth=1))
def test_products_repeat_the_inner_layout(c, tiler):
    try:
        found = algebra.logical_product(c, tiler)
    except LayoutError:
        return
    assert table(found)[: c.size] == table(c)
    assert found.rank == 2
    if len(set(table(c))) == c.size and len(set(table(tiler))) == tiler.size:
        assert len(set(table(found))) == found.size
    assert sorted(table(algebra.blocked_product(c, tiler))) == sorted(table(found))
    assert sorted(table(algebra.raked_product(c, tiler))) == sorted(table(found))


@given(compact_layouts(max_size=16), swizzles(), st.sampled_from(["4", "(4,4):(4,1)", "(2,8)"]))
def test_products_repeat_as_a_swizzled_tiler_says(a, s, text):
    tiler = s @ L(text)
    assume(isinstance(tiler, ComposedLayout))
    try:
        found = algebra.logical_product(a, tiler)
    except LayoutError:
        return
    assert table(found) == [x + a.size * y for y in table(tiler) for x in table(a)]
    assert sorted(table(algebra.blocked_product(a, tiler))) == sorted(table(found))


def test_products_in_every_arrangement():
    c, t = C("Sw<1,0,2> o 0 o (2,4):(4,1)"), L("(3,2)")
    assert str(algebra.zipped_product(c, t)) == "Sw<1,0,2> o 0 o ((2,4),(3,2)):((4,1),(8,24))"
    assert str(algebra.tiled_product(c, t)) == "Sw<1,0,2> o 0 o ((2,4),3,2):((4,1),8,24)"
    assert str(algebra.flat_product(c, t)) == "Sw<1,0,2> o 0 o (2,4,3,2):(4,1,8,24)"
    assert str(algebra.blocked_product(c, t)) == "Sw<1,0,2> o 0 o ((2,3),(4,2)):((4,8),(1,24))"
    assert str(algebra.raked_product(c, t)) == "Sw<1,0,2> o 0 o ((3,2),(2,4)):((8,4),(24,1))"
    b, s = L("(2,2)"), C("Sw<1,0,2> o 0 o (2,4):(4,1)")
    assert str(algebra.blocked_product(b, s)) == "Sw<1,2,2> o 0 o ((2,2),(2,4)):((1,16),(2,4))"
    assert str(algebra.raked_product(b, s)) == "Sw<1,2,2> o 0 o ((2,2),(4,2)):((16,1),(4,2))"
    assert str(algebra.flat_product(b, s)) == "Sw<1,2,2> o 0 o (2,2,2,4):(1,2,16,4)"
    assert str(algebra.tiled_product(b, s)) == "Sw<1,2,2> o 0 o ((2,2),2,4):((1,2),16,4)"


def test_a_shared_memory_atom_tiles_a_shape():
    atom = Swizzle(3, 3, 3) @ L("(8,64):(64,1)")
    tile = algebra.tile_to_shape(atom, (64, 128))
    assert (tile.shape, tile.cosize) == (((8, 8), (64, 2)), 64 * 128)
    assert [tile(i, j) for i in range(8) for j in range(64)] == [
        atom(i, j) for i in range(8) for j in range(64)
    ]


@given(composed() | st.builds(ComposedLayout, swizzles(), st.just(0), compact_layouts()))
def test_right_inverse(c):
    try:
        found = algebra.right_inverse(c)
    except LayoutError:
        assert 0 not in table(c) or not isinstance(c.outer, Swizzle) or c.inner != innermost(c)
    else:
        assert [at(c, at(found, i)) for i in range(found.size)] == list(range(found.size))
        if isinstance(c.outer, Swizzle) and sorted(table(c)) == list(range(c.size)):
            assert found.size == c.size


@given(composed() | st.builds(ComposedLayout, swizzles(), st.integers(0, 9), compact_layouts()))
def test_left_inverse(c):
    try:
        found = algebra.left_inverse(c)
    except LayoutError:
        return
    assert [at(c, at(found, x)) for x in table(c)] == table(c)
    if len(set(table(c))) == c.size:
        assert [at(found, x) for x in table(c)] == list(range(c.size))


@given(composed())
def test_injective_and_bijective(c):
    assert algebra.is_injective(c) == (len(set(table(c))) == c.size)
    assert algebra.is_bijective(c) == (sorted(table(c)) == list(range(c.size)))


def test_local_tiles_cover_the_function():
    c = Swizzle(2, 0, 3) @ L("(8,8):(8,1)")
    seen = []
    for i in range(2):
        for j in range(4):
            tile, start = algebra.local_tile(c, (4, 2), (i, j))
            assert start == 0
            assert table(tile) == [c(4 * i + x, 2 * j + y) for y in range(2) for x in range(4)]
            seen += table(tile)
    assert sorted(seen) == sorted(table(c))
    parts = [table(algebra.local_partition(c, L("(2,4)"), t)[0]) for t in range(8)]
    assert sorted(x for part in parts for x in part) == sorted(table(c))


@given(composed())
def test_modes_are_rearranged_inside(c):
    assume(c.rank > 1)
    assert table(algebra.group_modes(c, 0, c.rank)) == table(c)
    assert table(algebra.flatten(c)) == table(c)
    assert algebra.take(c, 0, 1)[0] == c[0]
    assert table(algebra.select(c, [0])) == table(c[0])
    assert table(algebra.append(c)) == table(algebra.prepend(c)) == table(c)
    assert algebra.unflatten(algebra.flatten(c), c.shape) == c
    assert algebra.replace(c, 0, Layout(1, 0))[0] == algebra.replace(c, 0, Layout(1, 0)).mode(0)
    assert (algebra.size(c), algebra.rank(c), algebra.depth(c)) == (c.size, c.rank, c.depth)
    assert algebra.cosize(c) == c.cosize


@given(swizzled, st.integers(0, 3))
def test_domain_offset_moves_the_start(c, start):
    assume(not isinstance(c.shape, tuple))
    moved, nothing = algebra.domain_offset(start, c)
    assert nothing == 0
    assert table(moved) == [at(c, start + i) for i in range(c.size)]


@given(swizzled, st.sampled_from([1, 2, 4]))
def test_downcast_and_upcast(c, count):
    try:
        parts = algebra.downcast(c, count)
    except LayoutError:
        return
    assert sorted(table(parts)) == sorted(count * x + r for x in table(c) for r in range(count))
    assert algebra.upcast(parts, count).outer == c.outer
    assert algebra.upcast(parts, count).offset == c.offset
    assert table(algebra.recast_layout(c, 8 * count, 8)) == table(parts)


@given(st.builds(ComposedLayout, swizzles(), st.sampled_from([0, 2, 4]), compact_layouts()))
def test_upcast_follows_the_words(c):
    try:
        words = algebra.upcast(c, 2)
    except LayoutError:
        return
    assert sorted(table(words)) == sorted({x // 2 for x in table(c)})


@given(swizzled)
def test_nullspace_goes_to_zero(c):
    try:
        found = algebra.nullspace(c)
    except LayoutError:
        assert c.offset
    else:
        assert [at(c, at(found, i)) for i in range(found.size)] == [0] * found.size
        assert found.size == sum(x == 0 for x in table(c)) or not is_injective_but_zero(c)


def is_injective_but_zero(c):
    """Whether only offset 0 comes several times, so that the nullspace must hold all of these."""
    return len(set(table(c))) == 1


@given(swizzled, compact_layouts() | swizzled)
def test_max_common_layout_and_vector(a, b):
    common = algebra.max_common_layout(a, b)
    reached = [at(common, i) for i in range(common.size)]
    assert [at(a, x) for x in reached] == [at(b, x) for x in reached] == list(range(common.size))
    assert algebra.max_common_layout(b, a) == common
    vector = algebra.max_common_vector(a, b)
    assert vector == algebra.max_common_vector(b, a)
    if vector > 1:
        inner = b.inner if isinstance(b, ComposedLayout) else b
        steps = [algebra.max_common_layout(a.inner, inner)(i) for i in range(vector)]
        for function in (a, b):
            own = function.inner if isinstance(function, ComposedLayout) else function
            starts = [i for i, x in enumerate(table(own)) if x % vector == 0]
            run = [[at(function, i + step) for step in steps] for i in starts]
            assert run == [list(range(at(function, i), at(function, i) + vector)) for i in starts]


def test_max_common_vector_is_what_the_swizzle_leaves_whole():
    row = L("(8,64):(64,1)")
    smem = Swizzle(3, 3, 3) @ row
    assert algebra.max_common_vector(smem, row) == 8
    assert algebra.max_common_vector(Swizzle(3, 4, 3) @ row, smem) == 8
    assert algebra.max_common_vector(ComposedLayout(smem.outer, 4, row), row) == 4
    assert algebra.max_common_vector(smem, L("(8,64):(1,8)")) == 1
    assert algebra.max_common_vector(Swizzle(3, 3, 3) @ L("(8,8):(9,1)"), L("(8,8):(9,1)")) == 1
    assert algebra.max_common_layout(smem, row) == L("64:8")


def test_errors_of_operations():
    c, s = C("Sw<2,0,2> o 3 o (4,4):(4,1)"), Swizzle(2, 0, 2)
    with pytest.raises(LayoutError, match=r"complement: got 4:2 .*needed a swizzle as the outer"):
        algebra.complement(C("4:2 o 0 o 4:1"))
    with pytest.raises(
        LayoutError, match=r"coalesce: got Sw<2,0,2>, needed a layout; try composit"
    ):
        algebra.coalesce(s)
    with pytest.raises(
        LayoutError, match=r"logical_divide: got Sw<2,0,2> and 4; needed a layout and"
    ):
        algebra.logical_divide(s, 4)
    with pytest.raises(
        LayoutError, match=r"logical_divide: .*; needed a tiler of a layout, with of"
    ):
        algebra.logical_divide(Layout(64), c)
    with pytest.raises(LayoutError, match=r"logical_divide: .*moves offsets out of the layout"):
        algebra.logical_divide(Layout(12), C("Sw<2,0,-2> o 0 o 4:1"))
    with pytest.raises(
        LayoutError, match=r"logical_product: .*needed a layout and a tiler, one of"
    ):
        algebra.logical_product(c, c)
    with pytest.raises(
        LayoutError, match=r"logical_product: .*needed a tiler of a layout, without"
    ):
        algebra.logical_product(Layout(n), c)
    with pytest.raises(
        LayoutError, match=r"logical_product: .*no swizzle of the product repeats as"
    ):
        algebra.logical_product(Layout(3), C("Sw<2,0,2> o 0 o 16:1"))
    with pytest.raises(LayoutError, match=r"right_inverse: got .*, needed one that reaches 0"):
        algebra.right_inverse(C("Sw<2,0,2> o 3 o 4:1"))
    with pytest.raises(
        LayoutError, match=r"left_inverse: got .*; its parts' inverses do not invert"
    ):
        algebra.left_inverse(C("(2,4):(6,6) o 3 o (2,3):(0,3)"))
    with pytest.raises(LayoutError, match=r"nullspace: got .*, needed a swizzle as outer function"):
        algebra.nullspace(c)
    with pytest.raises(
        LayoutError, match=r"max_common_layout: got Sw<2,0,2>, needed a layout; try"
    ):
        algebra.max_common_layout(s, Layout(4))
    with pytest.raises(
        LayoutError, match=r"max_common_vector: got 4:2 .*, needed a swizzle of a l"
    ):
        algebra.max_common_vector(C("4:2 o 0 o 4:1"), Layout(4))
    with pytest.raises(LayoutError, match=r"max_common_vector: .*needed sizes that are numbers"):
        algebra.max_common_vector(ComposedLayout(s, n, Layout(4)), Layout(4))
    with pytest.raises(LayoutError, match=r"upcast: got .* by 2, needed an offset of whole words"):
        algebra.upcast(c, 2)
    with pytest.raises(
        LayoutError, match=r"downcast: got .* by 2, needed a swizzle as the outer f"
    ):
        algebra.downcast(C("4:2 o 0 o 4:1"), 2)
    with pytest.raises(
        LayoutError, match=r"stride: got Sw<2,0,2> o 3 o .*, which has no strides; t"
    ):
        _ = c.stride
    with pytest.raises(LayoutError, match=r"which has no strides"):
        _ = L("(8,8)") @ (c, 4)
    with pytest.raises(AttributeError):
        c.offset = 1


@pytest.mark.slow
@given(swizzled, plain)
def test_agrees_with_tensor_layouts_where_it_is_right(c, b):
    peer = pytest.importorskip("tensor_layouts")
    s = c.outer
    inner = peer.Layout(c.inner.shape, c.inner.stride)
    theirs = peer.ComposedLayout(peer.Swizzle(s.bits, s.base, s.shift), inner, offset=c.offset)
    assert [theirs(i) for i in range(c.size)] == table(c)
    try:
        other = peer.compose(theirs, peer.Layout(b.shape, b.stride))
        values = [other(i) for i in range(b.size)]
    except (ValueError, NotImplementedError):
        return
    if values == [at(c, at(b, i)) for i in range(b.size)]:
        assert table(algebra.composition(c, b)) == values
