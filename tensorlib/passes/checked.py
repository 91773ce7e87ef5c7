"""Puts a bounds check in front of every access, for kernels whose author we don't know.

    kernel k(%x: pointer<float32>)      kernel k(%x: .., %x_size: int64, %faults: pointer<int64>)
      %v = load %x %i            becomes    %limit = maximum (subtract %x_size 7) 0
                                            check %faults %i %limit {site=1, step=8}
                                            %v = load %x %i

A check that fails writes its site and the index to `faults`, unless another was first, and ends the
kernel for this worker. What an instruction reads natively is not checked. With TENSORLIB_DEBUG=1
the conditions of `assert` are checked too.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value
from tensorlib.ir.types import INDEX, PointerType, VectorType
from tensorlib.ir.verifier import verify
from tensorlib.knobs import knob
from tensorlib.passes.writer import Writer

__all__ = ["FAULTS", "Checked", "checked"]

FAULTS = "faults"  # the parameter that takes the site and the index of the first fault
_BESIDE = ("load", "store", "masked_load", "masked_store")
_MASKS = {"masked_load": 2, "masked_store": 3, "masked_gather": 2, "masked_scatter": 3}
_ONE = ("atomic", "atomic_compare_exchange")


@dataclass(frozen=True, slots=True)
class Checked:
    """A kernel with checks. `sizes` maps its new parameters to the pointers they measure, in
    elements; `sites[n - 1]` is the access that site n stands before, and the pointer it checks.
    """

    kernel: Kernel
    sizes: dict[str, str]
    sites: list[tuple[Operation, Value]]


def checked(kernel: Kernel) -> Checked:
    """Return a copy of `kernel` that checks every index; the original stays as it is."""
    checker = _Checker(kernel)
    checker.block(kernel.body, checker.body)
    made = checker.finished(kernel)
    verify(made)
    return Checked(made, checker.sizes, checker.sites)


class _Checker:
    """The copies of a kernel's values, and what its checks need."""

    def __init__(self, kernel: Kernel) -> None:
        self.body = Block()
        self.head = Writer(Block())  # sizes and limits, in front of everything
        self.new: dict[int, Value] = {}
        self.sizes: dict[str, str] = {}
        self.sites: list[tuple[Operation, Value]] = []
        self.size_of: dict[int, Value] = {}
        self.limits: dict[tuple[int, int], Value] = {}
        self.faults = Value(PointerType(DType.int64), None, FAULTS)
        for parameter in kernel.parameters:
            copy = self.new[id(parameter)] = Value(parameter.type, None, parameter.name)
            self.body.parameters.append(copy)
        for parameter in kernel.parameters:
            if isinstance(parameter.type, PointerType):
                name = f"{parameter.name}_size"
                self.sizes[name] = parameter.name
                self.size_of[id(parameter)] = Value(INDEX, None, name)

    def finished(self, kernel: Kernel) -> Kernel:
        self.body.parameters += [*self.size_of_parameters(kernel), self.faults]
        self.body.operations[:0] = self.head.blocks[0].operations
        return Kernel(kernel.name, self.body, dict(kernel.attributes))

    def size_of_parameters(self, kernel: Kernel) -> list[Value]:
        return [self.size_of[id(p)] for p in kernel.parameters if id(p) in self.size_of]

    def block(self, source: Block, target: Block) -> None:
        writer = Writer(target)
        known: set[tuple[int, int, int]] = set()
        for operation in source.operations:
            writer.place = operation.place
            self._check(operation, writer, known)
            target.operations.append(self._copy(operation))

    def _copy(self, operation: Operation) -> Operation:
        operands = [self.new[id(o)] for o in operation.operands]
        types = [r.type for r in operation.results]
        blocks = []
        for nested in operation.blocks:
            block = Block([Value(p.type, None, p.name) for p in nested.parameters])
            for old, new in zip(nested.parameters, block.parameters, strict=True):
                self.new[id(old)] = new
            self.block(nested, block)
            blocks.append(block)
        attributes = dict(operation.attributes)
        copy = Operation(operation.name, operands, types, attributes, blocks, operation.place)
        for old, new in zip(operation.results, copy.results, strict=True):
            new.name, self.new[id(old)] = old.name, new
        if operation.name == "alloc":
            size = self.head.constant(operation.attributes["size"])
            self.size_of[id(operation.results[0])] = size
        return copy

    def _check(
        self, operation: Operation, writer: Writer, known: set[tuple[int, int, int]]
    ) -> None:
        """Write the checks of one access; one that a check before it in the block implies none."""
        name = operation.name
        if name == "copy_async":
            count = operation.attributes["count"]
            for first in (0, 2):
                self._range(operation, writer, known, first, count, 1)
        elif name in _BESIDE:
            value = operation.results[0] if operation.results else operation.operands[2]
            kind, pointer = value.type, operation.operands[0].type
            assert isinstance(kind, VectorType)
            step = 1 if kind.dtype is pointer.dtype else kind.dtype.itemsize
            self._range(operation, writer, known, 0, kind.width, step)
        elif name == "assert":
            self._assertion(operation, writer)
        elif name in _ONE or name.endswith(("gather", "scatter")):
            self._range(operation, writer, known, 0, 1, 1)

    def _assertion(self, operation: Operation, writer: Writer) -> None:
        """Check an `assert` where that is asked for: its index is 1, and not below 1, if false."""
        if knob("TENSORLIB_DEBUG") < 1:
            return
        self.sites.append((operation, operation.operands[0]))
        one = self.head.constant(1)
        condition = self.new[id(operation.operands[0])]
        index = writer.value("select", condition, self.head.constant(0), one)
        writer.emit("check", [self.faults, index, one], {"site": len(self.sites), "step": 1})

    def _range(
        self,
        operation: Operation,
        writer: Writer,
        known: set[tuple[int, int, int]],
        first: int,
        count: int,
        step: int,
    ) -> None:
        """Check `count` places of `step` elements from an index on, or each lane's by its mask."""
        pointer, index = operation.operands[first : first + 2]
        mask = operation.operands[_MASKS[operation.name]] if operation.name in _MASKS else None
        reach = step if mask is not None else count * step
        key = (id(pointer), id(index), reach)
        if mask is None and key in known:
            return
        known.add(key if mask is None else (0, 0, 0))
        self.sites.append((operation, pointer))
        operands = [self.faults, self.new[id(index)], self._limit(pointer, reach)]
        operands += [self.new[id(mask)]] if mask is not None else []
        writer.emit("check", operands, {"site": len(self.sites), "step": step})

    def _limit(self, pointer: Value, reach: int) -> Value:
        """Return the number of indices from which `reach` elements lie inside."""
        key = (id(pointer), reach)
        if key not in self.limits:
            size = self.size_of[id(pointer)]
            room = self.head.value("subtract", size, self.head.constant(reach - 1))
            self.limits[key] = self.head.value("maximum", room, self.head.constant(0))
        return self.limits[key]
