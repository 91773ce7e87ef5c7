"""Loops and branches, as all C-like targets have them."""

from __future__ import annotations

from tensorlib.ir.core import Operation, Value
from tensorlib.printers.leaving import Leaving, leaving
from tensorlib.printers.walker import Emit, Walker, stem

__all__ = ["OPERATIONS"]


def _for(walker: Walker, operation: Operation) -> None:
    start, stop, step = map(walker.use, operation.operands[:3])
    block, results = operation.blocks[0], operation.results
    walker.variables(results, operation.operands[3:])
    walker.bind(block.parameters[1:], results)
    item = block.parameters[0]
    i = walker.names[id(item)] = walker.fresh(stem(item, "i"))
    # A step that is only known now runs nothing unless it is positive.
    step_value = operation.operands[2].operation
    is_known = step_value is not None and step_value.name == "const"
    guard = "" if is_known else f" && {step} > 0"
    if operation.attributes.get("parallel"):
        start, stop, step = walker.dialect.share(walker, start, stop, step)
    index = walker.dialect.index
    walker.line(f"for ({index} {i} = {start}; {i} < {stop}{guard}; {i} += {step}) {{")
    walker.nested(block, results)
    walker.line("}")


def _while(walker: Walker, operation: Operation) -> None:
    found = leaving(operation, walker.uses, walker.is_false)
    if found is not None:
        _leavable(walker, operation, found)
        return
    head, body = operation.blocks
    walker.variables(operation.results, operation.operands)
    walker.bind(head.parameters, operation.results)
    walker.bind(body.parameters, operation.results)
    walker.line("for (;;) {")
    walker.indent += 1
    walker.block(head)
    walker.line(f"if (!{walker.use(head.operations[-1].operands[0])}) break;")
    walker.indent -= 1
    walker.nested(body, operation.results)
    walker.line("}")


def _leavable(walker: Walker, operation: Operation, found: Leaving) -> None:
    """Write a loop that flags end as a `for` with breaks."""
    body, results = operation.blocks[-1], operation.results
    kept = [p for p, r in enumerate(results) if _is_kept(walker, found, p, r)]
    picked = [results[p] for p in kept]
    walker.variables(picked, [operation.operands[p] for p in kept])
    for block in operation.blocks:
        walker.bind([block.parameters[p] for p in kept], picked)
    idle = found.read_on_leaving(operation)
    for p in kept:
        parameters = [block.parameters[p] for block in operation.blocks]
        if not walker.uses[id(results[p])] + sum(
            walker.uses[id(v)] - idle[id(v)] for v in parameters
        ):
            walker.line(f"(void){walker.names[id(results[p])]};")  # read on leaving, for nobody
    walker.unset(found.false)
    walker.silent |= found.silent
    walker.texts.update(dict.fromkeys(found.written_where_read(walker.uses), ""))
    walker.breaks.update({key: (leave, operation) for key, leave in found.breaks.items()})
    walker.line(_head(walker, operation, found))
    walker.indent += 1
    for step in found.steps:
        if isinstance(step, Operation):
            walker.operation(step)
        else:
            walker.line(f"if (!{walker.use(step)}) break;")
    walker.block(body)
    ends = body.operations[-1].operands
    changed = [p for p in kept if p not in found.flags or p in found.tested]
    walker.assign([results[p] for p in changed], [ends[p] for p in changed])
    for position in found.tested:
        walker.line(f"if ({walker.names[id(results[position])]}) break;")
    walker.indent -= 1
    walker.line("}")


def _is_kept(walker: Walker, found: Leaving, position: int, result: Value) -> bool:
    """Whether C needs a variable for what the loop carries."""
    if position in found.flags and position not in found.tested:
        return walker.uses[id(result)] > 0
    return position != found.counter


def _head(walker: Walker, operation: Operation, found: Leaving) -> str:
    """Return the opening line of a loop, and name its counter."""
    if found.counter is None or found.stop is None or found.step is None:
        return "for (;;) {"
    item = operation.blocks[1].parameters[found.counter]
    i = walker.names[id(item)] = walker.fresh(stem(item, "i"))
    walker.names[id(operation.blocks[0].parameters[found.counter])] = i
    start = walker.use(operation.operands[found.counter])
    stop, step = walker.use(found.stop), walker.use(found.step)
    return f"for ({walker.dialect.index} {i} = {start}; {i} < {stop}; {i} += {step}) {{"


def _if(walker: Walker, operation: Operation) -> None:
    if id(operation) in walker.breaks:
        _leave(walker, operation)
        return
    flags = [id(r) for r in operation.results if id(r) in walker.false]
    walker.unset(flags)
    for result in operation.results:
        if id(result) not in walker.false:
            walker.variable(result, "", walker.bits_for(result))
    then, otherwise = operation.blocks
    walker.line(f"if ({walker.condition(operation.operands[0])}) {{")
    walker.nested(then, operation.results)
    if len(operation.results) > len(flags) or len(otherwise.operations) > 1:
        walker.line("} else {")
        walker.nested(otherwise, operation.results)
    walker.line("}")


def _leave(walker: Walker, operation: Operation) -> None:
    """Write an `if` of which one branch ends the loop: the other is what follows."""
    found, loop = walker.breaks[id(operation)]
    leaves, stays = operation.blocks[found.branch], operation.blocks[1 - found.branch]
    test = operation.operands[0]
    text = f"!{walker.use(test)}" if found.branch else walker.condition(test)
    walker.line(f"if ({text}) {{")
    opening = len(walker.lines)
    walker.indent += 1
    walker.block(leaves)
    walker.assign([loop.results[p] for p in found.values], found.values.values())
    walker.indent -= 1
    if len(walker.lines) == opening:
        walker.lines[-1] = walker.lines[-1].removesuffix("{") + "break;"
    else:
        walker.line("  break;")
        walker.line("}")
    walker.unset([id(r) for r in operation.results if id(r) in walker.false])
    walker.block(stays)
    for result, value in zip(operation.results, stays.operations[-1].operands, strict=True):
        walker.same(result, value)


OPERATIONS: dict[str, Emit] = {"for": _for, "while": _while, "if": _if}
