"""Kernels of plain Python: conditions, loops and patterns that change names and lists."""

# ruff: noqa: B007, PLR0133
# They are written as people write.

from __future__ import annotations

import collections
import itertools

import numpy as np

from tensorlib import parallel
from tensorlib.tests.plain_kernels import plain

I = np.array([5, -3, 7, 0, 12, -8, 3, 1])

GCOUNT = 0


@plain(np.zeros(8, np.int64), I)
def while_effects_flags(out, x):
    n = 0

    def tick(v):
        nonlocal n
        n += 1
        return v

    i = 0
    while tick(i < 8) and tick(x[i] != 12):
        if x[i] == 7:
            i += 1
            continue
        if n > 100:
            break
        out[i] = n
        i += 1
    out[7] = n * 10 + i


@plain(np.zeros(8, np.int64), I)
def while_effects_return(out, x):
    log = [0]

    def get(i):
        log[0] += 1
        return x[i]

    def run():
        i = 0
        while get(i) != 12:
            if get(i) == 0:
                return i + 50
            i += 1
        return i

    out[0] = run()
    out[1] = log[0]


@plain(np.zeros(8, np.int64), I)
def match_break(out, x):
    for i in range(x.size):
        for j in range(5):
            match x[i] + j:
                case 0:
                    break
                case 5 | 6:
                    out[i] += 100
                    continue
                case v if v > 10:
                    out[i] += v
                case _:
                    out[i] += 1
        else:
            out[i] += 1000


@plain(np.zeros(8, np.int64), I)
def match_return(out, x):
    def f(v, k):
        while True:
            match v:
                case 0:
                    return k
                case 1:
                    v = 0
                case n if n < 0:
                    v = -n
                case _:
                    v = v // 2
                    k += 1

    for i in range(x.size):
        out[i] = f(x[i], 0)


@plain(np.zeros(8, np.int64), I)
def nested_ternary_effects(out, x):
    c = [0, 0]

    def a(v):
        c[0] += 1
        return v

    def b(v):
        c[1] += v
        return v

    for i in range(x.size):
        out[i] = a(1) if x[i] > 5 else (b(2) if x[i] > 0 else a(b(3)))
    out[0] = c[0] * 100 + c[1]


@plain(np.zeros(8, np.int64), I)
def loopvar_nested_break(out, x):
    i = j = -1
    for i in range(8):
        for j in range(8):
            if x[i] + x[j] == -8:
                break
        else:
            continue
        break
    out[0] = i
    out[1] = j


@plain(np.zeros(8, np.int64), I)
def loopvar_return(out, x):
    def f():
        i = -1
        for i in range(8):
            if x[i] == 12:
                return i
        return i + 100

    out[0] = f()

    def g(n):
        i = 77
        for i in range(n):
            pass
        return i

    out[1] = g(x[7])
    out[2] = g(x[3])


@plain(np.zeros(8, np.int64), I)
def parallel_inner(out, x):
    for i in parallel(range(x.size)):
        k = 0
        for k in range(x.size):
            if x[k] == x[i]:
                break
        out[i] = k


@plain(np.zeros(8, np.int64), I)
def while_else_effects(out, x):
    n = 0

    def t(v):
        nonlocal n
        n += 1
        return v

    i = 0
    while t(i < 5):
        i += 1
        if i == x[7] + 2:
            break
    else:
        n += 1000
    out[0] = n
    i = 0
    while t(i < 2):
        i += 1
    n += 1000
    out[1] = n


@plain(np.zeros(8, np.int64), I)
def globals_effect(out, x):
    global GCOUNT
    GCOUNT = 0
    for i in range(x.size):
        if x[i] > 0 and (GCOUNT := GCOUNT + 1) > 2:
            out[i] = GCOUNT
    out[7] = GCOUNT


@plain(np.zeros(8, np.int64), I)
def lambda_defaults(out, x):
    acc = 0
    for f in (lambda v, s=3: v + s if v > 0 else s, lambda v, *a, **k: v if not a else a[0]):
        for i in range(x.size):
            acc += f(x[i])
    out[0] = acc


@plain(np.zeros(8, np.int64), I)
def chained_mixed(out, x):
    for i in range(x.size):
        out[i] = 1 if 0 < x[i] != 7 <= 12 else 0
        if x[i] is not None and x[i] in (5, 7) and i not in (2,):
            out[i] += 10
        if not 3 < x[i] < 9 or x[i] == 7 == 7:
            out[i] += 100


@plain(np.zeros(8, np.int64), I)
def deep_while(out, x):
    a = 0
    while a < 2:
        b = 0
        while True:
            c = 0
            while c < 3 and (b + c) % 4 != 3:
                d = c
                while d:
                    out[d] += x[a] + b
                    d -= 1
                c += 1
            b += 1
            if b > x[7] + 1:
                break
        a += 1


@plain(np.zeros(8, np.int64), I)
def a_loop_takes_from_an_iterator(out, x):
    rest, taken = iter([3, 2, 1, 0, 9]), 0
    while next(rest):
        out[taken] = x[taken]
        taken += 1
    out[6], out[7] = taken, next(rest)


@plain(np.zeros(8, np.int64), I)
def a_loop_takes_until_it_breaks(out, x):
    rest, total = (k for k in [4, 2, 1, 0, 9]), x[0]
    while True:
        k = next(rest)
        if k == 0:
            break
        total += x[k]
    out[0], out[1] = total, next(rest)


@plain(np.zeros(8, np.int64), I)
def a_loop_empties_what_python_holds(out, x):
    waiting, line, left = {1, 2, 3}, collections.deque([5, 6]), [x[1], 4]
    while waiting:
        out[waiting.pop()] = 1
    while line and line[0] > 4:
        out[line.popleft()] += x[0]
    while left:
        out[7] += left.pop()


@plain(np.zeros(8, np.int64), I)
def loops_count_with_python(out, x):
    numbers, found = itertools.count(1), []
    while (k := next(numbers)) < 4:
        found.append(k)
        out[k] = x[k] if x[k] > 0 else -k
    for k, v in enumerate(map(abs, found)):
        out[4 + k] = v + next(numbers)
