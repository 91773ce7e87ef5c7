"""x86 instructions: bodies against NumPy, spellings against the compiler and, where it is there,
the hardware.
"""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c.features import cpu_features
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.errors import BackendError
from tensorlib.kernels import x86
from tensorlib.lang.control import unroll
from tensorlib.lang.target import Target, targeting

RANDOM = np.random.default_rng(7)
ALL = frozenset(["avx512f", "avx512_vnni", "avx_vnni", "f16c", "amx_tile", "amx_bf16", "amx_int8"])


@tl.kernel
def dots(out: tl.Tile, a: tl.Tile, b: tl.Tile, *, lanes: int) -> None:
    dot = x86.dpbusd_16 if lanes == 16 else x86.dpbusd_8
    bytes_ = 4 * lanes
    out.store[lanes](0, dot(out.load[lanes](0), a.load[bytes_](0), b.load[bytes_](0)))


@tl.kernel
def halves(out: tl.Tile, back: tl.Tile, bits: tl.Tile) -> None:
    for i in range(0, bits.size, 8):
        wide = x86.cvtph_ps(bits.load[8](i))
        out.store[8](i, wide)
        back.store[8](i, x86.cvtps_ph(wide))


@tl.kernel
def prefetches(out: tl.Tile, x: tl.Tile) -> None:
    for i in range(x.size):
        x86.prefetch_l1(x.tile[1](i + 1))
        x86.prefetch_l2(x.tile[1](i + 1))
        out[i] = x[i] * 2.0


@tl.kernel
def bf16_tiles(c: tl.Tile, a: tl.Tile, b: tl.Tile) -> None:
    """C += A @ B for A (16, 32 t) and B in pairs (16 t, 32): t steps of one tile."""
    total, left, right, *_rest = x86.amx_registers()
    x86.amx_configure()
    x86.tile_load(total, c)
    for t in unroll(range(2)):
        x86.tile_load(left, a.tile[16, 32](0, t))
        x86.tile_load(right, b.tile[16, 32](t, 0))
        x86.tdpbf16ps(total, left, right)
    x86.tile_store(c, total)
    x86.amx_release()


@tl.kernel
def int8_tile(c: tl.Tile, a: tl.Tile, b: tl.Tile) -> None:
    total, left, right, *_rest = x86.amx_registers()
    x86.amx_configure()
    x86.tile_zero(total)
    x86.tile_load(left, a)
    x86.tile_load(right, b)
    x86.tdpbssd(total, left, right)
    x86.tile_store(c, total)
    x86.amx_release()


def grouped(b: np.ndarray, group: int) -> np.ndarray:
    """Return b (K, N) as AMX wants it: (K / group, N * group)."""
    k, n = b.shape
    return np.ascontiguousarray(
        b.reshape(k // group, group, n).transpose(0, 2, 1).reshape(-1, n * group)
    )


@pytest.mark.parametrize("lanes", [8, 16])
@pytest.mark.parametrize("way", ["python", "interpret", "compiled"])
def test_dpbusd_is_a_dot_product_of_four(lanes: int, way: str) -> None:
    a = RANDOM.integers(0, 256, 4 * lanes, np.uint8)
    b = RANDOM.integers(-128, 128, 4 * lanes, np.int8)
    out = RANDOM.integers(-1000, 1000, lanes).astype(np.int32)
    expected = out + (a.astype(int) * b.astype(int)).reshape(lanes, 4).sum(1)
    kernel = dots.bind(lanes=lanes)
    run = {"python": kernel.python, "interpret": kernel.interpret, "compiled": kernel}[way]
    run(out, a, b)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("way", ["python", "interpret", "compiled"])
def test_half_conversion_agrees_with_its_body_on_every_half(way: str) -> None:
    bits = (
        np.arange(1 << 16, dtype=np.uint16)
        if way == "compiled"
        else np.arange(0, 1 << 16, 97, dtype=np.uint16)
    )
    bits = bits[: bits.size // 8 * 8]
    value = bits.view(np.float16)
    signalling = np.isnan(value)
    out, back = np.zeros(bits.size, np.float32), np.zeros(bits.size, np.uint16)
    run = {"python": halves.python, "interpret": halves.interpret, "compiled": halves}[way]
    run(out, back, bits)
    np.testing.assert_array_equal(out, value.astype(np.float32))
    np.testing.assert_array_equal(back[~signalling], bits[~signalling])
    assert np.isnan(back[signalling].view(np.float16)).all()


def test_prefetch_changes_nothing() -> None:
    x, out = np.arange(9, dtype=np.float32), np.zeros(9, np.float32)
    prefetches(out, x)
    np.testing.assert_array_equal(out, 2 * x)
    assert "__builtin_prefetch((x_ + " in prefetches.source("c", out, x)


@pytest.mark.parametrize("way", ["python", "interpret", "compiled"])
def test_amx_multiplies_bfloat16_tiles(way: str) -> None:
    a = RANDOM.standard_normal((16, 64)).astype(ml_dtypes.bfloat16)
    b = RANDOM.standard_normal((64, 16)).astype(ml_dtypes.bfloat16)
    c = RANDOM.standard_normal((16, 16)).astype(np.float32)
    expected = c + a.astype(np.float64) @ b.astype(np.float64)
    run = {"python": bf16_tiles.python, "interpret": bf16_tiles.interpret, "compiled": bf16_tiles}[
        way
    ]
    run(c, a, grouped(b, 2))
    np.testing.assert_allclose(c, expected, rtol=0, atol=3e-5)


@pytest.mark.parametrize("way", ["python", "interpret", "compiled"])
def test_amx_multiplies_int8_tiles(way: str) -> None:
    a = RANDOM.integers(-128, 128, (16, 64)).astype(np.int8)
    b = RANDOM.integers(-128, 128, (64, 16)).astype(np.int8)
    c = np.zeros((16, 16), np.int32)
    run = {"python": int8_tile.python, "interpret": int8_tile.interpret, "compiled": int8_tile}[way]
    run(c, a, grouped(b, 4))
    np.testing.assert_array_equal(c, a.astype(int) @ b.astype(int))


def sources() -> list[str]:
    f4, i4, bf16 = (
        np.zeros((16, 16), np.float32),
        np.zeros(16, np.int32),
        np.zeros((16, 64), ml_dtypes.bfloat16),
    )
    u1, i1 = np.zeros(64, np.uint8), np.zeros(64, np.int8)
    with targeting(Target("c", 64, ALL)):
        return [
            dots.bind(lanes=16).source("c", i4, u1, i1),
            dots.bind(lanes=8).source("c", i4, u1, i1),
            halves.source("c", f4[0], u1.view(np.uint16), u1.view(np.uint16)),
            bf16_tiles.source("c", f4, bf16, bf16),
            int8_tile.source(
                "c", np.zeros((16, 16), np.int32), i1.reshape(1, -1), i1.reshape(1, -1)
            ),
        ]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="spelled for x86-64")
def test_the_compiler_makes_the_instructions_that_are_meant(tmp_path: Path) -> None:
    try:
        compiler = Toolchain.find()
    except BackendError as error:
        pytest.skip(str(error))
    flags = "-O2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mavxvnni -mf16c -mfma "
    flags += "-mamx-tile -mamx-bf16 -mamx-int8"
    meant = ["vpdpbusd", "vpdpbusd", "vcvtph2ps", "tdpbf16ps", "tdpbssd"]
    for number, (source, mnemonic) in enumerate(zip(sources(), meant, strict=True)):
        file = tmp_path / f"{number}.c"
        file.write_text(source)
        command = [*compiler.command, *flags.split(), "-S", "-o", "-", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if "unrecognized" in done.stderr or "unknown argument" in done.stderr:
            pytest.skip("this compiler is older than the instructions")
        assert done.returncode == 0, done.stderr
        assert mnemonic in done.stdout
    assert "ldtilecfg" in done.stdout
    assert "tilerelease" in done.stdout


def test_f16c_is_used_where_the_processor_has_it() -> None:
    if "f16c" not in cpu_features().names:
        pytest.skip("this processor has no F16C")
    with targeting(Target("c", 32, cpu_features().names)):
        source = halves.source("c", np.zeros(8, np.float32), *[np.zeros(8, np.uint16)] * 2)
    assert "_mm256_cvtph_ps" in source
    assert "_mm256_cvtps_ph" in source
