"""Each pass on IR text: before and after; the pipeline verifies, and prints what TENSORLIB_DEBUG
asks for.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlib.errors import VerifyError
from tensorlib.ir import Kernel, parse, text, verify
from tensorlib.passes import PASSES, pipeline, run_passes
from tensorlib.passes.dead import dead
from tensorlib.passes.half import half
from tensorlib.passes.invariant import invariant
from tensorlib.passes.parallel import parallel
from tensorlib.printers import print_c
from tensorlib.tests.compiled_kernels import types_of
from tensorlib.tests.random_kernels import RandomKernel, random_kernels

HEAD = "kernel k(%p: pointer<float32>, %q: pointer<float32>, %n: int64, %h: float16, %b: bool) {\n"
CONSTANTS = """\
  %0: int64 = const {type=int64, value=0}
  %1: int64 = const {type=int64, value=1}
"""


def after(function: Callable[[Kernel], None], body: str) -> list[str]:
    """Return the lines of a kernel's body after a pass, with values numbered anew."""
    kernel = parse(f"{HEAD}{body}}}\n")
    verify(kernel)
    function(kernel)
    verify(kernel)
    return text(kernel).splitlines()[1:-1]


def same(function: Callable[[Kernel], None], body: str, expected: str) -> None:
    again = text(parse(f"{HEAD}{expected}}}\n")).splitlines()[1:-1]
    assert after(function, body) == again


# --- dead ---


def test_dead_drops_what_nobody_uses() -> None:
    same(
        dead,
        CONSTANTS
        + "  %2: int64 = add %n %1\n  %3: int64 = multiply %n %n\n"
        + "  %4: float32 = load %p %2 {type=float32}\n"
        + "  %5: float32 = load %p %3 {type=float32}\n  store %q %0 %5\n",
        "  %0: int64 = const {type=int64, value=0}\n  %3: int64 = multiply %n %n\n"
        "  %5: float32 = load %p %3 {type=float32}\n  store %q %0 %5\n",
    )


def test_dead_drops_what_a_loop_carries_for_nobody() -> None:
    loop = """\
  for %0 %n %1 %0 %1 %n (%i: int64, %a: int64, %c: int64, %d: int64) {
    %2: int64 = add %a %c
    %3: int64 = add %d %d
    store %p %d %4
    yield %2 %c %3
  } -> (%5: int64, %6: int64, %7: int64)
"""
    expected = """\
  for %0 %n %1 %n (%i: int64, %d: int64) {
    %3: int64 = add %d %d
    store %p %d %4
    yield %3
  } -> (%7: int64)
"""
    value = "  %4: float32 = const {type=float32, value=1.0}\n"
    same(dead, CONSTANTS + value + loop, CONSTANTS + value + expected)


def test_dead_keeps_what_another_carried_value_needs() -> None:
    body = CONSTANTS + (
        "  for %0 %n %1 %0 %1 (%i: int64, %a: int64, %c: int64) {\n"
        "    %2: int64 = add %a %c\n    yield %2 %2\n  } -> (%3: int64, %4: int64)\n"
        "  %5: float32 = load %p %3 {type=float32}\n  store %q %0 %5\n"
    )
    same(dead, body, body)


def test_dead_drops_loops_branches_and_local_memory_without_effect() -> None:
    body = CONSTANTS + (
        "  %t: pointer<float32, register> = alloc {dtype=float32, placement=@register, size=4}\n"
        "  for %0 %n %1 (%i: int64) {\n    %2: float32 = load %p %i {type=float32}\n"
        "    store %t %0 %2\n    yield\n  } -> ()\n"
        "  if %b {types=[int64]} () {\n    yield %0\n  } and () {\n    yield %1\n"
        "  } -> (%3: int64)\n"
    )
    same(dead, body, "")


def test_dead_keeps_a_loop_that_may_not_end() -> None:
    body = CONSTANTS + (
        "  while %0 (%a: int64) {\n    %2: bool = less %a %n\n    yield %2\n"
        "  } and (%c: int64) {\n    %3: int64 = add %c %1\n    yield %3\n  } -> (%4: int64)\n"
    )
    same(dead, body, body)


# --- invariant ---


def test_invariant_takes_out_what_does_not_change() -> None:
    same(
        lambda kernel: (invariant(kernel), dead(kernel))[0],  # type: ignore[func-returns-value]
        CONSTANTS
        + "  %2: float32 = const {type=float32, value=0.5}\n"
        + "  for %0 %n %1 %2 %1 (%i: int64, %a: float32, %c: int64) {\n    store %p %c %a\n"
        + "    yield %a %i\n  } -> (%3: float32, %4: int64)\n  store %q %4 %3\n",
        CONSTANTS
        + "  %2: float32 = const {type=float32, value=0.5}\n"
        + "  for %0 %n %1 %1 (%i: int64, %c: int64) {\n    store %p %c %2\n"
        + "    yield %i\n  } -> (%4: int64)\n  store %q %4 %2\n",
    )


def test_invariant_joins_branches_that_agree() -> None:
    same(
        lambda kernel: (invariant(kernel), dead(kernel))[0],  # type: ignore[func-returns-value]
        CONSTANTS
        + "  if %b {types=[int64]} () {\n    yield %n\n  } and () {\n    yield %n\n"
        + "  } -> (%3: int64)\n  %4: float32 = load %p %3 {type=float32}\n  store %q %0 %4\n",
        "  %0: int64 = const {type=int64, value=0}\n"
        "  %4: float32 = load %p %n {type=float32}\n  store %q %0 %4\n",
    )


# --- half ---


def test_half_computes_in_float32() -> None:
    same(
        half,
        "  %2: float16 = add %h %h\n  %3: bool = less %2 %h\n",
        "  %2: float32 = cast %h {dtype=float32}\n  %3: float32 = cast %h {dtype=float32}\n"
        "  %4: float32 = add %2 %3\n  %5: float16 = cast %4 {dtype=float16}\n"
        "  %6: float32 = cast %5 {dtype=float32}\n  %7: float32 = cast %h {dtype=float32}\n"
        "  %8: bool = less %6 %7\n",
    )


def test_half_leaves_moves_and_fma_alone() -> None:
    body = (
        "  %2: float16 = fma %h %h %h\n  %3: float16x4 = splat %2 {width=4}\n"
        "  %4: float16x2 = shuffle %3 {indices=(1, 0)}\n  %5: float16 = select %b %h %2\n"
        "  %6: float32x2 = cast %4 {dtype=float32}\n"
    )
    same(half, body, body)


def test_half_widens_constants_at_once() -> None:
    same(
        half,
        "  %2: float16 = const {type=float16, value=0.5}\n  %3: float16 = add %h %2\n",
        "  %2: float16 = const {type=float16, value=0.5}\n  %3: float32 = cast %h {dtype=float32}\n"
        "  %4: float32 = const {type=float32, value=0.5}\n  %5: float32 = add %3 %4\n"
        "  %6: float16 = cast %5 {dtype=float16}\n",
    )


# --- parallel ---

LOOP = "  for {0} %8 %9 {{parallel=True}} (%i: int64) {{\n{1}    yield\n  }} -> ()\n"
SIZES = """\
  %7: int64 = floor_divide %n %9
  %8: int64 = multiply %7 %9
"""
STORE = "    %x: float32x8 = load %q %i {type=float32x8}\n    store %p %i %x\n"
EIGHT = "  %9: int64 = const {type=int64, value=8}\n"
TAIL = "  for %8 %n %1 (%j: int64) {\n    %y: float32 = load %q %j {type=float32}\n"


@pytest.mark.parametrize(
    ("beside", "kept"),
    [
        ("", True),
        # elements that whole vectors leave over
        (TAIL + "    store %p %j %y\n    yield\n  } -> ()\n", True),
        # ... but not the element before them
        (
            TAIL + "    %z: int64 = subtract %j %1\n    store %p %z %y\n    yield\n  } -> ()\n",
            False,
        ),
        # a loop that starts elsewhere
        (TAIL.replace("%8", "%0") + "    store %p %j %y\n    yield\n  } -> ()\n", False),
        # memory that the loop only reads, or not at all
        ("  %v: float32 = load %q %0 {type=float32}\n  store %q %1 %v\n", False),
        ("  %v: float32 = load %q %0 {type=float32}\n", True),
        ("  %v: float32 = load %p %0 {type=float32}\n", False),
        # another parallel loop over the same memory, and a nested one
        (LOOP.format("%0", STORE), False),
    ],
)
def test_parallel_loops_stay_where_nobody_can_see(beside: str, kept: bool) -> None:
    body = CONSTANTS + EIGHT + SIZES + LOOP.format("%0", STORE)
    renamed = beside.replace("%x", "%xx").replace("%i", "%ii")
    lines = after(parallel, body + renamed)
    assert any("parallel=True" in line for line in lines) == kept


def test_a_vector_that_reaches_past_the_end_is_seen() -> None:
    ragged = LOOP.replace("%8", "%n").format("%0", STORE)
    lines = after(parallel, CONSTANTS + EIGHT + SIZES + ragged + TAIL.replace("%8", "%n") + (
        "    store %p %j %y\n    yield\n  } -> ()\n"
    ))  # fmt: skip
    assert not any("parallel=True" in line for line in lines)


def test_what_only_one_worker_computes_is_not_handed_on() -> None:
    first = (
        "  for %0 %n %1 %1 (%k: int64, %a: int64) {\n    %v: float32 = load %q %k {type=float32}\n"
        "    store %q %k %v\n    yield %k\n  } -> (%m: int64)\n"
    )
    loop = LOOP.format(
        "%0", "    %x: float32 = const {type=float32, value=1.0}\n    store %p %m %x\n"
    )
    lines = after(parallel, CONSTANTS + EIGHT + SIZES + first + loop)
    assert not any("parallel=True" in line for line in lines)


# --- the pipeline ---


@given(random_kernels(statements=4), st.integers(0, 2**32))
def test_passes_change_nothing_the_second_time(kernel: RandomKernel, seed: int) -> None:
    from tensorlib.lang.trace import trace

    once = run_passes(trace(kernel.function(), types_of(kernel.data(seed))))
    before = text(once)
    assert text(run_passes(once)) == before


@given(random_kernels(statements=4), st.integers(0, 2**32))
def test_what_a_pass_says_it_left_alone_is_as_it_was(kernel: RandomKernel, seed: int) -> None:
    from tensorlib.lang.trace import trace

    traced = trace(kernel.function(), types_of(kernel.data(seed)))
    for function in PASSES:
        if not function.__module__.startswith("tensorlib.passes."):
            continue  # a user's, who need not say it
        before = text(traced)
        is_changed = function(traced)
        assert is_changed is not None, function.__name__
        assert is_changed or text(traced) == before, function.__name__
        verify(traced)


@settings(max_examples=25)
@given(random_kernels(statements=4), st.integers(0, 2**32))
def test_random_kernels_stay_verified_while_debugging(kernel: RandomKernel, seed: int) -> None:
    from tensorlib.lang.trace import trace

    seen: list[Kernel] = []

    def noted(kernel: Kernel) -> None:
        verify(kernel)
        seen.append(kernel)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENSORLIB_DEBUG", "1")
        patch.setattr(pipeline, "verify", noted)
        run_passes(trace(kernel.function(), types_of(kernel.data(seed))), is_new=True)
    assert len(seen) == 1 + len(PASSES)


def _turned(kernel: Kernel) -> bool:
    """Break a kernel and say that nothing was done."""
    kernel.body.operations.reverse()
    return False


def test_while_debugging_no_pass_is_taken_at_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "PASSES", [_turned, *PASSES])
    monkeypatch.setenv("TENSORLIB_DEBUG", "1")
    with pytest.raises(VerifyError, match="is used before it is defined"):
        run_passes(parse(SMALL), is_new=True)


def test_a_new_kernel_is_verified_though_no_pass_changes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "PASSES", [_turned])
    with pytest.raises(VerifyError, match="is used before it is defined"):
        run_passes(parse(SMALL), is_new=True)


def test_a_pass_that_breaks_a_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(kernel: Kernel) -> None:
        kernel.body.operations.reverse()

    monkeypatch.setattr(pipeline, "PASSES", [*PASSES, breaks])
    kernel = parse(
        f"{HEAD}{CONSTANTS}  %2: float32 = load %p %1 {{type=float32}}\n  store %p %0 %2\n}}\n"
    )
    with pytest.raises(VerifyError, match="is used before it is defined"):
        run_passes(kernel)


SMALL = f"{HEAD}{CONSTANTS}  %2: float32 = load %p %1 {{type=float32}}\n  store %p %0 %2\n}}\n"


@pytest.mark.parametrize("level", [0, 3, 4, 5])
def test_debug_levels(
    level: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TENSORLIB_DEBUG", str(level))
    dying = SMALL.replace("  store", "  %3: int64 = add %n %n\n  store")
    print_c(run_passes(parse(dying)))
    shown = capsys.readouterr().err
    assert ("kernel k(" in shown) == (level >= 3)
    assert ("void k(" in shown) == (level >= 4)
    assert ("# after dead" in shown) == (level == 5)
    assert "# after half" not in shown
