"""`Dim`, the one symbolic integer of the project, with what can be proved and printed about it.

A `Size` is an int or a Dim. The class lives in `symbolic`, its divisions in `division`, proofs in
`dim_facts`, text and evaluators in `dim_code`.
"""

from __future__ import annotations

from tensorlib.layouts.dim_code import c_text, compiled
from tensorlib.layouts.dim_facts import (
    divides,
    greatest_divisor,
    known_equal,
    known_nonnegative,
    known_positive,
)
from tensorlib.layouts.symbolic import Dim, Size, dim_equal, dim_max, dim_min, evaluate, is_static

__all__ = [
    "Dim",
    "Size",
    "c_text",
    "compiled",
    "dim_equal",
    "dim_max",
    "dim_min",
    "divides",
    "evaluate",
    "greatest_divisor",
    "is_static",
    "known_equal",
    "known_nonnegative",
    "known_positive",
]
