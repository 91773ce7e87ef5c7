"""Prints a kernel as CUDA C++: one `extern "C" __global__` function over `simd<T, N>` values.

    extern "C" __global__ void NAME(float *out_, const int64_t size_, ...)

Compile it with CUDA_OPTIONS: without contraction, with subnormals, divisions and square roots
rounded correctly, as the interpreter computes (their defaults, but for the first). Vectors are
structs of lanes that the compiler keeps in registers; memory is accessed 16 bytes at a time where
addresses allow it, and in kernels of blocks, where misaligned vectors are errors, without asking.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Kernel, Value
from tensorlib.ir.types import Placement, PointerType, VectorType
from tensorlib.knobs import knob
from tensorlib.printers import control, cuda_grid, gpu_convert, gpu_grid, gpu_memory, gpu_values
from tensorlib.printers.cuda_functions import BUILT_IN, WHOLE, need
from tensorlib.printers.gpu import Entry, function_text, shared_steps
from tensorlib.printers.gpu_dialect import kept_as, number_text
from tensorlib.printers.naming import entry_name
from tensorlib.printers.opencl_types import floating
from tensorlib.printers.spelled import spelled
from tensorlib.printers.walker import Emit, Walker

__all__ = ["CUDA_OPTIONS", "parameter_type", "print_cuda"]

CUDA_OPTIONS = ("--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true")
_ENTRY = Entry(
    head='extern "C" __global__ void BOUNDSNAME(PARAMETERS)',
    threads="const int64_t thread = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, "
    "threads = (int64_t)gridDim.x * blockDim.x;",
    is_other="blockIdx.x || threadIdx.x",
)
_SHORT = {"bool": "bool", "float32": "f32", "float64": "f64"}


def print_cuda(kernel: Kernel, name: str = "", architecture: str = "") -> str:
    """Return the CUDA C of `kernel` after its passes; `name` names the function.

    Without one it is `naming.entry_name` of the kernel's own. The kernel stays as it is. Blocks
    that share more than 48 KiB do so through memory that the launch asks for
    (`cuda_grid.dynamic_shared_bytes`); raises KernelError where that is more than there is on
    `architecture`, if one is given ("sm_90").

    >>> from tensorlib.ir import parse
    >>> kernel = parse("kernel clear(%0.x: pointer<float32>, %1.i: int64, %2.to: float32) {\\n"
    ...                "  store %0.x %1.i %2.to\\n}")
    >>> source = print_cuda(kernel)
    >>> print(source[source.index("extern") :])
    extern "C" __global__ void clear(float *x_, const int64_t i_, const float to_) {
      if (blockIdx.x || threadIdx.x) return;
      x_[i_] = to_;
    }
    <BLANKLINE>
    """
    if architecture:
        cuda_grid.check_shared(kernel, architecture)
    walker = Walker(CudaC("block" in kernel.attributes), kernel)
    need(walker, "types")
    entry = _entry(walker, kernel)
    types = [parameter_type(p) for p in kernel.parameters]
    body = function_text(walker, kernel, entry, types, name or entry_name(kernel.name, "cuda"))
    if "INFINITY" in body or "NAN" in body:
        need(walker, "not_finite")
    text = "".join([*walker.declarations.values(), body])
    if knob("TENSORLIB_DEBUG") >= 4:
        print(text, file=sys.stderr)
    return text


def _entry(walker: Walker, kernel: Kernel) -> Entry:
    bounds = ""
    if "block" in kernel.attributes:
        bounds = f"__launch_bounds__({gpu_grid.block_threads(kernel)}) "
        cuda_grid.declare(walker, kernel)
    return replace(_ENTRY, head=_ENTRY.head.replace("BOUNDS", bounds))


def parameter_type(parameter: Value) -> str:
    """Return the type of a kernel's parameter, as it stands before the name."""
    kind = parameter.type
    element = _scalar(DType.uint8 if kind.dtype is DType.bool else kind.dtype)
    return f"{element} *" if isinstance(kind, PointerType) else f"const {element} "


def _scalar(dtype: DType) -> str:
    dtype = kept_as(dtype)
    if dtype.is_float:
        return "float" if dtype is DType.float32 else "double"
    return "bool" if dtype is DType.bool else f"{dtype.name}_t"


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


class CudaC:
    """The dialect of CUDA C: vectors and masks are structs with operators.

    `is_aligned` says that vectors in memory lie at multiples of their size, or of 16 bytes.
    """

    operations: Mapping[str, Emit] = {
        **control.OPERATIONS,
        **gpu_values.OPERATIONS,
        **gpu_convert.OPERATIONS,
        **gpu_memory.OPERATIONS,
        **cuda_grid.OPERATIONS,
        "instruction": spelled("cuda"),
    }
    index = "int64_t"
    is_unsigned = True

    def __init__(self, is_aligned: bool) -> None:
        self.is_aligned = is_aligned

    # types and constants
    def type(self, walker: Walker, kind: VectorType) -> str:
        dtype = kept_as(kind.dtype)
        if kind.width == 1:
            return _scalar(dtype)
        short = _SHORT.get(dtype.name, f"{dtype.kind[0].replace('s', 'i')}{dtype.bits}")
        name = f"{short}x{kind.width}"
        if name not in walker.declarations:
            need(walker, "simd")
            text = f"using {name} = simd<{_scalar(dtype)}, {kind.width}>;\n"
            walker.declarations[name] = text
        return name

    def mask_type(self, walker: Walker, bits: int, width: int) -> str:
        return self.type(walker, VectorType(DType.bool, width))

    def scalar(self, dtype: DType) -> str:
        return _scalar(DType.uint8 if dtype is DType.bool else dtype)

    def literal(self, value: Any, dtype: DType) -> str:
        if dtype is DType.bool:
            return "true" if value else "false"
        return floating(value, dtype) or number_text(value, dtype, "LL")

    def constant(self, walker: Walker, data: Any, kind: VectorType) -> str:
        lanes = data if isinstance(data, tuple) else (data,)
        texts = [self.literal(x, kind.dtype) for x in lanes]
        if kind.width == 1:
            return texts[0]
        if len(texts) == 1:
            return self.filled(walker, kind, _bare(texts[0]))
        return f"{self.type(walker, kind)}{{{{{', '.join(map(_bare, texts))}}}}}"

    def mask_constant(self, walker: Walker, data: Any, bits: int, width: int) -> str:
        return self.constant(walker, data, VectorType(DType.bool, width))

    def mask_as(self, walker: Walker, name: str, bits: int, width: int) -> str:
        return name

    def share(self, walker: Walker, start: str, stop: str, step: str) -> tuple[str, str, str]:
        """Give each thread of the launch every so many iterations of a parallel loop."""
        return shared_steps(start, stop, step)

    # lanes
    def lane(self, text: str, number: int) -> str:
        return f"{text}[{number}]"

    def low_and_high(self, walker: Walker, text: str, width: int) -> tuple[str, str]:
        if width == 2:
            return f"{text}[0]", f"{text}[1]"
        return f"{need(walker, 'low')}({text})", f"{need(walker, 'high')}({text})"

    def joined(self, walker: Walker, kind: VectorType, lanes: Sequence[tuple[str, int]]) -> str:
        texts = (self.lane(text, lane) if lane >= 0 else _bare(text) for text, lane in lanes)
        return f"{self.type(walker, kind)}{{{{{', '.join(texts)}}}}}"

    def joined_mask(self, walker: Walker, bits: int, lanes: Sequence[str]) -> str:
        return f"{self.mask_type(walker, bits, len(lanes))}{{{{{', '.join(lanes)}}}}}"

    def filled(self, walker: Walker, kind: VectorType, scalar: str) -> str:
        return f"{need(walker, 'splat')}<{self.type(walker, kind)}>({scalar})"

    # operations
    def choose(self, walker: Walker, kind: VectorType, test: str, a: str, b: str) -> str:
        if kind.width > 1:
            return f"{need(walker, 'select')}({test}, {a}, {b})"
        return f"{test if test.isidentifier() else f'({test})'} ? {a} : {b}"

    def operator(self, walker: Walker, sign: str, kind: VectorType) -> str:
        return need(walker, sign) if kind.width > 1 else sign

    def wrapped(self, walker: Walker, kind: VectorType, sign: str, operands: Sequence[str]) -> str:
        if kind.width > 1:
            need(walker, sign if operands[1:] else "minus")
        wide = self._wrapping(kind, sign)
        texts = [operands[0] if wide and operands[0].startswith(wide) else wide + operands[0]]
        texts += [wide + text if text.startswith("(-") else text for text in operands[1:]]
        return f" {sign} ".join(texts) if texts[1:] else f"{sign}{texts[0]}"

    def _wrapping(self, kind: VectorType, sign: str) -> str:
        """Return the cast of an operand with which scalar arithmetic wraps; small ones promote."""
        small = kind.dtype.bits < 32
        if kind.width > 1 or not kind.dtype.is_integer or (small and sign != "*"):
            return ""
        wide = "uint64_t" if kind.dtype.bits == 64 else "uint32_t"
        return "" if wide == _scalar(kind.dtype) else f"({wide})"

    def shifted(self, walker: Walker, kind: VectorType, a: str, sign: str, count: int) -> str:
        self.operator(walker, sign, kind)
        if sign == "<<" and kind.width == 1:
            wide = "uint64_t" if kind.dtype.bits == 64 else "uint32_t"
            a = a if wide == _scalar(kind.dtype) else f"({wide}){a}"
        return f"{a} {sign} {count}"

    def function(self, walker: Walker, name: str, kind: VectorType, extra: str = "") -> str:
        if kind.width > 1:
            return need(walker, name)
        if name in BUILT_IN:
            return name
        return (
            f"{need(walker, name)}<{_scalar(kind.dtype)}>" if name in WHOLE else need(walker, name)
        )

    # conversion
    def converted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType, saturate: bool
    ) -> str:
        name = self.type(walker, target)
        if saturate:
            need(walker, "saturate lanes" if source.width > 1 else "saturate")
            return f"saturate<{name}>({text})"
        if source.width == 1:
            return f"({name}){text}"
        return f"{need(walker, 'convert')}<{name}>({text})"

    def mask_to_numbers(self, walker: Walker, value: Value, target: VectorType) -> str:
        name = self.type(walker, target)
        return f"{need(walker, 'convert')}<{name}>({walker.mask(value, 8)})"

    def reinterpreted(
        self, walker: Walker, text: str, source: VectorType, target: VectorType
    ) -> str:
        if source.width == 1 and not text.isidentifier():
            text = f"({self.type(walker, source)}){text}"
        return f"{need(walker, 'bitcast')}<{self.type(walker, target)}>({text})"

    # memory
    def loaded(self, walker: Walker, kind: VectorType, pointer: Value, at: str) -> str:
        place, name = f"{walker.use(pointer)} + {at}", self.type(walker, kind)
        if kind.width > 1 and self.is_aligned:
            return f"*(const {name} *)({place})"
        return f"{need(walker, 'load')}<{name}>({place})"

    def stored(self, walker: Walker, kind: VectorType, pointer: Value, at: str, value: str) -> str:
        place, name = f"{walker.use(pointer)} + {at}", self.type(walker, kind)
        if kind.width > 1 and self.is_aligned:
            return f"*({name} *)({place}) = {value};"
        return f"{need(walker, 'store')}<{name}>({place}, {value});"

    def prefetched(self, walker: Walker, pointer: Value, at: str) -> str:
        assert isinstance(pointer.type, PointerType)
        if pointer.type.placement is not Placement.GLOBAL:
            return ""
        return f"{need(walker, 'prefetch')}({walker.use(pointer)} + {at});"

    def fault(self, walker: Walker) -> str:
        return need(walker, "fault")

    def private(self, element: str, name: str, size: int) -> str:
        return f"__align__(16) {element} {name}[{size}];"
