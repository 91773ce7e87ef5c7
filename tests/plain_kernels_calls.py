"""Kernels of plain Python: calls of every kind, patterns, names given in expressions."""

# ruff: noqa: B023, C417, E711, F841, PLW1641
# They are written as people write.

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import math
import operator
import typing

import numpy as np

from tensorlib import unroll
from tensorlib.tests.plain_kernels import plain

I = np.array([5, -3, 7, 0, 12, -8, 3, 1])
F = np.linspace(-3.0, 4.0, 8)
M = np.arange(12.0).reshape(3, 4)


@plain(np.zeros(8, np.int64), I)
def match_traced(out, x):
    for i in range(x.size):
        match i % 2:
            case 0:
                out[i] = 1
            case _:
                out[i] = 2


@plain(np.zeros(8, np.int64), I)
def ret_in_with(out, x):
    with contextlib.nullcontext(3) as c:
        for i in range(x.size):
            out[i] = x[i] + c


@plain(np.zeros(8, np.int64), I)
def ret_in_match(out, x):
    def f(v, mode):
        match mode:
            case "neg":
                return -v
            case "abs":
                return abs(v)
        return v

    for i in range(x.size):
        out[i] = f(x[i], "neg") + f(x[i], "abs") * 10 + f(x[i], "")


@plain(np.zeros(8, np.int64), I)
def try_traced_if(out, x):
    for i in range(x.size):
        try:
            if x[i] > 0:
                out[i] = 1
            else:
                out[i] = 2
        finally:
            out[i] += 1


@plain(np.zeros(8, np.int64), I)
def lambda_default_loopvar(out, x):
    fs = [lambda v, k=k: v * k for k in (1, 2, 3)]
    for i in range(x.size):
        for f in fs:
            out[i] += f(x[i])


@plain(np.zeros(8, np.int64), I)
def late_closure(out, x):
    fs = []
    for k in (1, 2, 3):
        fs.append(lambda v: v * k)
    for i in range(x.size):
        out[i] = fs[0](x[i])


@plain(np.zeros(8, np.int64), I)
def reduce_f(out, x):
    out[0] = functools.reduce(lambda a, b: a + b if b > 0 else a, [x[i] for i in range(4)])
    out[1] = functools.reduce(operator.mul, (x[k] for k in (0, 1, 2)))
    for i, v in enumerate(itertools.accumulate([x[0], x[1], x[2]])):
        out[2 + i] = v


@plain(np.zeros(8, np.int64), I)
def gen_yield(out, x):
    def gen(n):
        for k in unroll(range(n)):
            if k != 1:
                yield k, x[k]

    for k, v in gen(4):
        out[k] = v


@plain(np.zeros(8, np.int64), I)
def map_filter(out, x):
    for k, v in enumerate(map(lambda v: v + 1 if v > 0 else v - 1, [x[0], x[1], x[2]])):
        out[k] = v
    for k in filter(lambda k: k % 2, [3, 4, 5]):
        out[k] = k


@plain(np.zeros(8, np.int64), I)
def map_kw(out, x):
    def f(a, /, b, *c, d, e=4, **g):
        return a + b + sum(c) + d + e + g.get("h", 0)

    out[0] = f(x[0], x[1], x[2], d=x[3])
    out[1] = f(1, b=x[1], d=2, e=3, h=x[4])


@plain(np.zeros(8, np.int64), I)
def matmul_aug(out, x):
    class V:
        def __init__(s, v):
            s.v = v

        def __imatmul__(s, o):
            s.v = s.v * o
            return s

        def __call__(s, k):
            return s.v if k > 0 else -s.v

        def __getitem__(s, k):
            return s.v + k

        def __contains__(s, k):
            return k == 3

        def __len__(s):
            return 7

        def __enter__(s):
            return s

        def __exit__(s, *a):
            s.v = s.v + 1

        def __eq__(s, o):
            return s.v == o

    v = V(x[0])
    v @= 2
    out[0] = v(x[1]) + v[2] + len(v) + (3 in v)
    with v as w:
        for i in range(3):
            w.v += x[i]
    out[1] = v.v
    out[2] = 1 if v == 15 else 0


@plain(np.zeros(8), M)
def tiles2d(out, m):
    r, c = m.shape
    for i in range(r):
        s = 0.0
        for j in range(c):
            s += m[i, j] * m[i, c - 1 - j]
        out[i] = s


@plain(np.zeros(8, np.int64), I)
def carry_list_of_lists(out, x):
    g = [[0, 0], [1, 1]]
    for i in range(x.size):
        g[0][1], g[1][0] = g[1][0] + x[i], g[0][1]
        if x[i] > 3:
            g[1] = [g[0][0] + 1, g[1][1]]
        out[i] = g[0][1] * 3 + g[1][0] * 5 + g[1][1]


class NT(typing.NamedTuple):
    a: object
    b: object


@plain(np.zeros(8, np.int64), I)
def namedtuple_carry(out, x):
    s = NT(0, 1)
    for i in range(x.size):
        s = s._replace(a=s.b, b=s.a + x[i])
        out[i] = s.a


@plain(np.zeros(8, np.int64), I)
def frozen_dc(out, x):
    @dataclasses.dataclass(frozen=True)
    class Q:
        a: object
        b: object = 3
        c: str = "hi"

    q = Q(0)
    for i in range(x.size):
        q = dataclasses.replace(q, a=q.a + x[i])
        out[i] = q.a + q.b + len(q.c)


@plain(np.zeros(8, np.int64), I)
def while_walrus(out, x):
    i = 0
    while (v := x[i]) != 0:
        out[i] = v
        i += 1


@plain(np.zeros(8, np.int64), I)
def chain_side(out, x):
    n = [0]

    def f(v):
        n[0] += 1
        return v

    for i in range(x.size):
        if f(0) < f(x[i]) < f(6):
            out[i] = 1
    out[0] = n[0]


@plain(np.zeros(8, np.int64), I)
def and_side(out, x):
    n = 0

    def f(v):
        nonlocal n
        n += 1
        return v > 0

    for i in range(x.size):
        if (f(x[i]) and f(x[i] - 4)) or f(-x[i]):
            out[i] = 1
    out[0] = n


@plain(np.zeros(8, np.int64), I)
def condexp_side(out, x):
    n = 0

    def f(v):
        nonlocal n
        n += v
        return v

    for i in range(x.size):
        out[i] = f(x[i]) if x[i] > 0 else 3
    out[0] = n


@plain(np.zeros(8, np.int64), I)
def walrus_in_and(out, x):
    for i in range(x.size):
        if x[i] > 0 and (y := x[i] - 4) > 0:
            out[i] = y


@plain(np.zeros(8, np.int64), I)
def walrus_in_cond(out, x):
    for i in range(x.size):
        out[i] = (y := x[i]) + 1 if x[i] > 0 else 2


@plain(np.zeros(8, np.int64), I)
def walrus_if_elif(out, x):
    for i in range(x.size):
        if (y := x[i]) < 0:
            out[i] = -1
        elif (z := y - 3) > 0:
            out[i] = z
        else:
            out[i] = y


@plain(np.zeros(8, np.int64), I)
def in_tuple(out, x):
    for i in range(x.size):
        if x[i] in (3, 5, 7):
            out[i] = 1
        if x[i] not in (0, 1):
            out[i] += 2


@plain(np.zeros(8, np.int64), I)
def eq_none_str(out, x):
    for i in range(x.size):
        if x[i] == None:
            out[i] = 5
        out[i] += 1


@plain(np.zeros(8, np.int64), I)
def multi_assign(out, x):
    a = b = x[0]
    a += 1
    out[0], out[1] = a, b
    (c, d), e = (x[1], x[2]), x[3]
    [f, g] = c, d
    out[2] = c + d + e + f * g
    for i, (p, q) in ((0, (1, 2)), (1, (3, 4))):
        out[3 + i] = p * q


@plain(np.zeros(8, np.int64), I)
def early_ret_none(out, x):
    if x[0] > 3:
        out[0] = 1
        return
    out[0] = 2


@plain(np.zeros(8, np.int64), I)
def early_ret_loop(out, x):
    for i in range(x.size):
        for j in range(3):
            if x[i] == 0:
                return
            out[i] += j
    out[7] = 9


def two(v):
    while v > 0:
        for k in range(3):
            if v == k:
                return k, v
            if v == 100:
                break
        else:
            v -= 1
            continue
        break
    else:
        return -5, v
    return -1, v


@plain(np.zeros(8, np.int64), I)
def nested_ret_tuple(out, x):
    for i in range(x.size):
        a, b = two(x[i])
        out[i] = a * 10 + b


def maybe(v):
    if v > 0:
        return v


@plain(np.zeros(8, np.int64), I)
def range_var(out, x):
    r = range(2, 6)
    for i in r:
        out[i] = x[i]


@plain(np.zeros(8), F)
def floats_inf(out, x):
    m = -math.inf
    best = float("inf")
    for i in range(x.size):
        m = max(m, x[i])
        best = min(best, x[i])
    out[0] = m
    out[1] = best
    out[2] = math.pi * x[1]
