"""Layouts as code: index expressions for C, CUDA and OpenCL, and compiled Python functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from keyword import iskeyword
from math import lcm
from typing import Any

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import ComposedLayout, Outer
from tensorlib.layouts.index_text import LANGUAGES, Value, Writer
from tensorlib.layouts.layout import Layout, extended_modes, merged
from tensorlib.layouts.memo import memoised
from tensorlib.layouts.shape import digits, modes_of
from tensorlib.layouts.swizzle import Swizzle
from tensorlib.layouts.symbolic import Dim, Size, dim_equal, dim_max, dim_min, evaluate

__all__ = ["compiled_layout", "layout_expr"]

Term = tuple[bool, Value]  # is it subtracted, and its magnitude


def layout_expr(
    layout: Outer,
    names: Any = None,
    target: str = "c",
    *,
    symbols: Mapping[str, str] | None = None,
    bits: int = 32,
    extended: bool = True,
) -> str:
    """Return the text of `layout(names)` in C, CUDA, OpenCL (`target`) or Python.

    `names` is one name, the index ("i" by default), or a tuple with a name or tuple for every mode.
    A name may be any integer expression without effects: its value is >= 0, below the size of its
    modes or past it, where the last mode goes on as in `layout(...)`. `extended=False` is for
    values below the size only: then modes of size 1 vanish everywhere.
    Names are signed integers of `bits` bits (32 or 64); a sum that may pass 32 bits for values
    below the size is computed in 64; a name that counts past 2**31 has 64 bits itself.
    Sizes that are Dims are int64, written under their symbols' names or as `symbols` maps them;
    names of their modes are as wide as the offsets need.
    Raises LayoutError for an empty layout, and for names that the shape does not take.

    >>> layout_expr(Layout((4, 8), (8, 1))), layout_expr(Layout((4, 8), (8, 1)), ("i", "j"))
    ('((i & 3) << 3) + (i >> 2)', '(i << 3) + j')
    >>> layout_expr(Layout((3, Dim("n")), (Dim("n"), 1)))
    'i % 3 * n + i / 3'
    >>> big = Layout((4, 5), (1, 3_000_000_000))
    >>> layout_expr(big, ("i", "j")), layout_expr(big, ("i", "j"), "opencl")
    ('i + j * 3000000000LL', 'i + j * 3000000000L')
    """
    if target not in LANGUAGES:
        raise LayoutError(f"layout_expr: got target {target!r}, needed one of {list(LANGUAGES)}")
    if bits not in (32, 64):
        raise LayoutError(f"layout_expr: got bits={bits!r}, needed 32 or 64")
    writer = Writer(LANGUAGES[target], bits, symbols)
    return _offset(writer, layout, "i" if names is None else names, extended).text


def _offset(writer: Writer, layout: Outer, coordinate: Any, extended: bool) -> Value:
    """The value of layout(coordinate); its leaves are names, or one value instead of them."""
    if isinstance(layout, Swizzle):
        value = _named(writer, coordinate, None)
        if value.low is not None and value.low < 0:
            raise LayoutError(f"layout_expr: got {layout} of offsets below 0, needed offsets >= 0")
        return writer.swizzled(value, layout.yyy, layout.shift) if layout.bits else value
    if isinstance(layout, ComposedLayout):
        inner = _offset(writer, layout.inner, coordinate, extended)
        whole = writer.total([(False, inner), *_constant(writer, layout)])
        whole = whole if extended else replace(whole, sinks=False)
        return _offset(writer, layout.outer, whole, extended=True)
    if not isinstance(layout, Layout):
        raise LayoutError(
            f"layout_expr: got {layout!r}, needed a Layout, a Swizzle or a ComposedLayout"
        )
    if isinstance(layout.size, int) and layout.size == 0:
        raise LayoutError(f"layout_expr: got {layout}, which is empty and has no index")
    if not all(isinstance(stride, (int, Dim)) for stride in layout.flat_stride):
        raise LayoutError(f"layout_expr: got {layout}, needed strides that are ints or Dims")
    return writer.total(_terms(writer, layout, coordinate, extended))


def _constant(writer: Writer, layout: ComposedLayout) -> list[Term]:
    offset = layout.offset
    if not isinstance(offset, (int, Dim)):
        raise LayoutError(f"layout_expr: got {layout}, needed an offset that is an int or a Dim")
    return [] if offset == 0 else [_term(writer, None, offset)]


def _terms(writer: Writer, layout: Layout, coordinate: Any, extended: bool) -> list[Term]:
    if not isinstance(coordinate, (tuple, list)):
        modes = extended_modes(layout) if extended else _counted_modes(layout)
        rows = digits(tuple(s for s, _ in modes), tuple(d for _, d in modes))
        name = _named(writer, coordinate, layout.size)
        return [_digit(writer, name, *row) for row in rows]
    if not isinstance(layout.shape, tuple) or len(coordinate) != layout.rank:
        raise LayoutError(
            f"layout_expr: got names {coordinate} for {layout}, needed one name, or one a mode"
        )
    parts = zip(coordinate, layout.modes, strict=True)
    return [term for name, mode in parts for term in _terms(writer, mode, name, extended)]


def _counted_modes(layout: Layout) -> list[tuple[Size, Size]]:
    return merged(zip(layout.flat_shape, layout.flat_stride, strict=True))


def _named(writer: Writer, name: Any, size: Size | None) -> Value:
    if isinstance(name, Value):
        return name
    if not isinstance(name, str) or not name.strip():
        raise LayoutError(f"layout_expr: got the name {name!r}, needed text such as 'i'")
    return writer.name(name, size)


def _digit(writer: Writer, name: Value, divisor: Size, modulus: Size, stride: Size) -> Term:
    if isinstance(stride, int) and dim_equal(abs(stride), divisor):
        part = writer.in_place(name, divisor, modulus)
        if part is not None:
            return stride < 0, part
    part = writer.over(name, divisor)
    if not (isinstance(modulus, int) and modulus == 0):
        part = writer.modulo(part, modulus)
    return _term(writer, part, stride)


def _term(writer: Writer, part: Value | None, factor: Size) -> Term:
    """part * factor, or the factor alone; a factor without a positive term is subtracted."""
    terms = factor.terms.values() if isinstance(factor, Dim) else (factor,)
    negative = all(coefficient < 0 for coefficient in terms)
    magnitude = -factor if negative else factor
    value = writer.number(magnitude) if part is None else writer.times(part, magnitude)
    return negative, value


@memoised
def compiled_layout(layout: Outer) -> Callable[..., Any]:
    """Return `layout` as a Python function made for it: f(i), f(i, j), as `layout(...)` takes them.

    For one index, and for one a mode, coordinates >= 0: shifts, masks and constants only, on ints
    and on NumPy integer arrays. Any other coordinate goes to `layout` itself. Symbols become
    keywords: `f(i, n=5)`; one left out stays the Dim. One function a layout is kept.

    >>> f = compiled_layout(Layout(((4, 8), (2, 2)), ((16, 1), (8, 64))))
    >>> f(37), f(5, 1), f((1, 1), 1), compiled_layout(Layout((4, Dim("n"))[::-1]))(1, 2, n=5)
    (25, 25, 25, 11)
    """
    if isinstance(layout, (Layout, ComposedLayout)) and dim_equal(layout.size, 0):
        return layout  # whose call says what is wrong
    symbols = _symbols(layout)
    mark = "c" + "_" * max(map(len, symbols), default=0)  # begins no symbol
    space: dict[str, Any] = {f"{mark}layout": layout, f"{mark}evaluate": evaluate}
    space |= {f"{mark}absent": object(), "max": _greatest, "min": _least, **symbols}
    exec(compile(_source(layout, mark, list(symbols)), f"<compiled {layout}>", "exec"), space)
    function: Callable[..., Any] = space[f"{mark}offset"]
    return function


_FUNCTION = """
def {mark}offset({first}={mark}absent, {others}*{mark}more{keywords}):
    try:
        if {index}:
            return {single}
        if {plain}:
            return {several}
    except TypeError:  # a Dim or a traced scalar, without shifts and masks
        pass
    {mark}all = [c for c in ({parameters}*{mark}more) if c is not {mark}absent]
    return {mark}evaluate({mark}layout(*{mark}all), {{{values}}})
"""


def _source(layout: Outer, mark: str, symbols: list[str]) -> str:
    rank = 1 if isinstance(layout, Swizzle) else len(modes_of(layout.shape))
    names = [f"{mark}{place}" for place in range(max(rank, 1))]
    absent = f"{names[1]} is {mark}absent" if rank > 1 else f"not {mark}more"
    plain = [f"{name}.__class__ is not tuple" for name in names]
    given = [f"{names[0]} is not {mark}absent", f"{names[-1]} is not {mark}absent"]
    return _FUNCTION.format(
        mark=mark,
        first=names[0],
        others="".join(f"{name}={mark}absent, " for name in names[1:]),
        parameters="".join(f"{name}, " for name in names),
        keywords="".join(f", {name}={name}" for name in symbols),
        values=", ".join(f"{name!r}: {name}" for name in symbols),
        index=" and ".join([absent, plain[0], given[0]]),
        single=layout_expr(layout, names[0], "python"),
        plain=" and ".join([*plain, given[1], f"not {mark}more"]) if rank > 1 else "False",
        several=layout_expr(layout, tuple(names), "python") if rank > 1 else "0",
    )


def _greatest(*sizes: Any) -> Any:
    return reduce(dim_max, sizes)


def _least(*sizes: Any) -> Any:
    return reduce(dim_min, sizes)


def _symbols(layout: Outer) -> dict[str, Dim]:
    """Every symbol by its name, divisible by all that is promised of it."""
    found: dict[str, int] = {}
    for name, divisor in _promises(_leaves(layout)):
        found[name] = lcm(found.get(name, 1), divisor)
    if any(map(iskeyword, found)):
        raise LayoutError(f"compiled_layout: got {layout}, needed symbols that are no keywords")
    return {name: Dim(name, divisible_by=divisor) for name, divisor in found.items()}


def _leaves(layout: Outer) -> Iterator[Any]:
    if isinstance(layout, Layout):
        yield from layout.flat_shape + layout.flat_stride
    elif isinstance(layout, ComposedLayout):
        yield from (layout.offset, *_leaves(layout.outer), *_leaves(layout.inner))


def _promises(sizes: Iterable[Any]) -> Iterator[tuple[str, int]]:
    atoms = [a for size in sizes if isinstance(size, Dim) for m in size.terms for a in m]
    for a in atoms:
        if a.op == "symbol":
            yield a.arguments
        else:
            yield from _promises(a.arguments)
