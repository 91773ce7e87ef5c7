"""`tensorlib layout`: a layout's facts, table and pictures, after any chain of operations."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorlib import layouts
from tensorlib.errors import LayoutError
from tensorlib.layouts import draw
from tensorlib.layouts.code import layout_expr
from tensorlib.layouts.composed import AnyLayout, ComposedLayout
from tensorlib.layouts.draw.colours import COLOURINGS
from tensorlib.layouts.draw.table import LABELS
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.text import shape_text
from tensorlib.tools.layout_instruction import instruction, show
from tensorlib.tools.layout_operations import OPERATIONS, Step, applied, read_layout

__all__ = ["configure", "facts"]

TABLE_CELLS = 1024  # a larger table is printed only when asked for
TARGETS = ("c", "cuda", "opencl")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tensorlib layout`."""
    parser.set_defaults(run=_run)
    parser.add_argument(
        "layout", help='such as "(4,8):(8,1)", "Sw<3,4,3> o (8,64):(64,1)", or m16n8k8.tf32'
    )
    parser.add_argument(
        "--op",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "OPERAND"),
        help=f"apply an operation; again: apply one more. Known: {', '.join(OPERATIONS)}",
    )
    parser.add_argument("--svg", metavar="FILE", help="write a picture")
    parser.add_argument("--latex", metavar="FILE", help="write the picture as a LaTeX document")
    parser.add_argument("--color", choices=COLOURINGS, help="what the colours of cells follow")
    parser.add_argument("--label", choices=LABELS, default="offset", help="what cells say")
    parser.add_argument(
        "--element-bytes", type=int, default=4, metavar="N", help="bytes of an element, for banks"
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--tv", metavar="ROWSxCOLS", help="show threads and values over a tile")
    kind.add_argument("--swizzle", action="store_true", help="draw a swizzle before and after")
    parser.add_argument("--expr", choices=TARGETS, help="print the index code")
    parser.add_argument("--names", metavar="I,J", help="variables of the index code, one a mode")
    parser.add_argument("--table", action="store_true", help="print the table, however large")
    parser.add_argument("--json", action="store_true", help="print one object")


def _run(arguments: argparse.Namespace) -> int:
    atom = instruction(arguments.layout)
    if atom is not None:
        return show(atom, arguments)
    layout = read_layout(arguments.layout)
    steps: list[Step] = []
    result: Any = layout
    for words in arguments.op:
        if not _is_layout(result):
            raise LayoutError(f"layout: got {words[0]} of {result}, needed a layout to go on with")
        steps.append(applied(result, words))
        result = steps[-1].result
    if not _is_layout(result):
        _refuse_pictures(arguments, result)
        print(json.dumps(_chain(layout, steps)) if arguments.json else _chain_text(layout, steps))
        return 0
    found = facts(result)
    if arguments.expr:
        found["expr"] = layout_expr(result, _names(result, arguments.names), arguments.expr)
    _draw(result, arguments)
    if arguments.json:
        if arguments.table:
            found["table"] = result.table().tolist()
        print(json.dumps({**found, **_chain(layout, steps)}))
    else:
        print(_text(layout, steps, found, result, arguments))
    return 0


def _is_layout(result: Any) -> bool:
    return isinstance(result, (Layout, ComposedLayout))


def _refuse_pictures(arguments: argparse.Namespace, result: Any) -> None:
    if arguments.svg or arguments.latex or arguments.expr:
        raise LayoutError(f"layout: got {result}, needed a layout for a picture or code")


# --- facts ---


def facts(layout: Any) -> dict[str, Any]:
    """Return what is known of a layout as plain data; None where symbols leave it open.

    >>> from tensorlib.layouts import Layout
    >>> facts(Layout((4, 8), (8, 1)))["compact"]
    True
    """
    found: dict[str, Any] = {"layout": str(layout), "shape": shape_text(layout.shape)}
    if isinstance(layout, Layout):
        found["stride"] = shape_text(layout.stride)
    compact = _known(lambda: _is_compact(layout))
    return found | {
        "size": _plain(layout.size),
        "cosize": _known(lambda: _plain(layout.cosize)),
        "rank": layout.rank,
        "depth": layout.depth,
        "injective": compact or _known(lambda: layouts.is_injective(layout)),
        "compact": compact,
    }


def _is_compact(layout: Any) -> bool:
    is_compact = layouts.is_compact if isinstance(layout, Layout) else layouts.is_bijective
    return is_compact(layout)


def _plain(size: Any) -> int | str:
    return size if isinstance(size, int) else str(size)


def _known(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except LayoutError:
        return None


# --- text ---


def _text(
    layout: AnyLayout,
    steps: list[Step],
    found: dict[str, Any],
    result: Any,
    arguments: argparse.Namespace,
) -> str:
    lines = [_chain_text(layout, steps)] if steps else []
    shown = {True: "yes", False: "no", None: "unknown"}
    for name, value in found.items():
        word = shown[value] if value is None or isinstance(value, bool) else value
        lines.append(f"{name:<10} {word}")
    table = _table(result, arguments)
    return "\n".join([*lines, "", *table] if table else lines)


def _table(layout: AnyLayout, arguments: argparse.Namespace) -> list[str]:
    """Return the lines of the table without its heading: none for symbols, and for large ones."""
    if not arguments.table:
        size = layout.size
        if not (layout.is_static and isinstance(size, int) and size <= TABLE_CELLS):
            return []
    if arguments.tv:
        return draw.tv_text(layout, _tile(arguments.tv)).splitlines()[1:]
    return draw.layout_text(layout).splitlines()[1:]


def _chain_text(layout: AnyLayout, steps: list[Step]) -> str:
    lines = [str(layout)]
    for step in steps:
        note = f"  ({step.note})" if step.note else ""
        lines.append(f"  {' '.join([step.name, *step.operands])} -> {step.result}{note}")
    return "\n".join(lines)


def _chain(layout: AnyLayout, steps: list[Step]) -> dict[str, Any]:
    rows = []
    for step in steps:
        row = {"op": step.name, "operands": list(step.operands), "result": _data(step.result)}
        rows.append(row | ({"note": step.note} if step.note else {}))
    return {"from": str(layout), "steps": rows} if rows else {}


def _data(result: Any) -> Any:
    return result if isinstance(result, (int, bool)) else str(result)


# --- pictures and code ---


def _draw(layout: AnyLayout, arguments: argparse.Namespace) -> None:
    for path, printer in ((arguments.svg, "svg"), (arguments.latex, "latex")):
        if path:
            Path(path).write_text(_picture(layout, arguments, printer), encoding="utf-8")


def _picture(layout: AnyLayout, arguments: argparse.Namespace, printer: str) -> str:
    functions: dict[str, Any] = vars(draw)
    if arguments.tv:
        draw_tv = functions[f"tv_{printer}"]
        return str(draw_tv(layout, _tile(arguments.tv), arguments.color or "thread"))
    if arguments.swizzle:
        return str(functions[f"swizzle_{printer}"](layout, arguments.element_bytes))
    return str(
        functions[f"to_{printer}"](
            layout,
            arguments.color or "offset",
            label=arguments.label,
            element_bytes=arguments.element_bytes,
        )
    )


def _tile(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[x×](\d+)", text.strip())
    if match is None:
        raise LayoutError(f"layout: got --tv {text!r}, needed ROWSxCOLS such as 16x8")
    return int(match[1]), int(match[2])


def _names(layout: AnyLayout, text: str | None) -> Any:
    """Return one name a mode, `i`, `j`, `k`, `l` and on by default; one name for a vector."""
    if text:
        names = tuple(name.strip() for name in text.split(","))
        return names[0] if len(names) == 1 else names
    if not isinstance(layout.shape, tuple):
        return "i"
    return tuple("ijklmnpqrstuvw"[k] if k < 14 else f"i{k}" for k in range(layout.rank))
