"""Modes of layouts and shapes rearranged: group, select, take, append, prepend, replace, unflatten.

Each takes a layout or a nested tuple and gives the same kind; a layout's offsets stay with their
modes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from tensorlib.errors import LayoutError
from tensorlib.layouts.layout import Layout, make_layout
from tensorlib.layouts.overload import over_inner
from tensorlib.layouts.shape import (
    checked_stride,
    depth_of,
    flatten_tuple,
    modes_of,
    unflatten_tuple,
)

__all__ = ["append", "group_modes", "prepend", "replace", "select", "take", "unflatten"]

Value = TypeVar("Value")  # Layout, or a nested tuple


@over_inner
def group_modes(value: Value, begin: int, end: int) -> Value:
    """Return the value with modes begin ... end - 1 as one mode.

    The same function of an index. Raises LayoutError unless 0 <= begin < end <= rank.

    >>> group_modes(Layout((2, 3, 5, 7)), 1, 3), group_modes((2, 3, 5), 0, 2)
    ((2,(3,5),7):(1,(2,6),30), ((2, 3), 5))
    """
    modes = _modes("group_modes", value)
    _in_range("group_modes", value, modes, begin, end)
    return _joined(value, *modes[:begin], _joined(value, *modes[begin:end]), *modes[end:])


@over_inner
def take(value: Value, begin: int, end: int) -> Value:
    """Return modes begin ... end - 1 of the value, as a tuple of modes.

    >>> take(Layout((2, 3, 5)), 1, 3), take((2, 3, 5), 0, 1)
    ((3,5):(2,6), (2,))
    """
    modes = _modes("take", value)
    _in_range("take", value, modes, begin, end)
    return _joined(value, *modes[begin:end])


@over_inner
def select(value: Value, modes: Iterable[int]) -> Value:
    """Return these modes of the value, in this order; a mode may come twice.

    >>> select(Layout((2, 3, 5)), (2, 0)), select((2, 3, 5), [1])
    ((5,2):(6,1), (3,))
    """
    own = _modes("select", value)
    places = (modes,) if isinstance(modes, int) else tuple(modes)
    for place in places:
        if not -len(own) <= place < len(own):
            raise LayoutError(f"select: got {place} for {value}, needed a mode below {len(own)}")
    return _joined(value, *(own[place] for place in places))


@over_inner
def append(value: Value, mode: Any = None, *, rank: int | None = None) -> Value:
    """Return the value with `mode` behind its own: 1:0, or the size 1, where none is given.

    With a rank the mode is repeated until there are that many. Raises LayoutError past it.

    >>> append(Layout(3), Layout(4, 3)), append(Layout((2, 3)), rank=4), append((2, 3), 5)
    ((3,4):(1,3), (2,3,1,1):(1,2,0,0), (2, 3, 5))
    """
    modes, added = _extension("append", value, mode, rank)
    return _joined(value, *modes, *added) if added else value


@over_inner
def prepend(value: Value, mode: Any = None, *, rank: int | None = None) -> Value:
    """Return the value with `mode` before its own: as `append`, on the other side.

    >>> prepend(Layout(3), Layout(4, 3)), prepend((2, 3), rank=3)
    ((4,3):(3,1), (1, 2, 3))
    """
    modes, added = _extension("prepend", value, mode, rank)
    return _joined(value, *added, *modes) if added else value


@over_inner
def replace(value: Value, index: int, mode: Any) -> Value:
    """Return the value with `mode` in place of its own mode `index`.

    >>> replace(Layout((3, 4, (3, 4))), 2, Layout(4, 3)), replace((3, 4), 0, (1, 3))
    ((3,4,4):(1,3,3), ((1, 3), 4))
    """
    modes = _modes("replace", value)
    if not -len(modes) <= index < len(modes):
        raise LayoutError(f"replace: got {index} for {value}, needed a mode below {len(modes)}")
    index %= len(modes)
    return _joined(value, *modes[:index], _mode("replace", value, mode), *modes[index + 1 :])


@over_inner
def unflatten(value: Value, profile: Any) -> Value:
    """Return a value of depth <= 1 nested as the profile, a nested tuple or a layout, is.

    `unflatten(flatten(x), x) == x`. Raises LayoutError unless there is one mode a leaf.

    >>> unflatten(Layout((2, 3, 5, 7)), ((0, 0), (0, 0))), unflatten((2, 3, 5), (0, (0, 0)))
    (((2,3),(5,7)):((1,2),(6,30)), (2, (3, 5)))
    """
    nested = profile.shape if isinstance(profile, Layout) else profile
    modes = _modes("unflatten", value)
    deep = any(_is_tuple(mode) for mode in modes)
    if deep or len(modes) != len(flatten_tuple(nested)):
        raise LayoutError(
            f"unflatten: got {value} and profile {profile}, needed one flat mode for every leaf"
        )
    if isinstance(value, Layout):
        shape, stride = (
            unflatten_tuple(iter(modes_of(own)), nested) for own in (value.shape, value.stride)
        )
        return cast(Value, Layout(shape, stride))
    return cast(Value, unflatten_tuple(iter(modes), nested))


def _modes(where: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, Layout):
        return value.modes
    return modes_of(checked_stride(where, value))


def _mode(where: str, value: Any, mode: Any) -> Any:
    """Return the new mode, checked to be of the value's kind."""
    if isinstance(value, Layout) != isinstance(mode, Layout):
        kind = "a layout" if isinstance(value, Layout) else "a shape"
        raise LayoutError(f"{where}: got {mode!r} for {value}, needed {kind}")
    return mode if isinstance(mode, Layout) else checked_stride(where, mode)


def _joined(value: Value, *modes: Any) -> Value:
    return cast(Value, make_layout(*modes) if isinstance(value, Layout) else modes)


def _is_tuple(mode: Any) -> bool:
    return depth_of(mode.shape if isinstance(mode, Layout) else mode) > 0


def _extension(where: str, value: Any, mode: Any, rank: int | None) -> tuple[Any, list[Any]]:
    """Return the value's modes and those to add."""
    modes = _modes(where, value)
    if mode is None:
        mode = Layout(1, 0) if isinstance(value, Layout) else 1
    count = 1 if rank is None else rank - len(modes)
    if count < 0:
        raise LayoutError(f"{where}: got {value} and rank {rank}, needed a rank >= {len(modes)}")
    return modes, [_mode(where, value, mode)] * count


def _in_range(where: str, value: Any, modes: tuple[Any, ...], begin: int, end: int) -> None:
    if not 0 <= begin < end <= len(modes):
        raise LayoutError(
            f"{where}: got modes {begin} to {end} of {value}, needed some within 0 to {len(modes)}"
        )
