"""Draws the pictures of docs/layouts.md beside itself: `python docs/pictures/draw.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tensorlib.layouts import (
    Layout,
    Swizzle,
    blocked_product,
    complement,
    composition,
    make_layout,
    make_layout_tv,
    mma_svg,
    raked_product,
    swizzle_svg,
    to_svg,
    tv_svg,
    zipped_divide,
)
from tensorlib.layouts.hardware import mma


def copies() -> str:
    """A layout and its complement: T is the copy, V the element in it."""
    layout = Layout(4, 2)
    tv = make_layout(complement(layout, 24), layout)
    return tv_svg(tv, (1, 24), title="copies of 4:2, where complement(4:2, 24) puts them")


def picked() -> str:
    """The elements of a matrix that a tiler picks."""
    found = Layout((4, 8)) @ (2, Layout(4, 2))
    return tv_svg(make_layout(Layout(1, 0), found), (4, 8), title="what (2, 4:2) picks")


def tiles() -> str:
    """The tiles of a divided matrix: T is the tile, V the element in it."""
    tile, rest = zipped_divide(Layout((8, 12)), (4, 3)).modes
    title = "zipped_divide((8,12):(1,8), (4,3))"
    return tv_svg(make_layout(rest, tile), ((4, 2), (3, 4)), title=title)


def threads() -> str:
    """What each of 32 threads holds of a 8 x 16 tile."""
    tile, tv = make_layout_tv(Layout((4, 8), (8, 1)), Layout((2, 2)))
    return tv_svg(tv, tile)


SMEM = Layout((8, 32), (32, 1))
BLOCK, TILER = Layout((2, 3)), Layout((3, 2))

PICTURES: dict[str, Callable[[], str]] = {
    "row_major": lambda: to_svg(Layout((3, 4), (4, 1))),
    "column_major": lambda: to_svg(Layout((3, 4), (1, 3))),
    "nested": lambda: to_svg(Layout(((2, 2), (2, 3)), ((1, 4), (2, 8)))),
    "coordinates": lambda: to_svg(
        Layout(((2, 2), (2, 3)), ((1, 4), (2, 8))), label="coordinate", title="its coordinates"
    ),
    "composition": lambda: to_svg(composition(Layout((6, 2), (8, 2)), Layout((4, 3), (3, 1)))),
    "picked": picked,
    "copies": copies,
    "tiles": tiles,
    "divided": lambda: to_svg(zipped_divide(Layout((8, 12)), (4, 3)), color="value"),
    "blocked_product": lambda: to_svg(blocked_product(BLOCK, TILER)),
    "raked_product": lambda: to_svg(raked_product(BLOCK, TILER)),
    "threads": threads,
    "banks": lambda: to_svg(SMEM, color="bank", label="bank", title=f"banks of {SMEM}, float32"),
    "padded_banks": lambda: to_svg(
        Layout((8, 32), (33, 1)), color="bank", label="bank", title="banks of (8,32):(33,1)"
    ),
    "swizzle": lambda: swizzle_svg(Swizzle(3, 3, 3), element_bytes=2),
    "mma": lambda: mma_svg(mma("m16n8k8.tf32")),
}


def main() -> None:
    """Write every picture."""
    for name, picture in PICTURES.items():
        Path(__file__).with_name(f"{name}.svg").write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
