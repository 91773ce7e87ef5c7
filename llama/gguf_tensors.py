"""The tensor directory of a GGUF file: one row a tensor type, every bound checked once."""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.dtypes import DType
from tensorlib.errors import GGUFError
from tensorlib.llama.gguf_values import U32, U64, Cursor, shown

__all__ = ["TENSOR_TYPES", "TensorInfo", "TensorType", "check_extents", "read_tensors"]

MOST_TENSORS = 2**16
MOST_AXES = 4
MOST_ELEMENTS = 2**63 - 1
LONGEST_NAME = 64  # bytes


@dataclass(frozen=True, slots=True)
class TensorType:
    """One ggml type: `block_elements` elements take `block_bytes`; dtype None: not supported."""

    number: int
    name: str
    block_elements: int
    block_bytes: int
    dtype: DType | None = None


TENSOR_TYPES: dict[int, TensorType] = {
    row[0]: TensorType(*row)
    for row in (
        # number name  block: elements, bytes  dtype
        (0,  "F32",       1,   4, DType.float32),
        (1,  "F16",       1,   2, DType.float16),
        (30, "BF16",      1,   2, DType.bfloat16),
        (2,  "Q4_0",     32,  18, DType.q4_0),
        (3,  "Q4_1",     32,  20, DType.q4_1),
        (8,  "Q8_0",     32,  34, DType.q8_0),
        # Known by size only: a file that has them opens, their data is refused.
        (6,  "Q5_0",     32,  22),
        (7,  "Q5_1",     32,  24),
        (9,  "Q8_1",     32,  40),
        (10, "Q2_K",    256,  84),
        (11, "Q3_K",    256, 110),
        (12, "Q4_K",    256, 144),
        (13, "Q5_K",    256, 176),
        (14, "Q6_K",    256, 210),
        (15, "Q8_K",    256, 292),
        (16, "IQ2_XXS", 256,  66),
        (17, "IQ2_XS",  256,  74),
        (18, "IQ3_XXS", 256,  98),
        (19, "IQ1_S",   256,  50),
        (20, "IQ4_NL",   32,  18),
        (21, "IQ3_S",   256, 110),
        (22, "IQ2_S",   256,  82),
        (23, "IQ4_XS",  256, 136),
        (24, "I8",        1,   1),
        (25, "I16",       1,   2),
        (26, "I32",       1,   4),
        (27, "I64",       1,   8),
        (28, "F64",       1,   8),
        (29, "IQ1_M",   256,  56),
        (34, "TQ1_0",   256,  54),
        (35, "TQ2_0",   256,  66),
        (39, "MXFP4",    32,  17),
        (40, "NVFP4",    64,  36),
        (41, "Q1_0",    128,  18),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a file: `shape` in NumPy order, `offset` from the start of the file."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    nbytes: int

    @property
    def dtype(self) -> DType:
        """The dtype of the elements; raises GGUFError where the type is not supported."""
        if self.type.dtype is None:
            known = ", ".join(row.name for row in TENSOR_TYPES.values() if row.dtype)
            raise GGUFError(
                f"tensor {shown(self.name)}: got type {self.type.name}, needed one of {known}; "
                "try a file quantised to Q4_1 or Q8_0"
            )
        return self.type.dtype


def read_tensors(cursor: Cursor, count: int) -> dict[str, TensorInfo]:
    """Read `count` directory entries; their offsets still count from the data's start."""
    if count > MOST_TENSORS:
        raise cursor.error("header", f"{count} tensors", f"at most {MOST_TENSORS}", 8)
    tensors: dict[str, TensorInfo] = {}
    for index in range(count):
        at = cursor.position
        info = _read_tensor(cursor, index)
        if info.name in tensors:
            field = f"tensor {shown(info.name)}"
            raise cursor.error(field, "a second entry", "each tensor once", at)
        tensors[info.name] = info
    return tensors


def check_extents(
    cursor: Cursor, tensors: dict[str, TensorInfo], alignment: int
) -> dict[str, TensorInfo]:
    """Return the tensors with offsets from the start of the file, all inside it, none overlapping.

    As ggml does, each tensor must start where the one before it ends, rounded up to `alignment`.
    """
    start = _aligned(cursor.position, alignment)
    expected, placed = 0, {}
    for name, info in tensors.items():
        field = f"tensor {shown(name)}"
        if info.offset != expected:
            needed = f"{expected}: after the tensor before it, aligned to {alignment}"
            raise cursor.error(field, f"the data offset {info.offset}", needed, start)
        end = start + expected + info.nbytes
        if end > cursor.size:
            needed = f"at least {end}: it is damaged or cut short; try downloading it again"
            got = f"a file of {cursor.size} bytes"
            raise cursor.error(field, got, needed, start + expected)
        placed[name] = TensorInfo(name, info.shape, info.type, start + expected, info.nbytes)
        expected = _aligned(expected + info.nbytes, alignment)
    return placed


def _aligned(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment


def _read_tensor(cursor: Cursor, index: int) -> TensorInfo:
    name = cursor.text(LONGEST_NAME, f"name of tensor {index}")
    field = f"tensor {shown(name)}"
    shape = _read_shape(cursor, field)
    kind = _read_type(cursor, field)
    row = shape[-1] if shape else 1
    if row % kind.block_elements:
        needed = f"a multiple of {kind.block_elements}, the block of {kind.name}"
        raise cursor.error(field, f"rows of {row} elements", needed)
    offset = cursor.number(U64, field)
    nbytes = _elements(shape) // kind.block_elements * kind.block_bytes
    return TensorInfo(name, shape, kind, offset, nbytes)


def _read_shape(cursor: Cursor, field: str) -> tuple[int, ...]:
    """Read the sizes, innermost first in the file, and return them in NumPy order."""
    at = cursor.position
    axes = cursor.number(U32, field)
    if axes > MOST_AXES:
        raise cursor.error(field, f"{axes} dimensions", f"at most {MOST_AXES}", at)
    sizes = tuple(cursor.number(U64, field) for _ in range(axes))
    if 0 in sizes or _elements(sizes) > MOST_ELEMENTS:
        needed = f"sizes from 1, and at most {MOST_ELEMENTS} elements"
        raise cursor.error(field, f"dimensions {sizes}", needed, at)
    return sizes[::-1]


def _read_type(cursor: Cursor, field: str) -> TensorType:
    at = cursor.position
    number: int = cursor.number(U32, field)
    if number not in TENSOR_TYPES:
        needed = "one that ggml defines; try a newer version of tensorlib"
        raise cursor.error(field, f"tensor type {number}", needed, at)
    return TENSOR_TYPES[number]


def _elements(sizes: tuple[int, ...]) -> int:
    total = 1
    for size in sizes:
        total *= size
    return total
