"""What `tensorlib explain` found, as one page of HTML that needs nothing else."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from tensorlib.tools.explain_text import assembly_lines, cost_lines, time_lines

__all__ = ["page"]

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 110em; padding: 0 1em;
       color: #1b1b1b; background: #fdfdfc; }
h1 { font: 600 1.2em ui-monospace, monospace; }
summary { font-weight: 600; cursor: pointer; padding: .4em 0; }
pre { font: 13px/1.45 ui-monospace, monospace; background: #f3f3f0; padding: .7em; margin: 0;
      overflow-x: auto; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(36em, 1fr)); gap: 1em; }
.line { display: block; min-height: 1.45em; }
.line[data-line] { cursor: default; }
.on { background: #ffe9a8; }
.plus { color: #176f2c; } .minus { color: #a4262c; } .at { color: #6a6a6a; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e3; background: #1c1c1b; } pre { background: #262625; }
  .on { background: #5b4a12; } .plus { color: #7fd38f; } .minus { color: #f1959a; }
}
"""
# Pointing at a line lights up what came from the same line of Python, wherever it is on the page.
_SCRIPT = """
document.addEventListener("mouseover", event => {
  const line = event.target.closest("[data-line]");
  for (const lit of document.querySelectorAll(".on")) lit.classList.remove("on");
  if (!line) return;
  for (const other of document.querySelectorAll("[data-line]"))
    if (other.dataset.line === line.dataset.line) other.classList.add("on");
});
"""


def page(found: dict[str, Any]) -> str:
    """Return the page; every text that is not the page's own is escaped."""
    name = html.escape(found["name"])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n<title>{name}</title>\n'
        f"<style>{_STYLE}</style></head>\n<body>\n{body(found)}\n"
        f"<script>{_SCRIPT}</script>\n</body></html>\n"
    )


def body(found: dict[str, Any]) -> str:
    """Return what stands between the tags of the page's body."""
    called = f"{found['file']}, called with {', '.join(found['arguments'])}"
    if found["parameters"]:
        called += ", " + ", ".join(f"{k}={v}" for k, v in found["parameters"].items())
    made = [
        f"<h1>{html.escape(found['signature'])}</h1>",
        f"<p>{html.escape(called)}</p>",
        '<div class="row">',
        _section("Python", _rows(found["python"])),
        _section(found["target"], _rows(found["source"])),
        "</div>",
        '<div class="row">',
        _section("IR, as it is recorded", _rows(found["ir"])),
    ]
    if "assembly" in found:
        head = _plain(assembly_lines(found["assembly"]))
        made.append(_section("assembly", head + _rows(found["assembly"]["lines"])))
    made.append("</div>")
    for change in found["passes"]:
        made.append(_section(f"pass: {change['name']}", _diff(change["diff"])))
    if not found["passes"]:
        made.append(_section("passes", "none changed anything"))
    if lines := cost_lines(found["cost"]):
        made.append(_section("cost, read off the IR", _plain(lines)))
    if "time" in found:
        made.append(_section("time", _plain(time_lines(found["time"]))))
    return "\n".join(made)


def _section(title: str, inner: str) -> str:
    return f"<details open><summary>{html.escape(title)}</summary><pre>{inner}</pre></details>"


def _rows(rows: Sequence[dict[str, str]]) -> str:
    return "".join(_line(row["text"], row["line"]) for row in rows)


def _line(text: str, place: str = "", kind: str = "") -> str:
    where = f' data-line="{html.escape(place)}"' if place else ""
    classes = f"line {kind}".rstrip()
    return f'<span class="{classes}"{where}>{html.escape(text)}</span>'


def _plain(lines: Sequence[str]) -> str:
    return "".join(map(_line, lines))


def _diff(lines: Sequence[str]) -> str:
    kinds = {"+": "plus", "-": "minus", "@": "at"}
    return "".join(_line(line, "", kinds.get(line[:1], "")) for line in lines)
