"""Views: every movement and every merge of axes reads the elements that NumPy reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.graph.view import View, coalesced, product
from tensorlib.layouts.dim import Dim


def elements(view: View) -> np.ndarray[Any, Any]:
    """The positions in memory of all elements of a static view."""
    found = np.full([int(n) for n in view.shape], int(view.offset))
    for axis, stride in enumerate(view.strides):
        steps = np.arange(int(view.shape[axis])) * int(stride)
        found = found + steps.reshape(-1, *[1] * (len(view.shape) - axis - 1))
    return found


@st.composite
def views(draw: Any) -> tuple[View, np.ndarray[Any, Any]]:
    """A view made by movements, and the same movements of an array of positions."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    view, array = View.contiguous(shape), np.arange(np.prod(shape)).reshape(shape)
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(("permute", "slice", "broadcast", "newaxis")))
        rank = len(view.shape)
        if kind == "permute":
            axes = draw(st.permutations(range(rank)))
            view, array = view.permuted(axes), array.transpose(axes)
        elif kind == "slice":
            axis = draw(st.integers(0, rank - 1))
            step = draw(st.sampled_from((1, 2, -1)))
            n = int(view.shape[axis])
            start, count = (n - 1, n) if step == -1 else (0, -(-n // step))
            starts, steps, sizes = [0] * rank, [1] * rank, list(view.shape)
            starts[axis], steps[axis], sizes[axis] = start, step, count
            view = view.sliced(starts, steps, sizes)
            array = array[(*[slice(None)] * axis, slice(None, None, step))]
        elif kind == "newaxis":
            moved = view.reshaped((1, *view.shape))
            assert moved is not None
            view, array = moved, array[None]
        else:
            target = tuple(3 if n == 1 else int(n) for n in view.shape)
            view, array = view.broadcast((2, *target)), np.broadcast_to(array, (2, *target))
    return view, array


@given(views())
def test_movements_of_views_are_movements_of_their_elements(
    pair: tuple[View, np.ndarray[Any, Any]],
) -> None:
    view, array = pair
    np.testing.assert_array_equal(elements(view), array)


@given(views(), st.data())
def test_a_reshape_is_exact_or_refused(pair: tuple[View, Any], choose: st.DataObject) -> None:
    view, array = pair
    count = array.size
    divisors = [d for d in range(1, count + 1) if count % d == 0]
    first = choose.draw(st.sampled_from(divisors))
    second = choose.draw(st.sampled_from([d for d in divisors if count // first % d == 0]))
    shape = (first, second, count // first // second)
    moved = view.reshaped(shape)
    if moved is not None:
        np.testing.assert_array_equal(elements(moved), array.reshape(shape))
    elif np.shares_memory(array, array.reshape(shape)):
        raise AssertionError(f"{view} has a view of shape {shape}")


@given(views(), views(), st.sets(st.integers(0, 4), max_size=2))
def test_coalesced_axes_visit_the_same_elements_in_the_same_order(
    pair: tuple[View, Any], other: tuple[View, Any], barriers: set[int]
) -> None:
    view = pair[0]
    strides = [*other[0].strides, 0, 0, 0, 0, 0, 0][: len(view.shape)]
    second = View(0, view.shape, tuple(strides))
    inside = sorted(b for b in barriers if b <= len(view.shape))
    sizes, merged, places = coalesced(view.shape, [view.strides, second.strides], inside)
    for before, after in zip((view, second), merged, strict=True):
        again = View(before.offset, sizes, after)
        np.testing.assert_array_equal(elements(again).reshape(-1), elements(before).reshape(-1))
    for barrier, place in zip(inside, places, strict=True):
        assert product(view.shape[:barrier]) == product(sizes[:place])


def test_symbolic_views_decide_only_what_holds_for_all_values() -> None:
    t, p = Dim("T"), Dim("P")
    heads = View.contiguous((t, 576)).reshaped((t, 9, 64))
    assert heads == View(0, (t, 9, 64), (576, 64, 1))
    assert heads.permuted((1, 0, 2)).reshaped((3, 3, t, 64)) is not None
    assert heads.permuted((1, 0, 2)).reshaped((t, 576)) is None
    assert View.contiguous((t, p)).reshaped((p * t,)) == View(0, (p * t,), (1,))
    assert View.contiguous((t, p)).reshaped((p, t)) == View(0, (p, t), (t, 1))
    assert View.contiguous((t, p)).permuted((1, 0)).reshaped((p * t,)) is None
    assert coalesced((t, 1, 4), [(4, 4, 1)])[0] == (4 * t,)
    assert coalesced((t, 4), [(8, 1)])[0] == (t, 4)
    assert View.contiguous((t, 4)).is_contiguous
    assert not View(0, (t, 4), (1, t)).is_contiguous


def test_views_of_nothing_reshape_to_nothing() -> None:
    empty = View.contiguous((3, 0)).permuted((1, 0)).reshaped((5, 0, 2))
    assert empty is not None
    assert empty.shape == (5, 0, 2)
    assert elements(empty).size == 0
