"""Colours of cells: by thread, value, offset or memory bank, for every reader and for print.

The eight are Paul Tol's "light" scheme, made for cells with black text on them and to stay apart
for colour-blind readers (https://sronpersonalpages.nl/~pault/).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from tensorlib.errors import LayoutError

__all__ = [
    "BANKS",
    "COLOURINGS",
    "PALETTE",
    "bank_colour",
    "bank_of",
    "colouring",
    "palette_colour",
]

PALETTE = (
    "#77aadd",  # blue
    "#ee8866",  # orange
    "#eedd88",  # yellow
    "#44bb99",  # mint
    "#ffaabb",  # pink
    "#99ddff",  # cyan
    "#bbcc33",  # pear
    "#dddddd",  # grey
)
LIGHT, DARK = (246, 250, 253), (101, 160, 209)  # ends of the ramp of offsets
BANKS, BANK_BYTES, BANK_GROUP = 32, 4, 4  # shared memory of GPUs; four banks are 16 bytes

# Row, column and offset of a cell.
Place = tuple[int, int, int]
Colouring = Callable[[list[Place], int], list[str]]


def palette_colour(number: int) -> str:
    """Return colour `number` of the eight, which repeat.

    >>> palette_colour(0), palette_colour(8)
    ('#77aadd', '#77aadd')
    """
    return PALETTE[number % len(PALETTE)]


def bank_of(offset: int, element_bytes: int) -> int:
    """Return the bank where element `offset` begins: 32 banks, 4 bytes wide.

    >>> bank_of(33, 4), bank_of(64, 2)
    (1, 0)
    """
    return offset * element_bytes // BANK_BYTES % BANKS


def bank_colour(bank: int) -> str:
    """Return the colour of a bank: a hue for each four (16 bytes), paler from bank to bank."""
    red, green, blue = _numbers(palette_colour(bank // BANK_GROUP))
    return _mixed((red, green, blue), (255, 255, 255), 0.18 * (bank % BANK_GROUP))


def colouring(where: str, name: str) -> Colouring:
    """Return the function that colours cells. Raises LayoutError for an unknown name."""
    if name not in COLOURINGS:
        near = difflib.get_close_matches(name, COLOURINGS, 1)
        hint = f"try {near[0]}" if near else f"needed one of {', '.join(COLOURINGS)}"
        raise LayoutError(f"{where}: got color {name!r}; {hint}")
    return COLOURINGS[name]


def _by_thread(places: list[Place], element_bytes: int) -> list[str]:
    return [palette_colour(row) for row, _, _ in places]


def _by_value(places: list[Place], element_bytes: int) -> list[str]:
    return [palette_colour(column) for _, column, _ in places]


def _by_bank(places: list[Place], element_bytes: int) -> list[str]:
    return [bank_colour(bank_of(offset, element_bytes)) for _, _, offset in places]


def _by_offset(places: list[Place], element_bytes: int) -> list[str]:
    """A ramp from light to dark over the offsets: the darker, the later in memory."""
    offsets = [offset for _, _, offset in places]
    least, most = min(offsets, default=0), max(offsets, default=0)
    span = max(most - least, 1)
    return [_mixed(LIGHT, DARK, (offset - least) / span) for offset in offsets]


def _white(places: list[Place], element_bytes: int) -> list[str]:
    return ["#ffffff"] * len(places)


COLOURINGS: dict[str, Colouring] = {
    "offset": _by_offset,
    "thread": _by_thread,
    "value": _by_value,
    "bank": _by_bank,
    "none": _white,
}


def _numbers(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(a: Iterable[int], b: Iterable[int], part: float) -> str:
    """Return the colour `part` of the way from a to b."""
    parts = (round(x + (y - x) * part) for x, y in zip(a, b, strict=True))
    return "#" + "".join(f"{x:02x}" for x in parts)
