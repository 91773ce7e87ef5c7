"""Laws of `Layout` itself: one function, however it is asked; text, tables, slices, recognition."""

from __future__ import annotations

import copy
import doctest
import importlib
import itertools
import pickle
import pkgutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlib.layouts as rooms
from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    col_major,
    compatible,
    congruent,
    cosize,
    crd2crd,
    crd2idx,
    depth,
    dice,
    flatten,
    from_table,
    idx2crd,
    layout_expr,
    make_layout,
    make_ordered_layout,
    rank,
    row_major,
    size,
    slice_and_offset,
)
from tensorlib.testing.layouts import compact_layouts, dims, layouts, shapes

# The oracle: coordinates by enumeration, offsets by definition.


def coordinates(shape: Any) -> list[Any]:
    """All coordinates of a shape, leftmost fastest."""
    if isinstance(shape, int):
        return list(range(shape))
    backwards = itertools.product(*[coordinates(part) for part in reversed(shape)])
    return [tuple(reversed(parts)) for parts in backwards]


def offset(coordinate: Any, stride: Any) -> int:
    """The inner product of a full coordinate and the strides."""
    if isinstance(stride, tuple):
        return sum(map(offset, coordinate, stride))
    return int(coordinate * stride)


def table(layout: Layout) -> list[int]:
    return [offset(c, layout.stride) for c in coordinates(layout.shape)]


any_layouts = layouts(min_stride=-9)


@given(any_layouts)
def test_an_index_and_its_coordinate_have_the_same_offset(layout: Layout) -> None:
    for index, coordinate in enumerate(coordinates(layout.shape)):
        assert layout(index) == layout(coordinate) == offset(coordinate, layout.stride)


@given(any_layouts)
def test_table_lists_every_offset(layout: Layout) -> None:
    assert layout.table().dtype == np.int64
    assert layout.table().tolist() == table(layout)
    indices = np.arange(len(table(layout)))
    assert np.broadcast_to(layout(indices), indices.shape).tolist() == table(layout)


@given(layouts(min_stride=-9, min_leaf=0))
def test_size_and_cosize_measure_the_table(layout: Layout) -> None:
    offsets = table(layout)
    assert layout.size == len(offsets)
    assert layout.cosize == 1 + max(offsets, default=-1)


@given(any_layouts)
def test_coarser_coordinates_agree(layout: Layout) -> None:
    tops = [int(size(mode)) for mode in layout]
    for place, coarse in enumerate(itertools.product(*[range(n) for n in reversed(tops)])):
        assert layout(*reversed(coarse)) == table(layout)[place]


@given(any_layouts)
def test_equal_layouts_are_one_object(layout: Layout) -> None:
    assert Layout(layout.shape, layout.stride) is layout
    assert Layout(list(layout.modes[0].flat_shape)).shape == layout.modes[0].flat_shape
    assert copy.deepcopy(layout) is layout


@given(any_layouts)
def test_text_round_trips(layout: Layout) -> None:
    assert Layout.parse(str(layout)) is layout


@given(shapes(), dims(), dims())
def test_symbolic_text_round_trips(shape: Any, extent: Any, stride: Any) -> None:
    layout = Layout((shape, extent), (Layout(shape).stride, stride))
    assert Layout.parse(str(layout)) is layout


@given(shapes())
def test_default_order_is_leftmost_fastest(shape: Any) -> None:
    assert table(Layout(shape)) == list(range(len(coordinates(shape))))
    assert col_major(shape) is Layout(shape)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple))
def test_row_major_is_numpys_order(shape: tuple[int, ...]) -> None:
    flat = np.arange(np.prod(shape)).reshape(shape)
    assert all(row_major(shape)(index) == flat[index] for index in np.ndindex(shape))


@given(st.permutations(range(4)), st.lists(st.integers(1, 4), min_size=4, max_size=4))
def test_ordered_layout_is_compact_and_ordered(order: list[int], sizes: list[int]) -> None:
    layout = make_ordered_layout(sizes, order)
    assert sorted(table(layout)) == list(range(len(table(layout))))
    by_rank = [layout.flat_stride[order.index(k)] for k in range(4)]
    assert by_rank == sorted(by_rank)


@given(any_layouts)
def test_measures(layout: Layout) -> None:
    assert rank(layout) == len(layout) == len(layout.modes) == layout.rank
    assert depth(flatten(layout)) <= 1
    assert table(flatten(layout)) == table(layout)
    assert size(layout) == size(layout.shape) == layout.size
    assert cosize(layout) == layout.cosize
    assert make_layout(*layout.modes).flat_stride == layout.flat_stride


@given(shapes())
def test_index_to_coordinate_and_back(shape: Any) -> None:
    for index, coordinate in enumerate(coordinates(shape)):
        assert idx2crd(index, shape) == coordinate
        assert crd2idx(coordinate, shape) == index
        assert idx2crd(coordinate, shape) == coordinate


@given(shapes(), st.data())
def test_crd2crd_keeps_the_index(shape: Any, data: st.DataObject) -> None:
    target = flatten(Layout(shape)).shape
    for coordinate in coordinates(shape):
        assert crd2idx(crd2crd(coordinate, shape, target), target) == crd2idx(coordinate, shape)


@given(any_layouts, st.integers(-200, 200))
def test_an_index_past_the_end_goes_on_along_the_last_mode(layout: Layout, index: int) -> None:
    *inner, last = layout.flat_shape
    total, left = 0, index
    for extent, stride in zip(inner, layout.flat_stride, strict=False):
        total, left = total + left % int(extent) * int(stride), left // int(extent)
    assert layout(index) == total + left * int(layout.flat_stride[-1])
    assert last > 0


@given(any_layouts, st.data())
def test_slice_and_offset_split_the_layout(layout: Layout, data: st.DataObject) -> None:
    tops = [int(size(mode)) for mode in layout]
    fixed = [data.draw(st.none() | st.integers(0, n - 1)) for n in tops]
    kept, start = slice_and_offset(tuple(fixed), make_layout(*layout.modes))
    assert kept.rank == fixed.count(None)
    for coarse in itertools.product(*[range(n) for n in tops]):
        if all(want in (None, got) for want, got in zip(fixed, coarse, strict=True)):
            free = [got for want, got in zip(fixed, coarse, strict=True) if want is None]
            assert layout(*coarse) == start + kept(tuple(free))


@given(compact_layouts(), st.data())
def test_slice_and_dice_share_the_modes(layout: Layout, data: st.DataObject) -> None:
    layout = make_layout(*layout.modes)
    key = tuple(data.draw(st.sampled_from([None, 0])) for _ in layout)
    kept = slice_and_offset(key, layout)[0]
    assert sorted(map(str, (*kept, *dice(key, layout)))) == sorted(map(str, layout))


@given(shapes(), st.data())
def test_crd2crd_goes_between_all_shapes_of_a_size(shape: Any, data: st.DataObject) -> None:
    """Coordinates at the same place of both enumerations, both ways."""
    size_of = len(coordinates(shape))
    sizes = [data.draw(st.sampled_from([d for d in range(1, size_of + 1) if size_of % d == 0]))]
    target = (sizes[0], (size_of // sizes[0], 1))
    for here, there in zip(coordinates(shape), coordinates(target), strict=True):
        assert crd2crd(here, shape, target) == there
        assert crd2crd(there, target, shape) == here


@given(any_layouts, st.data())
def test_mixed_coordinates_agree(layout: Layout, data: st.DataObject) -> None:
    """Any part of a coordinate may be the index within that part."""
    full = data.draw(st.sampled_from(coordinates(layout.shape)))

    def index(coordinate: Any, shape: Any) -> int:
        return coordinates(shape).index(coordinate)

    def mixed(coordinate: Any, shape: Any) -> Any:
        if not isinstance(shape, tuple) or data.draw(st.booleans()):
            return index(coordinate, shape)
        return tuple(map(mixed, coordinate, shape))

    expected = offset(full, layout.stride)
    assert layout(mixed(full, layout.shape)) == expected
    assert crd2idx(mixed(full, layout.shape), layout.shape, layout.stride) == expected


@given(any_layouts, st.integers(-3, 3), st.integers(0, 7))
def test_every_kind_of_number_is_an_index(layout: Layout, far: int, near: int) -> None:
    index = far * int(layout.size) + near
    assert layout(np.int64(index)) == layout(index)
    assert np.broadcast_to(layout(np.array([index])), 1).tolist() == [layout(index)]
    if isinstance(layout.shape, tuple) and layout.rank > 1:
        whole = [near] * layout.rank
        assert layout(*whole) == layout(tuple(whole)) == layout(*map(np.int64, whole))


# Values: equal layouts are one object, whatever they were built from.


@given(any_layouts)
def test_numbers_of_numpy_build_the_same_layout(layout: Layout) -> None:
    def of_numpy(nested: Any) -> Any:
        return tuple(map(of_numpy, nested)) if isinstance(nested, tuple) else np.int64(nested)

    for kind in (of_numpy, lambda nested: nested):
        again = Layout(kind(layout.shape), kind(layout.stride))
        assert again is layout
        assert hash(again) == hash(layout)
    assert all(type(leaf) is int for leaf in layout.flat_shape + layout.flat_stride)


@given(any_layouts)
def test_copies_and_pickles_are_the_layout(layout: Layout) -> None:
    assert copy.copy(layout) is copy.deepcopy(layout) is layout
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(layout, protocol)) is layout


def test_symbolic_layouts_pickle_too() -> None:
    layout = row_major(Dim("n"), 64)
    assert pickle.loads(pickle.dumps(layout)) is layout


@pytest.mark.parametrize("wrong", [True, False, 4.0, np.float64(4), np.bool_(True), "4", None])
def test_only_integers_are_sizes_also_where_an_equal_layout_is_known(wrong: Any) -> None:
    known = Layout((4, 1)), Layout((4, 0)), Layout((4, 4)), Layout((4, 4), (1, 1)), Layout((4, 0))
    assert known
    with pytest.raises(LayoutError, match=r"Layout: got the leaf .*, needed ints, Dims or tuples"):
        Layout((4, wrong))
    with pytest.raises(LayoutError, match=r"Layout: got the leaf .*, needed ints, Dims or tuples"):
        Layout((4, 1), (1, wrong))
    with pytest.raises(LayoutError, match=r"Layout: got the leaf .*, needed ints, Dims or tuples"):
        Layout((4, (wrong, 1)))


def test_interning_is_safe_under_threads() -> None:
    """Eight threads build the same layouts, some for the first time: each is one object."""
    start = threading.Barrier(8)

    def build(_: int) -> list[Layout]:
        start.wait()
        return [Layout((7, (k, 3)), (1, (7 * k, k))) for k in range(1, 400)]

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(build, range(8))
    assert all(a is b for other in others for a, b in zip(first, other, strict=True))
    assert all(layout(8) == layout((1, (1, 0))) for layout in first[1:])


def test_integers_past_int64_are_exact_where_arrays_are_refused() -> None:
    big = 1 << 80
    layout = Layout((big, 3), (5, big))
    assert layout(big + 7, 2) == 5 * (big + 7) + 2 * big
    assert layout(2 * big + 1) == 5 + 2 * big
    assert layout.size == 3 * big
    assert layout.cosize == 5 * (big - 1) + 2 * big + 1
    assert idx2crd(2 * big + 1, layout.shape) == (1, 2)
    assert Layout.parse(str(layout)) is layout
    for wide in (layout, Layout(2, 1 << 63), Layout(2, -(1 << 63))):
        with pytest.raises(LayoutError, match=r"table: got .*, needed offsets that fit int64"):
            wide.table()
    with pytest.raises(LayoutError, match=r"table: got .*, needed a size that fits int64"):
        Layout(1 << 70, 0).table()


def test_tables_are_fresh_and_writable() -> None:
    layout = Layout((4, 8))
    layout.table()[:] = 0
    assert layout.table().tolist() == list(range(32))
    assert Layout(()).table().tolist() == Layout((1, 1)).table().tolist() == [0]
    assert Layout((1, 0), (1 << 70, 1 << 70)).table().tolist() == []
    assert Layout((1, 2), (1 << 70, 3)).table().tolist() == [0, 3]
    assert Layout(1, 1 << 70).table().tolist() == [0]
    assert Layout((0, 4)).table().tolist() == Layout((4, 0)).table().tolist() == []


def test_index_text_and_compiled_functions_are_those_of_code() -> None:
    layout = Layout((4, 8), (8, 1))
    assert layout.expr("i") == layout_expr(layout, "i", "c")
    assert layout.expr(("i", "j"), target="cuda") == layout_expr(layout, ("i", "j"), "cuda")
    assert [layout.compiled()(index) for index in range(32)] == layout.table().tolist()


@given(layouts(min_stride=-4, min_leaf=0))
def test_injective_and_bijective_are_said_of_the_table(layout: Layout) -> None:
    offsets = table(layout)
    assert layout.is_injective == (len(set(offsets)) == len(offsets))
    assert layout.is_compact == (sorted(offsets) == list(range(len(offsets))))


# The recogniser, against all factorisations.


def factorisations(n: int) -> list[tuple[int, ...]]:
    if n == 1:
        return [()]
    return [(d, *rest) for d in range(2, n + 1) if n % d == 0 for rest in factorisations(n // d)]


def is_layout(offsets: list[int]) -> bool:
    """True when some flat layout has these offsets: every factorisation is tried."""
    for sizes in factorisations(len(offsets)):
        starts = [1, *itertools.accumulate(sizes, lambda a, b: a * b)]
        strides = tuple(offsets[start] for start in starts[:-1])
        if [offset(c, strides) for c in coordinates(sizes)] == offsets:
            return True
    return False


@given(any_layouts)
def test_every_table_is_recognised(layout: Layout) -> None:
    found = from_table(layout.table())
    assert table(found) == table(layout)
    assert Layout.from_table(table(layout)) is found


@given(layouts(max_size=24, max_stride=8), st.data())
@settings(max_examples=400)
def test_recogniser_answers_exactly_when_a_layout_exists(
    layout: Layout, data: st.DataObject
) -> None:
    offsets = table(layout)
    place = data.draw(st.integers(0, len(offsets) - 1))
    offsets[place] += data.draw(st.integers(0, 3))
    if offsets[0] == 0 and is_layout(offsets):
        assert table(from_table(offsets)) == offsets
    else:
        with pytest.raises(LayoutError, match="from_table: got"):
            from_table(offsets)


def test_talks_fragments() -> None:
    tv = Layout.parse("((4,8),(2,2)):((16,1),(8,64))")
    for lane, register in itertools.product(range(32), range(4)):
        row, column = lane // 4 + 8 * (register % 2), lane % 4 + 4 * (register // 2)
        assert tv(lane, register) == row + 16 * column


def test_slicing_by_brackets() -> None:
    layout = Layout(((2, 2), 8), ((1, 8), 2))
    assert layout[0] is Layout((2, 2), (1, 8))
    assert layout[None, 3] is Layout.parse("((2,2)):((1,8))")
    assert layout[(None, 1), None] is Layout.parse("(2,8):(1,2)")
    assert layout[None] is Layout.parse("(((2,2),8)):(((1,8),2))")


def test_shapes_are_compared() -> None:
    assert congruent(((1, 2), 3), ((4, 5), 6))
    assert not congruent((1, 2), (1, (2, 3)))
    assert compatible((4, 8), ((2, 2), 8))
    assert not compatible(((2, 2), 8), (4, 8))


def test_symbolic_layouts_are_functions_too() -> None:
    n = Dim("n")
    layout = row_major(n, 64)
    assert layout.size == layout.cosize == n * 64
    assert layout(3, 5) == 3 * 64 + 5
    assert layout(n, 0) == n * 64
    assert str(layout) == "(n,64):(64,1)"
    scale = Layout.parse("(n,8):(8,k+1)", {"n": 4})
    assert scale.shape == (4, 8)
    assert scale.flat_stride[1] == Dim("k") + 1
    assert Layout.parse("((n+1)//2,4)").shape == ((n + 1) // 2, 4)


def test_errors_name_what_was_wrong() -> None:
    layout = Layout((4, 8))
    cases: list[tuple[Any, str]] = [
        (lambda: Layout((4, 8), 1), r"Layout: got shape \(4, 8\) and stride 1, needed the same"),
        (lambda: Layout((4, -8)), r"Layout: got shape \(4, -8\), needed sizes >= 0"),
        (lambda: Layout("48"), r"Layout: got the leaf '48', needed ints, Dims or tuples of them"),
        (
            lambda: layout(1, 2, 3),
            r"crd2idx: got coordinate \(1, 2, 3\) for shape \(4, 8\), needed",
        ),
        (lambda: idx2crd((1, 2, 3), (4, 8)), r"idx2crd: got coordinate \(1, 2, 3\) for shape"),
        (lambda: idx2crd(1, (0, 4)), r"idx2crd: got an index into the shape \(0, 4\), which is"),
        (lambda: idx2crd((1, 2), 4), r"idx2crd: got coordinate \(1, 2\) for shape 4, needed one"),
        (lambda: layout[2], r"mode: got 2 for \(4,8\):\(1,4\), needed an index below 2"),
        (lambda: layout[1, 2], r"slice: got \(1, 2\) for .* needed a None; try l\(\.\.\.\)"),
        (
            lambda: layout[None, 1, 2],
            r"slice: got coordinate \(None, 1, 2\) for .*one entry a mode",
        ),
        (lambda: dice((None,), layout), r"dice: got coordinate \(None,\) for .*, needed one entry"),
        (lambda: Layout((0, 4))(1), r"Layout: got an index into \(0,4\):\(1,0\), which is empty"),
        (lambda: crd2idx(1, (0, 4)), r"crd2idx: got an index into the shape \(0, 4\), which is"),
        (lambda: Layout((4, Dim("n"))).table(), r"table: got \(4,n\):\(1,4\), needed sizes and"),
        (lambda: Layout(8, 1 << 62).table(), r"table: got 8:\d+, needed offsets that fit int64"),
        (
            lambda: Layout(4, Dim("n") - 3).cosize,
            r"cosize: got 4:n-3, needed strides of known sign",
        ),
        (
            lambda: make_ordered_layout((2, 3), 1),
            r"make_ordered_layout: got \(2, 3\) and 1, needed",
        ),
        (lambda: from_table([1, 2]), r"from_table: got first offset 1, needed 0"),
        (lambda: from_table([0, 1, 3]), r"from_table: got offsets 0, 1, 3; no layout has them"),
        (
            lambda: from_table(np.zeros(1)),
            r"from_table: got float64 offsets of shape \(1,\), needed a row",
        ),
        (
            lambda: Layout.parse("(4,8"),
            r"Layout.parse: got the end at position 4 of '\(4,8', needed",
        ),
        (
            lambda: Layout.parse("4 8"),
            r"Layout.parse: got '8' at position 2 of '4 8', needed the end",
        ),
        (
            lambda: Layout.parse("4:?"),
            r"Layout.parse: got '\?' at position 2 of .* needed a number",
        ),
    ]
    for call, message in cases:
        with pytest.raises(LayoutError, match=message):
            call()


def test_layouts_are_frozen() -> None:
    with pytest.raises(AttributeError, match="Layout: shape is frozen; build a new Layout"):
        Layout(4).shape = 5


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(rooms.__path__)])
def test_documented_examples(name: str) -> None:
    module = importlib.import_module(f"tensorlib.layouts.{name}")
    assert doctest.testmod(module).failed == 0


def test_importing_layouts_loads_nothing_else() -> None:
    code = (
        "import sys, tensorlib.layouts;"
        "print(*sorted(m for m in sys.modules if m.startswith('tensorlib')))"
    )
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = text.stdout.split()
    assert "tensorlib.layouts.layout" in loaded
    assert [name for name in loaded if not name.startswith("tensorlib.layouts")] == [
        "tensorlib",
        "tensorlib.errors",
    ]
