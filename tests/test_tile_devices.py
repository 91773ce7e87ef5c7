"""Kernels of tiles on an OpenCL device, and compiled as CUDA: they write the interpreter's bits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from tensorlib.lang.target import Target, targeting
from tensorlib.layouts.hardware import mma, tiled_mma
from tensorlib.passes.instructions import instructions
from tensorlib.tests import test_tile_copies as copies
from tensorlib.tests import test_tile_fragments as fragments
from tensorlib.tests import test_tile_grouped as grouped
from tensorlib.tests import test_tile_views as views
from tensorlib.tests.cuda_compiler import compile_cuda
from tensorlib.tests.opencl_device import compile_opencl

F32 = np.float32


class Case(NamedTuple):
    """A kernel, its arguments, and its launch; it writes the first argument."""

    kernel: Any
    arguments: tuple[Any, ...]
    grid: tuple[int, ...] = (1,)
    block: Any = None

    @property
    def launch(self) -> dict[str, Any]:
        return {} if self.block is None else {"grid": self.grid, "block": self.block}


def zeros(*shape: int) -> Any:
    return np.zeros(shape, F32)


def reals(*shape: int) -> Any:
    return np.random.default_rng(7).standard_normal(shape).astype(F32)


def packed(c: Any, a: Any, b: Any, group: int) -> tuple[Any, ...]:
    return c, a, grouped.packed(b, group)


def cases() -> list[Case]:
    multiply = fragments.product_kernel
    tf32, f16, int8 = (mma(n) for n in ("m16n8k8.tf32", "m16n8k16.f16", "m16n8k16.s8"))
    fp8 = mma("m16n8k32.e4m3")
    pairs, fours = grouped.operands("bf16", 16, 16, 32), grouped.operands("u8", 2, 8, 8)
    whole = fragments.whole_numbers
    return [
        Case(views.views, (zeros(4, 8), reals(4, 8)), (1,), 8),
        Case(views.ragged, (zeros(5, 7), reals(5, 7))),
        Case(views.carried, (zeros(2), reals(6))),
        Case(copies.arithmetic, (zeros(2, 4), reals(2, 4), reals(2, 4), 0.5)),
        Case(copies.outer, (zeros(4, 8), reals(4, 5), reals(5, 8))),
        Case(copies.blocked, (zeros(8, 16), reals(8, 6), reals(6, 16))),
        Case(copies.staged.bind(rows=3, columns=5), (zeros(6, 5), reals(6, 5)), (2,), 8),
        Case(copies.staged.bind(rows=4, columns=8), (zeros(8, 8), reals(8, 8)), (2,), 6),
        Case(copies.ragged, (zeros(5, 6), reals(5, 6)), (2, 2), 6),
        Case(copies.by_warps, (zeros(3, 2), reals(3, 40)), (1,), 96),
        Case(copies.carried, (zeros(8), reals(5, 8)), (1,), 8),
        Case(copies.reduced.bind(size=5), (zeros(6, 7), reals(5)), (1,), 7),
        Case(copies.reduced.bind(size=70), (zeros(6, 64), reals(70)), (1,), 64),
        Case(fragments.values, (zeros(32, 8), reals(11, 7), 3), (1,), 32),
        Case(multiply(tf32), tuple(whole(tf32, tf32.shape)), (1,), 32),
        Case(multiply(f16), tuple(whole(f16, f16.shape)), (1,), 32),
        Case(multiply(int8), tuple(whole(int8, int8.shape)), (1,), 32),
        Case(multiply(fp8), tuple(whole(fp8, fp8.shape)), (1,), 32),
        Case(
            fragments.by_a_block.bind(atom=tiled_mma(tf32, (2, 1, 1)), K=16),
            (zeros(27, 7), reals(27, 13), reals(13, 7)),
            (1,),
            64,
        ),
        Case(
            fragments.in_memory.bind(shape=(3, 5, 4)),
            (zeros(3, 5), zeros(3, 5), reals(3, 4), reals(4, 5)),
            (1,),
            8,
        ),
        Case(grouped.in_place.bind(M=16, N=16, K=32, group=2), packed(*pairs)),
        Case(grouped.in_place.bind(M=2, N=8, K=8, group=4), packed(*fours)),
    ]


def test_an_opencl_device_writes_the_interpreters_bits() -> None:
    made = cases()
    with targeting(Target("opencl", 16)):
        kernels = [c.kernel.trace(*c.arguments, block=c.block) for c in made]
    for kernel in kernels:
        instructions(kernel, "opencl")
    for case, run in zip(made, compile_opencl(kernels), strict=True):
        expected = case.arguments[0].copy()
        case.kernel.interpret(expected, *case.arguments[1:], **case.launch)
        run(case.kernel.values(case.arguments), case.grid, 1)
        assert case.arguments[0].tobytes() == expected.tobytes(), case.kernel


@pytest.mark.parametrize("number", range(len(cases())))
def test_as_cuda(number: int) -> None:
    case = cases()[number]
    with targeting(Target("cuda", 16, frozenset({"sm_80"}))):
        source = case.kernel.source("cuda", *case.arguments, block=case.block)
    compile_cuda(source, "sm_80")
