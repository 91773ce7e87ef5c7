"""What the parameters of a kernel are: how it accesses operands, and the order they come in."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.dtypes import DType

__all__ = ["Access", "Parameter", "given", "names", "numbered", "parameter_list"]


@dataclass(frozen=True, slots=True)
class Access:
    """How a kernel reads or writes one operand: its dtype and, per axis, what is known of strides.

    `strides[k]` is 0 (the operand does not vary along axis k), 1 (neighbours in memory) or None
    (a run-time argument). Elements of bool operands are one byte, 0 or 1.
    Packed dtypes (q4_0, q4_1, q8_0) occur as operands of MatmulSpec and as x of TakeSpec only.
    Their strides and offset count logical elements; one axis has the stride 1 (k in a product,
    else the last), and the offset and all run-time strides are multiples of the block.
    """

    dtype: DType
    strides: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.dtype.name}[{', '.join('*' if s is None else str(s) for s in self.strides)}]"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a kernel: `kind` is size, pointer, offset, stride, integer or float.

    `dtype` is what a pointer points to, float64 for a float and int64 for all others.
    """

    name: str
    kind: str
    dtype: DType


def names(letter: str, count: int) -> list[str]:
    """Return the names of `count` sizes."""
    return [f"{letter}{k}" for k in range(count)]


def numbered(accesses: tuple[Access, ...], name: str = "load") -> list[tuple[str, Access]]:
    """Return accesses with the names of their operands."""
    return [(f"{name}{k}", access) for k, access in enumerate(accesses)]


def given(accesses: tuple[Access, ...], name: str = "load") -> str:
    """Return the end of a spec's text: its operands."""
    return "".join(f"; {n}: {a}" for n, a in numbered(accesses, name))


def parameter_list(
    sizes: list[str], operands: list[tuple[str, Access]], scalars: tuple[DType, ...]
) -> tuple[Parameter, ...]:
    """Return sizes, operands and scalars in this order, see `tensorlib.kernels.specs`."""
    found = [Parameter(name, "size", DType.int64) for name in sizes]
    for name, access in operands:
        found.append(Parameter(f"{name}_pointer", "pointer", access.dtype))
        found.append(Parameter(f"{name}_offset", "offset", DType.int64))
        free = (k for k, stride in enumerate(access.strides) if stride is None)
        found.extend(Parameter(f"{name}_stride{k}", "stride", DType.int64) for k in free)
    for k, dtype in enumerate(scalars):
        kind = "float" if dtype is DType.float64 else "integer"
        found.append(Parameter(f"scalar{k}", kind, dtype))
    return tuple(found)
