"""Operations of the layout algebra by name, with operands read from text."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tensorlib import layouts
from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import AnyLayout, ComposedLayout
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle
from tensorlib.layouts.text import parsed

__all__ = ["KINDS", "OPERATIONS", "Step", "applied", "read_layout", "read_tiler"]

_HOLES: dict[str, Any] = {"_": None, "None": None}

# Operation of `tensorlib.layouts`: the kinds of its operands after the layout itself. `?` may be
# left out, `...` may come again. Two rows of one kind stand for two operands.
OPERATIONS: dict[str, str] = {
    # one layout
    "coalesce":            "profile?",
    "filter":              "",
    "filter_zeros":        "",
    "flatten":             "",
    "complement":          "shape?",
    "right_inverse":       "",
    "left_inverse":        "",
    "nullspace":           "",
    # elements
    "upcast":              "number",
    "downcast":            "number",
    "recast_layout":       "number number",
    # modes
    "append":              "layout",
    "prepend":             "layout",
    "replace":             "number layout",
    "group_modes":         "number number",
    "take":                "number number",
    "select":              "coordinate",
    "unflatten":           "shape",
    "make_layout":         "layout...",
    # layouts and tilers
    "composition":         "tiler",
    "logical_divide":      "tiler",
    "zipped_divide":       "tiler",
    "tiled_divide":        "tiler",
    "flat_divide":         "tiler",
    "logical_product":     "tiler",
    "zipped_product":      "tiler",
    "tiled_product":       "tiler",
    "flat_product":        "tiler",
    "blocked_product":     "layout",
    "raked_product":       "layout",
    "tile_to_shape":       "shape order?",
    "max_common_layout":   "layout",
    "max_common_vector":   "layout",
    # parts
    "dice":                "coordinate",
    "slice_and_offset":    "coordinate",
    "domain_offset":       "coordinate",
    "local_tile":          "tiler coordinate",
    "local_partition":     "layout number",
    "make_layout_tv":      "layout",
}  # fmt: skip

LAYOUT_LAST = ("slice_and_offset", "domain_offset", "dice")  # they take the coordinate first


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a chain, with what came out; `note` is what came with a layout."""

    name: str
    operands: tuple[str, ...]
    result: Any
    note: str = ""


def applied(layout: AnyLayout, words: Sequence[str]) -> Step:
    """Return the step that `name operand ...` takes from a layout.

    Raises LayoutError for an unknown name, for operands that don't fit it, and where the operation
    itself has no answer.

    >>> applied(Layout(24), ["logical_divide", "4:2"]).result
    (4,(2,3)):(2,(1,8))
    """
    name, *texts = words
    if name not in OPERATIONS:
        raise _unknown(name)
    kinds = list(_kinds(name, len(texts)))
    operands = [KINDS[kind](text) for kind, text in zip(kinds, texts, strict=True)]
    first: list[Any] = [*operands, layout] if name in LAYOUT_LAST else [layout, *operands]
    return _step(name, tuple(texts), getattr(layouts, name)(*first))


def _step(name: str, texts: tuple[str, ...], result: Any) -> Step:
    if not isinstance(result, tuple):
        return Step(name, texts, result)
    if name == "make_layout_tv":
        return Step(name, texts, result[1], f"tile {'x'.join(map(str, result[0]))}")
    return Step(name, texts, result[0], f"offset {result[1]}")


def _unknown(name: str) -> LayoutError:
    near = difflib.get_close_matches(name, OPERATIONS, 1)
    hint = f"try {near[0]}; " if near else ""
    return LayoutError(f"layout: got operation {name!r}; {hint}known are {', '.join(OPERATIONS)}")


def _kinds(name: str, count: int) -> Iterator[str]:
    """Yield the kind of each of `count` operands."""
    kinds = OPERATIONS[name].split()
    if kinds and kinds[-1].endswith("..."):
        kinds += kinds[-1:] * (count - len(kinds))
    needed = sum(not kind.endswith("?") for kind in kinds)
    if not needed <= count <= len(kinds):
        usage = " ".join([name, *(kind.upper() for kind in OPERATIONS[name].split())])
        raise LayoutError(f"layout: got {count} operands for {name}, needed {usage!r}")
    yield from (kind.rstrip("?.") for kind in kinds[:count])


# --- operands ---


def read_layout(text: str) -> AnyLayout:
    """Return the layout that a text spells, a swizzle in front of it or not.

    >>> read_layout("(4,8)"), read_layout("Sw<3,0,3> o (8,8):(8,1)")
    ((4,8):(1,4), Sw<3,0,3> o 0 o (8,8):(8,1))
    """
    if " o " not in text:
        if text.strip().startswith("Sw<"):
            Swizzle.parse(text)
            raise LayoutError(
                f"layout: got the swizzle {text} alone, needed a layout under it; "
                f"try '{text} o 64:1'"
            )
        return Layout.parse(text)
    if text.count(" o ") == 1:
        text = text.replace(" o ", " o 0 o ")
    return ComposedLayout.parse(text)


def read_tiler(text: str) -> Any:
    """Return the tiler: a layout, a number, or a tuple of tilers in `(...)` or `<...>`.

    Without a colon `(4,8)` means 4:1 by 8:1, mode by mode; `_` keeps its mode.

    >>> read_tiler("4:2"), read_tiler("(4,_)"), read_tiler("<4:2,(8,2):(1,16)>")
    (4:2, (4, None), (4:2, (8,2):(1,16)))
    """
    text = text.strip()
    parts = _parts(text)
    if parts is not None and (text[0] == "<" or ":" in text):
        return tuple(map(read_tiler, parts))
    return read_layout(text) if ":" in text else _read_coordinate(text)


def _parts(text: str) -> list[str] | None:
    """Return the parts between the commas of one pair of brackets around the whole text."""
    if not text or text[0] not in "(<":
        return None
    depth, start, found = 0, 1, []
    for place, letter in enumerate(text):
        depth += (letter in "(<") - (letter in ")>")
        if (letter == "," and depth == 1) or depth == 0:
            found.append(text[start:place])
            start = place + 1
        if depth == 0:
            return [part for part in found if part.strip()] if start == len(text) else None
    return None


def _read_shape(text: str) -> Any:
    shape, stride = parsed(text)
    if stride is not None:
        raise LayoutError(f"layout: got {text}, needed a shape without strides")
    return shape


def _read_coordinate(text: str) -> Any:
    """Return a nested tuple of numbers; `_` is None."""
    coordinate, stride = parsed(text, _HOLES)
    if stride is not None:
        raise LayoutError(f"layout: got {text}, needed a coordinate such as (_,3)")
    return coordinate


def _read_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LayoutError(f"layout: got {text!r}, needed a whole number") from None


KINDS: dict[str, Callable[[str], Any]] = {
    "layout":     read_layout,
    "tiler":      read_tiler,
    "shape":      _read_shape,
    "profile":    _read_shape,
    "order":      _read_shape,
    "coordinate": _read_coordinate,
    "number":     _read_number,
}  # fmt: skip
