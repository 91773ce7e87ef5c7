"""What does not depend on each other stands chain by chain; effects stay where they are."""

from __future__ import annotations

from tensorlib.ir import Kernel, parse, text, verify
from tensorlib.passes.chains import chains

HEAD = "kernel k(%0.x: pointer<float32>, %1.n: int64, %2.a: float32, %3.b: float32) {\n"


def ordered(body: str) -> list[str]:
    """Return the lines of a kernel after the pass, its values renamed in their order."""
    kernel: Kernel = parse(f"{HEAD}{body}}}")
    chains(kernel)
    verify(kernel)
    return [line.strip() for line in text(kernel).splitlines()[1:-1]]


def test_independent_chains_are_put_one_after_the_other() -> None:
    got = ordered(
        "  %4: float32 = multiply %2.a %2.a\n"
        "  %5: float32 = multiply %3.b %3.b\n"
        "  %6: float32 = add %4 %2.a\n"
        "  %7: float32 = add %5 %2.a\n"
        "  store %0.x %1.n %6\n"
        "  store %0.x %1.n %7\n"
    )
    assert [line.split("= ")[-1].split()[0] for line in got] == [
        "multiply", "add", "multiply", "add", "store", "store",
    ]  # fmt: skip


def test_chains_that_meet_keep_their_order() -> None:
    got = ordered(
        "  %4: float32 = multiply %2.a %2.a\n"
        "  %5: float32 = negative %3.b\n"
        "  %6: float32 = add %4 %2.a\n"
        "  %7: float32 = add %5 %6\n"
        "  store %0.x %1.n %7\n"
    )
    assert [line.split("= ")[-1].split()[0] for line in got] == [
        "multiply", "negative", "add", "add", "store",
    ]  # fmt: skip


def test_nothing_moves_across_a_write() -> None:
    body = (
        "  %4: float32 = load %0.x %1.n {type=float32}\n"
        "  store %0.x %1.n %2.a\n"
        "  %5: float32 = load %0.x %1.n {type=float32}\n"
        "  %6: float32 = add %4 %5\n"
        "  store %0.x %1.n %6\n"
    )
    assert ordered(body) == [line.strip() for line in body.splitlines()]


def test_what_reads_one_carried_part_is_one_chain() -> None:
    got = ordered(
        "  %4: float32x4 = splat %2.a {width=4}\n"
        "  %5: int64 = const {type=int64, value=0}\n"
        "  %6: int64 = const {type=int64, value=1}\n"
        "  for %5 %1.n %6 %4 %4 (%7: int64, %8.p: float32x4, %9.q: float32x4) {\n"
        "    %10: float32x4 = multiply %8.p %8.p\n"
        "    %11: float32x4 = multiply %9.q %9.q\n"
        "    %12: float32x4 = add %10 %4\n"
        "    %13: float32x4 = add %11 %4\n"
        "    %14: float32x4 = negative %8.p\n"
        "    %15: float32x4 = fma %12 %14 %4\n"
        "    yield %15 %13\n"
        "  } -> (%16: float32x4, %17: float32x4)\n"
        "  %18: float32x4 = add %16 %17\n"
        "  store %0.x %5 %18\n"
    )
    inside = [line.split("= ")[-1].split()[0] for line in got[4:10]]
    assert inside == ["multiply", "add", "negative", "fma", "multiply", "add"]
