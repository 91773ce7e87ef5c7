"""Takes out of a loop's carried values those that never change, and of a branch's those that are
the same.

for %0 %1 %2 %3 (%i, %a) {                for %0 %1 %2 (%i) { store %p %i %a
store %p %i %3 yield %a                        becomes   yield } -> (%4)
} -> () store %p %0 %4                            store %p %0 %3
"""

from __future__ import annotations

from tensorlib.ir.core import Block, Kernel, Operation, Value

__all__ = ["invariant"]


def invariant(kernel: Kernel) -> bool:
    """Rewrite `kernel` in place, outermost loops first; `dead` drops what is not used any more.

    A branch inside a loop that comes to nothing may leave a value of the loop as it is, so it goes
    on until nothing is found. Return whether anything was.
    """
    replaced: dict[int, Value] = {}
    known = -1
    while known != (known := len(replaced)):
        _block(kernel.body, replaced)
    return known > 0


def _block(block: Block, replaced: dict[int, Value]) -> None:
    for operation in block.operations:
        if replaced:
            operation.operands = [_found(o, replaced) for o in operation.operands]
        if operation.name in ("for", "while"):
            _loop(operation, replaced)
        for nested in operation.blocks:
            _block(nested, replaced)
        if operation.name == "if":
            _branch(operation, replaced)


def _found(value: Value, replaced: dict[int, Value]) -> Value:
    while id(value) in replaced:
        value = replaced[id(value)]
    return value


def _loop(operation: Operation, replaced: dict[int, Value]) -> None:
    """Let the initial value stand for a parameter that the body hands on as it is."""
    first, counter = (3, 1) if operation.name == "for" else (0, 0)
    yielded = operation.blocks[-1].operations[-1].operands
    for i, result in enumerate(operation.results):
        parameters = [block.parameters[counter + i] for block in operation.blocks]
        if yielded[i] is parameters[-1]:
            for value in (*parameters, result):
                replaced[id(value)] = operation.operands[first + i]


def _branch(operation: Operation, replaced: dict[int, Value]) -> None:
    """Let a value that both branches hand on stand for the result."""
    then, otherwise = (block.operations[-1].operands for block in operation.blocks)
    for result, a, b in zip(operation.results, then, otherwise, strict=True):
        if a is b:
            replaced[id(result)] = a
