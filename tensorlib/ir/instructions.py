"""The instructions that kernels may name: how each target spells them, and what it needs for it.

The op `instruction` has attributes `name`, a row of INSTRUCTIONS, and `arguments`, one text an
argument: `x=value` (the next operand), `x=address` (the next two: a pointer and an index) or
`x=#text` (known at compile time). Its one block is what it means; it uses the values around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tensorlib.errors import KernelError
from tensorlib.ir.core import Operation

__all__ = ["INSTRUCTIONS", "InstructionRow", "missing", "register", "row_of"]


@dataclass(frozen=True, slots=True)
class InstructionRow:
    """One instruction: `spellings` maps a printer's name to text with `{argument}` places.

    `{type}` in a spelling is the result's type. `requires` maps the printer's name to features of
    a device; `headers` are what the C family includes. Where a target has no spelling, or lacks a
    feature, a `portable` instruction is replaced by its body and another is an error.
    """

    name: str
    spellings: Mapping[str, str]
    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    portable: bool = False


INSTRUCTIONS: dict[str, InstructionRow] = {}


def register(row: InstructionRow) -> InstructionRow:
    """Add a row, or replace the one of this name: a function defined again means the new one."""
    INSTRUCTIONS[row.name] = row
    return row


def row_of(operation: Operation) -> InstructionRow:
    """Return the row of an `instruction` operation; raises KernelError for a name nobody made."""
    name = operation.attributes["name"]
    if name not in INSTRUCTIONS:
        raise KernelError(f"instruction: got {name}, which is not registered; import its module")
    return INSTRUCTIONS[name]


def missing(row: InstructionRow, target: str, features: frozenset[str]) -> str:
    """Return why a target can't run an instruction natively; empty where it can."""
    if target not in row.spellings:
        known = ", ".join(sorted(row.spellings)) or "no target"
        return f"{row.name} is spelled for {known}, not for {target}"
    lacking = [name for name in row.requires.get(target, ()) if name not in features]
    return f"{row.name} needs {', '.join(lacking)}, which this device lacks" if lacking else ""
