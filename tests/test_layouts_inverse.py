"""Laws of inverses, nullspace and common layouts, one test a law; the oracles enumerate."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    Dim,
    Layout,
    coalesce,
    filter,
    is_bijective,
    is_injective,
    left_inverse,
    max_common_layout,
    max_common_vector,
    nullspace,
    right_inverse,
)
from tensorlib.layouts import left_search as left_search_module
from tensorlib.testing.layouts import compact_layouts, layouts
from tensorlib.tests.layout_oracles import (
    at,
    left_invertible,
    longest_right_inverse,
    modes_of,
    offsets_of,
)

n, m = Dim("n"), Dim("m")
k = Dim("k", divisible_by=8)
L = Layout.parse
any_layouts = layouts(min_stride=-4, max_size=48)
tiny_layouts = layouts(min_stride=-3, max_stride=9, max_size=8, max_depth=2)


def applied(layout: Layout, index: int) -> int:
    return at(modes_of((layout.shape, layout.stride)), index)


def inverted(layout: Layout) -> Layout | None:
    try:
        return left_inverse(layout)
    except LayoutError as error:
        text = str(error)
    assert text.startswith(f"left_inverse: got {layout}; mode ")
    return None


# right inverse


@given(any_layouts)
def test_right_inverse_inverts(layout: Layout) -> None:
    inverse = offsets_of(right_inverse(layout))
    assert [applied(layout, index) for index in inverse] == list(range(len(inverse)))
    assert all(0 <= index < layout.size for index in inverse)


@given(tiny_layouts)
@settings(max_examples=300)
def test_no_right_inverse_is_longer(layout: Layout) -> None:
    places: dict[int, list[int]] = {}
    for index, offset in enumerate(offsets_of(layout)):
        places.setdefault(offset, []).append(index)
    assert right_inverse(layout).size == longest_right_inverse(places)


@given(compact_layouts())
def test_inverses_of_a_bijection_are_whole_and_agree(layout: Layout) -> None:
    right, left = right_inverse(layout), left_inverse(layout)
    assert offsets_of(right) == offsets_of(left)
    assert [applied(left, offset) for offset in offsets_of(layout)] == list(range(layout.size))


# left inverse


@given(any_layouts)
@settings(max_examples=300, deadline=None)
def test_left_inverse_of_an_injection_inverts(layout: Layout) -> None:
    offsets = offsets_of(layout)
    assume(len(set(offsets)) == len(offsets))
    inverse = inverted(layout)
    assume(inverse is not None)
    assert [applied(inverse, offset) for offset in offsets] == list(range(len(offsets)))


@given(any_layouts)
@settings(max_examples=200, deadline=None)
def test_left_inverse_leads_back_to_the_offset(layout: Layout) -> None:
    inverse = inverted(layout)
    assume(inverse is not None)
    for offset in offsets_of(layout):
        assert applied(layout, applied(inverse, offset)) == offset


@given(layouts(min_stride=-5, max_stride=16, max_size=8, max_depth=1))
@settings(max_examples=200, deadline=None)
def test_left_inverse_is_found_wherever_it_exists(layout: Layout) -> None:
    exists = left_invertible(modes_of((layout.shape, layout.stride)))
    assume(exists is not None)
    assert (inverted(layout) is not None) == exists


# nullspace


@given(any_layouts)
def test_the_nullspace_is_taken_to_zero(layout: Layout) -> None:
    zeros = offsets_of(nullspace(layout))
    assert {applied(layout, index) for index in zeros} == {0}
    assert len(set(zeros)) == len(zeros)


@given(any_layouts)
def test_the_nullspace_is_what_filter_drops(layout: Layout) -> None:
    assert nullspace(layout).size * filter(layout).size == layout.size


# common layouts


@given(any_layouts, any_layouts)
def test_both_agree_along_the_common_layout(a: Layout, b: Layout) -> None:
    common = offsets_of(max_common_layout(a, b))
    assert [applied(a, index) for index in common] == list(range(len(common)))
    assert [applied(b, index) for index in common] == list(range(len(common)))
    assert max_common_vector(a, b) == max_common_vector(b, a) == len(common)


@given(tiny_layouts, tiny_layouts)
@settings(max_examples=300)
def test_no_common_layout_is_longer(a: Layout, b: Layout) -> None:
    places: dict[int, list[int]] = {}
    for index, (x, y) in enumerate(zip(offsets_of(a), offsets_of(b), strict=False)):
        if x == y:
            places.setdefault(x, []).append(index)
    assert max_common_vector(a, b) == longest_right_inverse(places)


@given(any_layouts)
def test_a_layout_has_its_right_inverse_in_common_with_itself(layout: Layout) -> None:
    assert max_common_layout(layout, layout) is right_inverse(layout)


# injective, bijective


@given(any_layouts)
def test_injective_means_no_offset_twice(layout: Layout) -> None:
    offsets = offsets_of(layout)
    assert is_injective(layout) == (len(set(offsets)) == len(offsets))
    assert is_bijective(layout) == (sorted(offsets) == list(range(len(offsets))))


# examples


def test_right_inverse_examples() -> None:
    assert right_inverse(L("(4,8):(8,1)")) == L("(8,4):(4,1)")
    assert right_inverse(L("(4,8):(1,5)")) == L("4:1")
    assert right_inverse(L("4:2")) == L("1:0")
    assert right_inverse(L("(4,2):(1,3)")) == L("(3,2):(1,4)")  # part of a mode
    assert right_inverse(L("(2,2,2):(1,5,-3)")) == L("(2,2):(1,6)")  # 2 == 5 - 3
    assert right_inverse(L("(3,2,2):(0,1,1)")) == L("3:5")  # a carry out of the broadcast mode
    assert right_inverse(L("(0,4):(1,1)")) == left_inverse(L("(0,4):(1,1)")) == L("0:0")


def test_left_inverse_examples() -> None:
    assert left_inverse(L("(2,2):(1,3)")) == L("(3,2):(1,2)")
    assert left_inverse(L("(4,8):(0,2)")) == L("(2,8):(0,4)")
    assert left_inverse(L("(2,2):(3,5)")) == L("(2,4,2):(0,1,3)")  # strides don't divide
    assert left_inverse(L("4:-1"))(-3) == 3
    assert left_inverse(L("(4,4):(1,2)")) == L("(4,2,2):(1,8,14)")  # offsets twice
    with pytest.raises(
        LayoutError, match=r"left_inverse: got .*; mode 4:-3 interleaves or is negative, and no lay"
    ):
        left_inverse(L("(3,4,5):(7,-3,31)"))
    with pytest.raises(LayoutError, match=r"left_inverse: got .*, needed at most 1048576 offsets"):
        left_inverse(L("(2000,2000):(1,1999)"))


def test_the_search_for_a_left_inverse_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_search_module, "STEPS", 2)
    with pytest.raises(LayoutError, match=r"left_inverse: .*, needed at most 2 steps of search"):
        left_inverse(L("(3,4,5):(7,-3,61)"))


def test_nullspace_and_common_examples() -> None:
    assert nullspace(L("(2,2,2):(0,0,0)")) == L("(2,2,2):(1,2,4)")
    assert nullspace(L("(2,4,8):(0,1,0)")) == L("(2,8):(1,8)")
    assert nullspace(L("(4,8):(1,4)")) == L("1:0")
    assert nullspace(L("(0,4):(0,1)")) == max_common_layout(L("0:1"), L("4")) == L("0:0")
    assert max_common_layout(L("8"), L("(4,2):(1,4)")) == L("8:1")
    assert max_common_layout(L("(4,2):(2,1)"), L("8:1")) == L("1:0")
    with pytest.raises(LayoutError, match=r"max_common_layout: got .* needed at most 1048576 off"):
        max_common_layout(L("(2048,1024)"), L("(2048,1024):(1024,1)"))


# symbolic sizes


def test_symbolic_inverses() -> None:
    assert right_inverse(Layout((64, n), (n, 1))) == Layout((n, 64), (64, 1))
    assert left_inverse(Layout((64, n), (n, 1))) == Layout((n, 64), (64, 1))
    assert left_inverse(Layout((4, n), (1, 8))) == Layout((8, n), (1, 4))
    assert left_inverse(Layout((k // 8, 8), (8, 1))) == Layout((8, k // 8), (k // 8, 1))
    assert left_inverse(Layout((n, 4), (0, 2))) == Layout((2, 4), (0, n))
    assert nullspace(Layout((4, n, 8), (1, 0, 4))) == Layout(n, 4)
    with pytest.raises(LayoutError, match=r"left_inverse: got .*, needed strides without symbols"):
        left_inverse(Layout((4, 4), (1, 3 * n + 1)))
    with pytest.raises(LayoutError, match=r"left_inverse: got .*; needed strides of known order"):
        left_inverse(Layout((4, 4), (n, m)))
    with pytest.raises(LayoutError, match=r"is_injective: got n:1, needed sizes and strides"):
        is_injective(Layout(n))
    with pytest.raises(LayoutError, match=r"is_injective: got .* needed at most 1048576 offsets"):
        is_injective(L("(2000,2000):(1,1999)"))


def test_symbolic_common_layouts() -> None:
    a = Layout((4, n), (n, 1))
    assert max_common_layout(a, a) == right_inverse(a)
    assert max_common_layout(Layout((8, n)), Layout((8, n), (1, 16))) == Layout(8, 1)
    assert max_common_vector(Layout((n, 8), (8, 1)), Layout((n, 8), (9, 1))) == 8


@given(st.integers(1, 5), st.integers(1, 4))
def test_symbolic_inverses_mean_the_numeric_ones(rows: int, columns: int) -> None:
    symbolic = Layout((n, 8, m), (8, 1, 8 * n))
    numbers = {"n": rows, "m": columns}

    def valued(layout: Layout) -> Layout:
        sizes = [s if isinstance(s, int) else s.evaluate(numbers) for s in layout.flat_shape]
        strides = [d if isinstance(d, int) else d.evaluate(numbers) for d in layout.flat_stride]
        return Layout(tuple(sizes), tuple(strides))

    for operation in (left_inverse, right_inverse, nullspace, coalesce):
        expected = operation(valued(symbolic))
        assert offsets_of(valued(operation(symbolic))) == offsets_of(expected)
    assert math.prod(valued(right_inverse(symbolic)).flat_shape) == 8 * rows * columns
