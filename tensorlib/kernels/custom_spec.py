"""`CustomSpec`: how the graph asks for a user's kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlib.dtypes import DType
from tensorlib.kernels.building import built
from tensorlib.kernels.expression import Expression
from tensorlib.kernels.parameters import Access, Parameter, given, parameter_list

if TYPE_CHECKING:
    from tensorlib.ir import Kernel

__all__ = ["CustomSpec"]


@dataclass(frozen=True, slots=True)
class CustomSpec:
    """A user's kernel, with a check in front of every access: row `op` of kind `custom`.

    `names` are the kernel's tiles, results first. `kinds` says what each operand behind the results
    is: "tile", "none" where it was left out, or the number that it is, "int", "float" or "bool".

    `tiles[k]` is how tile k lies in memory; None for one that is computed where it is read, by
    `inputs[k]`, an expression over `loads`. `places[j]` is the tile in whose coordinates load j is
    read. With `epilogue`, what the kernel stores into its result at c is epilogue(main, loads[c]),
    where `main` is the value that the user's kernel gave, of dtype `main`.

    Sizes: {name}_n{axis} of every tile. Operands: the tiles in memory, then load0, ... After them
    come, for each operand, {operand}_size (the element of its memory from which on nothing may be
    accessed) and the pointer `faults` to two int64 (the site of the first fault, 0 for none, and
    its index). Scalars: the numbers among the kernel's operands, then those of expressions. A
    kernel of blocks of `block` threads takes the sizes of its grid at the end.
    """

    op: str
    names: tuple[str, ...]
    ranks: tuple[int, ...]
    kinds: tuple[str, ...]
    tiles: tuple[Access | None, ...]
    scalars: tuple[DType, ...]
    inputs: tuple[Expression | None, ...] = ()
    epilogue: Expression | None = None
    main: DType | None = None
    loads: tuple[Access, ...] = ()
    places: tuple[int, ...] = ()
    block: tuple[int, int, int] | None = None

    @property
    def operands(self) -> list[tuple[str, Access]]:
        """What lies in memory, by name."""
        tiles = zip(self.names, self.tiles, strict=True)
        loads = enumerate(self.loads)
        return [
            *[(name, tile) for name, tile in tiles if tile is not None],
            *[(f"load{k}", access) for k, access in loads],
        ]

    @property
    def numbers(self) -> int:
        """How many of the scalars are the user's."""
        return sum(kind in ("int", "float", "bool") for kind in self.kinds)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        pairs = zip(self.names, self.ranks, strict=True)
        sizes = [f"{name}_n{k}" for name, rank in pairs for k in range(rank)]
        ends = [Parameter(f"{name}_size", "size", DType.int64) for name, _ in self.operands]
        faults = Parameter("faults", "pointer", DType.int64)
        tail = parameter_list([], [], self.scalars)
        grid = tuple(self._grid())
        return (*parameter_list(sizes, self.operands, ()), *ends, faults, *tail, *grid)

    def _grid(self) -> Iterator[Parameter]:
        if self.block is not None:
            for axis in "xyz":
                yield Parameter(f"grid_{axis}", "size", DType.int64)

    def build(self) -> Kernel:
        return built(self)

    def __str__(self) -> str:
        if self.epilogue is None:
            tiles = zip(self.names, self.tiles, strict=True)
            return f"{self.op}({', '.join(f'{name}: {tile}' for name, tile in tiles)})"
        values = zip(self.names[1:], self.inputs[1:], strict=True)
        shown = ", ".join(f"{name} = {value}" for name, value in values)
        start = f"{self.tiles[0]} = {self.epilogue}; main = "
        return f"{start}{self.op}({shown}){given(self.loads)}"
