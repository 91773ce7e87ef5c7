"""`@` of operands that AMX and VNNI take: the same bits with them and without, and spellings."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import tensorlib as tl
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.errors import BackendError, KernelError
from tensorlib.lang.target import Target, targeting
from tensorlib.tests.test_tile_views import agree
from tensorlib.tile import Tile

BF16 = ml_dtypes.bfloat16
AMX = frozenset(["amx_tile", "amx_bf16", "amx_int8"])
VNNI = frozenset(["avx512f", "avx512_vnni"])


@tl.kernel
def multiplied(c: Tile, a: Tile, b: Tile, *, M: int, N: int, K: int, group: int) -> None:
    """c += a @ b, b in groups along K, by tiles of (M, N): sums wait in registers."""
    for i in range(c.shape[0] // M):
        for j in range(c.shape[1] // N):
            total = c.tile[M, N](i, j).copy[tl.REGISTER]()
            for k in range(a.shape[1] // K):
                right = b.tile[K // group, N * group](k, j).grouped(group)
                total += a.tile[M, K](i, k) @ right
            c.tile[M, N](i, j).copy_from(total)


@tl.kernel
def in_place(c: Tile, a: Tile, b: Tile, *, M: int, N: int, K: int, group: int) -> None:
    """c += a @ b of one tile, the sums where they are."""
    total = c.tile[M, N](0, 0)
    total += a.tile[M, K](0, 0) @ b.tile[K // group, N * group](0, 0).grouped(group)


def packed(b: Any, group: int) -> Any:
    """Return b (K, N) with groups of neighbours along K together: (K / group, N * group)."""
    k, n = b.shape
    rows = b.reshape(k // group, group, n).transpose(0, 2, 1).reshape(-1, n * group)
    return np.ascontiguousarray(rows)


def operands(kind: str, m: int, n: int, k: int) -> tuple[Any, Any, Any, int]:
    """Return c, a, b and how b is grouped."""
    rng = np.random.default_rng(0)
    if kind == "bf16":
        a, b = (rng.standard_normal(s).astype(BF16) for s in ((m, k), (k, n)))
        return rng.standard_normal((m, n)).astype(np.float32), a, b, 2
    left = np.uint8 if kind == "u8" else np.int8
    a = rng.integers(np.iinfo(left).min, np.iinfo(left).max + 1, (m, k)).astype(left)
    b = rng.integers(-128, 128, (k, n)).astype(np.int8)
    return rng.integers(-99, 99, (m, n)).astype(np.int32), a, b, 4


def as_amx(c: Any, a: Any, b: Any) -> Any:
    """Return c + a @ b as TDPBF16PS sums: even and odd products of 32 steps apart."""
    wide, c = [x.astype(np.float64) for x in (a, b)], c.copy()
    for start in range(0, a.shape[1], 32):
        sums = [np.zeros(c.shape, np.float32), np.zeros(c.shape, np.float32)]
        for k in range(start, start + 32):  # exact in float64 before it is rounded
            exact = wide[0][:, k : k + 1] * wide[1][k] + sums[k % 2]
            sums[k % 2] = exact.astype(np.float32)
        c = c + (sums[0] + sums[1])
    return c


@pytest.mark.parametrize("kernel", [multiplied, in_place])
@pytest.mark.parametrize("shape", [(16, 16, 32), (32, 16, 64)])
def test_pairs_of_bfloat16_are_summed_as_amx_sums_them(kernel: Any, shape: Any) -> None:
    c, a, b, group = operands("bf16", *shape)
    bound = kernel.bind(**dict(zip("MNK", shape, strict=True)), group=group)
    found = agree(bound, c, a, packed(b, group))
    assert (found == as_amx(c, a, b)).all()
    exact = c + a.astype(np.float64) @ b.astype(np.float64)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["s8", "u8"])
@pytest.mark.parametrize("shape", [(16, 16, 64), (3, 8, 12), (4, 24, 4), (1, 16, 8)])
def test_groups_of_four_are_exact(kind: str, shape: Any) -> None:
    c, a, b, group = operands(kind, *shape)
    for kernel in (multiplied, in_place):
        bound = kernel.bind(**dict(zip("MNK", shape, strict=True)), group=group)
        found = agree(bound, c, a, packed(b, group))
        assert (found == c + a.astype(np.int32) @ b.astype(np.int32)).all()


@pytest.mark.parametrize(("kind", "features"), [("bf16", AMX), ("s8", AMX), ("u8", VNNI)])
def test_instructions_mean_what_the_portable_form_computes(kind: str, features: Any) -> None:
    shape = (16, 32, 64) if kind != "bf16" else (32, 16, 32)
    c, a, b, group = operands(kind, *shape)
    kernel = in_place.bind(**dict(zip("MNK", shape, strict=True)), group=group)
    found, meant = c.copy(), c.copy()
    kernel.interpret(found, a, packed(b, group))
    with targeting(Target("c", 64, features)):
        kernel.interpret(meant, a, packed(b, group))
        assert "instruction" in kernel.ir(meant, a, packed(b, group))
    assert found.tobytes() == meant.tobytes()
    assert "instruction" not in kernel.ir(c, a, packed(b, group))


@pytest.mark.parametrize(
    ("kind", "features", "mnemonic"),
    [("bf16", AMX, "tdpbf16ps"), ("s8", AMX, "tdpbssd"), ("u8", VNNI, "vpdpbusd")],
)
def test_the_compiler_makes_them(kind: str, features: Any, mnemonic: str, tmp_path: Path) -> None:
    try:
        compiler = Toolchain.find()
    except BackendError as error:
        pytest.skip(str(error))
    c, a, b, group = operands(kind, 32, 32, 64)
    with targeting(Target("c", 64, features)):
        kernel = in_place.bind(M=32, N=32, K=64, group=group)
        source = kernel.source("c", c, a, packed(b, group))
    (tmp_path / "kernel.c").write_text(source)
    flags = (
        "-O2 -mavx512f -mavx512bw -mavx512vl -mavx512vnni -mfma -mamx-tile -mamx-bf16 -mamx-int8"
    )
    command = [*compiler.command, *flags.split(), "-S", "-o", "-", str(tmp_path / "kernel.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized" in done.stderr or "unknown argument" in done.stderr:
        pytest.skip("this compiler is older than the instructions, or not of x86-64")
    assert done.returncode == 0, done.stderr
    assert mnemonic in done.stdout


def test_what_cannot_be_grouped_says_why() -> None:
    tile = Tile.over(np.zeros((4, 6), np.int8))
    message = r"grouped: got groups of 4 for Tile\[int8, \(4,6\):\(6,1\), global\], needed rows of"
    with pytest.raises(KernelError, match=message):
        tile.grouped(4)
    with pytest.raises(KernelError, match=r"grouped: got .*, needed rows of groups: \(K / 2, N"):
        tile.reshape(24).grouped(2)
