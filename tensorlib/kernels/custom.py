"""Users' kernels as steps of plans: traced for the layouts that the graph gives them, and checked.

A plan may call such a kernel with any memory, so every access has a bounds check in front: a fault
ends the kernel, and the plan raises it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError, caret
from tensorlib.ir import Kernel, Operation, Value
from tensorlib.kernels.operands import operand
from tensorlib.kernels.specs import CustomSpec
from tensorlib.lang.infer import calling
from tensorlib.lang.target import Target, current_target
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim
from tensorlib.ops import OPS
from tensorlib.ops.user import name_of
from tensorlib.passes import run_passes
from tensorlib.passes.checked import Checked, checked
from tensorlib.passes.registration import generation
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tile import Tile

__all__ = ["Sites", "build", "fault", "run_in_python", "sites"]

Sites = list[tuple[Operation, Value]]


def build(spec: CustomSpec) -> Kernel:
    """Return the checked kernel of `spec`, its parameters in the spec's order."""
    made = _checked(spec, current_target(), generation()).kernel
    by_name = {p.name: p for p in made.parameters}
    wanted = [p.name.removesuffix("_pointer") for p in spec.parameters]
    made.body.parameters = [by_name[name] for name in wanted]
    return made


@lru_cache(maxsize=1024)
def _checked(spec: CustomSpec, target: Target, passes: int) -> Checked:
    own: Any = OPS[spec.op].kernel
    types: dict[str, Any] = {}
    for name, access in zip(spec.names, spec.tiles, strict=True):
        shape = [Dim(f"{name}_n{k}") for k in range(len(access.strides))]
        types[name] = operand(name, access, shape)
    types |= {f"scalar{k}": SIMDType(kind) for k, kind in enumerate(spec.scalars)}
    added = {"faults", *(f"{name}_size" for name in spec.names)}
    wanted = [p.name.removesuffix("_pointer") for p in spec.parameters]
    order = [name for name in wanted if name not in added]

    def prepared(**given: Any) -> list[Any]:
        return arguments_of(own.arguments, spec, given)

    function = functools.partial(own.function, **own.parameters)
    name = re.sub(r"\W", "_", name_of(own.function), flags=re.ASCII)
    traced = trace(calling(function, prepared), types, name=name, order=order)
    return checked(run_passes(traced))


def arguments_of(arguments: Sequence[str], spec: CustomSpec, given: Mapping[str, Any]) -> list[Any]:
    """Return the kernel's arguments in its order: tiles by name, numbers as scalar0, scalar1, ...

    Numbers arrive as int64 or float64; floats become the dtype of the first tile of floats.
    """
    tiles, kinds = spec.names, [tile.dtype for tile in spec.tiles]
    number = next((kind for kind in kinds if kind.is_float), DType.float64)
    scalars = iter([given[f"scalar{k}"] for k in range(len(arguments) - len(tiles))])
    found = []
    for name in arguments:
        x = given[name] if name in tiles else next(scalars)
        is_float = name not in tiles and x.dtype.is_float
        found.append(x.cast(number) if is_float else x)
    return found


def sites(spec: CustomSpec) -> Sites:
    """Return the accesses that the kernel of `spec` checks, by the number of their site - 1."""
    return _checked(spec, current_target(), generation()).sites


def fault(spec: CustomSpec, found: Sites, site: int, index: int) -> KernelError:
    """Return the error of the access that ended the kernel of `spec`."""
    access, pointer = found[site - 1]
    line = f"\n{caret(access.location)}" if access.location else ""
    where = f"op {spec.op.partition('#')[0]}: {pointer.name or 'memory'}"
    return KernelError(
        f"{where}: access from element {index} is outside the tile; "
        f"try the kernel's .interpret to see more{line}"
    )


def run_in_python(spec: CustomSpec, tiles: Mapping[str, Tile], scalars: Sequence[SIMD]) -> None:
    """Run the kernel of `spec` in Python, over tiles of arrays: what it means."""
    own: Any = OPS[spec.op].kernel
    given = {**tiles, **{f"scalar{k}": x for k, x in enumerate(scalars)}}
    own.function(*arguments_of(own.arguments, spec, given), **own.parameters)
