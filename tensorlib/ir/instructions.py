"""The instructions that kernels may name: how each target spells them, and what it needs for it.

The op `instruction` has attributes `name`, a row of INSTRUCTIONS, and `arguments`, one text an
argument: `x=value` (the next operand), `x=address` (the next two: a pointer and an index) or
`x=#text` (known at compile time). Its one block is what it means; it uses the values around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tensorlib.errors import KernelError
from tensorlib.ir.core import Operation

__all__ = ["INSTRUCTIONS", "InstructionRow", "missing", "offers", "register", "row_of"]


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


def offers(features: frozenset[str], name: str) -> bool:
    """Return whether a device with these features has one: of sm_80 and the like, or a newer one.

    >>> offers(frozenset({"sm_90"}), "sm_80"), offers(frozenset({"sm_75"}), "sm_80")
    (True, False)
    """
    wanted = name.removeprefix("sm_")
    if name in features or wanted == name or not wanted.isdigit():
        return name in features
    levels = [re.match(r"sm_(\d+)", feature) for feature in features]
    return any(level is not None and int(level[1]) >= int(wanted) for level in levels)


def missing(row: InstructionRow, target: str, features: frozenset[str]) -> str:
    """Return why a target can't run an instruction natively; empty where it can."""
    if target not in row.spellings:
        known = ", ".join(sorted(row.spellings)) or "no target"
        return f"{row.name} is spelled for {known}, not for {target}"
    lacking = [name for name in row.requires.get(target, ()) if not offers(features, name)]
    return f"{row.name} needs {', '.join(lacking)}, which this device lacks" if lacking else ""
