"""Arithmetic on shapes whose sizes are ints or Dims: broadcasting, element counts, axes, text."""

from __future__ import annotations

from collections.abc import Sequence

from tensorlib.errors import ShapeError
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops.row import Shape

__all__ = [
    "axis_number",
    "axis_numbers",
    "broadcast_shapes",
    "broadcasts",
    "elements",
    "is_static_shape",
    "shape_text",
]


def shape_text(shape: Shape) -> str:
    """Return `shape` as Python writes a tuple, with symbolic sizes by name.

    >>> shape_text((Dim("n"), 4)), shape_text((3,))
    ('(n, 4)', '(3,)')
    """
    inner = ", ".join(map(str, shape))
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def is_static_shape(shape: Shape) -> bool:
    """True where every size is an int."""
    return not any(isinstance(n, Dim) for n in shape)


def elements(shape: Shape) -> Size:
    """Return the number of elements of `shape`."""
    count: Size = 1
    for n in shape:
        count = count * n
    return count


def broadcasts(shape: Shape, target: Shape) -> bool:
    """True where `shape` broadcasts to `target`."""
    if len(shape) > len(target):
        return False
    tail = target[len(target) - len(shape) :]
    return all(n in (1, m) for n, m in zip(shape, tail, strict=True))


def broadcast_shapes(where: str, *shapes: Shape) -> Shape:
    """Return the shape to which all `shapes` broadcast, or raise ShapeError in the name of `where`.

    >>> broadcast_shapes("add", (4, 1), (3,))
    (4, 3)
    """
    rank = max(map(len, shapes), default=0)
    result: list[Size] = [1] * rank
    for shape in shapes:
        for axis, n in enumerate(shape, rank - len(shape)):
            if result[axis] == 1:
                result[axis] = n
            elif n not in (1, result[axis]):
                raise ShapeError(_mismatch(where, shapes, rank - axis, result[axis], n))
    return tuple(result)


def _mismatch(where: str, shapes: Sequence[Shape], place: int, a: Size, b: Size) -> str:
    got = " and ".join(map(shape_text, shapes))
    return f"{where}: got shapes {got}; sizes {a} and {b} on axis -{place} must be equal or 1"


def axis_number(where: str, axis: int, rank: int) -> int:
    """Return `axis` counted from the front, or raise ShapeError where it lies outside `rank`."""
    if not -rank <= axis < rank:
        raise ShapeError(f"{where}: got axis {axis}, needed {-rank} to {rank - 1} for {rank} axes")
    return axis % rank


def axis_numbers(where: str, axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return sorted axes counted from the front; None stands for all of them."""
    if axis is None:
        return tuple(range(rank))
    wanted = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = tuple(sorted(axis_number(where, a, rank) for a in wanted))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{where}: got axes {wanted}, which name one axis twice")
    return axes
