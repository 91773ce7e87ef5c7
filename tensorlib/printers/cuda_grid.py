"""CUDA C of grid rows: indices, barriers, exchange between lanes, atomics, asynchronous copies."""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.core import Kernel, Operation
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import Placement, PointerType, VectorType
from tensorlib.printers.cuda_copies import later_copies
from tensorlib.printers.cuda_functions import need
from tensorlib.printers.gpu_atomics import AtomicWords, loop, operator_of, update_own
from tensorlib.printers.gpu_dialect import constant_of, gpu
from tensorlib.printers.gpu_grid import block_threads, declare_shared, operations_of, shared_bytes
from tensorlib.printers.spelled import spelled
from tensorlib.printers.walker import Emit, Walker, vector

__all__ = ["OPERATIONS", "check_shared", "declare", "dynamic_shared_bytes"]

_FULL = "0xffffffff"
_STATIC = 48 * 1024  # bytes that a kernel may share without asking at its launch
# KiB that a block may share, by compute capability (CUDA C++ Programming Guide, table of limits).
_KIBIBYTES = {
    70: 96, 72: 96, 75: 64, 80: 163, 86: 99, 87: 163, 89: 99, 90: 227, 100: 227, 101: 227,
    103: 227, 120: 99, 121: 99,
}  # fmt: skip


def dynamic_shared_bytes(kernel: Kernel) -> int:
    """Return how many bytes of shared memory a launch must ask for: 0 where up to 48 KiB do.

    A launch with more first raises MAX_DYNAMIC_SHARED_SIZE_BYTES of the function to as many.
    """
    size = shared_bytes(kernel) if "block" in kernel.attributes else 0
    return size if size > _STATIC else 0


def check_shared(kernel: Kernel, architecture: str) -> None:
    """Raise KernelError where a block shares more memory than one has on `architecture`."""
    number = int("".join(c for c in architecture if c.isdigit()) or 0)
    most = 1024 * _KIBIBYTES.get(number, 48)
    if (size := dynamic_shared_bytes(kernel)) > most:
        raise KernelError(
            f"print_cuda: {kernel.name}: got {size} bytes that the threads of a block share, "
            f"needed at most {most} on {architecture}; try smaller tiles or fewer stages"
        )


def declare(walker: Walker, kernel: Kernel) -> None:
    """Declare at the head of the function what the threads of a block share, and who they are.

    What is known of an operation from the whole kernel becomes its name: how many copies may still
    be in flight behind an await, and which shuffles are among all lanes of a warp.
    """
    text = "__shared__ __align__(16) {element} {name}[{size}];"
    if dynamic_shared_bytes(kernel):
        memory = need(walker, "dynamic_shared")
        text = f"{{element}} *const {{name}} = ({{element}} *)({memory} + {{offset}});"
    declare_shared(walker, kernel, text, [f"(int)threadIdx.{axis}" for axis in "xyz"])
    if operations_of(kernel, "warp_shuffle", "warp_vote"):
        walker.line(f"const uint32_t lane = thread & {WARP_SIZE - 1};")
        threads = block_threads(kernel)
        if threads % WARP_SIZE:
            lanes = f"min({WARP_SIZE}, {threads} - (thread & ~{WARP_SIZE - 1}))"
            walker.line(f"const uint32_t lanes = {lanes}, warp = {_FULL} >> ({WARP_SIZE} - lanes);")
        else:
            walker.line(f"const uint32_t lanes = {WARP_SIZE}, warp = {_FULL};")
    for number, later in later_copies(kernel.body).items():
        walker.names[number] = str(later)
    for operation in operations_of(kernel, "warp_shuffle"):
        walker.names[id(operation)] = "part" if block_threads(kernel) % WARP_SIZE else "all"


def _axis(name: str) -> Emit:
    def emit(walker: Walker, operation: Operation) -> None:
        walker.define(operation.results[0], f"{name}.{'xyz'[operation.attributes['axis']]}")

    return emit


def _barrier(walker: Walker, operation: Operation) -> None:
    is_block = operation.attributes["scope"] == "block"
    walker.line("__syncthreads();" if is_block else "__syncwarp();")


# --- warps ---

_SOURCES = {"down": "lane + {0}", "up": "lane - {0}", "xor": "lane ^ {0}", "index": "{0}"}


def _warp_shuffle(walker: Walker, operation: Operation) -> None:
    """Write one of CUDA's shuffles where the lane is surely of the warp, else ask first."""
    (value, offset), (result,) = operation.operands, operation.results
    mode, kind = operation.attributes["mode"], vector(value)
    text = (
        walker.mask(value, 8) if kind.dtype is DType.bool and kind.width > 1 else walker.use(value)
    )
    number = constant_of(offset)
    known = number is not None and 0 <= number < WARP_SIZE
    if kind.width == 1 and known and walker.names[id(operation)] == "all":
        suffix = "" if mode == "index" else f"_{mode}"
        walker.define(result, f"__shfl{suffix}_sync(warp, {text}, {number})")
        return
    by = walker.use(offset) if number is None else f"{number & 0xFFFFFFFF}u"
    source = walker.temporary(_SOURCES[mode].format(by), VectorType(DType.uint32))
    source = f"{source} < lanes ? {source} : lane"
    function = "__shfl_sync" if kind.width == 1 else need(walker, "shuffled")
    walker.define(result, f"{function}(warp, {text}, {source})", 8)


def _warp_vote(walker: Walker, operation: Operation) -> None:
    (test,), (result,) = operation.operands, operation.results
    walker.define(result, f"__{operation.attributes['mode']}_sync(warp, {walker.use(test)})")


# --- atomics ---

_NATIVE = {
    "add": "Add", "minimum": "Min", "maximum": "Max", "and": "And", "or": "Or", "xor": "Xor",
    "exchange": "Exch", "compare_exchange": "CAS",
}  # fmt: skip


def _atomic(walker: Walker, operation: Operation) -> None:
    """Update an element: natively where that gives the same bits, else in a loop."""
    pointer, index, *values = operation.operands
    assert isinstance(pointer.type, PointerType)
    dtype, placement = pointer.type.dtype, pointer.type.placement
    operator, place = operator_of(operation), f"{walker.use(pointer)} + {walker.use(index)}"
    if placement is Placement.REGISTER:
        update_own(walker, operation)
        return
    texts = list(map(walker.use, values))
    if not _is_native(operator, dtype, placement):
        name = loop(walker, operation, _words(walker, dtype))
    else:
        name = f"atomic{_NATIVE[operator]}"
        if dtype is DType.int64 and operator not in ("minimum", "maximum"):
            place = f"(uint64_t *)({place})"
    walker.define(operation.results[0], f"{name}({', '.join([place, *texts])})")


def _is_native(operator: str, dtype: DType, placement: Placement) -> bool:
    """Whether CUDA has the update; its float32 add loses subnormals in global memory."""
    if dtype.is_integer:
        return dtype.bits >= 32
    if operator == "add":
        return dtype is DType.float64 or (
            dtype is DType.float32 and placement is not Placement.GLOBAL
        )
    return operator == "exchange" and dtype is DType.float32


def _words(walker: Walker, dtype: DType) -> AtomicWords:
    """Return how a loop exchanges the word that holds an element."""
    element = gpu(walker).scalar(dtype)
    word = "uint64_t" if dtype.bits == 64 else "uint32_t"
    need(walker, "bitcast")
    return AtomicWords(
        head="__device__ __forceinline__",
        space="",
        element=element,
        word=word,
        part="uint8_t" if dtype.bits == 8 else "uint16_t",
        exchange=need(walker, "compare_and_swap"),
        to_word=f"bitcast<{word}>",
        from_word=f"bitcast<{element}>",
    )


# --- copies ---


def _copy_async(walker: Walker, operation: Operation) -> None:
    """Copy past the registers into memory of the block, else at once."""
    target, at, source, start = operation.operands
    assert isinstance(target.type, PointerType)
    assert isinstance(source.type, PointerType)
    size = operation.attributes["count"] * target.type.dtype.itemsize
    is_staged = (
        target.type.placement in (Placement.SHARED, Placement.WARP)
        and source.type.placement is Placement.GLOBAL
    )
    function = need(walker, "copy_async" if is_staged else "copy_now")
    to, of = (f"{walker.use(p)} + {walker.use(i)}" for p, i in ((target, at), (source, start)))
    walker.line(f"{function}<{size}>({to}, {of});")
    walker.names[id(operation.results[0])] = "0"  # a token is told by its place


def _await_copy(walker: Walker, operation: Operation) -> None:
    walker.line(f"{need(walker, 'await_copies')}<{walker.names[id(operation)]}>();")


OPERATIONS: dict[str, Emit] = {
    "block_id": _axis("blockIdx"),
    "thread_id": _axis("threadIdx"),
    "grid_dim": _axis("gridDim"),
    "barrier": _barrier,
    "warp_shuffle": _warp_shuffle,
    "warp_vote": _warp_vote,
    "atomic": _atomic,
    "atomic_compare_exchange": _atomic,
    "copy_async": _copy_async,
    "await_copy": _await_copy,
    "instruction": spelled("cuda"),
}
