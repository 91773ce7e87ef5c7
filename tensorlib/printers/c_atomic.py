"""C of atomic operations on memory that several workers share: builtins of gcc and clang."""

from __future__ import annotations

from tensorlib.ir.core import Operation
from tensorlib.printers.walker import Emit, Walker, vector

__all__ = ["OPERATIONS"]

_BUILTINS = {
    "add": "__atomic_fetch_add",
    "and": "__atomic_fetch_and",
    "or": "__atomic_fetch_or",
    "xor": "__atomic_fetch_xor",
}


def _atomic(walker: Walker, operation: Operation) -> None:
    pointer, index, value = map(walker.use, operation.operands)
    operator, result = operation.attributes["operator"], operation.results[0]
    if operator == "exchange":
        _exchange(walker, operation)
        return
    text = f"{_BUILTINS[operator]}({pointer} + {index}, {value}, __ATOMIC_SEQ_CST)"
    walker.define(result, text)


def _exchange(walker: Walker, operation: Operation) -> None:
    """The generic form takes addresses, and so floats as well."""
    pointer, index, value = map(walker.use, operation.operands)
    result, kind = operation.results[0], vector(operation.results[0])
    new, old = walker.fresh("t"), walker.fresh("t")
    walker.line(f"{walker.type(kind)} {new} = {value}, {old};")
    walker.line(f"__atomic_exchange({pointer} + {index}, &{new}, &{old}, __ATOMIC_SEQ_CST);")
    walker.define(result, old)


def _compare_exchange(walker: Walker, operation: Operation) -> None:
    """What the builtin found is left where the expected value was."""
    pointer, index, expected, value = map(walker.use, operation.operands)
    result, kind = operation.results[0], vector(operation.results[0])
    new, old = walker.fresh("t"), walker.fresh("t")
    walker.line(f"{walker.type(kind)} {old} = {expected}, {new} = {value};")
    order = "__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST"
    walker.line(
        f"(void)__atomic_compare_exchange({pointer} + {index}, &{old}, &{new}, 0, {order});"
    )
    walker.define(result, old)


OPERATIONS: dict[str, Emit] = {
    "atomic": _atomic,
    "atomic_compare_exchange": _compare_exchange,
}
