"""Control flow of the kernel language: each kernel does what the same Python does, three ways."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tensorlib.dtypes import DType
from tensorlib.ir import walk
from tensorlib.lang.control import parallel, unroll
from tensorlib.lang.trace import trace
from tensorlib.simd import SIMD
from tensorlib.tests.compiled_kernels import agree, types_of
from tensorlib.tile import Tile

F32, I64 = DType.float32, DType.int64
INT = SIMD[I64, 1]


def data(n: int = 16, limit: int = 9) -> dict[str, Any]:
    x = np.arange(n, dtype=np.float32) - 4
    k = np.arange(n, dtype=np.int64) % 5
    return {"out": np.zeros(n, np.float32), "x": x, "k": k, "limit": INT(limit)}


def check(function: Callable[..., None], **changes: Any) -> None:
    for limit in (0, 1, 3, 9, 16):
        agree(function, {**data(limit=limit), **changes})


# --- leaving ---


def test_break() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total = SIMD[F32, 1](0)
        for i in range(16):
            if x[i] > limit.cast(F32):
                break
            total = total + x[i]
            out[i] = total

    check(kernel)


def test_continue() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            if k[i] == 3:
                continue
            out[i] = x[i] * 2
            if k[i] == 1:
                continue
            out[i] = out[i] + 1

    check(kernel)


def test_break_and_continue_in_nested_loops() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(4):
            count = INT(0)
            for j in range(i, 16):
                if k[j] == 2:
                    continue
                if k[j] > i:
                    count = count + 100
                    break
                count = count + 1
            else:
                count = count + 1000
            if count > limit:
                break
            out[i] = count.cast(F32)

    check(kernel)


def test_an_exit_that_is_taken_sometimes() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            if i > 2:
                if k[i] == 4:
                    break
                out[i] = 1.0
            else:
                out[i] = 2.0
                if k[i] == limit:
                    continue
            out[i] = out[i] + x[i]

    check(kernel)


def test_break_out_of_while_true() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        n = INT(0)
        while True:
            if n >= limit:
                break
            out[n] = x[n]
            n = n + 1

    check(kernel)


def test_a_condition_is_not_computed_after_break() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        n = INT(0)
        while x[n] < 100.0:  # outside of x once n is 16
            out[n] = x[n]
            n = n + 1
            if n == 16:
                break

    check(kernel)


def test_while_else_and_continue_in_while() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        n = INT(0)
        while n < limit:
            n = n + 1
            if k[n % 16] == 2:
                continue
            if n == 7:
                break
            out[n % 16] = 5.0
        else:
            out[0] = 9.0

    check(kernel)


def test_early_return_of_a_kernel() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        if limit == 0:
            return
        out[0] = 1.0
        for i in range(16):
            if k[i] == limit:
                return
            out[i] = x[i]
        out[0] = 3.0

    check(kernel)


def test_early_returns_of_a_function() -> None:
    def clipped(v: SIMD, low: float, high: float) -> SIMD:
        if v < low:
            return SIMD[F32, 1](low)
        if v > high:
            return SIMD[F32, 1](high)
        return v

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            out[i] = clipped(x[i], -2.0, 3.5)

    check(kernel)


def test_return_from_loops_in_a_function() -> None:
    def find(k: Tile, wanted: SIMD) -> tuple[SIMD, SIMD]:
        for i in range(4):
            for j in range(4):
                if k[i * 4 + j] == wanted:
                    return INT(i), INT(j)
        return INT(-1), INT(-1)

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        i, j = find(k, limit)
        out[0], out[1] = i.cast(F32), j.cast(F32)

    check(kernel)


def test_a_function_returns_on_compile_time_conditions() -> None:
    def power(v: SIMD, n: int) -> SIMD:
        if n == 0:
            return SIMD[F32, 1](1)
        if n % 2:
            return v * power(v, n - 1)
        half = power(v, n // 2)
        return half * half

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            out[i] = power(x[i], 5)

    check(kernel)


def test_break_in_an_unrolled_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in unroll(range(6)):
            if i == 4:
                break
            if k[i] == limit:
                break
            out[i] = x[i]

    check(kernel)


# --- what is carried ---


def test_nested_loops_carry_scalars_vectors_masks_and_tuples() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total, mask = SIMD[F32, 4](0), SIMD["bool", 4](False)
        pair = (INT(0), 1.0)
        for i in range(0, 16, 4):
            v = x.load[4](i)
            mask = mask | (v > 2.0)
            for j in range(3):
                total = mask.select(total + v, total)
                pair = (pair[0] + j, pair[1] * 0.5)
        out.store[4](0, total)
        out[5] = pair[0].cast(F32)
        out[6] = SIMD[F32, 1](pair[1].cast(F32) if isinstance(pair[1], SIMD) else pair[1])

    check(kernel)


def test_values_and_masks_swap() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        a, b = x.load[4](0), x.load[4](4)
        m, n = a < 0.0, k.load[4](0) > 1  # lanes of 32 and of 64 bits
        for _ in range(limit):
            a, b = b, a
            m, n = n, m
        out.store[4](0, m.select(a, 1.0))
        out.store[4](4, n.select(b, 2.0))

    check(kernel)


def test_lists_change_in_place() -> None:
    def add(acc: list[Any], x: Tile, i: Any) -> None:
        for j in unroll(range(2)):
            if x[i] > j:
                acc[j] = acc[j] + x[i]

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        acc = [[SIMD[F32, 1](0), SIMD[F32, 1](1)], [SIMD[F32, 1](2)]]
        alias = acc[0]
        for i in range(16):
            acc[0][0] = acc[0][0] + x[i]
            acc[1][0] = acc[1][0] - x[i]
            if x[i] > 0.0:
                alias[1] = alias[1] + 1.0
        add(alias, x, 3)
        out[0], out[1], out[2], out[3] = acc[0][0], acc[0][1], acc[1][0], alias[1]

    check(kernel)


@dataclass
class Pair:
    first: Any
    second: Any

    def step(self, by: Any) -> None:
        self.first = self.first + by


@dataclass(frozen=True)
class Complex:
    re: SIMD
    im: SIMD

    def __mul__(self, other: Complex) -> Complex:
        return Complex(
            self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        )


def test_what_called_functions_change_is_carried() -> None:
    totals: dict[str, Any] = {"sum": 0.0, "count": 0}

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        acc, p = [SIMD[F32, 1](0)], Pair(x[0], (x[1], INT(0)))

        def add(i: Any) -> None:
            acc[0] = acc[0] + x[i]

        for i in range(16):
            add(i)
            p.step(x[i])
            if k[i] == 2:
                p.second = (p.second[0] * 2.0, p.second[1] + 1)
                totals["sum"] = totals["sum"] + x[i]
            out[i] = acc[0]
        out[1], out[2], out[3] = p.first, p.second[0], p.second[1].cast(F32)
        out[4] = SIMD[F32, 1](totals["sum"])
        totals["sum"] = 0.0

    check(kernel)


def test_lists_are_made_anew() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        a, b = [x[0], x[1]], [x[2], x[3]]
        kept = a
        for i in range(limit):
            a, b = b, [v + 1.0 for v in a]
            if k[i] == 3:
                b = [x[4], x[5]]
        out[0], out[1], out[2], out[3] = a[0], a[1], b[0], b[1]
        out[4] = kept[0]

    check(kernel)


def test_dataclasses_are_carried() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        z, p = Complex(x[5], x[6]), Pair(x[0], INT(0))
        for i in range(3):
            z = z * z
            p.first = p.first + z.re
            if z.re > 2.0:
                p.second = p.second + i
        out[0], out[1], out[2], out[3] = z.re, z.im, p.first, p.second.cast(F32)

    check(kernel)


def test_a_closure_sees_what_the_loop_assigns() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total = SIMD[F32, 1](0)

        def twice() -> SIMD:
            return total * 2.0

        def store(i: Any, value: SIMD) -> None:
            out[i] = value

        for i in range(16):
            total = total + x[i]
            store(i, twice())

    check(kernel)


def test_a_nested_function_assigns_a_nonlocal() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total = SIMD[F32, 1](0)

        def add(n: int) -> None:
            nonlocal total
            for i in range(n):
                if x[i] > 0.0:
                    total = total + x[i]

        add(5)
        add(8)
        out[0] = total

    check(kernel)


def test_tiles_are_carried() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        part = x.tile[4](0)
        for i in range(4):
            out[i] = part[1]
            part = x.tile[4](i)
            if k[i] > 1:
                part = x.tile[4](3)
        out[8] = part[0]

    check(kernel)


def test_python_numbers_take_the_type_they_get() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        total, count, seen = 0.0, 0, False
        for i in range(16):
            total = total + x[i]
            if k[i] == 2:
                count = count + 1
                seen = True
        out[0] = SIMD[F32, 1](total)
        out[1] = SIMD[I64, 1](count).cast(F32)
        out[2] = SIMD["bool", 1](seen).cast(F32)

    check(kernel)


def test_a_name_that_both_branches_give() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            if k[i] == 1:
                v = x[i]
            elif k[i] == 2:
                v = x[i] * 2
            else:
                v = SIMD[F32, 1](7)
            out[i] = v

    check(kernel)


# --- conditions ---


def test_the_right_side_is_not_read_where_the_left_decides() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        n = INT(0)
        while n < 16 and x[n] < 100.0:  # x[16] is outside
            out[n] = 1.0
            n = n + 1
        if n == 16 or x[n] > 0.0:
            out[0] = 2.0
        if 0 <= n < 16 and x[n] > 0.0:
            out[1] = 3.0

    check(kernel)


def test_chained_comparisons_and_conditional_expressions() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            v = x[i] if -1.0 <= x[i] < 5.0 != x[3] else x[0]
            out[i] = v if not (k[i] == 2 or k[i] == 3) and limit > 1 else -v

    check(kernel)


def test_python_conditions_are_taken_at_compile_time() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        names = ["a", "b"]
        if "a" in names and len(names) == 2:
            out[0] = x[1]
        else:
            out[0] = "never traced"  # type: ignore[assignment]
        for name in names:
            if name == "b":
                out[1] = x[2]

    check(kernel)
    operations = [o.name for o in walk(trace(kernel, types_of(data())).body)]
    assert "if" not in operations
    assert "for" not in operations


def test_a_loop_over_constants_is_a_loop() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            out[i] = x[i]
        for i in unroll(range(3)):
            out[i] = x[i + 1]

    operations = [o.name for o in walk(trace(kernel, types_of(data())).body)]
    assert operations.count("for") == 1
    assert operations.count("store") == 4
    check(kernel)


# --- functions ---


def scaled(v: SIMD, by: float = 2.0, *, plus: float = 0.0) -> SIMD:
    if v < 0.0:
        v = v * by
    return v + plus


class Rule:
    """An object with methods that control flow is in."""

    def __init__(self, by: float) -> None:
        self.__by = by

    def of(self, v: SIMD) -> SIMD:
        return v if v > self.__by else scaled(v, self.__by)


def test_functions_of_every_kind_are_rewritten() -> None:
    small: Callable[[SIMD], SIMD] = lambda v: v if v < 1.0 else v * 3.0  # noqa: E731
    limit_of = 2.0
    near: Callable[[SIMD], SIMD] = lambda v: v if v < limit_of else -v  # noqa: E731
    rule, bound = Rule(1.5), functools.partial(scaled, plus=1.0)

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(0, 12, 6):
            out[i] = small(x[i])
            out[i + 1] = near(x[i + 1])
            out[i + 2] = rule.of(x[i + 2])
            out[i + 3] = bound(x[i + 3], by=4.0)
            out[i + 4] = (lambda v: -v if v > 0.0 else v)(x[i + 4])  # noqa: PLC3002
            out[i + 5] = [scaled(x[j]) for j in range(3)][2]

    check(kernel)


def test_two_lambdas_on_one_line() -> None:
    pair = (lambda v: v if v < 0.0 else v + 1.0, lambda v: v if v < 0.0 else v + 2.0)

    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in range(16):
            out[i] = pair[0](x[i]) + pair[1](x[i]) * 100.0

    check(kernel)


def test_strings_and_parentheses_do_not_end_a_function() -> None:
    def kernel(
        out: Tile,
        x: Tile,
        k: Tile,
        limit: SIMD,
    ) -> None:
        text = """
not indented
"""
        if limit > len(text):
            out[0] = x[1]

    check(kernel)


def test_the_tracer_leaves_pythons_own_functions_alone() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i, name in enumerate(sorted(["b", "a"])):
            out[i] = x[functools.reduce(lambda a, b: a + b, [i, 1])] + len(name)

    check(kernel)


# --- parallel loops ---


def test_a_parallel_loop_is_shared_out() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        whole = limit // 4 * 4
        for i in parallel(range(0, whole, 4)):
            out.store[4](i, x.load[4](i) + out.load[4](i))
        for i in range(whole, limit):
            out[i] = x[i] + out[i]

    kernel_ir = agree(kernel, data(limit=15), workers=(1, 2, 3, 7))
    assert any(o.attributes.get("parallel") for o in kernel_ir.body.operations)


@pytest.mark.parametrize("index", [0, 7])
def test_a_loop_is_not_shared_where_that_could_be_seen(index: int) -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in parallel(range(16)):
            out[i] = x[i]
        out[index] = 100.0
        x[0] = out[15]

    kernel_ir = agree(kernel, data(), workers=(1, 2, 3, 7))
    assert not any(o.attributes.get("parallel") for o in walk(kernel_ir.body))


def test_writes_beside_a_parallel_loop_happen_once() -> None:
    def kernel(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        k[0] = k[0] + 1
        for i in parallel(range(16)):
            out[i] = x[i]

    kernel_ir = agree(kernel, data(), workers=(1, 5))
    assert not any(o.attributes.get("parallel") for o in kernel_ir.body.operations)

    def alone(out: Tile, x: Tile, k: Tile, limit: SIMD) -> None:
        for i in parallel(range(16)):
            out[i] = x[i]
        for i in range(16):
            k[i] = limit

    kernel_ir = agree(alone, data(), workers=(1, 5))
    assert any(o.attributes.get("parallel") for o in kernel_ir.body.operations)
