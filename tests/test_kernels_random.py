"""Random specs of every kind: C, interpreter and NumPy meaning agree bit for bit."""

from __future__ import annotations

from functools import cache
from random import Random

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.backends.c import CompiledKernel
from tensorlib.kernels.specs import SoftmaxSpec, Spec
from tensorlib.lang.target import Target, targeting
from tensorlib.tests.random_specs import KINDS, random_call, random_spec
from tensorlib.tests.spec_calls import Array, Call, compiled, same

POOL = 24  # specs of each kind that are compiled in every run
VECTOR_BYTES = (16, 32, 64)
RANDOM = st.randoms(use_true_random=False)


def check_equal(call: Call, expected: Array, got: Array) -> None:
    if isinstance(call.spec, SoftmaxSpec):
        wide = [x.astype(np.float64) for x in (expected, got)]
        limits = ml_dtypes.finfo(expected.dtype)
        relative, least = float(limits.eps) + 1e-5, float(limits.smallest_subnormal)
        np.testing.assert_allclose(*wide, rtol=relative, atol=least, err_msg=str(call.spec))
        return
    # The sign of a zero that was summed depends on the order of adding.
    with np.errstate(invalid="ignore"):
        expected, got = (np.where(x == 0, np.zeros_like(x), x) for x in (expected, got))
    assert same(expected, got), f"{call.spec} {call.sizes}\n{expected}\n{got}"


@pytest.mark.parametrize("kind", KINDS)
@given(random=RANDOM, vector_bytes=st.sampled_from(VECTOR_BYTES))
@settings(max_examples=25)
def test_interpreter_computes_the_meaning(kind: str, random: Random, vector_bytes: int) -> None:
    spec = random_spec(random, kind)
    with targeting(Target("c", vector_bytes)):
        kernel = spec.build()
    for _ in range(2):
        call = random_call(random, spec)
        after = call.by_interpreter(kernel)
        call.check_untouched(after)
        check_equal(call, call.result(call.by_meaning()), call.result(after))


@cache
def pool(kind: str, seed: int = 0, size: int = POOL) -> dict[Spec, CompiledKernel]:
    """Specs that the seed alone chooses, compiled."""
    random = Random(f"{kind} {seed}")
    return compiled([random_spec(random, kind) for _ in range(size)])


@pytest.mark.parametrize("kind", KINDS)
@given(random=RANDOM)
@settings(max_examples=60)
def test_c_computes_the_meaning_on_any_number_of_threads(kind: str, random: Random) -> None:
    spec = random.choice(list(pool(kind)))
    call = random_call(random, spec, large=True)
    got = call.check(pool(kind)[spec])
    check_equal(call, call.result(call.by_meaning()), got)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
@pytest.mark.parametrize("kind", KINDS)
def test_many_more_specs_in_c(kind: str, seed: int) -> None:
    random = Random(seed)
    for spec, executable in pool(kind, seed, 60).items():
        for _ in range(6):
            call = random_call(random, spec, large=True)
            check_equal(call, call.result(call.by_meaning()), call.check(executable))
