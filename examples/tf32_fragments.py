"""The layouts of an A100's TF32 fragments, as the talk writes them, drawn and used.

    python examples/tf32_fragments.py [picture.svg]

prints which thread holds what of A, and saves a picture of all three operands.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import tensorlib as tl
from tensorlib.layouts import Layout, MMAAtom, mma_svg, tv_text
from tensorlib.layouts.hardware import mma

layout_a_mma = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
layout_b_mma = Layout(((4, 8), 2), ((8, 1), 32))
layout_c_mma = Layout(((4, 8), (2, 2)), ((32, 1), (16, 8)))

# An instruction is its operands' layouts: this one is found to be the hardware's m16n8k8.tf32.
atom = MMAAtom(
    "tf32", (16, 8, 8), layout_a_mma, layout_b_mma, layout_c_mma, "tf32", "tf32", "f32", 32, "talk"
)


@tl.kernel
def multiplied(c: tl.Tile, a: tl.Tile, b: tl.Tile) -> None:
    """c = a @ b for one 16 x 8 by 8 x 8 product: a single instruction where the device has it."""
    a_frag = a.tile[16, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "a"))
    b_frag = b.tile[8, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "b"))
    c.store(0, 0, a_frag @ b_frag)


@tl.kernel
def owners(out: tl.Tile) -> None:
    """Write to out[row, column] of A which thread holds it, times 4, + in which register."""
    kind = tl.fragment(atom, "a")
    numbers = tl.SIMD[tl.float32, 4](0, 1, 2, 3) + (tl.lane_id() * 4).cast(tl.float32)
    out.store(0, 0, tl.Tile[tl.float32, kind](0).map(lambda zeros: zeros + numbers))


def main(file: str = "") -> None:
    hardware = mma("m16n8k8.tf32")
    assert (hardware.a, hardware.b, hardware.c) == (layout_a_mma, layout_b_mma, layout_c_mma)
    print(tv_text(layout_a_mma, (16, 8)))
    found = np.zeros((16, 8), np.float32)
    owners(found, grid=1, block=32)
    print("row 9, column 6 of A: thread", int(found[9, 6]) // 4, "register", int(found[9, 6]) % 4)

    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((16, 8), (8, 8)))
    c = np.zeros((16, 8), np.float32)
    multiplied(c, a, b, grid=1, block=32)
    print("largest error, with 10 bits of a and b:", abs(c - a.astype(np.float64) @ b).max())
    if file:
        Path(file).write_text(mma_svg(atom), encoding="utf-8")
        print(f"saved {file}")


if __name__ == "__main__":
    main(*sys.argv[1:])
