"""Users' kernels as steps of plans: traced for the layouts that the graph gives them, and checked.

A plan may call such a kernel with any memory, so every access has a bounds check in front: a fault
ends the kernel, and the plan raises it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, caret
from tensorlib.ir import Kernel, Operation, Value
from tensorlib.ir.ops import broken_assertion
from tensorlib.kernels.custom_spec import CustomSpec
from tensorlib.kernels.fused_tile import FusedTile
from tensorlib.kernels.operands import operand
from tensorlib.lang.atomic import as_annotated
from tensorlib.lang.awaiting import awaited
from tensorlib.lang.extent import Shape as Block
from tensorlib.lang.infer import calling
from tensorlib.lang.kernel import KernelFunction
from tensorlib.lang.target import Target, current_target
from tensorlib.lang.threads import run_grid
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS
from tensorlib.ops.user import name_of
from tensorlib.passes import run_passes
from tensorlib.passes.checked import Checked, checked
from tensorlib.passes.registration import generation
from tensorlib.simd import SIMD, SIMDType

__all__ = ["NUMBERS", "Declared", "Sites", "build", "fault", "run", "run_in_python", "sites"]

Sites = list[tuple[Operation, Value]]

NUMBERS = {"int": DType.int64, "float": DType.float64, "bool": DType.int64}  # how they arrive


@dataclass(frozen=True, slots=True)
class Declared:
    """What a row of kind `custom` says of its kernel, as the row's `notes`.

    The first `outputs` parameters are results. With `fuses` what comes before and after is computed
    where the kernel reads and writes; with `block` it is what each thread of such a block runs.
    `shapes(shapes, numbers)` and `dtypes(dtypes)` give those of the results, `grid(shapes)` its
    sizes. `check(ranks, dtypes, kinds)` raises where the kernel can't be recorded for such tiles.
    """

    outputs: int
    fuses: bool
    block: Block | None
    shapes: Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]]
    dtypes: Callable[[tuple[DType, ...]], tuple[DType, ...]]
    grid: Callable[[Sequence[Any]], tuple[Any, Any, Any]]
    check: Callable[..., None]


def build(spec: CustomSpec) -> Kernel:
    """Return the checked kernel of `spec`, its parameters in the spec's order."""
    made = _checked(spec, current_target(), generation()).kernel
    by_name = {p.name: p for p in made.parameters}
    wanted = [p.name.removesuffix("_pointer") for p in spec.parameters]
    made.body.parameters = [by_name[name] for name in wanted if name in by_name]
    return made


@lru_cache(maxsize=1024)
def _checked(spec: CustomSpec, target: Target, passes: int) -> Checked:
    own: Any = OPS[spec.op].kernel
    types: dict[str, Any] = {}
    for name, access, place in _memory(spec):
        shape = [Dim(f"{spec.names[place]}_n{k}") for k in range(spec.ranks[place])]
        types[name] = operand(name, access, shape)
    types["sizes"] = [
        [Dim(f"{name}_n{k}") for k in range(rank)]
        for name, rank in zip(spec.names, spec.ranks, strict=True)
    ]
    types |= {f"scalar{k}": SIMDType(kind) for k, kind in enumerate(spec.scalars)}
    added = {"faults", *(f"{name}_size" for name, _ in spec.operands)}
    added |= {"grid_x", "grid_y", "grid_z"} if spec.block is not None else set()
    wanted = [p.name.removesuffix("_pointer") for p in spec.parameters]
    order = [name for name in wanted if name not in added]

    def prepared(**given: Any) -> list[Any]:
        return arguments_of(own, spec, given)

    function = functools.partial(own.function, **own.parameters)
    name = re.sub(r"\W", "_", name_of(own.function), flags=re.ASCII)
    call = calling(function, prepared)
    return checked(run_passes(trace(call, types, name=name, order=order, block=spec.block)))


def _memory(spec: CustomSpec) -> list[tuple[str, Any, int]]:
    """Return what lies in memory: its name, its access, and the tile whose shape it has."""
    places = [k for k, tile in enumerate(spec.tiles) if tile is not None]
    pairs = zip(spec.operands, (*places, *spec.places), strict=True)
    return [(name, access, place) for (name, access), place in pairs]


# --- the arguments of the user's function ---


def arguments_of(own: KernelFunction, spec: CustomSpec, given: Mapping[str, Any]) -> list[Any]:
    """Return the kernel's arguments in its order: tiles by name, numbers as scalar0, scalar1, ...

    Numbers arrive as int64 or float64; floats become the dtype of the first tile of floats.
    """
    outputs = OPS[spec.op].notes.outputs
    tiles = _tiles(spec, given)
    number = next((t.dtype for t in tiles.values() if t.dtype.is_float), DType.float64)
    scalars = iter([given[f"scalar{k}"] for k in range(spec.numbers)])
    found = {name: tiles[name] for name in own.arguments[:outputs]}
    for name, kind in zip(own.arguments[outputs:], spec.kinds, strict=True):
        if kind in ("tile", "none"):
            found[name] = tiles.get(name)
        else:
            found[name] = _number(next(scalars), kind, number)
    return list(as_annotated(own.function, found).values())


def _number(x: SIMD, kind: str, dtype: DType) -> SIMD:
    return x.cast({"int": DType.int64, "bool": DType.bool}.get(kind, dtype))


def _tiles(spec: CustomSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tiles by name, those that are fused with expressions included."""
    if spec.epilogue is None:
        return {name: given[name] for name in spec.names}
    scalars = [given[f"scalar{k}"] for k in range(len(spec.scalars))]
    loads = [given[f"load{k}"] for k in range(len(spec.loads))]
    found = {}
    for k, name in enumerate(spec.names):
        memory, value = (given[name], spec.epilogue) if k == 0 else (None, spec.inputs[k])
        assert value is not None
        dtype = value.dtype if k else spec.main or value.dtype
        found[name] = FusedTile(name, memory, dtype, given["sizes"][k], value, loads, scalars)
    return found


# --- faults ---


def sites(spec: CustomSpec) -> Sites:
    """Return the accesses that the kernel of `spec` checks, by the number of their site - 1."""
    return _checked(spec, current_target(), generation()).sites


def fault(spec: CustomSpec, found: Sites, site: int, index: int) -> KernelError:
    """Return the error of the access that ended the kernel of `spec`."""
    access, pointer = found[site - 1]
    line = f"\n{caret(access.location)}" if access.location else ""
    where = f"op {spec.op.partition('#')[0]}"
    if access.name == "assert":
        return KernelError(f"{where}: {broken_assertion(access.attributes)}{line}")
    loads = {f"load{k}": spec.names[place] for k, place in enumerate(spec.places)}
    name = pointer.name or "memory"
    return KernelError(
        f"{where}: {loads.get(name, name)}: access from element {index} is outside the tile; "
        f"try the kernel's .interpret to see more{line}"
    )


# --- in Python ---


def run_in_python(
    spec: CustomSpec, given: Mapping[str, Any], scalars: Sequence[SIMD], grid: Block | None
) -> None:
    """Run the kernel of `spec` in Python, over tiles of arrays: what it means."""
    own: Any = OPS[spec.op].kernel
    named = {**given, **{f"scalar{k}": x for k, x in enumerate(scalars)}}
    run(own, arguments_of(own, spec, named), grid, spec.block)


def run(
    own: KernelFunction, arguments: Sequence[Any], grid: Block | None, block: Block | None
) -> None:
    """Run a kernel in Python over tiles, once for each thread of a grid where there is one."""

    def call() -> None:
        awaited(own.function(*arguments, **own.parameters))

    if grid is None or block is None:
        call()
    else:
        run_grid(call, grid, block)
