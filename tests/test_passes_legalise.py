"""Wide vectors become parts that fit, and every bit of the result stays the same."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir import Kernel, VectorType, interpret, parse, text, walk
from tensorlib.lang.control import unroll
from tensorlib.lang.gathering import scatter
from tensorlib.lang.trace import trace
from tensorlib.passes import run_passes
from tensorlib.passes.checked import checked
from tensorlib.passes.legalise import legalise, legalised
from tensorlib.passes.split import split
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
    kernel = legalised(wide.trace(*types), 32)
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


FOLDS = ["reduce_or", "reduce_and", "reduce_xor"]


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("vector_bytes", [16, 32, 64])
def test_wide_masks_are_folded(fold: str, width: int, vector_bytes: int) -> None:
    """Masks of every origin: compared, carried, constant, loaded, joined, and of one lane."""
    mask = f"boolx{width}"
    source = (
        f"kernel k(%0.out: pointer<bool>, %1.x: pointer<float64>, %2.m: pointer<bool>) {{\n"
        f"  %3: int64 = const {{type=int64, value=0}}\n"
        f"  %4: int64 = const {{type=int64, value=1}}\n"
        f"  %5: {mask} = const {{type={mask}, value=True}}\n"
        f"  %6: float64x{width} = load %1.x %3 {{type=float64x{width}}}\n"
        f"  %7: {mask} = load %2.m %3 {{type={mask}}}\n"
        f"  for %3 %4 %4 %5 %7 (%8: int64, %9.a: {mask}, %10.b: {mask}) {{\n"
        f"    %11: float64x{width} = const {{type=float64x{width}, value=0.5}}\n"
        f"    %12: {mask} = less %6 %11\n"
        f"    %13: {mask} = and %9.a %12\n"
        f"    yield %13 %10.b\n"
        f"  }} -> (%14.a: {mask}, %15.b: {mask})\n"
    )
    number = 16
    for place, value in enumerate(("%5", "%7", "%14.a", "%15.b")):
        source += (
            f"  %{number}: int64 = const {{type=int64, value={place}}}\n"
            f"  %{number + 1}: bool = {fold} {value}\n"
            f"  store %0.out %{number} %{number + 1}\n"
        )
        number += 2
    kernel = parse(source + "}\n")
    rng = np.random.default_rng(width)
    data = {
        "out": np.zeros(4, bool),
        "x": rng.random(width),
        "m": rng.integers(0, 2, width).astype(bool),
    }
    before = run(kernel, data)
    for made in (legalised(kernel, vector_bytes), split(kernel, 16)):
        assert not differences(before, run(made, data))
        compiled = copied(data)
        compile_kernel(made)(compiled, 1)
        assert not differences(before, compiled)


def test_the_kernel_itself_stays_as_it_is() -> None:
    kernel = wide.trace(np.zeros(96, np.float32), np.zeros(1, np.float32), np.zeros(96, np.float32))
    before = text(kernel)
    made = legalised(kernel, 32)
    assert made is not kernel
    assert text(kernel) == before
    assert widest(made) == 32
    assert legalised(made, 32) is made
    assert legalised(kernel, 256) is kernel


def test_each_part_is_checked_at_its_own_place() -> None:
    """The index of a fault is that of the lane, whatever part it is in."""

    @tl.kernel
    def masked(out: tl.Tile, x: tl.Tile) -> None:
        lanes = SIMD["int64", 32](*range(32))
        mask = SIMD["float32", 32](*range(32)) < x[0]
        out.store[32](4, x.load[32](0, mask=lanes < x.size), mask=mask)
        scatter(out, lanes, SIMD["float32", 32](1.0), mask=mask)

    out, x = np.zeros(40, np.float32), np.full(8, 20, np.float32)
    masked(out, x)
    assert out.tolist() == [1.0] * 20 + [0.0] * 20
    made = legalised(checked(masked.trace(out, x)).kernel, 32)
    checks = [o for o in walk(made.body) if o.name == "check"]
    assert len(checks) == 1 + 8 + 4 + 8  # x[0], lanes of int64, of float32 and again of int64
    with pytest.raises(KernelError, match="out: access from element 34 is outside its 34 elements"):
        masked(out[:34].copy(), np.full(8, 37, np.float32))
