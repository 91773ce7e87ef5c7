"""The shuffle that a user declares: its body everywhere, its spelling where there is one."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.tests.every_way import EXAMPLES, compiles_as_cuda, example, run_every_way

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the source tree")


def test_warp_sums_in_every_way() -> None:
    x = np.random.default_rng(2).integers(-50, 50, 128).astype(np.float32)
    sums = run_every_way(
        example("shuffle_down").warp_sums, np.zeros(4, np.float32), x, grid=2, block=64
    )[0]
    np.testing.assert_array_equal(sums, x.reshape(4, 32).sum(1))


def test_cuda_gets_the_instruction_and_no_shared_memory() -> None:
    x, sums = np.zeros(64, np.float32), np.zeros(2, np.float32)
    source = compiles_as_cuda(example("shuffle_down").warp_sums, sums, x, grid=1, block=64)
    assert source.count("__shfl_down_sync") == 5
    assert "__syncwarp" not in source


def test_the_users_shuffle_is_the_librarys() -> None:
    mine = example("shuffle_down").shuffle_down

    @tl.kernel
    def both(out: tl.Tile, x: tl.Tile) -> None:
        i = tl.thread_id()
        out[i] = mine(x[i], 3) - tl.shuffle_down(x[i], 3)

    x = np.arange(64, dtype=np.float32)
    for run in (both, both.interpret, both.python):
        out = np.ones(64, np.float32)
        run(out, x, grid=1, block=64)
        np.testing.assert_array_equal(out, 0)
