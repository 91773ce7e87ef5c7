"""A compiler pass that you write: a division by a power of two becomes a multiplication.

    %2 = const {value=8.0}              %2 = const {value=8.0}
    %3 = divide %x %2          becomes  %4 = const {value=0.125}
                                        %3 = multiply %x %4

1 / 2**k is exact, so no bit of a result changes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tensorlib as tl
from tensorlib.ir import Block, Kernel, Operation


def reciprocal(divisor: Any) -> float | None:
    """Return 1 / divisor where that is exact in every float dtype, None elsewhere."""
    if not isinstance(divisor, int | float) or divisor == 0 or not math.isfinite(divisor):
        return None
    mantissa, exponent = math.frexp(divisor)
    return 1 / divisor if abs(mantissa) == 0.5 and abs(exponent) <= 12 else None


@tl.ir_pass
def multiply_by_reciprocal(kernel: Kernel) -> None:
    """Rewrite the divisions of `kernel` in place."""
    strength_reduced(kernel.body)


def strength_reduced(block: Block) -> None:
    made: list[Operation] = []
    for operation in block.operations:
        for nested in operation.blocks:
            strength_reduced(nested)
        if operation.name == "divide":
            made.extend(factors(operation))
        made.append(operation)
    block.operations = made


def factors(divide: Operation) -> list[Operation]:
    """Turn a division by a constant power of two into a product; return the constant it needs."""
    x, y = divide.operands
    constant = y.operation
    if constant is None or constant.name != "const" or not y.type.dtype.is_float:
        return []
    inverse = reciprocal(constant.attributes["value"])
    if inverse is None:
        return []
    attributes = {"type": y.type, "value": inverse}
    factor = Operation("const", [], [y.type], attributes, place=divide.place)
    divide.name, divide.operands = "multiply", [x, factor.results[0]]
    return [factor]


@tl.kernel
def eighth(out: tl.Tile, x: tl.Tile) -> None:
    for i in tl.parallel(range(out.size)):
        out[i] = x[i] / 8.0 + x[i] / 3.0


def main() -> None:
    x = np.random.default_rng(0).standard_normal(1000, dtype=np.float32)
    out = np.empty_like(x)
    eighth(out, x)
    print(eighth.ir(out, x))
    print("no bit has changed:", (out == x / np.float32(8) + x / np.float32(3)).all())
    multiply_by_reciprocal.remove()


if __name__ == "__main__":
    main()
