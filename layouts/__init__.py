"""Layouts: hierarchical shapes and strides as functions, and their algebra (CuTe's, made exact)."""

from __future__ import annotations

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import (
    Tiler,
    coalesce,
    complement,
    composition,
    filter,
    filter_zeros,
)
from tensorlib.layouts.dim import Dim, Size, compiled, dim_equal, dim_max, dim_min, is_static
from tensorlib.layouts.divide import (
    blocked_product,
    flat_divide,
    flat_product,
    logical_divide,
    logical_product,
    raked_product,
    tile_to_shape,
    tiled_divide,
    tiled_product,
    zipped_divide,
    zipped_product,
)
from tensorlib.layouts.draw import layout_svg, layout_text, print_layout, tv_svg
from tensorlib.layouts.inverse import is_bijective, is_injective, left_inverse, right_inverse
from tensorlib.layouts.layout import (
    Layout,
    col_major,
    make_layout,
    make_ordered_layout,
    row_major,
)
from tensorlib.layouts.measure import cosize, depth, flatten, rank, size
from tensorlib.layouts.partition import local_partition, local_tile, make_layout_tv
from tensorlib.layouts.recognise import from_table
from tensorlib.layouts.shape import (
    Shape,
    ceil_div,
    compatible,
    congruent,
    crd2crd,
    crd2idx,
    idx2crd,
    product,
    product_each,
)
from tensorlib.layouts.slicing import dice, slice_and_offset

__all__ = [
    "Dim",
    "Layout",
    "LayoutError",
    "Shape",
    "Size",
    "Tiler",
    "blocked_product",
    "ceil_div",
    "coalesce",
    "col_major",
    "compatible",
    "compiled",
    "complement",
    "composition",
    "congruent",
    "cosize",
    "crd2crd",
    "crd2idx",
    "depth",
    "dice",
    "dim_equal",
    "dim_max",
    "dim_min",
    "filter",
    "filter_zeros",
    "flat_divide",
    "flat_product",
    "flatten",
    "from_table",
    "idx2crd",
    "is_bijective",
    "is_injective",
    "is_static",
    "layout_svg",
    "layout_text",
    "left_inverse",
    "local_partition",
    "local_tile",
    "logical_divide",
    "logical_product",
    "make_layout",
    "make_layout_tv",
    "make_ordered_layout",
    "print_layout",
    "product",
    "product_each",
    "raked_product",
    "rank",
    "right_inverse",
    "row_major",
    "size",
    "slice_and_offset",
    "tile_to_shape",
    "tiled_divide",
    "tiled_product",
    "tv_svg",
    "zipped_divide",
    "zipped_product",
]
