"""Pictures of layouts: text as CuTe prints it, SVG without any dependency, and LaTeX."""

from __future__ import annotations

from tensorlib.layouts.draw.latex import to_latex
from tensorlib.layouts.draw.mma import mma_latex, mma_svg
from tensorlib.layouts.draw.svg import layout_svg, to_svg
from tensorlib.layouts.draw.swizzle import swizzle_latex, swizzle_svg
from tensorlib.layouts.draw.text import layout_text, print_layout
from tensorlib.layouts.draw.tv import tv_latex, tv_svg, tv_text

__all__ = [
    "layout_svg",
    "layout_text",
    "mma_latex",
    "mma_svg",
    "print_layout",
    "swizzle_latex",
    "swizzle_svg",
    "to_latex",
    "to_svg",
    "tv_latex",
    "tv_svg",
    "tv_text",
]
