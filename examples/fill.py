"""One function at compile time and at run time: a table that Python fills, and one that C fills."""

from __future__ import annotations

from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib import SIMD, DType


def fill(values: Any, lower: int, upper: int) -> Any:
    """Write lower, lower + 1 ... to `values`: a Python list, an array or a tile."""
    for i in range(lower, upper):
        values[i - lower] = i
    return values


@tl.kernel
def add_tables(out: tl.Tile, x: tl.Tile, *, count: int = 16) -> None:
    """Add 5, 6, 7 ... twice to every `count` elements of int64."""
    known = tl.alias(fill, [0] * count, 5, 5 + count)  # a list: its numbers stand in the code
    made = fill(tl.stack_allocation[DType.int64](count), 5, 5 + count)  # a loop that runs
    for i in range(0, out.size, count):
        v = x.load[count](i) + SIMD[DType.int64, count](*known)
        out.store[count](i, v + made.load[count](0))


def main() -> None:
    x = np.arange(64)
    print(add_tables.ir(x, x))
    expected = x + 2 * np.tile(np.arange(5, 21), 4)
    for run in (add_tables.python, add_tables.interpret, add_tables):
        out = np.zeros_like(x)
        run(out, x)
        assert (out == expected).all()
    print("5 .. 20 was added twice, the same in Python, as IR and as C")


if __name__ == "__main__":
    main()
