"""Kernels of plain Python: built-in functions, ranges, lists, dicts and objects that change."""

# ruff: noqa: B007, B905, F842, PLC0206
# They are written as people write.

from __future__ import annotations

import dataclasses
import enum
import functools
import math

import numpy as np

import tensorlib as tl
from tensorlib.tests.plain_kernels import plain

I = np.array([5, -3, 7, 0, 12, -8, 3, 1])
F = np.linspace(-3.0, 4.0, 8)
S32 = np.float32(1.5)
S = np.float64(2.5)
SI = np.int32(4)
T = np.array([1.5, 2.5, 3.5])


def power(v, n):
    if n == 0:
        return 1
    if n == 1:
        return v
    h = power(v, n // 2)
    return h * h * (v if n % 2 else 1)


@plain(np.zeros(8, np.int64), I)
def recursion(out, x):
    for i in range(x.size):
        out[i] = power(x[i], 5)


def doubled(f):
    @functools.wraps(f)
    def g(*a):
        return f(*a) * 2

    return g


@doubled
def plus1(v):
    if v > 0:
        return v + 1
    return v - 1


@plain(np.zeros(8, np.int64), I)
def deco(out, x):
    for i in range(x.size):
        out[i] = plus1(x[i])


@plain(np.zeros(8, np.int64), I)
def builtins(out, x):
    v = [x[0], x[1], x[2], x[3]]
    out[0] = sum(v)
    out[1] = min(v)
    out[2] = max(*v)
    out[3] = abs(x[1])
    q, r = divmod(x[0], 3)
    out[4] = q * 10 + r
    out[5] = pow(x[0], 3)
    out[6] = min(x[0], 3, x[1])
    out[7] = max(0, x[5])


@plain(np.zeros(8, np.int64), I)
def builtins2(out, x):
    v = [x[0], x[1], x[2], x[3]]
    n = 0
    for i, (a, b) in enumerate(zip(v, reversed(v))):
        n = n + a * b * i
    out[0] = n
    out[1] = sum(v, 10)
    out[2] = 1 if any([x[0] > 3, x[1] > 3]) else 0
    out[3] = 1 if all([x[0] > 3, x[1] > 3]) else 0
    out[4] = len(v)
    out[5] = sum(1 if a > 0 else 0 for a in v)
    out[6] = 1 if any(a > 6 for a in v) else 0
    out[7] = 1 if all(a > -6 for a in v) else 0


@plain(np.zeros(8, np.int64), I)
def sorted_(out, x):
    s = sorted([x[0], x[1], x[2]])
    for i, v in enumerate(s):
        out[i] = v


@plain(np.zeros(8), F)
def round_(out, x):
    for i in range(x.size):
        out[i] = round(x[i])


@plain(np.zeros(8, np.int64), I)
def truth(out, x):
    for i in range(x.size):
        if x[i]:
            out[i] = 1
        n = 3
        while n:
            n -= 1
            out[i] += 1
        m = x[i]
        while m % 4:
            m += 1
        out[i] += m


@plain(np.zeros(8), F)
def math_(out, x):
    for i in range(x.size):
        out[i] = math.floor(x[i])


@plain(np.zeros(8), F)
def npconst(out, x):
    for i in range(x.size):
        out[i] = x[i] * S + T[1] - S32 + SI
        out[i] += T[0] * x[i]


@plain(np.zeros(8, np.int64), I)
def range_neg(out, x):
    for i in range(x.size - 1, -1, -1):
        out[i] = x[i] + i


@plain(np.zeros(8, np.int64), I)
def range_neg2(out, x):
    s = 0
    for i in range(7, 0, -2):
        s = s * 2 + x[i]
        out[i] = s


@plain(np.zeros(8, np.int64), I, 0)
def range_zero(out, x, n):
    for i in range(n):
        out[i] = 3
    for i in range(5, 5):
        out[i] = 2


@plain(np.zeros(8, np.int64), I, 3)
def range_tracedstep(out, x, n):
    for i in range(0, x.size, n):
        out[i] = x[i]


@plain(np.zeros(8, np.int64), I, -3)
def range_negtracedstep(out, x, n):
    for i in range(7, 0, n):
        out[i] = x[i]


@plain(np.zeros(8, np.int64), I)
def after_loop2(out, x):
    i = -1
    for i in range(x.size):
        pass
    out[0] = i


@plain(np.zeros(8, np.int64), I)
def modify_loopvar(out, x):
    for i in range(x.size):
        i = i // 2
        out[i] += 1


@plain(np.zeros(8, np.int64), I)
def shadow(out, x):
    for i in range(3):
        t = 0
        for i in range(2):
            t += i
        out[i] = t


@plain(np.zeros(8, np.int64), I)
def annot(out: tl.Tile, x: tl.Tile):
    """Doc."""
    s: int = 0
    t: int
    for i in range(x.size):
        v: tl.Scalar = x[i]
        s += v
        out[i] = s


@plain(np.zeros(8, np.int64), I)
def isnone(out, x):
    mask = None
    for i in range(x.size):
        if mask is None:
            out[i] = x[i]
        v = x[i]
        if v is not None:
            out[i] += 1


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@plain(np.zeros(8, np.int64), I)
def enum_parameter(out, x):
    c = Color.RED
    for i in range(x.size):
        if c is Color.RED:
            out[i] = x[i]
        if c == Color.BLUE:
            out[i] = 0
        out[i] += c.value


@plain(np.zeros(8, np.int64), I)
def dict_carry(out, x):
    d = {"s": 0, "p": 1}
    for i in range(x.size):
        d["s"] += x[i]
        if x[i] > 0:
            d["p"] = d["p"] * x[i]
        for key in d:
            out[i] += d[key]


@plain(np.zeros(8, np.int64), I)
def listappend(out, x):
    l = []
    for i in (0, 1, 2):
        l.append(x[i])
    l.extend([x[3]])
    l.insert(0, 5)
    l[1], l[2] = l[2], l[1]
    out[0] = l.pop() + l[0]
    out[1] = l[1]
    out[2] = l[2]


@dataclasses.dataclass
class P:
    a: object
    b: object

    def step(self, v):
        self.a, self.b = self.b + v, self.a

    def __add__(self, o):
        return P(self.a + o.a, self.b + o.b)


@plain(np.zeros(8, np.int64), I)
def dataclass(out, x):
    p = P(0, 1)
    for i in range(x.size):
        p.step(x[i])
        if x[i] < 0:
            p = p + P(1, 1)
        out[i] = p.a - p.b
