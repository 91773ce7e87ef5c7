"""Laws of the layout algebra, one test a law; the oracles enumerate and share no code with it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    blocked_product,
    coalesce,
    compatible,
    complement,
    composition,
    filter,
    filter_zeros,
    flat_divide,
    flat_product,
    is_bijective,
    local_partition,
    local_tile,
    logical_divide,
    logical_product,
    make_layout,
    make_layout_tv,
    raked_product,
    row_major,
    tile_to_shape,
    tiled_divide,
    tiled_product,
    zipped_divide,
    zipped_product,
)
from tensorlib.layouts.layout import forget_recent
from tensorlib.layouts.memo import clear_memos
from tensorlib.testing.layouts import compact_layouts, layouts
from tensorlib.tests.layout_oracles import complement_offsets, modes_of

n, m = Dim("n"), Dim("m")
L = Layout.parse
any_layouts = layouts(min_stride=-4, max_size=48)
small_layouts = layouts(max_size=16, max_depth=2, max_stride=12)
repeats = layouts(max_size=16, max_depth=2, min_stride=-3, max_stride=12)


def leaves(nested: Any) -> list[int]:
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


def at(layout: Layout, index: int) -> int:
    """The offset of an index by definition; past the end it goes on along the last mode."""
    sizes, strides, total = leaves(layout.shape), leaves(layout.stride), 0
    for size, stride in zip(sizes[:-1], strides[:-1], strict=True):
        total, index = total + index % size * stride, index // size
    return total + (index * strides[-1] if strides else 0)


def table(layout: Layout) -> list[int]:
    return [at(layout, index) for index in range(math.prod(leaves(layout.shape)))]


def factorisations(size: int) -> list[tuple[int, ...]]:
    if size == 1:
        return [()]
    splits = [d for d in range(2, size + 1) if size % d == 0]
    return [(d, *rest) for d in splits for rest in factorisations(size // d)]


def is_layout(offsets: list[int]) -> bool:
    """True when a flat layout has these offsets: every factorisation is tried."""
    for sizes in factorisations(len(offsets)):
        starts = [math.prod(sizes[:k]) for k in range(len(sizes))]
        flat = Layout(sizes, tuple(offsets[start] for start in starts))
        if table(flat) == offsets:
            return True
    return False


def answer(operation: Callable[..., Layout], *operands: Any) -> Layout | None:
    try:
        return operation(*operands)
    except LayoutError as error:
        text = str(error)
    assert text.startswith(operation.__name__)  # the message names the operation
    return None


# coalesce, filter


@given(any_layouts)
def test_coalesce_keeps_the_table(layout: Layout) -> None:
    assert table(coalesce(layout)) == table(layout)


@given(any_layouts)
def test_coalesce_is_idempotent_and_shortest(layout: Layout) -> None:
    flat = coalesce(layout)
    assert coalesce(flat) is flat
    assert flat.depth <= 1
    modes = list(zip(flat.flat_shape, flat.flat_stride, strict=True))
    assert modes == [(1, 0)] or all(size != 1 for size, _ in modes)
    assert all(d1 != s0 * d0 for (s0, d0), (_, d1) in itertools.pairwise(modes))


@given(any_layouts)
def test_coalesce_by_mode_keeps_the_rank(layout: Layout) -> None:
    layout = make_layout(*layout.modes)
    by_mode = coalesce(layout, (1,) * layout.rank)
    assert [table(mode) for mode in by_mode] == [table(mode) for mode in layout]


@given(any_layouts)
def test_filter_keeps_the_set_of_offsets(layout: Layout) -> None:
    assert set(table(filter(layout))) == set(table(layout))
    assert 0 not in leaves(filter(layout).stride) or len(set(table(layout))) == 1
    assert set(table(filter_zeros(layout))) == set(table(layout))
    assert filter_zeros(layout).stride == layout.stride


# composition


@given(any_layouts, any_layouts)
@settings(max_examples=500)
def test_composition_applies_right_then_left(a: Layout, b: Layout) -> None:
    result = answer(composition, a, b)
    if result is not None:
        assert table(result) == [at(a, at(b, i)) for i in range(len(table(b)))]
        assert compatible(b.shape, result.shape)


@given(small_layouts, small_layouts)
@settings(max_examples=500)
def test_composition_is_found_wherever_it_exists(a: Layout, b: Layout) -> None:
    sizes, strides = leaves(b.shape), leaves(b.stride)
    through = [[at(a, i * d) for i in range(s)] for s, d in zip(sizes, strides, strict=True)]
    sums = [sum(parts[::-1]) for parts in itertools.product(*reversed(through))]
    exists = all(map(is_layout, through)) and sums == [at(a, x) for x in table(b)]
    assert (answer(composition, a, b) is not None) == exists


@given(small_layouts, small_layouts, small_layouts)
def test_composition_is_associative_where_defined(a: Layout, b: Layout, c: Layout) -> None:
    inner, outer = answer(composition, b, c), answer(composition, a, b)
    assume(inner is not None and outer is not None)
    left, right = answer(composition, outer, c), answer(composition, a, inner)
    assume(left is not None and right is not None)
    assume(max(table(c)) < math.prod(leaves(b.shape)))  # the shape of b o c tells b's end
    assert left is not None
    assert right is not None
    assert table(left) == table(right)


@given(any_layouts)
def test_composition_with_the_identity(layout: Layout) -> None:
    assert table(composition(layout, Layout(layout.size))) == table(layout)
    assert composition(layout, None) is layout
    assert composition(Layout(1 << 20), layout).shape == layout.shape or 1 in leaves(layout.shape)


@given(compact_layouts(max_size=16, max_depth=2), compact_layouts(max_size=16, max_depth=2))
def test_tiles_compose_by_mode(a: Layout, b: Layout) -> None:
    both = make_layout(a, b)
    assert composition(both, (a.size, None)) == make_layout(composition(a, a.size), b)
    assert composition(both, (None,)) == make_layout(a)
    assert both @ (a.size,) == composition(both, (Layout(a.size),))


def test_composition_examples() -> None:
    assert L("(4,6,8):(1,4,7)") @ L("6:1") == L("6:1")
    assert L("(6,2):(8,2)") @ L("(4,3):(3,1)") == L("((2,2),3):((24,2),8)")
    assert L("20:2") @ L("(5,4):(4,1)") == L("(5,4):(8,2)")
    assert L("(10,2):(16,4)") @ L("(5,4):(1,5)") == L("(5,(2,2)):(16,(80,4))")
    assert L("(4,2):(1,-8)") @ L("(2,2):(1,4)") == L("(2,2):(1,-8)")
    with pytest.raises(LayoutError, match=r"composition: got \(4,3\):\(1,10\) and 6:1; mode 0 of"):
        L("(4,3):(1,10)") @ L("6:1")
    with pytest.raises(LayoutError, match=r"composition: got .* and .*; mode 1 .*does not add up"):
        L("(4,3):(1,10)") @ L("(3,2):(1,3)")
    with pytest.raises(LayoutError, match=r"composition: got 4:1 and \(2, 2\); needed a tiler of"):
        L("4:1") @ (2, 2)
    with pytest.raises(LayoutError, match=r"needed a left operand that is not empty"):
        L("(0,4)") @ L("2")
    with pytest.raises(LayoutError, match=r"needed at most 1048576 offsets to decide it"):
        L("(4,3):(1,10)") @ L("(3,1048576):(1,3)")
    with pytest.raises(LayoutError, match=r"needed offsets that fit int64"):
        L("(4,3):(1,4611686018427387904)") @ L("(3,2):(1,3)")


def test_symbolic_composition() -> None:
    assert Layout((64, n), (n, 1)) @ Layout((16, 4, n), (1, 16, 64)) == Layout(
        (16, 4, n), (n, 16 * n, 1)
    )
    assert Layout((n, 4), (4, 1)) @ Layout(4 * n) == Layout((n, 4), (4, 1))
    assert Layout((n, m), (m, 1)) @ Layout((n, m)) == Layout((n, m), (m, 1))
    with pytest.raises(LayoutError, match=r"composition: got .*; needed sizes whose divisibility"):
        Layout((n, m), (m, 1)) @ Layout(6)


def test_forgotten_results_are_computed_again() -> None:
    first = L("(8,8):(8,1)") @ L("4:2")
    clear_memos()
    forget_recent()
    assert L("(8,8):(8,1)") @ L("4:2") is first
    assert composition(L("8"), 4) is composition(a=L("8"), b=4)
    with pytest.raises(LayoutError, match=r"Layout: got the leaf 4.0, needed ints"):
        composition(L("8"), 4.0)


# complement


@given(any_layouts, st.integers(0, 200))
def test_complement_fills_what_is_left_out(layout: Layout, target: int) -> None:
    rest = answer(complement, layout, target)
    assume(rest is not None)
    assert rest is not None
    core = sorted(set(table(layout)))
    sums = sorted(x + y for x in core for y in table(rest))
    assert sums == list(range(len(sums)))  # every offset once: (A, A*) is injective
    assert len(sums) >= target
    assert table(rest) == sorted(table(rest))
    assert set(core) & set(table(rest)) == {0}


@given(any_layouts, st.integers(0, 60))
def test_complement_is_found_wherever_it_exists(layout: Layout, target: int) -> None:
    expected = complement_offsets(modes_of((layout.shape, layout.stride)), target)
    rest = answer(complement, layout, target)
    assert (None if rest is None else table(rest)) == expected


@given(compact_layouts())
def test_a_compact_layout_has_no_complement_below_its_size(layout: Layout) -> None:
    assert complement(layout) == L("1:0")
    assert complement(layout, layout.size * 3) == coalesce(Layout(3, layout.size))


def test_complement_examples() -> None:
    assert complement(L("4:1"), 24) == L("6:4")
    assert complement(L("6:4"), 24) == L("4:1")
    assert complement(L("(4,6):(1,4)"), 24) == L("1:0")
    assert complement(L("4:2"), 24) == L("(2,3):(1,8)")
    assert complement(L("(2,4):(1,6)"), 24) == L("3:2")
    assert complement(L("(2,2):(1,6)"), 24) == L("(3,2):(2,12)")
    assert complement(L("4:2"), (4, 6)) == L("(2,3):(1,8)")
    assert complement(Layout((8, 4), (1, 8 * n)), 64 * n) == Layout((n, 2), (8, 32 * n))
    with pytest.raises(LayoutError, match=r"complement: got \(4,4\):\(1,2\) and 24; mode 4:2"):
        complement(L("(4,4):(1,2)"), 24)
    with pytest.raises(LayoutError, match=r"complement: got 4:-1 and 24; mode 4:-1 interleaves"):
        complement(L("4:-1"), 24)
    assert complement(L("4:2"), 0) == complement(L("4:2"), 8) == L("2:1")
    with pytest.raises(LayoutError, match=r"complement: got 4:1 and -1; needed a target >= 0"):
        complement(L("4:1"), -1)
    with pytest.raises(LayoutError, match=r"complement: got 0:1 and 24; needed a layout that is"):
        complement(L("0:1"), 24)
    with pytest.raises(LayoutError, match=r"complement: got .*; needed strides of known order"):
        complement(Layout((4, 4), (n, m)), 24)


# division


@given(any_layouts, small_layouts)
@settings(max_examples=300)
def test_divide_is_composition_with_tiler_and_rest(a: Layout, b: Layout) -> None:
    result = answer(logical_divide, a, b)
    if result is not None:
        rest = complement(b, a.size)
        inside = [x + y for y in table(rest) for x in table(b)]
        assert table(result) == [at(a, x) for x in inside]
        assert result.mode(0) == composition(a, b)


@given(any_layouts, compact_layouts(max_size=16) | small_layouts)
def test_divide_permutes_where_sizes_divide(a: Layout, b: Layout) -> None:
    assume(int(a.size) % int(b.size) == 0)
    assume(len(set(table(b))) == b.size)
    result = answer(logical_divide, a, b)
    assert result is None or sorted(table(result)) == sorted(table(a))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3))
def test_divides_arrange_the_same_modes(factors: list[tuple[int, int]]) -> None:
    layout = row_major(*[tile * count for tile, count in factors], 5)
    tiler = tuple(tile for tile, _ in factors)
    modes = logical_divide(layout, tiler).modes
    tiles = [mode.mode(0) for mode in modes[:-1]]
    rests = [mode.mode(1) for mode in modes[:-1]] + [modes[-1]]
    assert zipped_divide(layout, tiler) == make_layout(make_layout(*tiles), make_layout(*rests))
    assert tiled_divide(layout, tiler) == make_layout(make_layout(*tiles), *rests)
    assert flat_divide(layout, tiler) == make_layout(*tiles, *rests)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3))
def test_local_tiles_cover_without_overlap(factors: list[tuple[int, int]]) -> None:
    layout = row_major(tuple(tile * count for tile, count in factors))
    tiler = tuple(tile for tile, _ in factors)
    seen: list[int] = []
    for place in itertools.product(*[range(count) for _, count in factors]):
        tile, offset = local_tile(layout, tiler, place)
        assert tile.shape == tiler
        seen += [offset + x for x in table(tile)]
    assert sorted(seen) == sorted(table(layout))


@given(compact_layouts(max_size=16, max_depth=1), st.integers(1, 3), st.integers(1, 3))
def test_local_partitions_cover_without_overlap(threads: Layout, rows: int, columns: int) -> None:
    threads = make_layout(*threads.modes)
    counts = (rows, columns, 1)[: threads.rank]
    layout = row_major(tuple(t * c for t, c in zip(threads.flat_shape, counts, strict=True)))
    seen: list[int] = []
    for thread in range(int(threads.size)):
        values, offset = local_partition(layout, threads, thread)
        seen += [offset + x for x in table(values)]
    assert sorted(seen) == sorted(table(layout))


def test_divide_examples() -> None:
    assert logical_divide(L("24"), L("4:2")) == L("(4,(2,3)):(2,(1,8))")
    assert logical_divide(L("(4,2,3):(2,1,8)"), L("4:2")) == L("((2,2),(2,3)):((4,1),(2,8))")
    assert zipped_divide(row_major(8, 64), (None, 16)).shape == ((1, 16), (8, 4))
    assert zipped_divide(row_major(n, 64), (None, 16)) == Layout(
        ((1, 16), (n, 4)), ((0, 1), (64, 16))
    )
    k = Dim("k", divisible_by=32)
    assert zipped_divide(row_major(k, 64), (32, 16)) == Layout(
        ((32, 16), (k // 32, 4)), ((64, 1), (2048, 16))
    )
    assert local_tile(row_major(k, 64), (32, 16), (n, 1)) == (
        Layout((32, 16), (64, 1)),
        2048 * n + 16,
    )
    assert logical_divide(L("10:1"), L("4:1")) == L("(4,3):(1,4)")  # rounded up
    with pytest.raises(
        LayoutError,
        match=r"logical_divide: got 12:1 and 4:2; its tiles fill 16 elements, needed 12",
    ):
        logical_divide(L("12"), L("4:2"))
    with pytest.raises(LayoutError, match=r"logical_divide: got 24:1 and 4:-2; complement: got"):
        logical_divide(L("24"), L("4:-2"))
    with pytest.raises(LayoutError, match=r"zipped_divide: got 24:1 and \(4, 2\); needed a tiler"):
        zipped_divide(L("24"), (4, 2))
    with pytest.raises(LayoutError, match=r"local_partition: got .* needed threads that are a bij"):
        local_partition(L("24"), L("4:2"), 0)


# product


@given(small_layouts, repeats)
def test_product_repeats_the_block(a: Layout, b: Layout) -> None:
    result = answer(logical_product, a, b)
    assume(result is not None)
    assert result is not None
    assert result.mode(0) == a
    assert compatible(b.shape, result.mode(1).shape)
    rest = complement(a, a.size * (max(table(b)) - min(table(b)) + 1))
    assert table(result.mode(1)) == [at(rest, x) for x in table(b)]


@given(compact_layouts(max_size=16) | small_layouts, repeats)
def test_product_is_injective_where_both_are(a: Layout, b: Layout) -> None:
    assume(len(set(table(a))) == a.size and len(set(table(b))) == b.size)
    result = answer(logical_product, a, b)
    assert result is None or len(set(table(result))) == result.size


@given(compact_layouts(max_size=12, max_depth=1), compact_layouts(max_size=12, max_depth=1))
def test_blocked_and_raked_products_put_each_block_in_its_place(a: Layout, b: Layout) -> None:
    rank = max(a.rank, b.rank)
    blocked, raked = blocked_product(a, b), raked_product(a, b)
    whole = logical_product(a, b)
    for (x, p), (y, q) in itertools.product(_places(a, rank), _places(b, rank)):
        offset = at(whole.mode(0), x) + at(whole.mode(1), y)
        sizes = [int(mode.size) for mode in _padded(a, rank)]
        counts = [int(mode.size) for mode in _padded(b, rank)]
        assert blocked(*[i + s * j for i, j, s in zip(p, q, sizes, strict=True)]) == offset
        assert raked(*[j + c * i for i, j, c in zip(p, q, counts, strict=True)]) == offset


def _padded(layout: Layout, rank: int) -> list[Layout]:
    return [*layout.modes, *[Layout(1, 0)] * (rank - layout.rank)]


def _places(layout: Layout, rank: int) -> list[tuple[int, tuple[int, ...]]]:
    """Every index of the layout with its top-level coordinate, padded to a rank."""
    sizes = [int(mode.size) for mode in _padded(layout, rank)]
    backwards = itertools.product(*[range(size) for size in reversed(sizes)])
    return [(index, parts[::-1]) for index, parts in enumerate(backwards)]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=2, max_size=3))
def test_tile_to_shape_is_a_compact_cover(factors: list[tuple[int, int]]) -> None:
    block = row_major(tuple(tile for tile, _ in factors))
    shape = tuple(tile * count for tile, count in factors)
    result = tile_to_shape(block, shape, tuple(range(len(shape)))[::-1])
    assert tuple(int(mode.size) for mode in result) == shape
    assert is_bijective(result)


def test_product_examples() -> None:
    assert logical_product(L("(2,2):(4,1)"), L("6")) == L("((2,2),(2,3)):((4,1),(2,8))")
    assert blocked_product(L("(2,5):(5,1)"), L("(3,4)")) == L("((2,3),(5,4)):((5,10),(1,30))")
    assert raked_product(L("(2,5):(5,1)"), L("(3,4)")) == L("((3,2),(4,5)):((10,5),(30,1))")
    assert logical_product(L("4:1"), L("2:-1")) == L("(4,2):(1,-4)")
    with pytest.raises(LayoutError, match=r"tile_to_shape: got .* needed a block that is not emp"):
        tile_to_shape(L("0:1"), 4)
    with pytest.raises(LayoutError, match=r"tile_to_shape: got 4:-1 and .*; blocked_product: got"):
        tile_to_shape(L("4:-1"), 8)
    with pytest.raises(LayoutError, match=r"logical_product: got .* and 2:1; complement: got"):
        logical_product(L("(4,4):(1,2)"), L("2"))
    with pytest.raises(LayoutError, match=r"tile_to_shape: got .* needed at most 1 block modes"):
        tile_to_shape(L("(2,2)"), (4,))


@given(compact_layouts(max_size=12, max_depth=1), compact_layouts(max_size=6, max_depth=1))
def test_products_arrange_the_same_modes(a: Layout, b: Layout) -> None:
    a = Layout(tuple(leaves(a.shape)))
    tiler = (b,)
    first = logical_product(a, tiler)[0]
    block, repeat, others = first.mode(0), first.mode(1), a.modes[1:]
    assert zipped_product(a, tiler) == make_layout(make_layout(block), make_layout(repeat, *others))
    assert tiled_product(a, tiler) == make_layout(make_layout(block), repeat, *others)
    assert flat_product(a, tiler) == make_layout(block, repeat, *others)


# threads and values


@given(compact_layouts(max_size=16, max_depth=1), compact_layouts(max_size=12, max_depth=1))
def test_every_element_of_the_tile_has_one_owner(threads: Layout, values: Layout) -> None:
    shape, tv = make_layout_tv(threads, values)
    assert tv.rank == 2
    assert [int(mode.size) for mode in tv] == [threads.size, values.size]
    assert sorted(table(tv)) == list(range(math.prod(shape)))


def test_thread_value_example() -> None:
    shape, tv = make_layout_tv(row_major(4, 32), row_major(4, 4))
    assert shape == (16, 128)
    assert tv == L("((32,4),(4,4)):((64,4),(16,1))")
    with pytest.raises(LayoutError, match=r"make_layout_tv: got .* needed compact layouts"):
        make_layout_tv(L("4:0"), L("2"))
