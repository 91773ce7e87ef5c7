"""Wide vectors become parts that fit, and every bit of the result stays the same."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, VectorType, interpret, walk
from tensorlib.lang.control import unroll
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.passes.legalise import legalise
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import compile_kernel, copied, differences, types_of
from tensorlib.tests.random_kernels import seeded_kernel


def widest(kernel: Kernel) -> int:
    """Return the bytes of the widest vector of numbers in a kernel."""
    kinds = [v.type for o in walk(kernel.body) for v in (*o.operands, *o.results)]
    kinds = [k for k in kinds if isinstance(k, VectorType) and k.dtype is not DType.bool]
    return max((k.width * k.dtype.bits // 8 for k in kinds), default=0)


def run(kernel: Kernel, data: dict[str, object]) -> dict[str, object]:
    data = copied(data)
    arguments = [data[p.name] for p in kernel.parameters]
    with np.errstate(all="ignore"):
        interpret(kernel, [a.value if isinstance(a, SIMD) else a for a in arguments])
    return data


@pytest.mark.parametrize("vector_bytes", [16, 32, 64])
def test_random_kernels_keep_their_bits(vector_bytes: int) -> None:
    changed = 0
    for seed in range(60):
        made = seeded_kernel(seed)
        function, data = made.function(), made.data(seed)
        kernel = run_passes(trace(function, types_of(data)))
        before = run(kernel, data)
        changed += widest(kernel) > vector_bytes
        legalise(kernel, vector_bytes)
        assert widest(kernel) <= vector_bytes
        assert not differences(before, run(kernel, data)), made.source
        if seed < 8:
            compiled = copied(data)
            compile_kernel(kernel)(compiled, 1)
            assert not differences(before, compiled), made.source
    assert changed > 5


@tl.kernel
def wide(out: tl.Tile, total: tl.Tile, x: tl.Tile) -> None:
    lanes = SIMD["float32", 32](0.0)
    active = SIMD["bool", 32](True)
    for i in range(0, x.size, 32):
        if active.reduce_or():
            a = x.load[32](i)
            active = active & (a < 100.0)
            lanes = active.select(lanes + a, lanes)
            out.store[32](i, a.rotate(3).cast("float64").cast("float32"))
    total[0] = lanes.reduce_add()


def test_carried_masks_and_vectors_become_parts() -> None:
    x = np.linspace(0, 120, 96, dtype=np.float32)
    types = [np.zeros(96, np.float32), np.zeros(1, np.float32), x]
    kernel = wide.trace(*types)
    legalise(kernel, 32)
    loop = next(o for o in walk(kernel.body) if o.name == "for")
    assert [str(r.type) for r in loop.results] == ["boolx8"] * 4 + ["float32x8"] * 4
    compiled, interpreted = (
        [np.zeros_like(t) for t in types[:2]],
        [np.zeros_like(t) for t in types[:2]],
    )
    wide.interpret(*interpreted, x)
    wide(*compiled, x)
    for a, b in zip(compiled, interpreted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_kernel_that_fits_is_left_alone() -> None:
    @tl.kernel
    def narrow(out: tl.Tile) -> None:
        for i in unroll(range(2)):
            out.store[4](4 * i, SIMD["float32", 4](1.0))

    kernel = narrow.trace(np.zeros(8, np.float32))
    operations = list(kernel.body.operations)
    legalise(kernel, 16)
    assert kernel.body.operations == operations
