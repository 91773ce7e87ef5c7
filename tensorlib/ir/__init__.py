"""The intermediate representation of kernels: types, operations, verifier, text, interpreter."""

from tensorlib.ir.builder import Builder, current_builder
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.interpreter import interpret
from tensorlib.ir.ops import ROWS, Row
from tensorlib.ir.text import parse, text
from tensorlib.ir.types import INDEX, Placement, PointerType, Type, VectorType
from tensorlib.ir.verifier import verify

__all__ = [
    "INDEX",
    "ROWS",
    "Block",
    "Builder",
    "Kernel",
    "Operation",
    "Placement",
    "PointerType",
    "Row",
    "Type",
    "Value",
    "VectorType",
    "current_builder",
    "interpret",
    "parse",
    "text",
    "verify",
    "walk",
]
