"""What `tensorlib explain` found, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["cost_lines", "count_text", "sections", "shown", "time_lines"]


def shown(found: dict[str, Any]) -> str:
    """Return everything, one headed block a section."""
    blocks = [f"== {title}\n" + "\n".join(lines) for title, lines in sections(found)]
    return "\n\n".join(blocks)


def sections(found: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the titles and lines of the sections that have any."""
    parameters = ", ".join(f"{name}={value}" for name, value in found["parameters"].items())
    head = [f"{found['file']}", *([f"with {parameters}"] if parameters else [])]
    made = [
        (found["signature"], head),
        (f"Python, called with {', '.join(found['arguments'])}", _texts(found["python"])),
        ("IR, as it is recorded", _texts(found["ir"])),
        ("passes", _passes(found["passes"])),
        ("cost, read off the IR", cost_lines(found["cost"])),
        (f"{found['target']}{_checks(found)}", _texts(found["source"])),
    ]
    if "assembly" in found:
        assembly = found["assembly"]
        lines = [*assembly_lines(assembly), "", *_texts(assembly["lines"])]
        made.append((f"assembly{_checks(found)}", lines))
    if "time" in found:
        made.append(("time", time_lines(found["time"])))
    return [(title, lines) for title, lines in made if lines]


def _texts(rows: Sequence[dict[str, str]]) -> list[str]:
    return [row["text"] for row in rows]


def _checks(found: dict[str, Any]) -> str:
    is_checked = found["checked"] and found["target"] == "c"
    return ", with checks of bounds (without: --unchecked)" if is_checked else ""


def _passes(passes: Sequence[dict[str, Any]]) -> list[str]:
    lines = [line for change in passes for line in (f"-- {change['name']}", *change["diff"])]
    return lines or ["none changed anything"]


def cost_lines(cost: dict[str, Any]) -> list[str]:
    """Return a line for each innermost loop, and one for the call where that is known."""
    lines = [f"loop at {row['line']}: {_cost(row)} each time" for row in cost["loops"]]
    if cost["call"] is not None:
        lines.append(f"the call: {_cost(cost['call'])}")
    return lines


def _cost(row: dict[str, int]) -> str:
    moved = row["bytes_read"] + row["bytes_written"]
    text = f"{row['flops']} flop, {row['bytes_read']} bytes read, {row['bytes_written']} written"
    return f"{text}, {row['flops'] / moved:.3g} flop/byte" if moved else text


def assembly_lines(assembly: dict[str, Any]) -> list[str]:
    """Return the counts of the whole function and of its innermost loops."""
    rows = [("all", {**assembly["counts"], "vector_bytes": assembly["vector_bytes"]})]
    rows += [(f"loop {loop['label']}", loop) for loop in assembly["inner_loops"]]
    return [f"{name}: {count_text(row)}" for name, row in rows]


def count_text(row: dict[str, Any]) -> str:
    """Return counts of instructions as words.

    >>> count_text({"instructions": 3, "loads": 1, "fma": 0, "vector_bytes": 32})
    '3 instructions, 1 loads; 32-byte vectors'
    """
    names = ("instructions", "loads", "stores", "stack", "fma", "float", "branches", "calls")
    words = {"stack": "on the stack", "float": "other float"}
    found = [f"{row[n]} {words.get(n, n)}" for n in names if row.get(n)]
    width = row["vector_bytes"]
    return ", ".join(found) + (f"; {width}-byte vectors" if width else "; no vectors")


def time_lines(found: dict[str, Any]) -> list[str]:
    """Return the time of a call and its rates."""
    lines = [
        f"{found['seconds'] * 1e6:.2f} us a call, the best of {found['runs']}; "
        f"median {found['median_seconds'] * 1e6:.2f} us"
    ]
    if "gflops" in found:
        lines.append(f"{found['gflops']:.3g} GFLOP/s, {found['gbytes']:.3g} GB/s")
    if "roofline" in found:
        lines.append(f"{found['roofline']:.0%} of the rate at which a kernel copies as many bytes")
    return lines
