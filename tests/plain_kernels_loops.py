"""Kernels of plain Python: what loops count, what conditions change, what `match` compares."""

# ruff: noqa: PLW0120, B007, B905, E731, RUF060
# They are written as people write.

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np

from tensorlib import parallel
from tensorlib.tests.plain_kernels import plain

I = np.array([5, -3, 7, 0, 12, -8, 3, 1])
F = np.linspace(-3.0, 4.0, 8)


@dataclasses.dataclass(slots=True)
class Slotted:
    a: Any
    b: Any = 1


class Total:
    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0

    def add(self, v: Any) -> None:
        if v > 0:
            self.n += v


@plain(np.zeros(8, np.int64), I)
def objects_with_slots(out, x):
    p, q = Slotted(0), Total()
    for i in range(x.size):
        p.a, p.b = p.b + x[i], p.a
        if x[i] == 7:
            p.b = 3
        q.add(x[i])
        out[i] = p.a + q.n


@plain(np.zeros(8, np.int64), I)
def dicts_of_collections(out, x):
    c: Any = collections.defaultdict(int)
    o = collections.OrderedDict(a=1)
    c["a"] += x[0]
    for i in range(x.size):
        c["a"] += x[i]
        o["a"] += 2
    out[0] = c["a"] + o["a"]


@plain(np.zeros(8, np.int64), I)
def while_side(out, x):
    n = [0]

    def f(v):
        n[0] += 1
        return v

    i = 0
    while f(x[i]) != 0:
        i += 1
    out[0] = n[0]


@plain(np.zeros(8, np.int64), I)
def rev_range(out, x):
    s = 0
    for i in reversed(range(x.size)):
        s = s * 2 + x[i]
        out[i] = s


@plain(np.zeros(8, np.int64), I)
def rev_range_step(out, x):
    s = 0
    for i in reversed(range(1, x.size, 3)):
        s = s * 2 + x[i]
        out[i] = s
    for i in reversed(range(6, 1, -2)):
        out[i] += 100


@plain(np.zeros(8, np.int64), I)
def enum_range(out, x):
    for k, i in enumerate(range(0, x.size, 2), 1):
        out[k] = x[i]
    for k, i in enumerate(reversed(range(x.size))):
        if k == 3:
            break
        out[k] += i * 10


@plain(np.zeros(8, np.int64), I)
def zip_range(out, x):
    for i, j in zip(range(x.size), range(7, -1, -1)):
        out[i] += x[j]
    for i, j in zip(range(4), range(x.size)):
        out[i] += j


@plain(np.zeros(8, np.int64), I)
def parallel_neg(out, x):
    for i in parallel(range(x.size - 1, -1, -1)):
        out[i] = x[i] * 2


@plain(np.zeros(8, np.int64), I, 0)
def step0(out, x, n):
    for i in range(0, 5, n + 2):
        out[i] = x[i]
    for i in range(5, 2, n - 1):
        out[i] = x[i]


@plain(np.zeros(8, np.int64), I)
def loopvar_after(out, x):
    i = 0
    for i in range(x.size):
        if x[i] == 0:
            break
    out[0] = i
    for i in range(3):
        out[1] += i
    out[2] = i
    for j in range(10):
        if x[j] == 7:
            break
    out[3] = j
    k = 55
    for k in range(2, 2):
        pass
    out[4] = k
    q = 9
    for m in range(8, 1, -3):
        pass
    out[5] = m
    for p in range(4):
        for q in range(p):
            if q == 1:
                continue
        p = p * 2
    out[6] = q


@plain(np.zeros(8, np.int64), I)
def loopvar_after2(out, x):
    n = x.size
    p = 0
    for p in range(n):
        p = p * 2
    out[0] = p
    i = -1
    for i in range(n, 0, -2):
        out[1] += i
    out[2] = i
    i = -7
    for i in range(n, n):
        pass
    out[3] = i


@plain(np.zeros(8, np.int64), I)
def loopvar_closure(out, x):
    i = 0

    def f():
        return i

    for i in range(x.size):
        out[i] = f()
    out[0] = f()


@plain(np.zeros(8, np.int64), I)
def match1(out, x):
    for i in range(x.size):
        match x[i]:
            case 0:
                out[i] = 1
            case 5 | 7 | 3:
                out[i] = 2
            case n if n < 0:
                if n < -5:
                    continue
                out[i] = n * 10
            case n:
                out[i] = n + 100
        out[i] += 1000


@plain(np.zeros(8, np.int64), I)
def match2(out, x):
    def f(v):
        match v % 4:
            case 0:
                return 10
            case 1:
                return 11
        return v

    for i in range(x.size):
        out[i] = f(x[i])


@plain(np.zeros(8, np.int64), I)
def match3(out, x):
    for i in range(x.size):
        match (i % 2 == 0, x[i] > 0):
            case (a, b):
                out[i] = (1 if a else 2) + (10 if b else 20)
        match None:
            case None:
                out[i] += 100


@plain(np.zeros(8, np.int64), I)
def match_no_default(out, x):
    r = 5
    for i in range(x.size):
        match x[i]:
            case 7:
                r = 8
            case 3 as q:
                r = q
        out[i] = r


@plain(np.zeros(8, np.int64), I)
def while_walrus_else(out, x):
    i = 0
    while (v := x[i]) > 0 or v < -1:
        i += 1
        if v == 100:
            break
        if v == -3:
            continue
        out[i] += v
    else:
        out[7] = 50 + i


@plain(np.zeros(8, np.int64), I)
def numbers_truth(out, x):
    for i in range(x.size):
        a = x[i] and x[i - i]
        b = x[i] or 77
        out[i] = a + b
        if x[i] and x[i] > 3 and not (i and x[i] - 7):
            out[i] += 1000
        if not x[i]:
            out[i] += 5
        out[i] += 1 if x[i] else 2
        while i and out[i] < 10:
            out[i] += 100


@plain(np.zeros(8, np.int64), I)
def any_all_gen(out, x):
    for i in range(x.size):
        if any(x[k] == x[i] for k in (0, 2, 4)):
            out[i] = 1
        if all(x[i] % k for k in (2, 3, 5)):
            out[i] += 2
        if any([]) or all([]):
            out[i] += 4


@plain(np.zeros(8), F)
def minmax_list(out, x):
    v = [x[i] for i in range(5)]
    out[0] = min(v)
    out[1] = max(v, key=lambda a: -a * a)
    out[2] = min(*v, 2.0)
    out[3] = max((x[0], 5.0))
    out[4] = min(v, default=3)


@plain(np.zeros(8, np.int64), I)
def in_range(out, x):
    for i in range(x.size):
        if x[i] in range(0, 8):
            out[i] += 1
        if x[i] in range(1, 20, 3):
            out[i] += 2
        if x[i] not in range(12, -9, -5):
            out[i] += 4
        if x[i] in [x[0], x[1], 3]:
            out[i] += 8
        if x[i] in ():
            out[i] += 16


@plain(np.zeros(8, np.int64), I)
def walrus_prior(out, x):
    y = 100
    for i in range(x.size):
        if x[i] > 0 and (y := x[i] - 4) > 0:
            out[i] = y
        out[i] += y


@plain(np.zeros(8, np.int64), I)
def class_in_kernel(out, x):
    class C:
        def __init__(self, v):
            self.v = v

        def f(self, k):
            if self.v > k:
                return self.v
            return k

    for i in range(x.size):
        c = C(x[i])
        out[i] = c.f(2)


@plain(np.zeros(8, np.int64), I)
def lambda_walrus(out, x):
    f = lambda v: (w := v + 1) * w
    for i in range(x.size):
        out[i] = f(x[i])


@plain(np.zeros(8, np.int64), I)
def condexp_effect(out, x):
    log = [0]

    def f(v):
        log[0] += v
        return v

    for i in range(x.size):
        out[i] = f(x[i]) if x[i] > 0 else -f(1)
    out[7] = log[0]


@plain(np.zeros(8, np.int64), I)
def nested_effects(out, x):
    c = 0

    def t(v):
        nonlocal c
        c += 1
        return v

    for i in range(x.size):
        if t(x[i] > 0) and (t(x[i] > 4) or t(x[i] == 3)) and not t(x[i] == 12):
            out[i] = 1
        out[i] += c * 10


@plain(np.zeros(8, np.int64), I)
def an_else_returns(out, x):
    def place(k):
        for i in range(x.size):
            if x[i] == k:
                return i
        else:
            return 100 + k

    for j in range(8):
        out[j] = place(j)
