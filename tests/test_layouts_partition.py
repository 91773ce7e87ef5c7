"""Laws of tiles and partitions: a disjoint cover, each part at its place."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    local_partition,
    local_tile,
    make_layout_tv,
    row_major,
)
from tensorlib.testing.layouts import compact_layouts


def coordinates(sizes: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [tuple(reversed(c)) for c in itertools.product(*map(range, reversed(sizes)))]


def leaves(nested: Any) -> list[int]:
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


def table(layout: Layout) -> list[int]:
    strides = leaves(layout.stride)
    return [
        sum(c * d for c, d in zip(coordinate, strides, strict=True))
        for coordinate in coordinates(tuple(leaves(layout.shape)))
    ]


grids = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3)


@given(grids, st.booleans())
def test_tiles_are_a_disjoint_cover(grid: list[tuple[int, int]], rows: bool) -> None:
    tiler, counts = zip(*grid, strict=True)
    sizes = tuple(t * c for t, c in grid)
    layout = row_major(sizes) if rows else Layout(sizes)
    seen: list[int] = []
    for place in coordinates(counts):
        tile, offset = local_tile(layout, tiler, place)
        for inner in coordinates(tiler):
            whole = tuple(p * t + i for p, t, i in zip(place, tiler, inner, strict=True))
            assert offset + tile(inner) == layout(whole)
        seen += [offset + x for x in table(tile)]
    assert sorted(seen) == list(range(prod(sizes)))


@given(grids, st.data())
def test_none_keeps_the_tiles_behind_the_tile(
    grid: list[tuple[int, int]], data: st.DataObject
) -> None:
    tiler, counts = zip(*grid, strict=True)
    layout = row_major(tuple(t * c for t, c in grid))
    place = tuple(data.draw(st.none() | st.integers(0, c - 1)) for c in counts)
    kept, offset = local_tile(layout, tiler, place)
    for at in coordinates(counts):
        if all(want in (None, got) for want, got in zip(place, at, strict=True)):
            tile, start = local_tile(layout, tiler, at)
            free = [got for want, got in zip(place, at, strict=True) if want is None]
            for inner in coordinates(tiler):
                whole = (inner, *free) if free else (inner,)
                found = kept(*whole) if free else kept(inner)
                assert offset + found == start + tile(inner)


def test_a_step_projects_tiler_and_coordinate() -> None:
    m, n, k = 8, 12, 6
    a, b, c = row_major(m, k), row_major(n, k), row_major(m, n)
    tiler, place = (4, 3, 2), (1, 2, None)
    assert local_tile(a, tiler, place, step=(1, None, 1)) == local_tile(a, (4, 2), (1, None))
    assert local_tile(b, tiler, place, step=(None, 1, 1)) == local_tile(b, (3, 2), (2, None))
    assert local_tile(c, tiler, place, step=(1, 1, None)) == local_tile(c, (4, 3), (1, 2))


@given(compact_layouts(max_size=16), st.integers(1, 2), st.integers(1, 2))
def test_partitions_are_a_disjoint_cover(threads: Layout, rows: int, columns: int) -> None:
    tops = [prod(leaves(part)) for part in threads.shape] if threads.depth else [threads.size]
    layout = row_major(tuple(t * c for t, c in zip(tops, (rows, columns, 1), strict=False)))
    seen: list[int] = []
    for thread in range(int(threads.size)):
        values, offset = local_partition(layout, threads, thread)
        seen += [offset + x for x in table(values)]
    assert sorted(seen) == list(range(int(layout.size)))


def test_threads_that_differ_in_dropped_modes_alone_hold_the_same() -> None:
    threads, layout = row_major(2, 5, 3), row_major(4, 6)
    for i, j, k in itertools.product(range(2), range(5), range(3)):
        values, offset = local_partition(layout, threads, threads(i, j, k), step=(1, None, 1))
        assert offset == layout(i, k)
        assert [offset + x for x in table(values)] == [
            layout(i + 2 * y, k + 3 * x) for x in range(2) for y in range(2)
        ]


def test_traced_coordinates_reach_the_offset() -> None:
    layout, n = row_major(8, 6), Dim("n")
    rows = np.arange(2)
    tile, offset = local_tile(layout, (4, 2), (rows, 1))
    assert tile is Layout((4, 2), (6, 1))
    assert offset.tolist() == [2, 26]
    assert local_tile(row_major(8, n), (4, n), (1, 0))[1] == 4 * n
    assert local_partition(layout, Layout((4, 2)), np.arange(8))[1].tolist() == [
        layout(i, j) for j in range(2) for i in range(4)
    ]


@given(compact_layouts(max_size=8), compact_layouts(max_size=8))
def test_thread_value_layouts_own_every_element_once(threads: Layout, values: Layout) -> None:
    tile, tv = make_layout_tv(threads, values)
    assert tv.shape[0] == threads.size or tv[0].size == threads.size
    assert tv[1].size == values.size
    assert sorted(table(tv)) == list(range(prod(tile)))


def test_errors_name_what_was_wrong() -> None:
    layout = row_major(8, 6)
    cases: list[tuple[Any, str]] = [
        (
            lambda: local_tile(layout, (4, 2), (1, 2), step=(1, None, 1)),
            r"local_tile: got step \(1, None, 1\) for \(4, 2\), needed one entry for each",
        ),
        (
            lambda: local_partition(layout, Layout((2, 3)), 4, step=(1,)),
            r"local_partition: got step \(1,\) for \(2, 3\), needed one entry for each",
        ),
        (
            lambda: local_partition(Layout(24), Layout(4, 2), 0),
            r"local_partition: got 24:1 and 4:2; needed threads that are a bijection",
        ),
        (
            lambda: make_layout_tv(Layout(4), Layout(2, 2)),
            r"make_layout_tv: got 4:1 and 2:2; needed compact layouts",
        ),
    ]
    for call, message in cases:
        with pytest.raises(LayoutError, match=message):
            call()
