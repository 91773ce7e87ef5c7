"""Bank conflicts, sectors, cache lines and vector widths, against their definitions."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    CacheLines,
    Coalescing,
    ComposedLayout,
    Dim,
    Layout,
    Swizzle,
    bank_conflicts,
    cache_lines,
    coalescing,
    make_identity_layout,
    make_layout_tv,
    row_major,
    vector_width,
)
from tensorlib.testing.layouts import layouts

# The oracle: sets of bytes, thread by thread, access by access.


def values_of(layout: Any) -> list[list[int]]:
    """Offsets by thread: mode 0 is the threads, the other modes are their values."""
    if not isinstance(layout.shape, tuple) or len(layout.shape) == 1:
        return [[int(layout(t))] for t in range(layout.size)]
    threads = Layout(layout.shape[0]).size
    return [[int(layout(i)) for i in range(t, layout.size, threads)] for t in range(threads)]


def accesses(layout: Any, element_bytes: int, vector: int) -> list[list[range]]:
    """The bytes of every access, by thread; a lone value is the first of its vector."""
    return [
        [
            range(first * element_bytes, (first + vector) * element_bytes)
            for first in (values if len(values) == 1 else values[::vector])
        ]
        for values in values_of(layout)
    ]


def served_at_once(threads: list[Any], warp: int, together: int) -> list[list[Any]]:
    warps = [threads[first : first + warp] for first in range(0, len(threads), warp)]
    return [w[first : first + together] for w in warps for first in range(0, len(w), together)]


def worst_bank(layout: Any, element_bytes: int, vector: int, warp: int, banks: int) -> int:
    together = {1: 32, 2: 32, 4: 32, 8: 16, 16: 8}[element_bytes * vector] * banks // 32
    worst = 0
    for group in served_at_once(accesses(layout, element_bytes, vector), warp, together):
        for requests in zip(*group, strict=True):
            wanted = defaultdict(set)
            for byte in (byte for request in requests for byte in request):
                wanted[byte // 4 % banks].add(byte // 4)
            worst = max(worst, *(len(words) for words in wanted.values()))
    return worst


def sectors(layout: Any, element_bytes: int, vector: int, warp: int, size: int) -> tuple[int, int]:
    touched = needed = 0
    for group in served_at_once(accesses(layout, element_bytes, vector), warp, warp):
        for requests in zip(*group, strict=True):
            every = {byte for request in requests for byte in request}
            touched += len({byte // size for byte in every})
            needed += (len(every) + size - 1) // size
    return touched, needed


def vectors_fit(values: list[int], width: int) -> bool:
    if len(values) % width:
        return False
    chunks = [values[first : first + width] for first in range(0, len(values), width)]
    return all(
        chunk[0] % width == 0 and all(b == a + 1 for a, b in pairwise(chunk)) for chunk in chunks
    )


def widest(threads: list[list[int]], element_bytes: int, max_bytes: int, alignment: int) -> int:
    widths = [w for w in (1, 2, 4, 8, 16) if w * element_bytes <= min(max_bytes, alignment)]
    return max(w for w in widths if all(vectors_fit(values, w) for values in threads))


swizzles = st.builds(
    lambda bits, base, more: Swizzle(bits, base, bits + more), *[st.integers(0, 3)] * 3
)
plain = layouts(max_size=256, min_stride=-9, max_stride=70)
any_layouts = plain | st.builds(
    ComposedLayout, swizzles, st.integers(0, 9), layouts(max_size=128, max_stride=70)
)
vectors = st.sampled_from([(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (2, 2), (4, 2), (4, 4), (2, 8)])


@st.composite
def vectorised(draw: st.DrawFn) -> tuple[Any, int, int]:
    """A layout with an element size and a vector that its threads can access."""
    element_bytes, vector = draw(vectors)
    layout = draw(any_layouts)
    if vector > 1:
        threads = draw(layouts(max_size=64, max_stride=20))
        steps = tuple(stride * vector for stride in threads.flat_stride)
        shape = threads.flat_shape
        layout = Layout((shape, (vector, 3)), (steps, (1, 5 * vector)))
        layout = draw(st.sampled_from([layout, Layout((shape,), (steps,))]))
    return layout, element_bytes, vector


@given(vectorised(), st.sampled_from([4, 16, 32]), st.sampled_from([16, 32]))
def test_bank_conflicts_are_the_most_words_of_one_bank(case: Any, warp: int, banks: int) -> None:
    layout, element_bytes, vector = case
    found = bank_conflicts(
        layout, element_bytes=element_bytes, vector=vector, threads=warp, banks=banks
    )
    assert type(found) is int
    assert found == worst_bank(layout, element_bytes, vector, warp, banks)


@given(vectorised(), st.sampled_from([8, 32]), st.sampled_from([32, 64]))
def test_coalescing_counts_sectors(case: Any, warp: int, size: int) -> None:
    layout, element_bytes, vector = case
    found = coalescing(
        layout, element_bytes=element_bytes, vector=vector, threads=warp, sector_bytes=size
    )
    assert (found.sectors, found.needed) == sectors(layout, element_bytes, vector, warp, size)
    assert 0 < found.efficiency <= 1


@given(
    any_layouts, st.sampled_from([1, 2, 4, 8]), st.sampled_from([8, 16]), st.sampled_from([4, 16])
)
def test_vector_width_is_the_widest_that_fits(
    layout: Any, element_bytes: int, max_bytes: int, alignment: int
) -> None:
    threads = values_of(layout)
    if len(threads) == layout.size and (not isinstance(layout.shape, tuple) or layout.rank == 1):
        threads = [[value for (value,) in threads]]  # of rank 1: one thread
    found = vector_width(
        layout, element_bytes=element_bytes, max_bytes=max_bytes, alignment=alignment
    )
    if element_bytes <= min(max_bytes, alignment):
        assert found == widest(threads, element_bytes, max_bytes, alignment)
    assert vector_width(Tabled(layout), element_bytes=element_bytes) == vector_width(
        layout, element_bytes=element_bytes
    )


class Tabled:
    """A layout of which only shape, size and calls are known."""

    def __init__(self, layout: Any) -> None:
        self.shape, self.size, self.call = layout.shape, layout.size, layout.__call__

    def __call__(self, *coordinate: Any) -> Any:
        return self.call(*coordinate)


@given(
    st.lists(st.tuples(st.sampled_from(["n", "m", 1, 2, 8]), st.integers(0, 9)), min_size=2,
             max_size=3),
    st.integers(1, 4),
    st.integers(1, 4),
)  # fmt: skip
def test_a_proved_width_holds_for_every_size(modes: Any, n: int, m: int) -> None:
    dims = {"n": Dim("n", divisible_by=8), "m": Dim("m", divisible_by=2)}
    values = {"n": 8 * n, "m": 2 * m}
    strides = [0, 1, 2, 4, 8, dims["n"], dims["m"], 4 * dims["m"], dims["n"] * dims["m"], -2]
    pairs = [(dims.get(size, size), strides[place]) for size, place in modes]
    layout = Layout(tuple(size for size, _ in pairs), tuple(stride for _, stride in pairs))

    def worth(size: Any) -> int:
        return int(size.evaluate(values)) if isinstance(size, Dim) else size

    number = Layout(tuple(map(worth, layout.shape)), tuple(map(worth, layout.stride)))
    width = vector_width(layout, element_bytes=2)
    assert all(vectors_fit(values, width) for values in values_of(number))


@given(any_layouts, st.sampled_from([1, 4, 16]))
def test_cache_lines_follow_the_walk(layout: Any, element_bytes: int) -> None:
    walk = [int(layout(i)) for i in range(layout.size)]
    lines = [offset * element_bytes // 64 for offset in walk]
    crowd = defaultdict(set)
    for line in lines:
        crowd[line % 8].add(line)
    assert cache_lines(layout, element_bytes=element_bytes, sets=8) == CacheLines(
        lines=len(set(lines)),
        needed=(len(set(walk)) * element_bytes + 63) // 64,
        changes=1 + sum(a != b for a, b in pairwise(lines)),
        crowding=max(map(len, crowd.values())),
        line_bytes=64,
    )


# Facts.


def test_the_column_of_a_tile() -> None:
    assert bank_conflicts(row_major(32, 32)) == 32
    assert bank_conflicts(Layout((32, 32), (33, 1))) == 1
    assert bank_conflicts(ComposedLayout(Swizzle(5, 0, 5), 0, row_major(32, 32))) == 1
    assert bank_conflicts(Layout((32, 32))) == 1


def test_eight_rows_of_a_half_precision_tile() -> None:
    rows = row_major(8, 64)
    assert bank_conflicts(rows, element_bytes=2, vector=8) == 8
    swizzled = ComposedLayout(Swizzle(3, 3, 3), 0, rows)
    assert bank_conflicts(swizzled, element_bytes=2, vector=8) == 1
    assert bank_conflicts(Layout(8, 64), element_bytes=2, vector=8) == 8


def test_wide_accesses_are_served_in_parts_of_a_warp() -> None:
    assert bank_conflicts(Layout(32, 4), vector=4) == 1
    assert bank_conflicts(Layout(32, 2), vector=2) == 1
    assert bank_conflicts(Layout(32, 2)) == 2
    assert bank_conflicts(Layout(32, 1), element_bytes=8) == 1


def test_threads_that_want_the_same_word_share_it() -> None:
    assert bank_conflicts(Layout(32, 0)) == 1
    assert bank_conflicts(Layout((2, 16), (0, 32))) == 1  # mode 0 is two threads
    assert bank_conflicts(Layout(((2, 16),), ((0, 32),))) == 16
    assert bank_conflicts(Layout(32), element_bytes=1) == 1


def test_an_arrangement_of_threads() -> None:
    _, tv = make_layout_tv(row_major(8, 4), Layout((1, 2), (0, 1)))
    assert tv.shape[0] == (4, 8)
    tile = Layout((8, 8), (8, 1))  # 8 x 8, rows contiguous; two values of a row a thread
    assert bank_conflicts(tile, threads=tv) == 2
    assert bank_conflicts(tile, threads=tv, vector=2) == 1
    assert coalescing(tile, element_bytes=4, threads=tv).efficiency == 0.5
    assert coalescing(tile, element_bytes=4, threads=tv, vector=2).efficiency == 1.0
    assert vector_width(tile, element_bytes=4, threads=tv) == 2


def test_coalescing_says_why() -> None:
    assert coalescing(Layout(32), element_bytes=4) == Coalescing(1, 4, 4, 32)
    strided = coalescing(Layout(32, 2), element_bytes=4)
    assert str(strided) == "1 accesses touch 8 sectors of 32 bytes, 4 would do: 50%"
    assert coalescing(Layout(32, 0), element_bytes=4) == Coalescing(1, 1, 1, 32)


def test_rank_one_is_one_thread_for_vector_width() -> None:
    assert vector_width(Layout(64), element_bytes=4) == 4
    assert vector_width(Layout(64, 2), element_bytes=4) == 1
    assert vector_width(row_major(32, 6), element_bytes=4) == 2
    assert vector_width(row_major(32, 8), element_bytes=2, alignment=4) == 2
    swizzled = ComposedLayout(Swizzle(3, 3, 3), 0, row_major(8, 64))
    assert vector_width(swizzled, element_bytes=2) == 8
    assert vector_width(swizzled, element_bytes=1) == 8


def test_an_empty_layout_asks_for_nothing() -> None:
    assert bank_conflicts(Layout((0, 4))) == 0
    assert bank_conflicts(Layout((4, 0))) == 0
    assert coalescing(Layout(0), element_bytes=4).efficiency == 1.0
    assert cache_lines(Layout((0, 4)), element_bytes=4).lines == 0


def test_a_walk_down_a_column_crowds_one_set() -> None:
    found = cache_lines(Layout((64, 2), (1024, 1)), element_bytes=4)
    assert found.crowding == 64
    assert str(found).startswith("64 lines of 64 bytes, 8 would do; 128 changes of line")


def test_errors_say_what_was_needed() -> None:
    with pytest.raises(LayoutError, match=r"bank_conflicts: got \(n,4\):\(1,n\), needed sizes and"):
        bank_conflicts(Layout((Dim("n"), 4)))
    with pytest.raises(LayoutError, match=r"coalescing: got 4:n, needed sizes and strides without"):
        coalescing(Layout(4, Dim("n")), element_bytes=4)
    with pytest.raises(LayoutError, match=r"bank_conflicts: got element_bytes=3, needed a power"):
        bank_conflicts(Layout(32), element_bytes=3)
    with pytest.raises(LayoutError, match=r"bank_conflicts: got accesses of 32 bytes, needed at"):
        bank_conflicts(Layout(32, 8), vector=8)
    with pytest.raises(LayoutError, match=r"bank_conflicts: got threads=0, needed at least 1"):
        bank_conflicts(Layout(32), threads=0)
    with pytest.raises(LayoutError, match=r"got vector=2 for 32:33 with an access at offset 33"):
        bank_conflicts(Layout(32, 33), vector=2)
    with pytest.raises(LayoutError, match=r"coalescing: got vector=2 for \(4,4\):\(1,4\), needed"):
        coalescing(Layout((4, 4)), element_bytes=4, vector=2)
    with pytest.raises(LayoutError, match=r"got \(4,8\):\(1@0,1@1\), needed offsets that are num"):
        bank_conflicts(make_identity_layout((4, 8)))
    with pytest.raises(LayoutError, match=r"vector_width: got \(4,8\):\(1@0,1@1\), needed offsets"):
        vector_width(make_identity_layout((4, 8)), element_bytes=4)
