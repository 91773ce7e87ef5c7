"""Kernels of plain Python: loops, branches, returns, assignments."""

# ruff: noqa: B007, B023, B905
# They are written as people write.

from __future__ import annotations

import functools

import numpy as np

from tensorlib.tests.plain_kernels import plain

I = np.array([5, -3, 7, 0, 12, -8, 3, 1])
F = np.linspace(-3.0, 4.0, 8)
G = 5


@plain(np.zeros(8, np.int64), I)
def for_break_else(out, x):
    for i in range(x.size):
        for j in range(10):
            if j == x[i]:
                break
            out[i] = out[i] + 1
        else:
            out[i] = -1


@plain(np.zeros(8, np.int64), I)
def nest4(out, x):
    s = 0
    for i in range(x.size):
        for j in range(3):
            for k in range(2):
                for l in range(4):
                    if l == 2 and k == 1:
                        continue
                    if x[i] < 0:
                        break
                    s = s + x[i] * l + k * j
                if x[i] == -8:
                    break
        out[i] = s


@plain(np.zeros(8, np.int64), I)
def while_nest(out, x):
    i = 0
    while i < x.size:
        n = x[i]
        while True:
            if n <= 0:
                break
            m = n
            while m > 0:
                m -= 2
                if m == 1:
                    continue
                out[i] = out[i] + m
            n -= 1
        else:
            out[i] = 99
        i += 1


@plain(np.zeros(8, np.int64), I)
def tuple_carry(out, x):
    a, b = 0, 1
    for i in range(x.size):
        a, b = b, a + b
        out[i] = a
    out[0] = b


@plain(np.zeros(8, np.int64), I)
def fib_swap(out, x):
    pair = (x[0], x[1])
    for i in range(3):
        pair = (pair[1], pair[0] + pair[1])
    out[0], out[1] = pair


@plain(np.zeros(8, np.int64), I)
def star_unpack(out, x):
    a, *rest = [x[0], x[1], x[2], x[3]]
    first, *_, last = rest
    out[0] = a + first * last
    l = [*rest, a]
    out[1] = l[-1]

    def f(*args, **kw):
        return args[0] + kw["b"]

    out[2] = f(*rest[:1], **{"b": a})


@plain(np.zeros(8, np.int64), I)
def elif_(out, x):
    for i in range(x.size):
        v = x[i]
        if v < 0:
            r = -1
        elif v == 0:
            r = 0
        elif v < 6:
            r = 1
        else:
            r = 2
        out[i] = r


def sign_of(v):
    if v < 0:
        return -1, v
    if v > 0:
        return 1, -v
    return 0, v


@plain(np.zeros(8, np.int64), I)
def tuple_return(out, x):
    for i in range(x.size):
        s, v = sign_of(x[i])
        out[i] = s * 100 + v


def find(x, v):
    for i in range(x.size):
        if x[i] == v:
            return i
    return -1


@plain(np.zeros(8, np.int64), I)
def early_loop_return(out, x):
    for i in range(x.size):
        out[i] = find(x, x[i] + 2)


@plain(np.zeros(8, np.int64), I)
def condexpr(out, x):
    for i in range(x.size):
        out[i] = x[i] if x[i] > 0 else (0 if x[i] > -5 else -x[i])


@plain(np.zeros(8, np.int64), I)
def chain(out, x):
    for i in range(x.size):
        out[i] = 1 if 0 <= x[i] < 6 <= i + 6 else 0
        if -5 < x[i] < x[i] + 1 < 9:
            out[i] = out[i] + 10


@plain(np.zeros(8, np.int64), I)
def and_or_not(out, x):
    flag = True
    for i in range(x.size):
        if (flag and x[i] > 0) or x[i] == -8:
            out[i] = 1
        if not x[i] > 0 and not False:
            out[i] = out[i] + 2
        if not (x[i] > 0 or x[i] < -5):
            out[i] = out[i] + 4


@plain(np.zeros(8, np.int64), I)
def walrus(out, x):
    for i in range(x.size):
        if (y := x[i] * 2) > 5:
            out[i] = y
        z = (w := y + 1) * w
        out[i] = out[i] + z


@plain(np.zeros(8, np.int64), I)
def aug(out, x):
    for i in range(x.size):
        v = x[i]
        v += 3
        v -= 1
        v *= 2
        v //= 3
        v %= 5
        v **= 2
        v <<= 1
        v >>= 1
        v |= 8
        v &= 13
        v ^= 3
        out[i] = v
        out[i] += 2
        out[i] *= 3
        out[i] //= 2


@plain(np.zeros(8), F)
def augf(out, x):
    for i in range(x.size):
        v = x[i]
        v += 3
        v /= 2
        v **= 2
        v //= 0.3
        v %= 7.0
        out[i] = v
        out[i] /= 2
        out[i] **= 2


@plain(np.zeros(8, np.int64), I)
def del_(out, x):
    t = x[0]
    u = t + 1
    del t
    out[0] = u
    d = {"a": x[1], "b": x[2]}
    del d["a"]
    out[1] = d["b"]


@plain(np.zeros(8, np.int64), I)
def global_(out, x):
    for i in range(x.size):
        out[i] = x[i] + G


@plain(np.zeros(8, np.int64), I)
def nonlocal_(out, x):
    total = 0

    def add(v):
        nonlocal total
        total += v
        return total

    for i in range(x.size):
        if x[i] > 0:
            add(x[i])
        out[i] = total


@plain(np.zeros(8, np.int64), I)
def closure_loopvar(out, x):
    for i in range(x.size):

        def f(a, b=2, *, c=3):
            return a * b + c + i

        out[i] = f(x[i]) + f(x[i], 3, c=1)


@plain(np.zeros(8, np.int64), I)
def partial(out, x):
    f = functools.partial(lambda a, b, c=0: a - b * c, 10, c=2)
    for i in range(x.size):
        out[i] = f(x[i]) if x[i] > 0 else f(b=1)


class Acc:
    K = 3

    def __init__(self, s):
        self.s = s
        self.n = 0

    def add(self, v):
        if v > 0:
            self.s = self.s + v
            self.n += 1

    @property
    def mean(self):
        return self.s // self.n

    @staticmethod
    def twice(v):
        return v * 2 if v > 0 else v

    @classmethod
    def k(cls, v):
        return cls.K * v


@plain(np.zeros(8, np.int64), I)
def class_(out, x):
    a = Acc(0)
    for i in range(x.size):
        a.add(x[i])
        out[i] = a.s + Acc.twice(x[i]) + Acc.k(2)
    out[0] = a.mean


@plain(np.zeros(8, np.int64), I)
def match(out, x):
    mode = "b"
    match mode:
        case "a":
            r = 1
        case "b":
            r = 2
        case _:
            r = 3
    match (x[0], x[1]):
        case (a, b):
            out[1] = a + b
    match {"k": 3}:
        case {"k": v}:
            out[2] = v
    out[0] = r


@plain(np.zeros(8, np.int64), I)
def compr(out, x):
    l = [x[i] * 2 for i in range(4) if i != 2]
    d = {k: x[k] for k in (1, 2)}
    s = sum(v for v in l)
    out[0] = s + d[1]
    out[1] = sum([x[k] for k in (0, 1, 2)])
    out[2] = len(l)
    out[3] = max(l)
    t = tuple(a + b for a, b in zip(l, reversed(l)))
    out[4] = t[0] - t[1]


@plain(np.zeros(8, np.int64), I)
def try_(out, x):
    try:
        v = {"y": x[1]}["x"]
    except KeyError:
        v = x[0]
    finally:
        w = 1
    out[0] = v + w
    name = f"abc{w}"
    out[1] = len(name)


@plain(np.zeros(8, np.int64), I)
def assert_(out, x):
    for i in range(x.size):
        assert x[i] > -100, "too small"
        out[i] = x[i]
