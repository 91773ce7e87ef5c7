"""Prints instructions as their target spells them."""

from __future__ import annotations

from tensorlib.errors import KernelError, caret
from tensorlib.ir.core import Operation
from tensorlib.ir.instructions import row_of
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["spelled"]


def spelled(language: str) -> Emit:
    """Return what emits `instruction` operations in a language: "c", "cuda" or "opencl"."""

    def emit(walker: Walker, operation: Operation) -> None:
        row = row_of(operation)
        if language not in row.spellings:
            location = operation.location
            shown = f"\n{caret(location)}" if location else ""
            raise KernelError(f"instruction: {row.name} has no spelling for {language}{shown}")
        for header in row.headers:
            walker.declarations.setdefault(f"<{header}>", f"#include <{header}>\n")
        _write(walker, operation, row.spellings[language])

    return emit


def _write(walker: Walker, operation: Operation, spelling: str) -> None:
    places = _places(walker, operation)
    if not operation.results:
        walker.line(spelling.format(**places) + ";")
        return
    (result,) = operation.results
    kind = vector(result)
    bits = 32 if is_mask(kind) else 0
    places["type"] = walker.mask_type(bits, kind.width) if bits else walker.type(kind)
    walker.define(result, spelling.format(**places), bits)


def _places(walker: Walker, operation: Operation) -> dict[str, str]:
    """Return what each argument's place in the spelling is filled with."""
    places: dict[str, str] = {}
    operands = iter(operation.operands)
    for text in operation.attributes["arguments"]:
        name, _, kind = text.partition("=")
        if kind.startswith("#"):
            places[name] = kind[1:]
        elif kind == "address":
            places[name] = f"({walker.use(next(operands))} + {walker.use(next(operands))})"
        else:
            operand = next(operands)
            masked = is_mask(operand.type)
            places[name] = walker.mask(operand, 32) if masked else walker.use(operand)
    return places
