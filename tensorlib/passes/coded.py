"""Replaces values of coded dtypes by the unsigned integers that are their codes.

    %1: float8_e5m2x8 = load %p %0 {type=float8_e5m2x8}
    %2: uint8x8 = bitcast %1 {dtype=uint8}
becomes
    %1: uint8x8 = load %p %0 {type=uint8x8}
    %2: uint8x8 = bitcast %1 {dtype=uint8}

Casts were traced as arithmetic on codes already, so that nothing else knows these dtypes; printers
never see one. Arrays of the dtype are arguments still.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, value_types
from tensorlib.ir.types import PointerType, Type, VectorType

__all__ = ["coded"]


def coded(kernel: Kernel) -> bool:
    """Rewrite `kernel` in place; return whether it has values of such dtypes."""
    if not any(kind.dtype.is_coded for kind in value_types(kernel)):
        return False
    for parameter in kernel.parameters:
        parameter.type = _plain(parameter.type)
    _block(kernel.body)
    return True


def _block(block: Block) -> None:
    for parameter in block.parameters:
        parameter.type = _plain(parameter.type)
    for operation in block.operations:
        _operation(operation)
        for nested in operation.blocks:
            _block(nested)


def _operation(operation: Operation) -> None:
    attributes = operation.attributes
    if operation.name == "const":
        kind = attributes["type"]
        if kind.dtype.is_coded:
            attributes["value"] = _codes(attributes["value"], kind.dtype)
    for name, value in attributes.items():
        attributes[name] = _replaced(value)
    for result in operation.results:
        result.type = _plain(result.type)


def _replaced(value: Any) -> Any:
    if isinstance(value, DType):
        return _bits(value)
    if isinstance(value, (VectorType, PointerType)):
        return _plain(value)
    if isinstance(value, list) and any(isinstance(v, (VectorType, PointerType)) for v in value):
        return [_plain(v) for v in value]
    return value


def _bits(dtype: DType) -> DType:
    return DType.by_name[f"uint{dtype.bits}"] if dtype.is_coded else dtype


def _plain(kind: Type) -> Type:
    if not kind.dtype.is_coded:
        return kind
    if isinstance(kind, PointerType):
        return PointerType(_bits(kind.dtype), kind.placement)
    return VectorType(_bits(kind.dtype), kind.width)


def _codes(value: Any, dtype: DType) -> Any:
    """Return the codes of a constant."""
    if isinstance(value, tuple):
        return tuple(_codes(v, dtype) for v in value)
    return int(np.array(value).astype(dtype.numpy).view(_bits(dtype).numpy))
