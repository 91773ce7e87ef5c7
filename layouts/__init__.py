"""Layouts: hierarchical shapes and strides as functions, and their algebra (CuTe's, made exact)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.algebra import (
    Tiler,
    coalesce,
    complement,
    composition,
    filter,
    filter_zeros,
)
from tensorlib.layouts.common import max_common_layout, max_common_vector
from tensorlib.layouts.composed import ComposedLayout
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
from tensorlib.layouts.identity import Basis, Coordinate, E, elem_less, make_identity_layout
from tensorlib.layouts.inverse import (
    is_bijective,
    is_injective,
    left_inverse,
    nullspace,
    right_inverse,
)
from tensorlib.layouts.layout import (
    Layout,
    col_major,
    make_layout,
    make_ordered_layout,
    row_major,
)
from tensorlib.layouts.measure import cosize, depth, flatten, is_compact, rank, size
from tensorlib.layouts.modes import append, group_modes, prepend, replace, select, take, unflatten
from tensorlib.layouts.partition import local_partition, local_tile, make_layout_tv
from tensorlib.layouts.recast import downcast, recast_layout, upcast
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
    weakly_congruent,
)
from tensorlib.layouts.slicing import dice, domain_offset, slice_and_offset
from tensorlib.layouts.swizzle import Swizzle, make_swizzle

if TYPE_CHECKING:  # found by __getattr__ when first asked for
    from tensorlib.layouts.analysis import (
        CacheLines,
        Coalescing,
        bank_conflicts,
        cache_lines,
        coalescing,
        vector_width,
    )
    from tensorlib.layouts.code import compiled_layout, layout_expr
    from tensorlib.layouts.draw import (
        layout_svg,
        layout_text,
        mma_latex,
        mma_svg,
        print_layout,
        swizzle_latex,
        swizzle_svg,
        to_latex,
        to_svg,
        tv_latex,
        tv_svg,
        tv_text,
    )
    from tensorlib.layouts.hardware import CopyAtom, MMAAtom, tiled_copy, tiled_mma
    from tensorlib.layouts.linear import LinearLayout
    from tensorlib.layouts.linear_conversion import to_linear

__all__ = [
    "Basis",
    "CacheLines",
    "Coalescing",
    "ComposedLayout",
    "Coordinate",
    "CopyAtom",
    "Dim",
    "E",
    "Layout",
    "LayoutError",
    "LinearLayout",
    "MMAAtom",
    "Shape",
    "Size",
    "Swizzle",
    "Tiler",
    "append",
    "bank_conflicts",
    "blocked_product",
    "cache_lines",
    "ceil_div",
    "coalesce",
    "coalescing",
    "col_major",
    "compatible",
    "compiled",
    "compiled_layout",
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
    "domain_offset",
    "downcast",
    "elem_less",
    "filter",
    "filter_zeros",
    "flat_divide",
    "flat_product",
    "flatten",
    "from_table",
    "group_modes",
    "idx2crd",
    "is_bijective",
    "is_compact",
    "is_injective",
    "is_static",
    "layout_expr",
    "layout_svg",
    "layout_text",
    "left_inverse",
    "local_partition",
    "local_tile",
    "logical_divide",
    "logical_product",
    "make_identity_layout",
    "make_layout",
    "make_layout_tv",
    "make_ordered_layout",
    "make_swizzle",
    "max_common_layout",
    "max_common_vector",
    "mma_latex",
    "mma_svg",
    "nullspace",
    "prepend",
    "print_layout",
    "product",
    "product_each",
    "raked_product",
    "rank",
    "recast_layout",
    "replace",
    "right_inverse",
    "row_major",
    "select",
    "size",
    "slice_and_offset",
    "swizzle_latex",
    "swizzle_svg",
    "take",
    "tile_to_shape",
    "tiled_copy",
    "tiled_divide",
    "tiled_mma",
    "tiled_product",
    "to_latex",
    "to_linear",
    "to_svg",
    "tv_latex",
    "tv_svg",
    "tv_text",
    "unflatten",
    "upcast",
    "vector_width",
    "weakly_congruent",
    "zipped_divide",
    "zipped_product",
]

# Names that are loaded when they are first asked for, and the package each comes from.
_LATER = {
    "analysis": "CacheLines Coalescing bank_conflicts cache_lines coalescing vector_width",
    "code": "compiled_layout layout_expr",
    "hardware": "CopyAtom MMAAtom tiled_copy tiled_mma",
    "linear": "LinearLayout",
    "linear_conversion": "to_linear",
    "draw": """
        layout_svg layout_text mma_latex mma_svg print_layout swizzle_latex swizzle_svg to_latex
        to_svg tv_latex tv_svg tv_text
    """,
}
_PACKAGE = {name: package for package, names in _LATER.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load what is not needed at once when one of its names is first asked for."""
    if name not in _PACKAGE:
        raise AttributeError(f"module 'tensorlib.layouts' has no attribute {name!r}")
    value = getattr(import_module(f"tensorlib.layouts.{_PACKAGE[name]}"), name)
    globals()[name] = value
    return value
