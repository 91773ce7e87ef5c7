"""Laws of upcast, downcast and recast: the same memory in elements of another width."""

from __future__ import annotations

import itertools
from math import prod
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    congruent,
    downcast,
    make_identity_layout,
    recast_layout,
    upcast,
)
from tensorlib.testing.layouts import compact_layouts, layouts

# The oracle: leaves as plain lists, offsets by definition.


def leaves(nested: Any) -> list[int]:
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


def coordinates(sizes: list[int]) -> list[tuple[int, ...]]:
    return [tuple(reversed(c)) for c in itertools.product(*map(range, reversed(sizes)))]


def offset(coordinate: tuple[int, ...], layout: Layout) -> int:
    return sum(c * d for c, d in zip(coordinate, leaves(layout.stride), strict=True))


def offsets(layout: Layout) -> list[int]:
    return [offset(c, layout) for c in coordinates(leaves(layout.shape))]


def is_words(words: Layout, layout: Layout, n: int) -> bool:
    """The definition: words cover exactly the elements, and each leaf is divided by itself."""
    sizes, whole = leaves(layout.shape), leaves(words.shape)
    if not congruent(words.shape, layout.shape):
        return False
    ratios = [s // w if w else 1 for s, w in zip(sizes, whole, strict=True)]
    if any(w * k != s for s, w, k in zip(sizes, whole, ratios, strict=True)):
        return False
    cut = sorted(n * word + part for word in offsets(words) for part in range(n))
    return cut == sorted(offsets(layout)) and all(
        offset(tuple(x // k for x, k in zip(c, ratios, strict=True)), words)
        == offset(c, layout) // n
        for c in coordinates(sizes)
    )


def some_words(layout: Layout, n: int) -> bool:
    """True when any congruent layout is the layout in words: every division of leaves is tried."""
    sizes = leaves(layout.shape)
    divisors = [[k for k in range(1, s + 1) if s % k == 0] for s in sizes]
    for ratios in itertools.product(*divisors):
        if prod(ratios) != n:
            continue
        units = [
            [k if place == leaf else 0 for leaf in range(len(sizes))]
            for place, k in enumerate(ratios)
        ]
        strides = [offset(tuple(unit), layout) // n for unit in units]
        shape = tuple(s // k for s, k in zip(sizes, ratios, strict=True))
        if is_words(
            Layout(shape, tuple(strides)), Layout(tuple(sizes), tuple(leaves(layout.stride))), n
        ):
            return True
    return False


small = layouts(max_size=32, max_depth=2, min_stride=-8, max_stride=16)
factors = st.sampled_from([1, 2, 3, 4, 6, 8])


@given(small, factors)
@settings(max_examples=500)
def test_upcast_is_exact_and_found_whenever_it_exists(layout: Layout, n: int) -> None:
    try:
        words = upcast(layout, n)
    except LayoutError:
        assert not some_words(layout, n)
    else:
        assert is_words(words, layout, n)


@given(compact_layouts(), factors)
def test_upcast_of_compact_layouts(layout: Layout, n: int) -> None:
    try:
        words = upcast(layout, n)
    except LayoutError:
        assert not some_words(layout, n)
    else:
        assert is_words(words, layout, n)
        assert sorted(offsets(words)) == list(range(len(offsets(layout)) // n))


@given(small, factors)
def test_downcast_cuts_every_element_into_its_parts(layout: Layout, n: int) -> None:
    """At one leaf the parts come first: D(n*c + r) == n*L(c) + r."""
    sizes, strides = leaves(layout.shape), leaves(layout.stride)
    try:
        parts = downcast(layout, n)
    except LayoutError:
        assert n > 1
        assert all(s != 1 and d != 1 for s, d in zip(sizes, strides, strict=True))
        return
    assert congruent(parts.shape, layout.shape)
    ratios = [p // s for s, p in zip(sizes, leaves(parts.shape), strict=True)]
    assert sorted(ratios) == sorted([n] + [1] * (len(sizes) - 1))
    holder = ratios.index(n)
    for c in coordinates(leaves(parts.shape)):
        whole = tuple(x // k for x, k in zip(c, ratios, strict=True))
        assert offset(c, parts) == n * offset(whole, layout) + (c[holder] % n if n > 1 else 0)


@given(small, factors)
def test_downcast_covers_the_same_memory(layout: Layout, n: int) -> None:
    try:
        parts = downcast(layout, n)
    except LayoutError:
        assume(False)
    assert sorted(offsets(parts)) == sorted(n * x + r for x in offsets(layout) for r in range(n))


@st.composite
def vectors(draw: st.DrawFn) -> tuple[Layout, int]:
    """A layout with one leaf of stride 1 that n divides; n divides the other strides too."""
    n = draw(st.integers(2, 8))
    sizes = draw(st.lists(st.integers(2, 4), max_size=3))
    strides = [n * draw(st.integers(-6, 6)) for _ in sizes]
    place = draw(st.integers(0, len(sizes)))
    sizes.insert(place, n * draw(st.integers(1, 3)))
    strides.insert(place, 1)
    return Layout(tuple(sizes), tuple(strides)), n


@given(vectors())
def test_downcast_undoes_upcast(case: tuple[Layout, int]) -> None:
    layout, n = case
    words = upcast(layout, n)
    back = downcast(words, n)
    single = [d for s, d in zip(leaves(words.shape), leaves(words.stride), strict=True) if d == 1]
    assert sorted(offsets(back)) == sorted(offsets(layout))
    if len(single) == 1 or 1 in leaves(words.shape):
        assert back is layout


@given(vectors())
def test_upcast_undoes_downcast(case: tuple[Layout, int]) -> None:
    layout, n = case
    assert upcast(downcast(layout, n), n) is layout


@given(small, st.sampled_from([2, 4, 6]), st.sampled_from([2, 3]))
def test_upcast_in_two_steps(layout: Layout, n: int, m: int) -> None:
    try:
        once, twice = upcast(layout, n * m), upcast(upcast(layout, n), m)
    except LayoutError:
        return
    assert sorted(offsets(once)) == sorted(offsets(twice))


@given(vectors(), st.sampled_from([4, 8, 16]))
def test_recast_keeps_every_bit(case: tuple[Layout, int], bits: int) -> None:
    layout, n = case

    def bit_set(l: Layout, width: int) -> list[int]:
        return sorted(width * x + b for x in offsets(l) for b in range(width))

    assert recast_layout(layout, bits, bits) is layout
    for old, new in [(bits, bits * n), (bits * n, bits), (3 * bits, bits), (6, 6 * n)]:
        assert bit_set(recast_layout(layout, old, new), new) == bit_set(layout, old)


def test_widths_that_do_not_divide_each_other() -> None:
    assert recast_layout(Layout((4, 3)), 6, 8) is Layout((3, 3), (1, 3))
    with pytest.raises(LayoutError, match=r"upcast: got \(9,4\):\(1,9\) by 4; 4 does not divide"):
        recast_layout(Layout((3, 4)), 6, 8)


def test_cutes_examples() -> None:
    up = [
        ("(32,32):(32,1)", 16, "(32,2):(2,1)"),
        ("(32,(32,4)):(32,(1,1024))", 16, "(32,(2,4)):(2,(1,64))"),
        ("((4,8),(16,2)):((256,16),(1,128))", 16, "((4,8),(1,2)):((16,1),(1,8))"),
        ("(8,1024):(1024,1)", 16, "(8,64):(64,1)"),
    ]
    for given_text, n, expected in up:
        assert upcast(Layout.parse(given_text), n) is Layout.parse(expected)
    for expected, n, given_text in up[:2] + up[3:]:
        assert downcast(Layout.parse(given_text), n) is Layout.parse(expected)


def test_negative_zero_and_single_modes() -> None:
    assert upcast(Layout((4, 3), (1, -8)), 4) is Layout((1, 3), (1, -2))
    assert downcast(Layout((1, 3), (1, -1)), 4) is Layout((4, 3), (1, -4))
    assert upcast(Layout((2, 4), (0, 1)), 4) is Layout((2, 1), (0, 1))
    assert upcast(Layout((1, 8), (3, 1)), 4) is Layout((1, 2), (0, 1))
    assert upcast(Layout((1, 8), (8, 1)), 4) is Layout((1, 2), (2, 1))
    assert downcast(Layout(1, 0), 4) is Layout(4, 1)
    assert downcast(Layout((2, 0)), 3) is Layout((6, 0), (1, 6))
    assert upcast(Layout((2, 0), (5, 7)), 3) is Layout((2, 0), (0, 0))


def test_symbolic_layouts() -> None:
    n, m = Dim("n", divisible_by=8), Dim("m")
    assert upcast(Layout((m, n), (n, 1)), 4) is Layout((m, n // 4), (n // 4, 1))
    assert downcast(Layout((m, n), (n, 1)), 4) is Layout((m, n * 4), (n * 4, 1))
    with pytest.raises(LayoutError, match=r"upcast: got m:1 by 4; 4 does not divide the mode m:1"):
        upcast(Layout(m), 4)
    with pytest.raises(LayoutError, match=r"upcast: got .* by 4; the stride m leaves words in the"):
        upcast(Layout((2, 4), (m, 1)), 4)


def test_errors_name_what_was_wrong() -> None:
    cases: list[tuple[Any, str]] = [
        (lambda: upcast(Layout(4, -1), 2), r"upcast: got 4:-1 by 2; the stride -1 leaves words in"),
        (lambda: upcast(Layout(4, 3), 2), r"upcast: got 4:3 by 2; the stride 3 leaves words in t"),
        (lambda: upcast(Layout(6), 4), r"upcast: got 6:1 by 4; 4 does not divide the mode 6:1"),
        (lambda: upcast(Layout(4, 2), 4), r"upcast: got 4:2 by 4; the words have a gap or overlap"),
        (lambda: upcast(Layout((4, 4), (1, 1)), 4), r"upcast: got .* have a gap or overlap at 1"),
        (lambda: upcast(Layout(2), 4), r"upcast: got 2:1 by 4; only 2 of 4 neighbours are there"),
        (lambda: upcast(Layout(4, 4), 4), r"upcast: got 4:4 by 4; only 1 of 4 neighbours are th"),
        (lambda: downcast(Layout(4, 2), 4), r"downcast: got 4:2 by 4; needed a mode of stride 1 t"),
        (lambda: downcast(Layout(4, -1), 2), r"downcast: got 4:-1 by 2; needed a mode of stride 1"),
        (lambda: upcast(Layout(4), 0), r"upcast: got the factor 0, needed an int >= 1"),
        (lambda: downcast(Layout(4), 2.0), r"downcast: got the factor 2.0, needed an int >= 1"),
        (
            lambda: recast_layout(Layout(4), 8, 0),
            r"recast_layout: got 8 and 0 bits, needed ints >= 1",
        ),
        (
            lambda: upcast(make_identity_layout((4, 4)), 2),
            r"upcast: got \(4,4\):\(1@0,1@1\) by 2; needed strides that are numbers or Dims",
        ),
    ]
    for call, message in cases:
        with pytest.raises(LayoutError, match=message):
            call()


@pytest.mark.slow
@given(small, factors)
@settings(max_examples=1000)
def test_agrees_with_tensor_layouts_where_it_is_right(layout: Layout, n: int) -> None:
    """Where both answer and theirs obeys the definition, ours is the same function."""
    peer = pytest.importorskip("tensor_layouts")
    their = peer.upcast(peer.Layout(layout.shape, layout.stride), n)
    words = Layout(their.shape, their.stride)
    if is_words(words, layout, n):
        assert offsets(upcast(layout, n)) == offsets(words)
