"""OpenCL C of grid rows. Without sub-groups, what the lanes of a warp exchange goes through local
memory, with barriers of the whole block: all its threads must come by.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.ir.core import Kernel, Operation, Value
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import Placement, PointerType, VectorType
from tensorlib.printers.gpu_atomics import AtomicWords, loop, operator_of, update_own
from tensorlib.printers.gpu_dialect import kept_as
from tensorlib.printers.gpu_grid import block_threads, nothing, operations_of
from tensorlib.printers.opencl_branches import LOCAL_BARRIER
from tensorlib.printers.opencl_subgroups import SOURCES, declare_lanes
from tensorlib.printers.opencl_types import SCALAR, type_name
from tensorlib.printers.spelled import spelled
from tensorlib.printers.walker import Emit, Walker, is_mask, vector

__all__ = ["OPERATIONS", "declare_exchange", "exchange_bytes", "fault"]

_BARRIER = "barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);"


# --- who am I ---


def _axis(function: str) -> Emit:
    def emit(walker: Walker, operation: Operation) -> None:
        walker.define(operation.results[0], f"{function}({operation.attributes['axis']})")

    return emit


def _barrier(walker: Walker, operation: Operation) -> None:
    walker.line(_BARRIER)


# --- warps ---


def exchange_bytes(kernel: Kernel) -> int:
    """Return how many bytes of local memory shuffles and votes take."""
    kinds = {_exchange_type(o.operands[0]) for o in operations_of(kernel, "warp_shuffle")}
    size = sum(kind.width * kind.dtype.itemsize for kind in kinds) * block_threads(kernel)
    return size + (4 * _warps(kernel) if operations_of(kernel, "warp_vote") else 0)


def declare_exchange(walker: Walker, kernel: Kernel) -> None:
    """Declare the local memory of shuffles and votes, and how many lanes the thread's warp has."""
    shuffles = operations_of(kernel, "warp_shuffle")
    votes = operations_of(kernel, "warp_vote")
    threads = block_threads(kernel)
    for name in sorted({_exchanged(o.operands[0]) for o in shuffles}):
        walker.line(f"__local {name} exchange_{name}[{threads}];")
    if votes:
        walker.line(f"__local uint votes[{_warps(kernel)}];")
    if shuffles or votes:
        declare_lanes(walker, kernel)


def _warps(kernel: Kernel) -> int:
    return -(-block_threads(kernel) // WARP_SIZE)


def _exchange_type(value: Value) -> VectorType:
    """Return the type in which a value is exchanged: masks as bytes."""
    kind = vector(value)
    return kind.of(DType.int8) if is_mask(kind) else kind.of(kept_as(kind.dtype))


def _exchanged(value: Value) -> str:
    return type_name(_exchange_type(value))


def _warp_shuffle(walker: Walker, operation: Operation) -> None:
    value, offset = operation.operands
    place, result = f"exchange_{_exchanged(value)}", operation.results[0]
    text = walker.mask(value, 8) if is_mask(value.type) else walker.use(value)
    source = SOURCES[operation.attributes["mode"]].format(walker.use(offset))
    name = walker.temporary(source, VectorType(DType.uint32))
    walker.line(f"{place}[thread] = {text};")
    walker.line(LOCAL_BARRIER)
    walker.define(result, f"{place}[{name} < lanes ? warp + {name} : thread]", 8)
    walker.line(LOCAL_BARRIER)


def _warp_vote(walker: Walker, operation: Operation) -> None:
    mode, result = operation.attributes["mode"], operation.results[0]
    place = f"votes[thread / {WARP_SIZE}]"
    walker.line(f"if (lane == 0) {place} = 0;")
    walker.line(LOCAL_BARRIER)
    walker.line(f"if ({walker.use(operation.operands[0])}) atomic_or(&{place}, 1u << lane);")
    walker.line(LOCAL_BARRIER)
    tests = {"ballot": "", "any": " != 0", "all": f" == 0xffffffffu >> ({WARP_SIZE} - lanes)"}
    walker.define(result, f"{place}{tests[mode]}")
    walker.line(LOCAL_BARRIER)


# --- atomics ---

_NATIVE = {
    "add": "add", "minimum": "min", "maximum": "max", "and": "and", "or": "or", "xor": "xor",
    "exchange": "xchg", "compare_exchange": "cmpxchg",
}  # fmt: skip
_SPACES = {Placement.GLOBAL: "__global "}
_INT64 = """\
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
"""


def _atomic(walker: Walker, operation: Operation) -> None:
    """Update an element: integers of 32 and 64 bits natively, all else in a loop."""
    pointer, index, *values = operation.operands
    assert isinstance(pointer.type, PointerType)
    dtype, placement = pointer.type.dtype, pointer.type.placement
    if placement is Placement.REGISTER:
        update_own(walker, operation)
        return
    if dtype.bits == 64:
        walker.declarations["int64 atomics"] = _INT64
    if dtype.is_integer and dtype.bits >= 32:
        name = f"{'atom' if dtype.bits == 64 else 'atomic'}_{_NATIVE[operator_of(operation)]}"
    else:
        name = loop(walker, operation, _words(dtype, _SPACES.get(placement, "__local ")))
    place = f"{walker.use(pointer)} + {walker.use(index)}"
    texts = ", ".join([place, *map(walker.use, values)])
    walker.define(operation.results[0], f"{name}({texts})")


# Sites are small: the half of the word that says one is exchanged, which every device can.
_FAULT = """\
#ifndef tl_fault_
#define tl_fault_
static void tl_fault(__global long *faults, int site, long index) {
#ifdef __ENDIAN_LITTLE__
  volatile __global int *low = (volatile __global int *)faults;
#else
  volatile __global int *low = (volatile __global int *)faults + 1;
#endif
  if (atomic_cmpxchg(low, 0, site) == 0) faults[1] = index;
}
#endif
"""


def fault(walker: Walker) -> str:
    """Return the function that keeps the first failed check, after declaring it."""
    walker.declarations["tl_fault"] = _FAULT
    return "tl_fault"


def _words(dtype: DType, space: str) -> AtomicWords:
    """Return how a loop exchanges the word that holds an element."""
    wide, kind = dtype.bits == 64, SCALAR[kept_as(dtype)]
    word = "ulong" if wide else "uint"
    return AtomicWords(
        head="static",
        space=space,
        element=kind,
        word=word,
        part="uchar" if dtype.bits == 8 else "ushort",
        exchange=f"{'atom' if wide else 'atomic'}_cmpxchg",
        to_word=f"as_{word}",
        from_word=f"as_{kind}",
    )


# --- copies: done when they are asked for ---


def _copy_async(walker: Walker, operation: Operation) -> None:
    target, at, source, start = operation.operands
    count = operation.attributes["count"]
    to, of = (
        f"{walker.use(target)} + {walker.use(at)}",
        f"{walker.use(source)} + {walker.use(start)}",
    )
    if count == 1:
        walker.line(f"*({to}) = *({of});")
    elif count in (2, 4, 8, 16):
        walker.line(f"vstore{count}(vload{count}(0, {of}), 0, {to});")
    else:
        i = walker.fresh("i")
        walker.line(f"for (int {i} = 0; {i} < {count}; {i}++) ({to})[{i}] = ({of})[{i}];")
    walker.names[id(operation.results[0])] = "0"


OPERATIONS: dict[str, Emit] = {
    "block_id": _axis("get_group_id"),
    "thread_id": _axis("get_local_id"),
    "grid_dim": _axis("get_num_groups"),
    "barrier": _barrier,
    "warp_shuffle": _warp_shuffle,
    "warp_vote": _warp_vote,
    "atomic": _atomic,
    "atomic_compare_exchange": _atomic,
    "copy_async": _copy_async,
    "await_copy": nothing,
    "instruction": spelled("opencl"),
}
