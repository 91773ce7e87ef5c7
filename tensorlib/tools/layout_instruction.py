"""`tensorlib layout m16n8k8.tf32`: a matrix instruction, its three operands and their picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorlib.errors import LayoutError
from tensorlib.layouts import draw

if TYPE_CHECKING:
    import argparse

    from tensorlib.layouts.hardware import MMAAtom

__all__ = ["facts", "instruction", "show"]


def instruction(text: str) -> MMAAtom | None:
    """Return the instruction of this name, None where there is none.

    >>> instruction("m16n8k8.tf32").shape, instruction("(4,8)")
    ((16, 8, 8), None)
    """
    if not text.startswith("m"):
        return None
    from tensorlib.layouts.hardware import mma, mma_names

    return mma(text) if text in mma_names() else None


def facts(atom: MMAAtom) -> dict[str, Any]:
    """Return an instruction as plain data: (M, N, K), threads, and layouts with their types.

    >>> facts(instruction("m16n8k8.tf32"))["a"]
    '((4,8),(2,2)):((16,1),(8,64))'
    """
    return {
        "instruction": atom.name,
        "shape": list(atom.shape),
        "threads": atom.threads,
        "a": str(atom.a),
        "b": str(atom.b),
        "c": str(atom.c),
        "types": [atom.a_dtype, atom.b_dtype, atom.c_dtype],
        "source": atom.spec,
    }


def show(atom: MMAAtom, arguments: argparse.Namespace) -> int:
    """Print an instruction and draw it where asked to. Raises LayoutError for other options."""
    if arguments.op or arguments.tv or arguments.swizzle or arguments.expr or arguments.table:
        raise LayoutError(f"layout: got {atom.name}, an instruction; only pictures take one")
    color = arguments.color or "thread"
    if arguments.svg:
        Path(arguments.svg).write_text(draw.mma_svg(atom, color), encoding="utf-8")
    if arguments.latex:
        Path(arguments.latex).write_text(draw.mma_latex(atom, color), encoding="utf-8")
    found = facts(atom)
    print(json.dumps(found) if arguments.json else _text(found))
    return 0


def _text(found: dict[str, Any]) -> str:
    words = {name: _joined(value) for name, value in found.items()}
    return "\n".join(f"{name:<12} {value}" for name, value in words.items())


def _joined(value: Any) -> str:
    return " x ".join(map(str, value)) if isinstance(value, list) else str(value)
