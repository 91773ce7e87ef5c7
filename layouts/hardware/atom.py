"""`MMAAtom`: one matrix instruction, its operands as layouts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import AnyLayout
from tensorlib.layouts.hardware.operand import (
    Block,
    Operand,
    copies,
    inverse,
    partition,
    registers,
    row_major_twin,
)
from tensorlib.layouts.layout import Layout

__all__ = ["MMAAtom"]


@dataclass(frozen=True, slots=True)
class MMAAtom:
    """A matrix instruction D = A B^T + C over A (M, K), B (N, K) and C (M, N).

    `a`, `b` and `c` are layouts (thread, value) -> index in the operand's tile, rows fastest:
    m + M k, n + N k and m + M n. An operand that all threads read from shared memory has stride 0
    for its threads. The dtypes are names in the instruction set's own words, `spec` says where its
    manual defines the operands. Raises LayoutError unless every element of a tile has equally many
    owners.

    >>> from tensorlib.layouts.hardware import mma
    >>> atom = mma("m16n8k8.tf32")
    >>> atom.a, atom.owner("a", 9, 6), atom.a((4 * 1 + 2, 3))
    (((4,8),(2,2)):((16,1),(8,64)), (6, 3), 105)
    """

    name: str
    shape: tuple[int, int, int]
    a: Layout
    b: Layout
    c: Layout
    a_dtype: str
    b_dtype: str
    c_dtype: str
    threads: int
    spec: str

    def __post_init__(self) -> None:
        self.verify()

    def tv(self, operand: Operand) -> Layout:
        """Return the (thread, value) layout of operand "a", "b" or "c"."""
        return {"a": self.a, "b": self.b, "c": self.c}[operand]

    def block(self, operand: Operand) -> Block:
        """Return rows and columns of the operand's tile: (M, K), (N, K) or (M, N).

        >>> from tensorlib.layouts.hardware import mma
        >>> mma("m16n8k8.tf32").block("b")
        (8, 8)
        """
        m, n, k = self.shape
        return {"a": (m, k), "b": (n, k), "c": (m, n)}[operand]

    def verify(self) -> None:
        """Check the laws of all three operands; raises LayoutError naming the first one broken."""
        for operand in OPERANDS:
            where, tv = f"{self.name}.{operand}", self.tv(operand)
            copies(where, tv, self.block(operand))
            if tv.mode(0).size != self.threads:
                raise LayoutError(f"{where}: got {tv}, needed {self.threads} threads")

    def copies(self, operand: Operand) -> int:
        """Return how many threads hold each element of the operand: 1 unless it is shared."""
        return copies(f"{self.name}.{operand}", self.tv(operand), self.block(operand))

    def inverse(self, operand: Operand) -> Layout:
        """Return the layout (row, column) -> thread + threads * value: the first owner.

        >>> from tensorlib.layouts.hardware import mma
        >>> mma("m16n8k8.tf32").inverse("c")
        ((8,2),(2,4)):((4,64),(32,1))
        """
        return inverse(self.tv(operand), self.block(operand))

    def owner(self, operand: Operand, row: Any, column: Any) -> tuple[Any, Any]:
        """Return (thread, value): who holds an element, and in which of its registers.

        >>> from tensorlib.layouts.hardware import mma
        >>> mma("m16n8k8.tf32").owner("c", 8, 3)
        (1, 3)
        """
        place = self.inverse(operand)(row, column)
        return place % self.threads, place // self.threads

    def row_major(self, operand: Operand) -> Layout:
        """Return the operand's TV layout over a tile in row-major order (columns fastest).

        >>> from tensorlib.layouts.hardware import mma
        >>> mma("m16n8k8.tf32").row_major("a")
        ((4,8),(2,2)):((1,8),(64,4))
        """
        return row_major_twin(self.tv(operand), self.block(operand))

    def registers(self, operand: Operand) -> Layout:
        """Return the layout of one thread's fragment: value i is register i."""
        return registers(self.tv(operand))

    def partition(self, operand: Operand, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return (values, offset) of one thread: modes (value, row tiles, column tiles, ...).

        `values(v, i, j) + offset` is where the matrix keeps the element that the thread holds as
        value v of tile (i, j). The offset of a swizzled matrix, a ComposedLayout, stays inside:
        `values` is one too, and the offset returned is 0. The thread may be a traced scalar.
        Raises LayoutError where the tile doesn't divide the matrix.

        >>> from tensorlib.layouts.hardware import mma
        >>> mma("m16n8k8.tf32").partition("a", Layout((32, 16), (16, 1)), 5)
        (((2,2),2,2):((128,4),256,8), 17)
        """
        where = f"{self.name}.partition_{operand}"
        return partition(where, self.tv(operand), self.block(operand), matrix, thread)

    def partition_a(self, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return `partition("a", matrix, thread)` of a matrix of shape (m M, k K, ...)."""
        return self.partition("a", matrix, thread)

    def partition_b(self, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return `partition("b", matrix, thread)` of a matrix of shape (n N, k K, ...)."""
        return self.partition("b", matrix, thread)

    def partition_c(self, matrix: AnyLayout, thread: Any) -> tuple[AnyLayout, Any]:
        """Return `partition("c", matrix, thread)` of a matrix of shape (m M, n N, ...)."""
        return self.partition("c", matrix, thread)


OPERANDS: tuple[Operand, ...] = ("a", "b", "c")
