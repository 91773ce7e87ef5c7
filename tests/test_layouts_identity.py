"""Laws of identity layouts: coordinates map to themselves, and so do their tiles and slices."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Basis,
    Coordinate,
    Dim,
    E,
    Layout,
    coalesce,
    complement,
    composition,
    elem_less,
    local_partition,
    local_tile,
    logical_product,
    make_identity_layout,
    make_layout,
    row_major,
    slice_and_offset,
    zipped_divide,
)
from tensorlib.testing.layouts import compact_layouts, shapes


def coordinates(shape: Any) -> list[Any]:
    """All coordinates of a shape, leftmost fastest."""
    if isinstance(shape, int):
        return list(range(shape))
    backwards = itertools.product(*[coordinates(part) for part in reversed(shape)])
    return [tuple(reversed(parts)) for parts in backwards]


def dot(coordinate: Any, stride: Any) -> int:
    if isinstance(stride, tuple):
        return sum(map(dot, coordinate, stride))
    return int(coordinate * stride)


tuples = shapes(max_size=36).filter(lambda shape: isinstance(shape, tuple))


@given(tuples)
def test_coordinates_and_indices_give_the_coordinate(shape: Any) -> None:
    identity = make_identity_layout(shape)
    for index, coordinate in enumerate(coordinates(shape)):
        assert identity(coordinate) == coordinate
        assert identity(index) == coordinate
        assert len(shape) == 1 or identity(*coordinate) == coordinate


@given(tuples)
def test_text_pickle_and_copies_round_trip(shape: Any) -> None:
    identity = make_identity_layout(shape)
    assert Layout.parse(str(identity)) is identity
    assert pickle.loads(pickle.dumps(identity)) is identity
    assert copy.deepcopy(identity) is identity
    for stride in identity.flat_stride:
        assert copy.deepcopy(stride) == stride


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(1, 4), st.integers(1, 4))
def test_tiles_of_the_identity_say_where_a_ragged_tile_lies(
    sizes: tuple[int, int], rows: int, columns: int
) -> None:
    """The elements below the bound, over all tiles, are each element once: its own offset."""
    data, identity = row_major(sizes), make_identity_layout(sizes)
    counts = [-(-n // t) for n, t in zip(sizes, (rows, columns), strict=True)]
    seen: list[int] = []
    for place in itertools.product(*map(range, counts)):
        tile, start = local_tile(data, (rows, columns), place)
        where, corner = local_tile(identity, (rows, columns), place)
        assert corner == (place[0] * rows, place[1] * columns)
        for i, j in itertools.product(range(rows), range(columns)):
            coordinate = corner + where(i, j)
            assert coordinate == (place[0] * rows + i, place[1] * columns + j)
            if elem_less(coordinate, sizes):
                assert data(coordinate) == start + tile(i, j)
                seen.append(start + tile(i, j))
    assert sorted(seen) == list(range(sizes[0] * sizes[1]))


@given(tuples, st.data())
def test_slices_split_the_identity(shape: Any, data: st.DataObject) -> None:
    identity = make_identity_layout(shape)
    keys = tuple(data.draw(st.none() | st.sampled_from(coordinates(part))) for part in shape)
    kept, start = slice_and_offset(keys, identity)
    free = tuple(data.draw(st.sampled_from(coordinates(part))) for part in kept.shape)
    left = iter(free)
    whole = tuple(next(left) if key is None else key for key in keys)
    assert (start + kept(free) if free else start) == whole


@given(compact_layouts(max_size=24), st.integers(1, 24))
def test_composition_with_the_identity_lists_coordinates(b: Layout, more: int) -> None:
    """identity o B is B followed by the map from indices to coordinates, where it is a layout."""
    identity = make_identity_layout((4, (3, more)))
    try:
        found = composition(identity, b)
    except LayoutError:
        return
    for index, coordinate in enumerate(coordinates(b.shape)):
        whole = dot(coordinate, b.stride)
        expected = (whole % 4, (whole // 4 % 3, whole // 12))
        assert found(index) + Coordinate((0, (0, 0))) == expected


def test_division_and_partition() -> None:
    identity = make_identity_layout((10, 7))
    assert str(zipped_divide(identity, (4, 2))) == "((4,2),(3,4)):((1@0,1@1),(4@0,2@1))"
    assert str(identity @ (4, None)) == "(4,7):(1@0,1@1)"
    assert str(identity @ Layout(2, 11)) == "2:1@0+1@1"
    values, start = local_partition(make_identity_layout((4, 6)), Layout((2, 3)), 4)
    assert [start + values(i, j) for j in range(2) for i in range(2)] == [
        (0, 2), (2, 2), (0, 5), (2, 5)
    ]  # fmt: skip
    assert coalesce(Layout.parse("(4,8):(1@0,4@0)")) is Layout.parse("32:1@0")
    assert coalesce(identity) is identity
    assert identity[1] is Layout.parse("7:1@1")
    assert make_layout(identity[1], identity[0])(3, 5) == (5, 3)


def test_text_of_basis_elements() -> None:
    n = Dim("n")
    for text in ["4:3@0", "4:-2@1@0", "(4,n):(1@0,n@1)", "4:(n+1)@0", "2:1@0-3@2", "2:(2*n)@0+1@1"]:
        layout = Layout.parse(text)
        assert str(layout) == text
        assert Layout.parse(str(layout)) is layout
    assert Layout.parse("4:2*n@0").stride == E(0) * n * 2
    assert str(5 * E(0, 1)) == "5@1@0"
    assert make_identity_layout(8) is Layout(8)


def test_basis_elements_add_and_scale() -> None:
    # The example of CuTe's documentation on TMA tensors.
    total = 2 * (2 * E(0, 1)) + 3 * E(1) + 4 * (5 * E(1)) + 7 * E(0, 0)
    assert total.coordinate == ((7, 4), 23)
    assert E() == 1
    assert E(0) + 0 == E(0) == 0 + E(0)
    assert (E(0) - E(0)) == 0
    assert hash(E(0) - E(0)) == hash(0)
    assert hash(E(0) + 0 * E(1)) == hash(E(0))
    assert 0 - E(1) == -E(1)
    assert E(0) != 1
    assert E(0) != E(1)


def test_arrays_symbols_and_numbers_of_numpy_are_coordinates_too() -> None:
    identity, n = make_identity_layout((4, 8)), Dim("n")
    rows, columns = identity(np.arange(32))
    assert rows.tolist() == [i % 4 for i in range(32)]
    assert columns.tolist() == [i // 4 for i in range(32)]
    assert identity(np.int64(2), np.int64(5)) == (2, 5)
    assert identity(n, 3) == (n, 3)
    assert make_identity_layout((n, 4))(1, 2) == (1, 2)
    assert elem_less((rows, columns), (3, 8)).tolist() == [i % 4 < 3 for i in range(32)]
    assert Layout((4, 8), (E(0) * np.int64(2), 0))(3, 1) == (6,)


@given(shapes(max_size=36), shapes(max_size=36))
@settings(max_examples=50)
def test_elem_less_is_the_order_by_places(a: Any, bound: Any) -> None:
    def flat(x: Any) -> list[int]:
        return [y for part in x for y in flat(part)] if isinstance(x, tuple) else [x]

    try:
        found = elem_less(a, bound)
    except LayoutError:
        return
    assert isinstance(found, bool)
    if len(flat(a)) == len(flat(bound)):
        assert found == all(x < y for x, y in zip(flat(a), flat(bound), strict=True))


def test_operations_that_need_numbers_refuse() -> None:
    identity = make_identity_layout((4, 8))
    needed = r"needed (strides that are )?numbers|without symbols or basis elements"
    refusing: list[Any] = [
        lambda: identity.cosize,
        lambda: identity.is_compact,
        lambda: identity.is_injective,
        lambda: identity.is_bijective,
        identity.table,
        lambda: complement(identity, 64),
        lambda: complement(identity[0], 64),
        lambda: logical_product(identity, Layout(2)),
        lambda: E(0) < E(1),
        lambda: E(0) // 2,
        lambda: 7 % E(0),
        lambda: divmod(E(0), 2),
    ]
    for call in refusing:
        with pytest.raises(LayoutError, match=needed):
            call()


def test_errors_name_what_was_wrong() -> None:
    cases: list[tuple[Any, str]] = [
        (
            lambda: Layout((4, 8), (1, E(1))),
            r"Layout: got stride \(1, 1@1\), needed numbers only, or basis elements and zeros",
        ),
        (
            lambda: Layout((4, 8), (E(0), E(0, 1))),
            r"Basis: got 1@0 and 1@1@0, needed places of one nested coordinate",
        ),
        (lambda: Layout((E(0), 8)), r"Layout: got the leaf 1@0, needed ints, Dims or tuples of"),
        (lambda: E(-1), r"E: got path \(-1,\), needed ints >= 0"),
        (lambda: E(0) * E(1), r"Basis: got 1@0 \* 1@1, needed a number as one factor"),
        (lambda: E(0) + 1, r"Basis: got 1@0 \+ 1, needed two sums of basis elements"),
        (lambda: E(0) < 1, r"Basis: got 1@0 and 1, needed numbers; coordinates have no order, qu"),
        (lambda: Coordinate((1,)) + 2, r"Coordinate: got \(1,\) \+ 2, needed a coordinate"),
        (lambda: Coordinate((1,)).__add__(((3,),)), r"Coordinate: got \(3,\) \+ 1, needed a coord"),
        (
            lambda: elem_less((1, 2, 3), (4, 8)),
            r"elem_less: got \(1, 2, 3\) and \(4, 8\), needed a bound for every place",
        ),
        (lambda: elem_less(1, (4, 8)), r"elem_less: got 1 and \(4, 8\), needed a bound for every"),
        (
            lambda: make_identity_layout((4, "x")),
            r"make_identity_layout: got the leaf 'x', needed ints, Dims or tuples of them",
        ),
        (
            lambda: Layout.parse("4:1@n"),
            r"Layout.parse: got 'n' at position 4 of '4:1@n', needed the place of a basis element",
        ),
        (
            lambda: make_identity_layout((4, 8)).cosize,
            r"cosize: got \(4,8\):\(1@0,1@1\), needed strides that are numbers or Dims",
        ),
        (
            lambda: make_identity_layout((4, 8)).is_compact,
            r"is_compact: got \(4,8\):\(1@0,1@1\), needed strides that are numbers or Dims",
        ),
    ]
    for call, message in cases:
        with pytest.raises(LayoutError, match=message):
            call()
    with pytest.raises(AttributeError, match=r"Basis: terms is frozen; build a new one with"):
        E(0).terms = ()
    assert isinstance(E(0), Basis)
