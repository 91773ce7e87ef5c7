"""The row of a result of an operation that has several: `part`.

What such an operation gives is a box of arrays, see `boxed`; a part takes one of them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ops.row import Array, Attributes, Op, Shape, listed

__all__ = ["ROWS", "boxed"]


def boxed(arrays: Sequence[Array]) -> Array:
    """Return several arrays as one of no axes, which holds them as an object.

    >>> part(boxed([np.zeros(2), np.ones(3)]), 1)
    array([1., 1., 1.])
    """
    box = np.empty((), object)
    box[()] = tuple(arrays)
    return box


def part(box: Array, index: int, **_: Any) -> Array:
    """Return result `index` of those in a box."""
    found: Array = box[()][index]
    return found


def _shape(shapes: Sequence[Shape], attributes: Attributes) -> Shape:
    return tuple(attributes["shape"])


def _dtype(dtypes: Sequence[DType], attributes: Attributes) -> DType:
    dtype: DType = attributes["dtype"]
    return dtype


ROWS: dict[str, Op] = listed([Op("part", "part", _shape, _dtype, part, 1)])
