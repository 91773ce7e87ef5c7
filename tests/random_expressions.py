"""Random numbers, hostile or whole, and random expressions of the exact elementwise operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import ml_dtypes
import numpy as np

from tensorlib.dtypes import DType
from tensorlib.kernels.expression import Apply, Expression, Leaf
from tensorlib.kernels.specs import Access
from tensorlib.tests.spec_calls import Array

__all__ = [
    "DTYPES",
    "INDEX",
    "SIGNED",
    "Writer",
    "blocks",
    "factors",
    "hostile",
    "random_store",
    "whole",
]

DTYPES = [d for d in DType.by_name.values() if d.kind in ("bool", "signed", "unsigned", "float")]
SIGNED = [d for d in DTYPES if d.kind in ("signed", "float")]
INDEX = DType.int64


# --- data ---


def hostile(dtype: DType, count: int, rng: np.random.Generator) -> Array:
    """Return random values among which the awkward ones are frequent."""
    if dtype is DType.bool:
        return rng.integers(0, 2, count).astype(np.bool_)
    raw = rng.integers(0, 256, count * dtype.itemsize, dtype=np.uint8).view(dtype.numpy)
    special = np.array(_special(dtype), dtype=dtype.numpy)
    choice = rng.integers(0, 3, count)
    picked = special[rng.integers(0, len(special), count)]
    return np.where(choice == 0, raw, np.where(choice == 1, picked, whole(dtype, count, rng)))


def _special(dtype: DType) -> list[Any]:
    if dtype.is_integer:
        low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
        return [int(x) for x in (low, high, high - 1, high // 2, 0, 1)]
    info = ml_dtypes.finfo(dtype.numpy)
    limits = [float(x) for x in (info.smallest_subnormal, info.tiny, info.max)]
    near = [0.5, 1.0, 1.5, 2.5, 127.5, 255.5, 2.0**15, 2.0**31, 2.0**63, 2.0**64]
    fitting = [x for x in near if x < limits[-1]]
    positive = [0.0, np.inf, *limits, *fitting]
    return [np.nan, *positive, *(-x for x in positive)]


def whole(dtype: DType, count: int, rng: np.random.Generator) -> Array:
    """Return whole numbers from -3 to 3, from 0 where there are no negative ones."""
    low = 0 if dtype.kind in ("bool", "unsigned") else -3
    return rng.integers(low, 2 if dtype is DType.bool else 4, count).astype(dtype.numpy)


def factors(dtype: DType, count: int, rng: np.random.Generator) -> Array:
    """Return factors whose products are exact until they overflow: 1, 2 and -1."""
    numbers = [1, 1, 2] if dtype.kind in ("bool", "unsigned") else [1, -1, 2]
    return np.array(numbers)[rng.integers(0, 3, count)].astype(dtype.numpy)


def blocks(dtype: DType, elements: int, rng: np.random.Generator) -> Array:
    """Return packed blocks that hold small multiples of a quarter."""
    count = elements // dtype.block_elements
    raw = rng.integers(0, 256, (count, dtype.block_bytes), dtype=np.uint8)
    if dtype is DType.q8_0:
        raw = rng.integers(-8, 9, raw.shape, dtype=np.int8).view(np.uint8)
    header = np.array([0.25, -0.5, 1.0, 2.0], np.float16)[rng.integers(0, 4, (count, 2))]
    size = 4 if dtype is DType.q4_1 else 2
    raw[:, :size] = header.view(np.uint8)[:, :size]
    return raw.reshape(-1)


# --- expressions ---

ONE = {
    "bool": ["logical_not", "bitwise_invert"],
    "signed": ["negative", "abs", "square", "sign", "bitwise_invert", "floor", "round"],
    "unsigned": ["negative", "abs", "square", "sign", "bitwise_invert", "trunc"],
    "float": ["negative", "abs", "square", "sqrt", "sign", "floor", "ceil", "trunc", "round"],
}
TWO = {
    "bool": ["logical_and", "logical_or", "logical_xor", "maximum", "minimum", "bitwise_and"],
    "signed": ["add", "subtract", "multiply", "floor_divide", "remainder", "maximum", "minimum",
               "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift",
               "bitwise_right_shift", "pow"],
    "float": ["add", "subtract", "multiply", "maximum", "minimum"],
}  # fmt: skip
TWO["unsigned"] = TWO["signed"]
SIGN_OF_ZERO = {1: ["reciprocal"], 2: ["divide"]}  # where 0.0 and -0.0 give other values
COMPARISONS = ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
TESTS = ["isnan", "isinf", "isfinite"]
RING = {1: ["negative", "abs"], 2: ["add", "subtract", "multiply", "maximum", "minimum"]}


@dataclass
class Writer:
    """Makes random expressions over loads, iotas, scalars and main; makes loads as it needs them.

    `gentle` expressions keep small whole numbers small and whole.
    """

    random: Random
    loads: list[Access]
    axes: Sequence[str]
    main: DType | None = None
    gentle: bool = False
    zeros: bool = True  # whether the signs of zeros are certain
    most: int = 3  # loads at most
    scalars: list[DType] = field(default_factory=list)

    def expression(self, dtype: DType, depth: int) -> Expression:
        """Return an expression of `dtype`."""
        if depth == 0 or self.random.random() < 0.15:
            return self.leaf(dtype, depth)
        makers = [self._unary, self._binary, self._binary, self._cast, self._where]
        if dtype is DType.bool:
            makers += [self._comparison, self._comparison, self._test]
        made: Expression | None = None
        while made is None:
            made = self.random.choice(makers)(dtype, depth - 1)
        return made

    def leaf(self, dtype: DType, depth: int = 0) -> Expression:
        options: list[Callable[[DType], Expression]] = [self._load] * 4 + [self._constant]
        if self.main is dtype:
            options += [lambda d: Leaf("main", 0, d)] * 6
        if dtype in (DType.int64, DType.float64):
            options.append(self._scalar)
        if dtype is DType.int64 and self.axes:
            options += [self._iota] * 2
        return self.random.choice(options)(dtype)

    def _load(self, dtype: DType) -> Expression:
        known = [k for k, access in enumerate(self.loads) if access.dtype is dtype]
        if known and (len(self.loads) >= self.most or self.random.random() < 0.7):
            return Leaf("load", self.random.choice(known), dtype)
        if len(self.loads) >= self.most:
            return self._constant(dtype)
        self.loads.append(random_access(self.random, dtype, self.axes))
        return Leaf("load", len(self.loads) - 1, dtype)

    def _constant(self, dtype: DType) -> Expression:
        rng = np.random.default_rng(self.random.randint(0, 2**32))
        value = (whole if self.gentle else hostile)(dtype, 1, rng)[0]
        kind = {"bool": bool, "float": float}.get(dtype.kind, int)
        return Leaf("constant", 0, dtype, kind(value))

    def _scalar(self, dtype: DType) -> Expression:
        if dtype not in self.scalars or self.random.random() < 0.3:
            self.scalars.append(dtype)
        known = [k for k, d in enumerate(self.scalars) if d is dtype]
        return Leaf("scalar", self.random.choice(known), dtype)

    def _iota(self, dtype: DType) -> Expression:
        found = Leaf("iota", self.random.randrange(len(self.axes)), INDEX)
        if not self.gentle:
            return found
        return Apply("remainder", (found, Leaf("constant", 0, INDEX, 4)), INDEX)

    def _operators(self, dtype: DType, count: int) -> list[str]:
        if self.gentle:
            return [] if dtype is DType.bool else RING[count]
        exact = (ONE if count == 1 else TWO)[dtype.kind]
        return exact + (SIGN_OF_ZERO[count] if self.zeros and dtype.is_float else [])

    def _unary(self, dtype: DType, depth: int) -> Expression | None:
        names = self._operators(dtype, 1)
        if not names:
            return None
        return Apply(self.random.choice(names), (self.expression(dtype, depth),), dtype)

    def _binary(self, dtype: DType, depth: int) -> Expression | None:
        names = self._operators(dtype, 2)
        if not names:
            return None
        pair = (self.expression(dtype, depth), self.expression(dtype, depth))
        return Apply(self.random.choice(names), pair, dtype)

    def _cast(self, dtype: DType, depth: int) -> Expression | None:
        others = [d for d in self._dtypes() if d is not dtype]
        source = self.expression(self.random.choice(others), depth)
        return Apply("cast", (source,), dtype)

    def _where(self, dtype: DType, depth: int) -> Expression:
        mask = self.expression(DType.bool, depth)
        return Apply("where", (mask, *(self.expression(dtype, depth) for _ in "xy")), dtype)

    def _comparison(self, dtype: DType, depth: int) -> Expression:
        kind = self.random.choice(self._dtypes())
        names = COMPARISONS[:2] if kind is DType.bool else COMPARISONS
        pair = (self.expression(kind, depth), self.expression(kind, depth))
        return Apply(self.random.choice(names), pair, dtype)

    def _test(self, dtype: DType, depth: int) -> Expression:
        kind = self.random.choice([d for d in self._dtypes() if d.is_float])
        return Apply(self.random.choice(TESTS), (self.expression(kind, depth),), dtype)

    def _dtypes(self) -> list[DType]:
        """Those that the expression works with: mostly those of its loads."""
        pool = [DType.bool, *SIGNED] if self.gentle else DTYPES
        known = [a.dtype for a in self.loads if a.dtype in pool]
        return pool + known * 4


def random_access(random: Random, dtype: DType, axes: Sequence[str]) -> Access:
    """Return an access over `axes`: mostly neighbours along the last."""
    strides: list[int | None] = [random.choice([None, None, None, 0]) for _ in axes]
    if axes and random.random() < 0.6:
        strides[-1 if random.random() < 0.8 else random.randrange(len(axes))] = 1
    return Access(dtype, tuple(strides))


def random_store(random: Random, dtype: DType, axes: Sequence[str]) -> Access:
    """Return an access that can't give two elements one place."""
    strides: list[int | None] = [None for _ in axes]
    if axes and random.random() < 0.8:
        strides[-1 if random.random() < 0.8 else random.randrange(len(axes))] = 1
    return Access(dtype, tuple(strides))
