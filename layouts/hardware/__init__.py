"""Hardware: matrix and copy instructions as layouts, and the tiles that threads build of them."""

from __future__ import annotations

from tensorlib.layouts.hardware.amx_tiles import amx, vnni_packed
from tensorlib.layouts.hardware.atom import MMAAtom
from tensorlib.layouts.hardware.copy_atom import CopyAtom
from tensorlib.layouts.hardware.copy_tile import (
    ThreadCopy,
    TiledCopy,
    tiled_copy,
    tiled_copy_for,
)
from tensorlib.layouts.hardware.mma_tile import ThreadMMA, TiledMMA, tiled_mma
from tensorlib.layouts.hardware.nvidia import mma, mma_names
from tensorlib.layouts.hardware.shared import (
    Descriptor,
    canonical_tile,
    descriptor,
    shared_tile,
    swizzle_atom,
)
from tensorlib.layouts.hardware.transfers import cp_async, ldmatrix, stmatrix, universal_copy
from tensorlib.layouts.hardware.vnni import lane_dot, register_product
from tensorlib.layouts.hardware.warpgroup import wgmma

__all__ = [
    "CopyAtom",
    "Descriptor",
    "MMAAtom",
    "ThreadCopy",
    "ThreadMMA",
    "TiledCopy",
    "TiledMMA",
    "amx",
    "canonical_tile",
    "cp_async",
    "descriptor",
    "lane_dot",
    "ldmatrix",
    "mma",
    "mma_names",
    "register_product",
    "shared_tile",
    "stmatrix",
    "swizzle_atom",
    "tiled_copy",
    "tiled_copy_for",
    "tiled_mma",
    "universal_copy",
    "vnni_packed",
    "wgmma",
]
