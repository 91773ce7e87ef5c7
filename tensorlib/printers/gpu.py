"""A kernel as a function for a device: parameters by their own types, the body, who runs what.

In a kernel of blocks every thread runs the body. In any other kernel the iterations of a parallel
loop are shared out among all threads of the launch, which has one axis; what stands beside that
loop and writes memory that others see is thread 0's, and so is a kernel without a parallel loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tensorlib.ir.core import Block, Kernel, Value, walk
from tensorlib.ir.effects import writes_shared
from tensorlib.printers.naming import parameter_name
from tensorlib.printers.walker import Walker

__all__ = ["Entry", "function_text", "shared_steps"]


@dataclass(frozen=True, slots=True)
class Entry:
    """How a target spells the entry of a kernel: `head` over NAME and PARAMETERS."""

    head: str
    threads: str  # the declaration of `thread` and `threads`, of the whole launch
    is_other: str  # whether this is another than the launch's first thread


def function_text(
    walker: Walker, kernel: Kernel, entry: Entry, types: Sequence[str], name: str
) -> str:
    """Return the text of a kernel's function; `types` are those of its parameters."""
    names = [_name(walker, number, p) for number, p in enumerate(kernel.parameters)]
    if "block" in kernel.attributes:
        walker.block(kernel.body)
    elif any(o.attributes.get("parallel") for o in walk(kernel.body)):
        walker.line(entry.threads)
        _shared(walker, kernel.body)
    else:
        walker.line(f"if ({entry.is_other}) return;")
        walker.block(kernel.body)
    parameters = ", ".join(f"{kind}{n}" for kind, n in zip(types, names, strict=True))
    head = entry.head.replace("NAME", name).replace("PARAMETERS", parameters)
    return "\n".join([f"{head} {{", *walker.lines, "}", ""])


def shared_steps(start: str, stop: str, step: str) -> tuple[str, str, str]:
    """Return start, stop and step of a thread's share of a parallel loop: every `threads`-th."""
    first, stride = (n if step == "1" else f"{n} * {step}" for n in ("thread", "threads"))
    return first if start == "0" else f"{start} + {first}", stop, stride


def _name(walker: Walker, number: int, parameter: Value) -> str:
    name = parameter_name(parameter.name, number, set(walker.names.values()))
    walker.names[id(parameter)] = name
    return name


def _shared(walker: Walker, body: Block) -> None:
    """Write the body of a kernel with a parallel loop: writes beside that loop are thread 0's."""
    for operation in body.operations:
        if operation.attributes.get("parallel") or not writes_shared(operation):
            walker.operation(operation)
            continue
        walker.line("if (thread == 0) {")
        walker.indent += 1
        walker.operation(operation)
        walker.indent -= 1
        walker.line("}")
