"""C of kernels: golden text beside golden IR, names and literals, and what the compiler's flags
must not change.

TENSORLIB_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.ir import Kernel, VectorType, parse, text
from tensorlib.lang import math as m
from tensorlib.lang.control import parallel, unroll
from tensorlib.lang.trace import trace
from tensorlib.layouts.dim import Dim
from tensorlib.passes import run_passes
from tensorlib.printers import PRELUDE, print_c
from tensorlib.printers.c_types import literal
from tensorlib.simd import SIMD, SIMDType
from tensorlib.tests.compiled_kernels import compile_kernel, same
from tensorlib.tests.random_kernels import DTYPES, hostile
from tensorlib.tile import Tile, TileType

GOLDEN = Path(__file__).with_name("golden")
F32, I64, U8 = DType.float32, DType.int64, DType.uint8


def scale_add(out: Tile, x: Tile, y: Tile, a: SIMD) -> None:
    whole = out.size // 8 * 8
    for i in parallel(range(0, whole, 8)):
        out.store[8](i, a * x.load[8](i) + y.load[8](i))
    for i in range(whole, out.size):
        out[i] = a * x[i] + y[i]


def find(out: Tile, x: Tile, wanted: SIMD) -> None:
    for i in range(x.size):
        if x[i] == wanted:
            out[0] = i
            break
    else:
        out[0] = -1


def total(out: Tile, x: Tile) -> None:
    acc = [SIMD[F32, 4](0), SIMD[F32, 4](0)]
    for i in range(0, x.size, 8):
        for k in unroll(range(2)):
            v = x.load[4](i + 4 * k, mask=SIMD[I64, 4](0, 1, 2, 3) + i + 4 * k < x.size)
            acc[k] = v.fma(v, acc[k])
    out[0] = (acc[0] + acc[1]).reduce_add()


def half_silu(out: Tile, x: Tile) -> None:
    for i in range(0, x.size, 8):
        out.store[8](i, m.silu(x.load[8](i)) + 1.0)


def dequantise(out: Tile, data: Tile) -> None:
    for block in range(out.size // 32):
        at = block * 18
        scale = data.load[DType.float16, 1](at).cast(F32)
        for k in unroll(range(2)):
            q = data.load[U8, 8](at + 2 + 8 * k).cast(DType.int32)
            out.store[8](block * 32 + 8 * k, ((q & 15) - 8).cast(F32) * scale)
            out.store[8](block * 32 + 16 + 8 * k, ((q >> 4) - 8).cast(F32) * scale)


def tile(name: str, dtype: DType) -> TileType:
    return TileType(dtype, (Dim(f"{name}_size"),), (1,))


KERNELS: dict[str, tuple[Callable[..., None], dict[str, Any]]] = {
    "scale_add": (
        scale_add,
        {n: TileType(F32, (Dim("size"),), (1,)) for n in ("out", "x", "y")} | {"a": SIMDType(F32)},
    ),
    "find": (find, {"out": tile("out", I64), "x": tile("x", I64), "wanted": SIMDType(I64)}),
    "total": (total, {"out": tile("out", F32), "x": tile("x", F32)}),
    "half_silu": (half_silu, {"out": tile("out", DType.bfloat16), "x": tile("x", DType.bfloat16)}),
    "dequantise": (dequantise, {"out": tile("out", F32), "data": tile("data", U8)}),
}


def built(name: str) -> Kernel:
    function, types = KERNELS[name]
    return run_passes(trace(function, types))


def compare(name: str, got: str) -> None:
    path = GOLDEN / name
    if os.environ.get("TENSORLIB_UPDATE_GOLDEN"):
        path.write_text(got)
    assert path.exists(), f"{path.name} is missing; set TENSORLIB_UPDATE_GOLDEN=1 to write it"
    assert got == path.read_text(), f"{name} differs; set TENSORLIB_UPDATE_GOLDEN=1 to accept it"


@pytest.mark.parametrize("name", KERNELS)
def test_golden_ir(name: str) -> None:
    compare(f"{name}.ir", text(built(name)))


@pytest.mark.parametrize("name", KERNELS)
def test_golden_c(name: str) -> None:
    got = PRELUDE + print_c(built(name))
    assert "/" not in re.sub(r" / |/\*|\*/", "", got), "a path"
    compare(f"{name}.c", got)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_read_from_text_prints_the_same(name: str) -> None:
    kernel = built(name)
    assert print_c(parse(text(kernel))) == print_c(kernel)


def test_printing_is_deterministic() -> None:
    assert print_c(built("total")) == print_c(built("total"))


# --- names and literals ---


def test_names_are_c_names() -> None:
    kernel = parse(
        "kernel x(%0.double: pointer<float32>, %1.ünicode: int64, %2.double: int64) {\n"
        "  %3: float32 = load %0.double %1.ünicode {type=float32}\n"
        "  store %0.double %2.double %3\n}\n"
    )
    source = print_c(kernel, "named")
    assert "void named(" in source
    assert "double_[double_2_] = double_[_nicode_];" in source
    assert source.isascii()
    compile_kernel(kernel)


NUMBERS = [d for d in DTYPES if d.kind != "coded"]  # whose values C gets as integers


@given(st.sampled_from(NUMBERS), st.integers(0, 2**32))
def test_literals_are_exact(dtype: DType, seed: int) -> None:
    value = hostile(dtype, 1, np.random.default_rng(seed))
    number = value.astype(np.float64)[0] if dtype.is_float else value[0].item()
    source = literal(number, VectorType(dtype))
    if dtype.is_float and dtype.bits == 16:
        assert same(np.array([int(source)], np.uint16).view(dtype.numpy), value)
    elif dtype.is_float and np.isfinite(number):
        digits = source.strip("()").removesuffix("f")
        assert same(np.array([float(digits)]).astype(dtype.numpy), value)
    elif dtype.is_float:
        assert ("nan" in source) == bool(np.isnan(number))
        assert source.startswith("-") == bool(number < 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 2, 8])
def test_constants_reach_memory_unchanged(dtype: DType, width: int) -> None:
    values = hostile(dtype, 64, np.random.default_rng(3))

    def kernel(out: Tile) -> None:
        for i in unroll(range(0, 64, width)):
            out.store[width](
                i, SIMD(values[i : i + width].reshape((width,) if width > 1 else ()), dtype, width)
            )
            out.store[width](64 + i, SIMD(values[i : i + 1].reshape(()), dtype, 1).splat(width))

    traced = run_passes(trace(kernel, {"out": TileType(dtype, (128,), (1,))}))
    out = np.zeros(128, dtype.numpy)
    compile_kernel(traced)({"out": out}, 1)
    assert same(out[:64], values)
    assert same(out[64:], np.repeat(values[::width], width))


def test_a_step_known_at_run_time_only() -> None:
    def kernel(out: Tile, step: SIMD) -> None:
        for i in range(0, 8, step):
            out[i] = out[i] + 1.0

    traced = run_passes(trace(kernel, {"out": TileType(F32, (8,), (1,)), "step": SIMDType(I64)}))
    run = compile_kernel(traced)
    for step, expected in ((3, [1, 0, 0, 1, 0, 0, 1, 0]), (0, [0] * 8), (-1, [0] * 8)):
        out = np.zeros(8, np.float32)
        run({"out": out, "step": SIMD[I64, 1](step)}, 1)
        assert out.tolist() == expected
