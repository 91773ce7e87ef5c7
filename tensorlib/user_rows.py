"""The rows of the op table that `tl.op` makes: what a user declares, checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, KernelError, ShapeError
from tensorlib.kernels.custom import NUMBERS, Declared, run
from tensorlib.lang.atomic import as_annotated
from tensorlib.lang.extent import Shape as Block
from tensorlib.lang.infer import calling, where_defined
from tensorlib.lang.kernel import KernelFunction, written
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim, Size
from tensorlib.ops.part import boxed
from tensorlib.ops.row import Op, Shape
from tensorlib.ops.user import ABSENT, frozen
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile, TileType

__all__ = ["declared_row", "merged"]

Array = np.ndarray[Any, Any]


def declared_row(
    name: str,
    where: str,
    kernel: KernelFunction,
    outputs: int,
    block: Block | None,
    options: Mapping[str, Any],
) -> Op:
    """Return the row of a user's kernel as it is now, see `tensorlib.op`."""
    own = type(kernel)(frozen(kernel.function), kernel.parameters)
    where_from = where_defined(own.function)
    shapes, dtypes, grid = (frozen(options[k]) for k in ("shapes", "dtypes", "grid"))

    def several(given: Sequence[Shape], numbers: Sequence[Any]) -> tuple[Shape, ...]:
        return _shapes(where, shapes(*merged(given, numbers)), outputs, where_from)

    @functools.cache
    def kinds(given: tuple[DType, ...]) -> tuple[DType, ...]:
        return _dtypes(where, dtypes, given, outputs, where_from)

    @functools.cache
    def check(ranks: tuple[int, ...], dtypes: tuple[DType, ...], given: tuple[str, ...]) -> None:
        _check(where, own, outputs, block, (ranks, dtypes, given))

    def blocks(given: Sequence[Any]) -> tuple[Size, Size, Size]:
        return _grid(where, grid(*given) if callable(grid) else grid, where_from)

    def shape(given: Sequence[Shape], attributes: Any) -> Shape:
        return several(given, attributes["numbers"])[0]

    def dtype(given: Sequence[DType], attributes: Any) -> DType:
        return kinds(tuple(given))[0]

    notes = Declared(outputs, options["fuses"], block, several, kinds, blocks, check)
    meaning = functools.partial(_meaning, own, notes)
    return Op(name, "custom", shape, dtype, meaning, kernel=own, notes=notes)


def merged(tensors: Sequence[Any], numbers: Sequence[Any]) -> list[Any]:
    """Return the operands in their order: of the tensors wherever `numbers` has None.

    >>> merged(["x", "y"], [None, 2.0, None, ABSENT])
    ['x', 2.0, 'y', None]
    """
    rest = iter(tensors)
    found = [next(rest) if number is None else number for number in numbers]
    return [None if number is ABSENT else x for x, number in zip(found, numbers, strict=True)]


# --- what was declared ---


def _shapes(where: str, found: Any, outputs: int, line: str) -> tuple[Shape, ...]:
    if outputs == 1:
        return (_shape(where, found, found, "the sizes of one result", line),)
    what = f"the sizes of each of {outputs} results"
    if not isinstance(found, tuple | list) or len(found) != outputs:
        raise ShapeError(f"{where}: shapes gave {found!r}, needed {what}{line}")
    return tuple([_shape(where, one, found, what, line) for one in found])


def _shape(where: str, one: Any, found: Any, what: str, line: str) -> Shape:
    shape = tuple(one) if isinstance(one, tuple | list) else (one,)
    for size in shape:
        is_size = isinstance(size, int | Dim) and not isinstance(size, bool)
        if not is_size or (isinstance(size, int) and size < 0):
            raise ShapeError(f"{where}: shapes gave {found!r}, needed {what}, ints from 0{line}")
    return shape


def _dtypes(
    where: str, dtypes: Any, given: tuple[DType, ...], outputs: int, line: str
) -> tuple[DType, ...]:
    found = given[0] if dtypes is None else dtypes(*given) if callable(dtypes) else dtypes
    each = tuple(found) if isinstance(found, tuple | list) else (found,) * outputs
    try:
        kinds = tuple(map(as_dtype, each))
    except TypeError:
        kinds = ()
    if len(kinds) != outputs:
        needed = "a dtype" if outputs == 1 else f"a dtype, or {outputs} of them"
        raise DTypeError(f"{where}: dtypes gave {found!r}, needed {needed}{line}")
    return kinds


def _grid(where: str, found: Any, line: str) -> tuple[Size, Size, Size]:
    sizes = tuple(found) if isinstance(found, tuple | list) else (found,)
    is_fine = 1 <= len(sizes) <= 3 and all(
        isinstance(n, Dim) or (isinstance(n, int) and not isinstance(n, bool) and n >= 0)
        for n in sizes
    )
    if not is_fine:
        raise ShapeError(f"{where}: grid gave {found!r}, needed 1 to 3 ints from 0{line}")
    x, y, z = (*sizes, 1, 1)[:3]
    return x, y, z


# --- the kernel itself ---

Given = tuple[tuple[int, ...], tuple[DType, ...], tuple[str, ...]]


def _check(
    where: str, own: KernelFunction, outputs: int, block: Block | None, given: Given
) -> None:
    """Record the kernel for tiles of these ranks: it has to write its results and nothing else."""
    ranks, dtypes, kinds = given
    results = own.arguments[:outputs]
    pairs = zip(own.arguments[outputs:], kinds, strict=True)
    names = [*results, *[name for name, kind in pairs if kind == "tile"]]
    types: dict[str, Any] = {
        name: _tile(name, rank, dtype)
        for name, rank, dtype in zip(names, ranks, dtypes, strict=True)
    }
    number = next((dtype for dtype in dtypes if dtype.is_float), DType.float64)
    for name, kind in zip(own.arguments[outputs:], kinds, strict=True):
        if kind in NUMBERS:
            seen = {"int": DType.int64, "bool": DType.bool}.get(kind, number)
            types[name] = SIMDType(seen)

    def prepared(**found: Any) -> list[Any]:
        arguments = {name: found.get(name) for name in own.arguments}
        return list(as_annotated(own.function, arguments).values())

    function = functools.partial(own.function, **own.parameters)
    call = calling(function, prepared)
    stored = written(trace(call, types, name=own.name, block=block))
    line = where_defined(own.function)
    for name in names[outputs:]:
        if name in stored:
            raise KernelError(
                f"{where}: writes into {name}, an operand, which is a value; needed to write "
                f"{', '.join(results)} alone{line}"
            )
    for name in results:
        if name not in stored:
            what = "its result" if outputs == 1 else "one of its results"
            raise KernelError(f"{where}: writes nothing into {name}, {what}{line}")


def _tile(name: str, rank: int, dtype: DType) -> TileType:
    shape: tuple[Size, ...] = tuple(Dim(f"{name}_n{axis}") for axis in range(rank))
    outer: list[Size] = [Dim(f"{name}_stride{axis}") for axis in range(rank - 1)]
    return TileType(dtype, shape, (*outer, 1)[:rank])


def _meaning(
    own: KernelFunction,
    declared: Declared,
    *arrays: Array,
    numbers: Sequence[Any],
    grid: Block | None = None,
    results: Any = None,
) -> Any:
    """Run the kernel in Python over arrays; return the result, or a box of them."""
    shapes = declared.shapes([a.shape for a in arrays], numbers)
    dtypes = declared.dtypes(tuple([as_dtype(a.dtype) for a in arrays]))
    made = [np.empty(s, d.numpy) for s, d in zip(shapes, dtypes, strict=True)]
    given = [np.asarray(a, order="C") for a in arrays]
    number = next((d for d in (*dtypes, *map(_dtype_of, given)) if d.is_float), DType.float64)
    parts = [*made, *merged(given, numbers)]
    values = {name: _value(name, x, number) for name, x in zip(own.arguments, parts, strict=True)}
    run(own, list(as_annotated(own.function, values).values()), grid, declared.block)
    return made[0] if declared.outputs == 1 else boxed(made)


def _dtype_of(array: Array) -> DType:
    return as_dtype(array.dtype)


def _value(name: str, x: Any, number: DType) -> Any:
    """Return what the kernel sees of an operand."""
    if x is None:
        return None
    if isinstance(x, np.ndarray):
        return Tile.over(x, name)
    kind = {bool: DType.bool, float: number}.get(type(x), DType.int64)
    return SIMD[kind, 1](x)
