"""Prints a kernel as OpenCL C 1.2: one `__kernel`, with the language's own vectors.

    __kernel void NAME(__global float *out_, const long size_, ...)

Build it with OPENCL_OPTIONS: divisions and square roots are then rounded as the interpreter rounds
them, contraction is off, denormals stay. Vectors of more than 16 lanes are taken apart first.
Where a device has no type `half`, nothing changes: halves are kept as their bits.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Kernel, Value
from tensorlib.ir.types import Placement, PointerType, VectorType
from tensorlib.knobs import knob
from tensorlib.passes.split import split
from tensorlib.printers import (
    control,
    gpu_convert,
    gpu_grid,
    gpu_memory,
    gpu_values,
    opencl_grid,
    opencl_memory,
    opencl_subgroups,
)
from tensorlib.printers.gpu import Entry, function_text, shared_steps
from tensorlib.printers.gpu_dialect import kept_as, number_text
from tensorlib.printers.naming import entry_name
from tensorlib.printers.opencl_branches import ClosingWalker
from tensorlib.printers.opencl_device import OpenCLDevice, check_device
from tensorlib.printers.opencl_subgroups import EXTENSIONS
from tensorlib.printers.opencl_types import (
    LANES,
    ORDER,
    SCALAR,
    floating,
    function,
    mask_reduction,
    type_name,
    unsigned_of,
)
from tensorlib.printers.spelled import spelled
from tensorlib.printers.walker import Emit, Walker

__all__ = ["OPENCL_OPTIONS", "print_opencl"]

OPENCL_OPTIONS = ("-cl-std=CL1.2", "-cl-fp32-correctly-rounded-divide-sqrt")
_DOUBLE = "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
_USES_DOUBLE = re.compile(r"\bdouble(\d+)?\b")
_ENTRY = Entry(
    head="__kernel BLOCKvoid NAME(PARAMETERS)",
    threads="const long thread = get_global_id(0), threads = get_global_size(0);",
    is_other="get_global_id(0)",
)
_SPACE = {Placement.GLOBAL: "__global"}


def print_opencl(kernel: Kernel, name: str = "", device: OpenCLDevice | None = None) -> str:
    """Return the OpenCL C of `kernel` after its passes; `name` names the function.

    Without one it is `naming.entry_name` of the kernel's own. The kernel stays as it is. Raises
    KernelError for what the kernel needs and `device` lacks, where one is given.

    >>> from tensorlib.ir import parse
    >>> kernel = parse("kernel clear(%0.x: pointer<float32>, %1.i: int64, %2.to: float32) {\\n"
    ...                "  store %0.x %1.i %2.to\\n}")
    >>> print(print_opencl(kernel))
    #pragma OPENCL FP_CONTRACT OFF
    __kernel void clear(__global float *x_, const long i_, const float to_) {
      if (get_global_id(0)) return;
      x_[i_] = to_;
    }
    <BLANKLINE>
    """
    kernel = split(kernel, LANES)
    has_warps = device is not None and device.has_warps
    walker = ClosingWalker(OpenCLC(has_warps), kernel, has_warps)
    entry = _entry(walker, kernel, has_warps)
    types = [_parameter(p) for p in kernel.parameters]
    body = function_text(walker, kernel, entry, types, name or entry_name(kernel.name, "opencl"))
    text = "".join([*walker.declarations.values(), body])
    has_doubles = bool(_USES_DOUBLE.search(text))
    if device is not None:
        check_device(kernel, device, has_doubles, _local_bytes(kernel, has_warps))
    text = f"#pragma OPENCL FP_CONTRACT OFF\n{_DOUBLE if has_doubles else ''}{text}"
    if knob("TENSORLIB_DEBUG") >= 4:
        print(text, file=sys.stderr)
    return text


def _entry(walker: Walker, kernel: Kernel, has_warps: bool) -> Entry:
    block = ""
    if "block" in kernel.attributes:
        x, y, z = gpu_grid.block_shape(kernel)
        block = f"__attribute__((reqd_work_group_size({x}, {y}, {z})))\n"
        gpu_grid.declare_shared(
            walker, kernel, f"__local {{element}} {{name}}[{{size}}] {_ALIGNED};",
            [f"(int)get_local_id({axis})" for axis in range(3)],
        )  # fmt: skip
        _declare_warps(walker, kernel, has_warps)
    return replace(_ENTRY, head=_ENTRY.head.replace("BLOCK", block))


def _declare_warps(walker: Walker, kernel: Kernel, has_warps: bool) -> None:
    """Declare what lanes exchange values with: local memory, or the sub-groups of the device."""
    if not has_warps:
        opencl_grid.declare_exchange(walker, kernel)
    elif gpu_grid.operations_of(kernel, "warp_shuffle", "warp_vote", "barrier"):
        texts = (f"#pragma OPENCL EXTENSION {name} : enable\n" for name in EXTENSIONS)
        walker.declarations["sub-groups"] = "".join(texts)
        if gpu_grid.operations_of(kernel, "warp_shuffle", "warp_vote"):
            opencl_subgroups.declare_lanes(walker, kernel)


def _local_bytes(kernel: Kernel, has_warps: bool) -> int:
    if "block" not in kernel.attributes:
        return 0
    exchanged = 0 if has_warps else opencl_grid.exchange_bytes(kernel)
    return gpu_grid.shared_bytes(kernel) + exchanged


_ALIGNED = "__attribute__((aligned(16)))"


def _parameter(parameter: Value) -> str:
    kind = parameter.type
    if isinstance(kind, PointerType):
        return f"{_SPACE[kind.placement]} {SCALAR[kept_as(kind.dtype)]} *"
    return f"const {SCALAR[kept_as(kind.dtype)]} "


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


class OpenCLC:
    """The dialect of OpenCL C: vectors of 2 to 16 lanes, masks as signed lanes of 0 or -1."""

    operations: Mapping[str, Emit] = {
        **control.OPERATIONS,
        **gpu_values.OPERATIONS,
        **gpu_convert.OPERATIONS,
        **gpu_memory.OPERATIONS,
        **opencl_grid.OPERATIONS,
        "instruction": spelled("opencl"),
    }
    index = "long"
    is_unsigned = True

    def __init__(self, has_warps: bool = False) -> None:
        if has_warps:
            self.operations = {**self.operations, **opencl_subgroups.OPERATIONS}

    # types and constants
    def type(self, walker: Walker, kind: VectorType) -> str:
        return type_name(kind)

    def mask_type(self, walker: Walker, bits: int, width: int) -> str:
        return type_name(VectorType(DType.by_name[f"int{bits}"], width))

    def scalar(self, dtype: DType) -> str:
        return SCALAR[kept_as(dtype)]

    def literal(self, value: Any, dtype: DType) -> str:
        if dtype is DType.bool:
            return str(int(bool(value)))
        return floating(value, dtype) or number_text(value, dtype, "L")

    def constant(self, walker: Walker, data: Any, kind: VectorType) -> str:
        lanes = data if isinstance(data, tuple) else (data,)
        texts = [self.literal(x, kind.dtype) for x in lanes]
        if kind.width == 1:
            return texts[0]
        return f"({type_name(kind)})({', '.join(map(_bare, texts))})"

    def mask_constant(self, walker: Walker, data: Any, bits: int, width: int) -> str:
        lanes = data if isinstance(data, tuple) else (data,)
        texts = ", ".join("-1" if x else "0" for x in lanes)
        return f"({self.mask_type(walker, bits, width)})({texts})"

    def mask_as(self, walker: Walker, name: str, bits: int, width: int) -> str:
        return f"convert_{self.mask_type(walker, bits, width)}({name})"

    def share(self, walker: Walker, start: str, stop: str, step: str) -> tuple[str, str, str]:
        """Give each thread of the launch every so many iterations of a parallel loop."""
        return shared_steps(start, stop, step)

    # lanes
    def lane(self, text: str, number: int) -> str:
        return f"{text}.s{number:x}"

    def low_and_high(self, walker: Walker, text: str, width: int) -> tuple[str, str]:
        return f"{text}.lo", f"{text}.hi"

    def joined(self, walker: Walker, kind: VectorType, lanes: Sequence[tuple[str, int]]) -> str:
        name = lanes[0][0]
        if all(text == name and lane >= 0 for text, lane in lanes):
            return f"{name}.s{''.join(f'{lane:x}' for _, lane in lanes)}"
        texts = (self.lane(text, lane) if lane >= 0 else text for text, lane in lanes)
        return f"({type_name(kind)})({', '.join(texts)})"

    def joined_mask(self, walker: Walker, bits: int, lanes: Sequence[str]) -> str:
        return f"-({self.mask_type(walker, bits, len(lanes))})({', '.join(lanes)})"

    def filled(self, walker: Walker, kind: VectorType, scalar: str) -> str:
        if kind.dtype is DType.bool:
            return f"({self.mask_type(walker, 32, kind.width)})(-{scalar})"
        return f"({type_name(kind)})({scalar})"

    # operations
    def choose(self, walker: Walker, kind: VectorType, test: str, a: str, b: str) -> str:
        return f"{test if test.isidentifier() else f'({test})'} ? {a} : {b}"

    def operator(self, walker: Walker, sign: str, kind: VectorType) -> str:
        if kind.dtype is DType.bool and kind.width > 1:  # True is -1: the other way round
            return {"!": "~", **ORDER}.get(sign, sign)
        return sign

    def wrapped(self, walker: Walker, kind: VectorType, sign: str, operands: Sequence[str]) -> str:
        if kind.width > 1 and kind.dtype.kind == "signed":
            unsigned = unsigned_of(kind)
            name = type_name(kind)
            texts = [
                f"({unsigned}){text.removeprefix(f'({name})')}"  # a constant
                if text.startswith(f"({name})")
                else f"as_{unsigned}({text})"
                for text in operands
            ]
            whole = f" {sign} ".join(texts) if len(texts) > 1 else f"{sign}{texts[0]}"
            return f"as_{name}({whole})"
        wide, first = self._wrapping(kind, sign), operands[0]
        first = first if wide and first.startswith(wide) else wide + first
        return f" {sign} ".join([first, *operands[1:]]) if operands[1:] else f"{sign}{first}"

    def _wrapping(self, kind: VectorType, sign: str) -> str:
        """Return the cast of an operand with which scalar arithmetic wraps; small ones promote."""
        if not kind.dtype.is_integer or kind.width > 1 or (kind.dtype.bits < 32 and sign != "*"):
            return ""
        wide = kind.of(DType.uint64 if kind.dtype.bits == 64 else DType.uint32)
        return "" if wide is kind else f"({type_name(wide)})"

    def shifted(self, walker: Walker, kind: VectorType, a: str, sign: str, count: int) -> str:
        if sign == ">>" or kind.dtype.kind == "unsigned":
            return f"{a} {sign} {self.constant(walker, count, kind)}"
        unsigned = VectorType(DType.by_name[f"u{kind.dtype.name}"], kind.width)
        name, amount = type_name(unsigned), self.constant(walker, count, unsigned)
        if kind.width == 1:
            return f"({name}){a} << {amount}"
        return f"as_{type_name(kind)}(as_{name}({a}) << {amount})"

    def function(self, walker: Walker, name: str, kind: VectorType, extra: str = "") -> str:
        if name.startswith("reduce_"):
            return mask_reduction(walker, name, int(extra), kind.width)
        return function(walker, name, kind)

    # conversion
    def converted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType, saturate: bool
    ) -> str:
        name = type_name(target)
        if saturate:
            if not text.isidentifier():
                text = walker.temporary(text, source)
            zero = self.constant(walker, 0.0, source)
            return f"convert_{name}_sat({text} == {text} ? {text} : {zero})"
        return f"({name}){text}" if source.width == 1 else f"convert_{name}({text})"

    def mask_to_numbers(self, walker: Walker, value: Value, target: VectorType) -> str:
        bits = walker.bits_of(value)
        own = VectorType(DType.by_name[f"int{bits}"], target.width)
        text = f"{walker.mask(value, bits)} & {self.constant(walker, 1, own)}"
        if own is target:
            return text
        same = target.dtype.is_integer and target.dtype.bits == bits
        return f"{'as' if same else 'convert'}_{type_name(target)}({text})"

    def reinterpreted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType
    ) -> str:
        text = text if text.isidentifier() else f"({type_name(source)})({text})"
        return f"as_{type_name(target)}({text})"

    # memory
    def loaded(self, walker: Walker, kind: VectorType, pointer: Value, at: str) -> str:
        return opencl_memory.loaded(walker, kind, pointer, at)

    def stored(self, walker: Walker, kind: VectorType, pointer: Value, at: str, value: str) -> str:
        return opencl_memory.stored(walker, kind, pointer, at, value)

    def prefetched(self, walker: Walker, pointer: Value, at: str) -> str:
        assert isinstance(pointer.type, PointerType)
        is_global = pointer.type.placement is Placement.GLOBAL
        return f"prefetch({walker.use(pointer)} + {at}, 1);" if is_global else ""

    def fault(self, walker: Walker) -> str:
        return opencl_grid.fault(walker)

    def private(self, element: str, name: str, size: int) -> str:
        return f"{element} {name}[{size}] {_ALIGNED};"
