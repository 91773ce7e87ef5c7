"""Prints a kernel as C: one function over 8-byte argument words, with GNU vector types.

    void NAME(const uint64_t *args, int64_t worker, int64_t workers)

Every worker calls it. The parallel loop is shared out among them; what stands beside that loop and
writes memory that others see is worker 0's, and so is a kernel without a parallel loop.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tensorlib.ir.core import Block, Kernel, Value, walk
from tensorlib.ir.effects import writes_shared
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.knobs import knob
from tensorlib.printers import c_atomic, c_check, c_convert, c_memory, c_values, control
from tensorlib.printers.c_masks import lane_bits, subtracted
from tensorlib.printers.c_types import (
    SCALAR,
    SHORT,
    declared,
    literal,
    mask_name,
    vector_name,
)
from tensorlib.printers.naming import entry_name, parameter_name
from tensorlib.printers.spelled import spelled
from tensorlib.printers.walker import Emit, Walker

__all__ = ["PRELUDE", "print_c"]

PRELUDE = "#include <stdint.h>\n"


def print_c(kernel: Kernel, name: str = "") -> str:
    """Return the C text of `kernel` after its passes: complete but for PRELUDE; `name` names it."""
    walker = Walker(GnuC(), kernel)
    walker.wanted_bits = lane_bits(kernel)
    walker.silent = subtracted(kernel, walker.uses)
    body = _function(walker, kernel, name or entry_name(kernel.name, "c"))
    text = "".join([*walker.declarations.values(), body])
    if knob("TENSORLIB_DEBUG") >= 4:
        print(text, file=sys.stderr)
    return text


class GnuC:
    """The dialect of gcc and clang: vectors by `vector_size`, halves kept as their bits."""

    operations: Mapping[str, Emit] = {
        **control.OPERATIONS,
        **c_values.OPERATIONS,
        **c_convert.OPERATIONS,
        **c_memory.OPERATIONS,
        **c_atomic.OPERATIONS,
        **c_check.OPERATIONS,
        "instruction": spelled("c"),
    }
    index = "int64_t"
    is_unsigned = False

    def type(self, walker: Walker, kind: VectorType) -> str:
        return declared(walker, vector_name(SHORT[kind.dtype], kind.width))

    def mask_type(self, walker: Walker, bits: int, width: int) -> str:
        return declared(walker, mask_name(bits, width))

    def constant(self, walker: Walker, data: Any, kind: VectorType) -> str:
        if kind.width == 1:
            return literal(data, kind)
        scalar = VectorType(kind.dtype)
        if not isinstance(data, tuple):
            return _filled(literal(data, scalar), self.type(walker, kind))
        texts = ", ".join(literal(x, scalar) for x in data)
        return f"({self.type(walker, kind)}){{{texts}}}"

    def mask_constant(self, walker: Walker, data: Any, bits: int, width: int) -> str:
        if not isinstance(data, tuple):
            empty = f"({self.mask_type(walker, bits, width)}){{}}"
            return f"~{empty}" if data else empty
        texts = ", ".join("-1" if x else "0" for x in data)
        return f"({self.mask_type(walker, bits, width)}){{{texts}}}"

    def mask_as(self, walker: Walker, name: str, bits: int, width: int) -> str:
        return f"__builtin_convertvector({name}, {self.mask_type(walker, bits, width)})"

    def share(self, walker: Walker, start: str, stop: str, step: str) -> tuple[str, str, str]:
        """Declare this worker's share of a parallel loop's iterations."""
        trips, first, last = (walker.fresh(s) for s in ("trips", "first", "last"))
        length = stop if start == "0" else f"{stop} - {start}"
        count = length if step == "1" else f"({length} + {step} - 1) / {step}"
        walker.line(f"const int64_t {trips} = {stop} > {start} ? {count} : 0;")
        origin = "" if start == "0" else f"{start} + "
        stride = "" if step == "1" else f" * {step}"
        for name, share in ((first, "worker"), (last, "(worker + 1)")):
            text = f"{origin}{trips} * {share} / workers{stride}"
            walker.line(f"const int64_t {name} = {text};")
        if step == "1":
            return first, last, step
        end = walker.fresh("end")
        walker.line(f"const int64_t {end} = {last} < {stop} ? {last} : {stop};")
        return first, end, step


def _filled(number: str, kind: str) -> str:
    """Return the vector with a number in all lanes; -0.0 - 0.0 is -0.0, so that none is lost."""
    is_zero = number in ("0", "0u", "UINT64_C(0)", "0.0", "0.0f")
    return f"({kind}){{}}" if is_zero else f"({number} - ({kind}){{}})"


def _function(walker: Walker, kernel: Kernel, name: str) -> str:
    for position, parameter in enumerate(kernel.parameters):
        _parameter(walker, position, parameter)
    if any(o.attributes.get("parallel") for o in walk(kernel.body)):
        _shared(walker, kernel.body)
    else:
        walker.line("if (worker) return;")
        walker.block(kernel.body)
    head = f"void {name}(const uint64_t *args, int64_t worker, int64_t workers) {{"
    unused = "  (void)args; (void)worker; (void)workers;"
    return "\n".join([head, *walker.lines, unused, "}", ""])


def _shared(walker: Walker, body: Block) -> None:
    """Write the body of a kernel with a parallel loop: writes beside that loop are worker 0's."""
    for operation in body.operations:
        if operation.attributes.get("parallel") or not writes_shared(operation):
            walker.operation(operation)
            continue
        walker.line("if (worker == 0) {")
        walker.indent += 1
        walker.operation(operation)
        walker.indent -= 1
        walker.line("}")


def _parameter(walker: Walker, position: int, parameter: Value) -> None:
    name = parameter_name(parameter.name, position, set(walker.names.values()))
    walker.names[id(parameter)] = name
    if not walker.uses[id(parameter)]:
        return
    kind = parameter.type
    element = SCALAR[SHORT[kind.dtype]]
    if isinstance(kind, PointerType):
        walker.line(f"{element} *{name} = ({element} *)(uintptr_t)args[{position}];")
    elif kind.dtype.is_float:
        walker.line(f"{element} {name};")
        walker.line(f"__builtin_memcpy(&{name}, args + {position}, sizeof {name});")
    else:
        walker.line(f"const {element} {name} = ({element})args[{position}];")
