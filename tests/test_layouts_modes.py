"""Laws of rearranged modes: offsets stay with their modes, and indices keep their meaning."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    ComposedLayout,
    Dim,
    Layout,
    Swizzle,
    append,
    congruent,
    depth,
    dice,
    domain_offset,
    flatten,
    group_modes,
    is_compact,
    make_layout,
    prepend,
    rank,
    replace,
    select,
    size,
    slice_and_offset,
    take,
    unflatten,
    weakly_congruent,
)
from tensorlib.testing import layouts as strategies
from tensorlib.testing.layouts import (
    compact_layouts,
    dims,
    injective_layouts,
    layouts,
    power_of_two_layouts,
    shapes,
)

# The oracle: a layout as a plain function of nested coordinates, by the definition alone.


def offset(coordinate: Any, stride: Any) -> int:
    if isinstance(stride, tuple):
        return sum(map(offset, coordinate, stride))
    return int(coordinate * stride)


def coordinates(shape: Any) -> list[Any]:
    if isinstance(shape, int):
        return list(range(shape))
    backwards = itertools.product(*[coordinates(part) for part in reversed(shape)])
    return [tuple(reversed(parts)) for parts in backwards]


def table(layout: Layout) -> list[int]:
    return [offset(c, layout.stride) for c in coordinates(layout.shape)]


def leaves(nested: Any) -> list[Any]:
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


any_layouts = layouts(min_stride=-9, max_size=48)
tuple_layouts = any_layouts.map(lambda layout: make_layout(*layout.modes))


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Layout, int, int]:
    layout = draw(tuple_layouts)
    begin = draw(st.integers(0, layout.rank - 1))
    return layout, begin, draw(st.integers(begin + 1, layout.rank))


@given(ranges())
def test_grouping_keeps_the_function_of_an_index(case: tuple[Layout, int, int]) -> None:
    layout, begin, end = case
    grouped = group_modes(layout, begin, end)
    assert grouped.rank == layout.rank - (end - begin) + 1
    assert table(grouped) == table(layout)
    assert grouped.shape[begin] == layout.shape[begin:end]
    assert group_modes(layout.shape, begin, end) == grouped.shape


@given(ranges())
def test_take_is_a_range_of_modes(case: tuple[Layout, int, int]) -> None:
    layout, begin, end = case
    taken = take(layout, begin, end)
    assert taken.shape == layout.shape[begin:end] == take(layout.shape, begin, end)
    assert taken.stride == layout.stride[begin:end]


@given(tuple_layouts, st.data())
def test_selected_modes_keep_their_offsets(layout: Layout, data: st.DataObject) -> None:
    modes = data.draw(st.lists(st.integers(0, layout.rank - 1), max_size=4))
    chosen = select(layout, modes)
    assert chosen.shape == tuple(layout.shape[k] for k in modes) == select(layout.shape, modes)
    assert chosen.stride == tuple(layout.stride[k] for k in modes)


@given(st.permutations(range(3)), st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_selecting_a_permutation_transposes(order: list[int], sizes: list[int]) -> None:
    layout = Layout(tuple(sizes))
    for coordinate in coordinates(layout.shape):
        assert select(layout, order)(*(coordinate[k] for k in order)) == layout(*coordinate)


@given(any_layouts, any_layouts)
def test_append_and_prepend_add_one_mode(layout: Layout, mode: Layout) -> None:
    behind, before = append(layout, mode), prepend(layout, mode)
    assert behind.modes == (*layout.modes, mode)
    assert before.modes == (mode, *layout.modes)
    assert append(layout.shape, mode.shape) == behind.shape
    assert prepend(layout.shape, mode.shape) == before.shape


@given(any_layouts, st.integers(0, 3))
def test_appending_up_to_a_rank_keeps_the_table(layout: Layout, more: int) -> None:
    for longer in (
        append(layout, rank=layout.rank + more),
        prepend(layout, rank=layout.rank + more),
    ):
        assert longer.rank == layout.rank + more
        assert table(longer) == table(layout)
    assert append(layout, rank=layout.rank) is layout


@given(tuple_layouts, any_layouts, st.data())
def test_replace_changes_one_mode(layout: Layout, mode: Layout, data: st.DataObject) -> None:
    place = data.draw(st.integers(-layout.rank, layout.rank - 1))
    modes = list(layout.modes)
    modes[place] = mode
    assert replace(layout, place, mode).modes == tuple(modes)
    assert replace(layout.shape, place, mode.shape) == replace(layout, place, mode).shape


@given(any_layouts)
def test_unflatten_undoes_flatten(layout: Layout) -> None:
    assert unflatten(flatten(layout), layout.shape) is layout
    assert unflatten(flatten(layout), layout) is layout
    assert unflatten(flatten(layout.shape), layout.shape) == layout.shape


@given(tuple_layouts, st.data())
def test_nested_slices_split_the_layout(layout: Layout, data: st.DataObject) -> None:
    """Every coordinate is Nones put in place of some of its parts; the rest is the offset."""

    def key(shape: Any) -> Any:
        how = data.draw(st.sampled_from(["keep", "index", "parts"]))
        if how == "keep":
            return None
        if how == "parts" and isinstance(shape, tuple):
            return tuple(map(key, shape))
        return data.draw(st.integers(0, len(coordinates(shape)) - 1))

    keys = tuple(map(key, layout.shape))
    kept, start = slice_and_offset(keys, layout)
    free = [data.draw(st.sampled_from(coordinates(shape))) for shape in kept.shape]
    left = iter(free)

    def filled(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(filled, part))
        return next(left) if part is None else part

    whole = tuple(map(filled, keys))
    assert layout(whole) == start + kept(tuple(free))
    assert kept.rank == leaves(keys).count(None)
    assert dice(keys, layout).rank == len(leaves(keys)) - kept.rank


@given(dims(), dims())
def test_slices_of_symbolic_layouts(extent: Any, place: Any) -> None:
    layout = Layout((4, (extent + 1, 2)), (1, (4, 4 * extent + 4)))
    kept, start = slice_and_offset((None, (place, 1)), layout)
    assert kept == Layout((4,), (1,))
    assert start == place * 4 + 4 * extent + 4
    kept, start = slice_and_offset((3, (None, 0)), layout)
    assert kept == Layout((extent + 1,), (4,))
    assert start == 3


@given(tuple_layouts, st.data())
def test_domain_offset_begins_at_the_coordinate(layout: Layout, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from(coordinates(layout.shape)))

    def added(a: Any, b: Any) -> Any:
        return tuple(map(added, a, b)) if isinstance(a, tuple) else a + b

    moved, begin = domain_offset(start, layout)
    for coordinate in coordinates(layout.shape):
        assert begin + moved(coordinate) == offset(added(coordinate, start), layout.stride)


@given(tuple_layouts, st.data())
def test_domain_offset_of_whole_modes_is_exact_or_refused(
    layout: Layout, data: st.DataObject
) -> None:
    tops = [len(coordinates(shape)) for shape in layout.shape]
    start = tuple(data.draw(st.integers(0, top - 1)) for top in tops)
    inside = [range(top) for top in tops]
    cases = list(itertools.product(*inside))
    sums = [layout(*map(sum, zip(x, start, strict=True))) for x in cases]
    try:
        moved, begin = domain_offset(start, layout)
    except LayoutError:
        assert sums != [layout(*start) + layout(*x) for x in cases]
    else:
        assert sums == [begin + moved(*x) for x in cases]


@given(shapes(), shapes())
def test_weakly_congruent_is_a_preorder_whose_equivalence_is_congruence(a: Any, b: Any) -> None:
    assert weakly_congruent(a, a)
    assert weakly_congruent(0, a)
    assert (weakly_congruent(a, b) and weakly_congruent(b, a)) == congruent(a, b)


@given(layouts(min_stride=-3, min_leaf=0))
def test_compact_layouts_hit_every_offset_once(layout: Layout) -> None:
    expected = sorted(table(layout)) == list(range(len(table(layout))))
    assert is_compact(layout) == layout.is_compact == expected
    assert layout.is_injective == (len(set(table(layout))) == len(table(layout)))
    if layout.size:
        assert layout.is_bijective == expected


@given(compact_layouts())
def test_compact_layouts_are_compact(layout: Layout) -> None:
    assert layout.is_compact
    assert layout.is_injective


def test_compactness_of_symbolic_layouts() -> None:
    n, m = Dim("n"), Dim("m")
    assert Layout((n, m), (m, 1)).is_compact
    assert Layout((n, (4, m)), (4 * m, (1, 4))).is_compact
    with pytest.raises(
        LayoutError, match=r"is_compact: got \(n,64\):\(65,1\), needed sizes and st"
    ):
        is_compact(Layout((n, 64), (65, 1)))


def test_errors_name_what_was_wrong() -> None:
    layout = Layout((2, (3, 5)))
    cases: list[tuple[Any, str]] = [
        (lambda: group_modes(layout, 1, 3), r"group_modes: got modes 1 to 3 of .* within 0 to 2"),
        (lambda: group_modes((2, 3), 1, 1), r"group_modes: got modes 1 to 1 of \(2, 3\), needed"),
        (lambda: take(layout, -1, 1), r"take: got modes -1 to 1 of .*, needed some within 0 to 2"),
        (lambda: select(layout, [2]), r"select: got 2 for \(2,\(3,5\)\):.*, needed a mode below 2"),
        (lambda: replace(layout, 2, layout), r"replace: got 2 for .*, needed a mode below 2"),
        (lambda: replace(layout, 0, 3), r"replace: got 3 for \(2,\(3,5\)\):.*, needed a layout"),
        (lambda: append((2, 3), layout), r"append: got \(2,\(3,5\)\):.* for \(2, 3\), needed a sh"),
        (lambda: prepend(layout, rank=1), r"prepend: got .* and rank 1, needed a rank >= 2"),
        (lambda: unflatten(layout, (0, (0, 0))), r"unflatten: got .* and profile .*, needed one f"),
        (lambda: unflatten((2, 3), (0, 0, 0)), r"unflatten: got \(2, 3\) and profile \(0, 0, 0\)"),
        (lambda: take(("a",), 0, 1), r"take: got the leaf 'a', needed ints, Dims or tuples of"),
        (
            lambda: domain_offset((0, 1), Layout((2, (3, 5)), (1, (8, 2)))),
            r"domain_offset: got \(0, 1\) for .*; 1 carries within the mode \(3,5\):\(8,2\), try a",
        ),
        (lambda: domain_offset((1,), layout), r"domain_offset: got coordinate \(1,\) for .*, need"),
    ]
    for call, message in cases:
        with pytest.raises(LayoutError, match=message):
            call()


@given(ranges(), st.integers(0, 3), st.integers(0, 9))
def test_modes_of_composed_layouts_are_those_of_the_inner(
    case: tuple[Layout, int, int], base: int, start: int
) -> None:
    layout, begin, end = case
    swizzled = ComposedLayout(Swizzle(2, base, 2), start, layout)
    assert group_modes(swizzled, begin, end) == swizzled.over(group_modes(layout, begin, end))
    assert take(swizzled, begin, end) == swizzled.over(take(layout, begin, end))
    assert select(swizzled, [begin]) == swizzled.over(select(layout, [begin]))
    assert append(swizzled, layout) == swizzled.over(append(layout, layout))
    assert prepend(swizzled, rank=4) == swizzled.over(prepend(layout, rank=4))
    assert replace(swizzled, begin, layout) == swizzled.over(replace(layout, begin, layout))
    assert unflatten(swizzled.flatten(), layout) == swizzled
    assert size(swizzled) == layout.size
    assert rank(swizzled) == layout.rank
    assert depth(swizzled) == layout.depth
    assert flatten(swizzled) == swizzled.over(layout.flatten())


def test_compactness_of_swizzled_layouts() -> None:
    assert is_compact(ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4))))
    assert not is_compact(ComposedLayout(Swizzle(2, 0, 2), 1, Layout((4, 4))))


# The strategies that other tests rest on.


@given(injective_layouts())
def test_injective_layouts_are_injective(layout: Layout) -> None:
    assert len(set(table(layout))) == len(table(layout))


@given(power_of_two_layouts())
def test_power_of_two_layouts_have_powers_of_two(layout: Layout) -> None:
    assert all(size.bit_count() == 1 for size in leaves(layout.shape))
    assert all(stride.bit_count() <= 1 for stride in leaves(layout.stride))
    assert layout.size <= 64


@given(shapes(), st.data())
def test_drawn_coordinates_lie_inside(shape: Any, data: st.DataObject) -> None:
    drawn = data.draw(strategies.coordinates(shape))
    assert 0 <= Layout(shape)(drawn) < len(coordinates(shape))


@given(tuple_layouts, st.data())
def test_drawn_tilers_fit_the_layout(layout: Layout, data: st.DataObject) -> None:
    tiler = data.draw(strategies.tilers(layout))
    assert not isinstance(tiler, tuple) or len(tiler) <= layout.rank


@pytest.mark.slow
@given(tuple_layouts, tuple_layouts, st.data())
def test_agrees_with_tensor_layouts(layout: Layout, other: Layout, data: st.DataObject) -> None:
    peer = pytest.importorskip("tensor_layouts")

    def theirs(own: Layout) -> Any:
        return peer.Layout(own.shape, own.stride)

    def same(own: Layout, their: Any) -> bool:
        return bool((own.shape, own.stride) == (their.shape, their.stride))

    place = data.draw(st.integers(0, layout.rank - 1))
    end = data.draw(st.integers(place + 1, layout.rank))
    assert same(group_modes(layout, place, end), peer.group(theirs(layout), place, end))
    assert same(append(layout, other), peer.append(theirs(layout), theirs(other)))
    assert same(prepend(layout, other), peer.prepend(theirs(layout), theirs(other)))
    assert same(replace(layout, place, other), peer.replace(theirs(layout), place, theirs(other)))
    flat = flatten(layout)
    assert same(unflatten(flat, layout.shape), peer.unflatten(theirs(flat), layout.shape))
    assert weakly_congruent(layout.shape, other.shape) == peer.weakly_congruent(
        layout.shape, other.shape
    )
