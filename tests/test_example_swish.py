"""The talk's swish through `elementwise`: every way of running it gives the same bits."""

from __future__ import annotations

import numpy as np
import pytest

import tensorlib as tl
from tensorlib.tests.every_way import EXAMPLES, example, run_every_way
from tensorlib.tests.test_user_functions import needs_compiler, numbers, swished

pytestmark = [
    pytest.mark.skipif(not EXAMPLES.exists(), reason="needs the source tree"),
    needs_compiler,
]


@pytest.mark.parametrize("shape", [(1,), (37,), (3, 19)])
def test_swish_inside_a_kernel_every_way(shape: tuple[int, ...]) -> None:
    A = numbers(*shape)
    C, _ = run_every_way(example("swish").swish_into, np.zeros_like(A), A)
    np.testing.assert_allclose(C, swished(A), rtol=1e-6)
    on_tensors = example("swish").swish(tl.asarray(np.tile(A, 2000))).numpy()
    np.testing.assert_array_equal(on_tensors[..., : shape[-1]], C)


def test_one_loop_of_vectors_and_one_of_what_is_left() -> None:
    A = numbers(100)
    text = example("swish").swish_into.ir(A, A)
    assert text.count("for ") == 2
    assert text.count(" divide ") == 2
    assert "{type=float32x8}" in text
