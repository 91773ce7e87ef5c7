"""Kernels with their data, for printers of devices: what the interpreter gives is expected of all.

`agree(cases, compile)` runs them on a device, a few in each program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, VectorType, interpret, parse, text
from tensorlib.ir.grid_interpreter import interpret_grid
from tensorlib.ir.ops import ROWS
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.passes.checked import FAULTS, checked
from tensorlib.simd import SIMD, SIMDType, apply
from tensorlib.tests.compiled_kernels import copied, differences, types_of
from tensorlib.tests.grid_kernels import CASES
from tensorlib.tests.random_grid import seeded_grid_kernel
from tensorlib.tests.random_kernels import DTYPES as EVERY_DTYPE
from tensorlib.tests.random_kernels import hostile, seeded_kernel
from tensorlib.tests.random_specs import random_call, random_spec
from tensorlib.tests.spec_calls import Call, Memory
from tensorlib.tile import Tile

__all__ = [
    "DTYPES",
    "DeviceCase",
    "agree",
    "checked_case",
    "grid_cases",
    "outside_case",
    "random_cases",
    "random_grid_cases",
    "row_case",
    "spec_cases",
]

DTYPES = [dtype for dtype in EVERY_DTYPE if not dtype.is_coded]
Run = Callable[..., None]
Compile = Callable[[Sequence[Kernel]], list[Run]]


@dataclass
class DeviceCase:
    """A kernel after its passes, the value of each parameter, and a launch."""

    name: str
    kernel: Kernel
    data: Mapping[str, Any]
    grid: tuple[int, ...] = (1,)
    block: Any = 1
    seen_as: Mapping[str, Any] = field(default_factory=dict)  # dtypes of arrays of codes

    def seen(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments in the dtypes that they are compared in."""
        views = {name: data[name].view(dtype) for name, dtype in self.seen_as.items()}
        return {**data, **views}

    def expected(self) -> dict[str, Any]:
        """Return the arguments after the interpreter has run the kernel."""
        made = copied(self.data)
        given = [made[p.name] for p in self.kernel.parameters]
        given = [g.value if isinstance(g, SIMD) else g for g in given]
        if "block" in self.kernel.attributes:
            interpret_grid(self.kernel, given, self.grid)
        else:
            interpret(self.kernel, given)
        return made


def agree(cases: Iterable[DeviceCase], compile_all: Compile, together: int = 10) -> int:
    """Assert that a device writes the interpreter's bits; return how many kernels it ran."""
    every = list(cases)
    for first in range(0, len(every), together):
        part = every[first : first + together]
        for case, run in zip(part, compile_all([c.kernel for c in part]), strict=True):
            expected, got = case.expected(), copied(case.data)
            run(got, case.grid, case.block)
            found = differences(case.seen(expected), case.seen(got))
            assert not found, f"{case.name}: {found}\n{text(case.kernel)}"
    return len(every)


# --- kernels without blocks ---


def random_cases(seeds: Iterable[int]) -> list[DeviceCase]:
    """Random programs over every dtype, width and control flow."""
    cases = []
    for seed in seeds:
        source = seeded_kernel(seed)
        data = source.data(seed)
        kernel = run_passes(trace(source.function(), types_of(data)))
        arrays = {k: v.dtype for k, v in data.items() if isinstance(v, np.ndarray)}
        given = _as_codes(kernel, data)
        cases.append(DeviceCase(f"random {seed}", kernel, given, seen_as=arrays))
    return cases


def _as_codes(kernel: Kernel, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as the passes have left the parameters: coded dtypes as their codes."""
    found = dict(data)
    for parameter in kernel.parameters:
        dtype, value = parameter.type.dtype, data[parameter.name]
        if isinstance(value, SIMD) and value.dtype is not dtype:
            found[parameter.name] = SIMD(value.value.view(dtype.numpy), dtype, value.width)
        elif isinstance(value, np.ndarray) and value.dtype != dtype.numpy:
            found[parameter.name] = value.view(dtype.numpy)
    return found


def spec_cases(kind: str, count: int) -> list[DeviceCase]:
    """Kernels of the library, on several threads."""
    cases = []
    for seed in range(count):
        random = Random(f"{kind} {seed}")
        spec = random_spec(random, kind)
        kernel = run_passes(parse(text(spec.build())))
        call = random_call(random, spec)
        cases.append(DeviceCase(f"{spec}", kernel, _arguments(call, kernel), (3,), 2))
    return cases


def _arguments(call: Call, kernel: Kernel) -> dict[str, Any]:
    """Return a call's arguments by parameter; operands in one memory share one array."""
    views: dict[int, Any] = {}
    found: dict[str, Any] = {}
    for parameter, value in zip(kernel.parameters, call.arguments(call.memories), strict=True):
        if isinstance(value, Memory):
            views.setdefault(id(value), value.bytes)
            found[parameter.name] = views[id(value)].view(parameter.type.dtype.numpy)
        else:
            found[parameter.name] = value
    return found


_UNARY = "negative absolute sqrt floor ceil trunc round not"
_BINARY = (
    "add subtract multiply divide floor_divide floor_modulo float_modulo minimum maximum "
    "and or xor shift_left shift_right equal not_equal less less_equal greater greater_equal"
)
_REDUCTIONS = "add multiply minimum maximum and or xor"


def row_case(dtype: DType, width: int) -> DeviceCase:
    """Every row of the table that computes on this dtype, and casts to all others."""
    rng = np.random.default_rng(width)
    data: dict[str, Any] = {name: hostile(dtype, 4 * width, rng) for name in "xyz"}
    for other in DTYPES:
        data[f"out_{other.name}"] = np.zeros(200 * width, other.numpy)
    return DeviceCase(
        f"{dtype.name}x{width}", run_passes(trace(_every_row(dtype, width), types_of(data))), data
    )


def _every_row(dtype: DType, width: int) -> Callable[..., None]:
    def kernel(x: Tile, y: Tile, z: Tile, **outs: Tile) -> None:
        counts = dict.fromkeys(outs, 0)

        def put(value: SIMD) -> None:
            name = f"out_{value.dtype.name}"
            outs[name].store[value.width](counts[name], value)
            counts[name] += value.width

        for part in _PARTS:
            a, b, c = (t.load[width](part * width) for t in (x, y, z))
            for value in _values(a, b, c):
                put(value)

    def named(**tiles: Tile) -> None:
        kernel(**tiles)

    return named


_PARTS = (0, 1)


def _values(a: SIMD, b: SIMD, c: SIMD) -> Iterable[SIMD]:
    """Yield what each row that takes this dtype makes of the values."""
    kind = VectorType(a.dtype, a.width)
    for name in _UNARY.split():
        if _takes(name, kind):
            yield apply(name, a)
    for name in _BINARY.split():
        if _takes(name, kind, kind):
            yield apply(name, a, b)
    for name in _REDUCTIONS.split():
        if _takes(f"reduce_{name}", kind):
            yield apply(f"reduce_{name}", a)
    if _takes("fma", kind, kind, kind):
        yield apply("fma", a, b, c)
    for amount in (0, 1, a.dtype.bits - 1):
        if a.dtype.is_integer:
            yield a << amount
            yield a >> amount
            yield a // (1 << min(amount, a.dtype.bits - 2))
            yield a % (1 << min(amount, a.dtype.bits - 2))
    yield (a == b).select(b, c)
    for dtype in DTYPES:
        yield a.cast(dtype)
        yield (a == b).cast(dtype)


def _takes(name: str, *kinds: VectorType) -> bool:
    try:
        ROWS[name].types(name, kinds, {})
    except Exception:
        return False
    return True


# --- kernels of blocks ---


def grid_cases() -> list[DeviceCase]:
    """The hand-written kernels of `grid_kernels`."""
    cases = []
    for case in CASES:
        grid = case.grid if isinstance(case.grid, tuple) else (case.grid,)
        arguments = tuple(case.arguments())
        kernel = case.kernel.trace(*arguments, block=case.block)
        if all(grid):  # devices launch nothing for an empty grid
            cases.append(DeviceCase(case.name, kernel, case.kernel.values(arguments), grid))
    return cases


def random_grid_cases(seeds: Iterable[int]) -> list[DeviceCase]:
    """Random kernels whose threads go apart and meet again."""
    cases = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        threads, blocks = int(rng.choice([5, 32, 40, 64])), 2
        made = seeded_grid_kernel(seed)
        x = rng.integers(-9, 10, blocks * threads).astype(np.int32)
        arguments = (np.zeros_like(x), x, np.zeros(5, np.int32), 3)
        kernel = made.trace(*arguments, block=threads)
        cases.append(DeviceCase(f"grid {seed}", kernel, made.values(arguments), (blocks,)))
    return cases


def checked_case(seed: int) -> DeviceCase:
    """A random kernel with a check in front of every access; none fails."""
    (plain,) = random_cases([seed])
    made = checked(plain.kernel)
    sizes = {name: plain.data[pointer].size for name, pointer in made.sizes.items()}
    data = {**plain.data, **sizes, FAULTS: np.zeros(2, np.int64)}
    return DeviceCase(f"checked {seed}", made.kernel, data, seen_as=plain.seen_as)


def outside_case(index: int, width: int) -> DeviceCase:
    """A kernel that reads outside its array, and writes nothing after that."""

    def kernel(out: Tile, x: Tile, at: SIMD) -> None:
        out.store[width](0, x.load[width](0))
        out.store[width](0, x.load[width](at))

    data: dict[str, Any] = {
        "out": np.zeros(width, np.float32),
        "x": np.ones(16, np.float32),
    }
    types = {**types_of(data), "at": SIMDType(DType.int64)}
    made = checked(run_passes(trace(kernel, types)))
    sizes = {name: data[pointer].size for name, pointer in made.sizes.items()}
    data |= {**sizes, "at": index, FAULTS: np.zeros(2, np.int64)}
    return DeviceCase(f"outside {index}", made.kernel, data)
