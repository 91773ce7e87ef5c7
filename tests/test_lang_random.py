"""Random kernels write the same bits in plain Python, in the interpreter and as compiled C."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorlib.tests.compiled_kernels import agree
from tensorlib.tests.random_kernels import RandomKernel, random_kernels

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


@settings(max_examples=40, suppress_health_check=QUIET)
@given(random_kernels(), st.integers(0, 2**32))
def test_random_kernels_agree(kernel: RandomKernel, seed: int) -> None:
    print(kernel.source)
    agree(kernel.function(), kernel.data(seed))


@pytest.mark.slow
@settings(max_examples=2000, suppress_health_check=QUIET)
@given(random_kernels(statements=8), st.integers(0, 2**32))
def test_many_random_kernels_agree(kernel: RandomKernel, seed: int) -> None:
    print(kernel.source)
    agree(kernel.function(), kernel.data(seed))
