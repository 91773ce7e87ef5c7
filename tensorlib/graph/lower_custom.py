"""Users' kernels become specs: over tiles in memory, or with what is computed around them."""

from __future__ import annotations

from typing import Any

from tensorlib.graph.assemble import Argument, Building, Lowered, part
from tensorlib.graph.fuse import Read
from tensorlib.graph.view import View
from tensorlib.kernels.custom import Declared
from tensorlib.kernels.custom_spec import CustomSpec
from tensorlib.kernels.expression import Expression, Leaf
from tensorlib.kernels.specs import Access
from tensorlib.layouts.dim import Size, known_nonnegative
from tensorlib.ops import OPS
from tensorlib.ops.user import ABSENT, kind_of

__all__ = ["custom"]


def custom(kernel: Building) -> Lowered:
    """A user's kernel over tiles in memory, whatever their strides, or over computed ones."""
    declared: Declared = OPS[kernel.anchor.op].notes
    given = kernel.anchor.attributes
    kernel.reports = True
    for number in given["numbers"]:
        if number is not None and number is not ABSENT:
            kernel.scalars.add(int(number) if isinstance(number, bool) else number)
    spec = (_fused if declared.fuses else _plain)(kernel, declared)
    after: tuple[Argument, ...] = given.get("grid", ())
    return kernel.finished(spec, kernel.anchor.parts, after)


def _names(kernel: Building, outputs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the tiles, results first, and the kind of each operand."""
    own: Any = OPS[kernel.anchor.op].kernel
    kinds = tuple(map(kind_of, kernel.anchor.attributes["numbers"]))
    pairs = zip(own.arguments[outputs:], kinds, strict=True)
    return (*own.arguments[:outputs], *[n for n, kind in pairs if kind == "tile"]), kinds


def _plain(kernel: Building, declared: Declared) -> CustomSpec:
    heavy, root = kernel.anchor, kernel.group.root
    names, kinds = _names(kernel, declared.outputs)
    results = [root, *heavy.parts]
    reads = [Read(v, kernel.stored(v)) for v in results]
    reads += [kernel.exactly(v) for v in heavy.inputs]
    tiles = []
    for vertex, read in zip([*results, *heavy.inputs], reads, strict=True):
        kernel.sizes += vertex.shape
        assert read.source is not None
        tiles.append(kernel.operand(read.source, read.view, read.view.strides))
    kernel.before_scalars = [end(read.view) for read in reads]
    ranks = tuple(len(tile.strides) for tile in tiles)
    return CustomSpec(
        heavy.op, names, ranks, kinds, tuple(tiles), kernel.dtypes, block=declared.block
    )


def _fused(kernel: Building, declared: Declared) -> CustomSpec:
    heavy, root = kernel.anchor, kernel.group.root
    names, kinds = _names(kernel, declared.outputs)
    kernel.sizes = [n for vertex in (heavy, *heavy.inputs) for n in vertex.shape]
    store = kernel.to_anchor(kernel.stored(root))
    ends = [end(store)]
    out = kernel.operand(root, store, store.strides)
    scope = kernel.scope(heavy, Leaf("main", 0, heavy.dtype))
    bodies = [part(scope, scope.expression(root), kernel.to_anchor)]
    for source in heavy.inputs:
        scope = kernel.scope()
        bodies.append(part(scope, scope.value(source)))
    loads: list[Access] = []
    places: list[int] = []
    values: list[Expression] = []
    for place, body in enumerate(bodies):
        known: dict[Read, int] = {}
        values.append(kernel.bound(body, _strides, loads, known))
        ends += [end(read.view) for read in known]
        places += [place] * len(known)
    kernel.before_scalars = ends
    ranks = tuple(len(vertex.shape) for vertex in (heavy, *heavy.inputs))
    tiles = (out, *[None] * len(heavy.inputs))
    return CustomSpec(
        heavy.op, names, ranks, kinds, tiles, kernel.dtypes, (None, *values[1:]), values[0],
        heavy.dtype, tuple(loads), tuple(places), declared.block,
    )  # fmt: skip


def _strides(view: View) -> tuple[Size, ...]:
    return view.strides


def end(view: View) -> Size:
    """Return the first element of memory behind those of a view, whose sizes are not 0."""
    last = view.offset
    for n, stride in zip(view.shape, view.strides, strict=True):
        if not known_nonnegative(-1 * stride):
            last = last + (n - 1) * stride
    return last + 1
