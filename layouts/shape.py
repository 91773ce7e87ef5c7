"""Shapes and coordinates: nested tuples of sizes, and the maps between indices and coordinates."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.basis import Basis
from tensorlib.layouts.dim import Dim, Size, dim_equal

__all__ = [
    "Shape",
    "ceil_div",
    "compatible",
    "congruent",
    "crd2crd",
    "crd2idx",
    "flatten_tuple",
    "idx2crd",
    "prefix_product",
    "product",
    "product_each",
    "weakly_congruent",
]

Shape: TypeAlias = "Size | tuple[Shape, ...]"


def flatten_tuple(nested: Any) -> tuple[Any, ...]:
    """Return the leaves of a nested tuple, left to right.

    >>> flatten_tuple(((1, 2), 3)), flatten_tuple(4)
    ((1, 2, 3), (4,))
    """
    if not isinstance(nested, tuple):
        return (nested,)
    flat: list[Any] = []
    for part in nested:
        if isinstance(part, tuple):
            flat.extend(flatten_tuple(part))
        else:
            flat.append(part)
    return tuple(flat)


def unflatten_tuple(leaves: Iterator[Any], profile: Any) -> Any:
    """Return the leaves arranged as `profile` is nested."""
    if isinstance(profile, tuple):
        return tuple(unflatten_tuple(leaves, part) for part in profile)
    return next(leaves)


def checked_shape(where: str, shape: Any) -> Any:
    """Return the nested tuple with plain ints and Dims as leaves; lists become tuples."""
    if isinstance(shape, (tuple, list)):
        return tuple([checked_shape(where, part) for part in shape])
    if isinstance(shape, Dim):
        return shape
    try:
        if not isinstance(shape, bool):
            return int(operator.index(shape))
    except TypeError:
        pass
    raise LayoutError(f"{where}: got the leaf {shape!r}, needed ints, Dims or tuples of them")


def checked_stride(where: str, stride: Any) -> Any:
    """Return the nested tuple as `checked_shape` does; sums of basis elements are leaves too.

    Raises LayoutError where numbers and basis elements, or places that exclude each other, mix.
    """
    if not has_basis(stride):
        return checked_shape(where, stride)
    checked = _checked_basis(where, stride)
    leaves = flatten_tuple(checked)
    if any(not isinstance(leaf, Basis) and leaf != 0 for leaf in leaves):
        raise LayoutError(
            f"{where}: got stride {checked}, needed numbers only, or basis elements and zeros"
        )
    Basis({path: 0 for leaf in leaves if isinstance(leaf, Basis) for path, _ in leaf.terms})
    return checked


def _checked_basis(where: str, stride: Any) -> Any:
    if isinstance(stride, (tuple, list)):
        return tuple([_checked_basis(where, part) for part in stride])
    if isinstance(stride, Basis):
        kept = {path: checked_shape(where, factor) for path, factor in stride.terms if factor != 0}
        return Basis(kept) if kept else 0
    return checked_shape(where, stride)


def has_basis(stride: Any) -> bool:
    """True when a leaf is a sum of basis elements."""
    if isinstance(stride, (tuple, list)):
        return any(map(has_basis, stride))
    return isinstance(stride, Basis)


SIZES = frozenset((int, Dim))
STRIDES = frozenset((int, Dim, Basis))


def is_exact(nested: Any, leaves: frozenset[type] = SIZES) -> bool:
    """True when every leaf already is of these very classes, in tuples: not 1.0 or True."""
    if nested.__class__ is not tuple:
        return nested.__class__ in leaves
    for part in nested:
        kind = part.__class__
        if kind is not int and not (is_exact(part, leaves) if kind is tuple else kind in leaves):
            return False
    return True


def product(shape: Shape) -> Size:
    """Return the number of elements.

    >>> product(((4, 8), 2))
    64
    """
    total: Size = 1
    for leaf in flatten_tuple(shape):
        total = total * leaf
    return total


def product_each(shape: Shape) -> tuple[Size, ...]:
    """Return the number of elements of every top-level mode.

    >>> product_each(((4, 8), 2))
    (32, 2)
    """
    return tuple(product(part) for part in modes_of(shape))


def modes_of(nested: Any) -> tuple[Any, ...]:
    """Return the top-level modes: a leaf is its own single mode."""
    return nested if isinstance(nested, tuple) else (nested,)


def depth_of(nested: Any) -> int:
    """Return how deep the tuples nest: 0 for a leaf."""
    return 1 + max(map(depth_of, nested), default=0) if isinstance(nested, tuple) else 0


def prefix_product(shape: Shape, start: Size = 1) -> Any:
    """Return the compact strides of a shape, leftmost mode fastest.

    >>> prefix_product(((4, 8), 2))
    ((1, 4), 32)
    """
    strides: list[Size] = []
    leaves = flatten_tuple(shape)
    for leaf in leaves:
        strides.append(start)
        start = start * leaf
    return tuple(strides) if leaves == shape else unflatten_tuple(iter(strides), shape)


def congruent(a: Any, b: Any) -> bool:
    """True when both nest in the same way.

    >>> congruent(((4, 8), 2), ((1, 4), 32)), congruent((4, 8), 32)
    (True, False)
    """
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(congruent, a, b))
    return not isinstance(a, tuple) and not isinstance(b, tuple)


def weakly_congruent(a: Any, b: Any) -> bool:
    """True when b nests at least as deep as a: a leaf of a may be a whole tuple of b.

    >>> weakly_congruent((1, 2), ((4, 8), 2)), weakly_congruent(((4, 8), 2), (1, 2))
    (True, False)
    """
    if not isinstance(a, tuple):
        return True
    return isinstance(b, tuple) and len(a) == len(b) and all(map(weakly_congruent, a, b))


def compatible(a: Shape, b: Shape) -> bool:
    """True when b refines a: equal sizes, and every coordinate of a is a coordinate of b.

    >>> compatible(32, (4, 8)), compatible((4, 8), 32), compatible((4, 8), ((2, 2), 8))
    (True, False, True)
    """
    if not isinstance(a, tuple):
        return dim_equal(a, product(b))
    return isinstance(b, tuple) and len(a) == len(b) and all(map(compatible, a, b))


def ceil_div(a: Size, b: Size) -> Size:
    """Return a / b rounded up, for b > 0."""
    return a // b if a % b == 0 else (a + b - 1) // b


def crd2idx(coordinate: Any, shape: Shape, stride: Any = None) -> Any:
    """Return the offset of a coordinate: an index, or a tuple of coordinates of the modes.

    Without strides the result is the index. Leaves may be anything with `+ * // %`. An index past
    the end goes on along the last mode. Raises LayoutError where coordinate and shape don't fit.

    >>> crd2idx((1, 2), (4, 8)), crd2idx(9, (4, 8), (8, 1)), crd2idx(((1, 1), 2), ((2, 2), 8))
    (9, 10, 11)
    """
    strides = prefix_product(shape) if stride is None else stride
    return finished(offset_of(coordinate, shape, strides))


def finished(total: Any) -> Any:
    """Return what an inner product is worth: 0 for no term, a coordinate for basis elements."""
    if total is None:
        return 0
    return total.coordinate if isinstance(total, Basis) else total


def offset_of(coordinate: Any, shape: Any, stride: Any) -> Any:
    """Return the inner product of a coordinate and the strides, None for one that is always 0."""
    if isinstance(coordinate, tuple):
        if not isinstance(shape, tuple) or len(coordinate) != len(shape):
            raise LayoutError(_misfit("crd2idx", coordinate, shape))
        total = None
        for part in map(offset_of, coordinate, shape, stride):
            if part is not None:
                total = part if total is None else total + part
        return total
    if not isinstance(shape, tuple):
        return scaled(coordinate, stride)
    return offset_of_index(coordinate, digits(flatten_tuple(shape), flatten_tuple(stride)))


def scaled(value: Any, factor: Any) -> Any:
    """Return value * factor, or None for a factor that is always zero."""
    if factor.__class__ is int:
        if factor == 1:
            return value
        if factor == 0:
            return None
    elif factor.__class__ is Basis:
        return factor * value
    return value * factor


def digits(sizes: tuple[Size, ...], strides: tuple[Size, ...]) -> list[tuple[Size, Size, Size]]:
    """Return (divisor, modulus, stride) of every mode that counts; the last has modulus 0: none."""
    rows: list[tuple[Size, Size, Size]] = []
    divisor: Size = 1
    last = len(sizes) - 1
    for place, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        if place != last and isinstance(size, int) and size == 0:
            raise LayoutError(f"crd2idx: got an index into the shape {sizes}, which is empty")
        counts = place == last or size != 1 or isinstance(stride, Basis)
        if counts and not (isinstance(stride, int) and stride == 0):
            rows.append((divisor, 0 if place == last else size, stride))
        divisor = divisor * size
    return rows


def offset_of_index(index: Any, rows: list[tuple[Size, Size, Size]]) -> Any:
    """Return the offset of a linear index, None for one that is always zero."""
    total = None
    for divisor, modulus, stride in rows:
        part = index if divisor.__class__ is int and divisor == 1 else index // divisor
        if modulus.__class__ is not int or modulus:
            part = part % modulus
        part = scaled(part, stride)
        total = part if total is None else total + part
    return total


def idx2crd(index: Any, shape: Shape) -> Any:
    """Return the coordinate of an index, nested as the shape is; leftmost mode fastest.

    A tuple goes by mode. `crd2idx(idx2crd(i, shape), shape) == i` for every i.

    >>> idx2crd(9, (4, 8)), idx2crd(11, ((2, 2), 8)), idx2crd((5, 1), (6, 2))
    ((1, 2), ((1, 1), 2), (5, 1))
    """
    if not isinstance(shape, tuple):
        if isinstance(index, tuple):
            raise LayoutError(_misfit("idx2crd", index, shape))
        return index
    if isinstance(index, tuple):
        if len(index) != len(shape):
            raise LayoutError(_misfit("idx2crd", index, shape))
        return tuple(map(idx2crd, index, shape))
    sizes = flatten_tuple(shape)
    leaves, last = [], len(sizes) - 1
    if any(isinstance(size, int) and size == 0 for size in sizes[:-1]):
        raise LayoutError(f"idx2crd: got an index into the shape {shape}, which is empty")
    for place, size in enumerate(sizes):
        leaves.append(index if place == last else index % size)
        index = index // size if place != last else index
    return unflatten_tuple(iter(leaves), shape)


def crd2crd(coordinate: Any, shape: Shape, target: Shape) -> Any:
    """Return the coordinate of `target` that has the same index as a coordinate of `shape`.

    >>> crd2crd((1, 2), (4, 8), (2, 2, 8))
    (1, 0, 2)
    """
    return idx2crd(crd2idx(coordinate, shape), target)


def _misfit(where: str, coordinate: Any, shape: Any) -> str:
    return f"{where}: got coordinate {coordinate} for shape {shape}, needed one entry a mode"
