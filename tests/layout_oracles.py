"""Layouts by enumeration: plain loops over tuples, sharing nothing with the library's algebra.

A layout is a pair (shape, stride) of nested tuples; a flat one a list of modes (size, stride).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

Pair = tuple[Any, Any]
Modes = list[tuple[int, int]]

MOST_REACH = 24  # greatest offset, and most choices of indices, for which all layouts are tried
MOST_CHOICES = 16


def leaves(nested: Any) -> list[int]:
    return [x for part in nested for x in leaves(part)] if isinstance(nested, tuple) else [nested]


def modes_of(layout: Pair) -> Modes:
    return list(zip(leaves(layout[0]), leaves(layout[1]), strict=True))


def top_modes(layout: Pair) -> list[Pair]:
    shape, stride = layout
    return list(zip(shape, stride, strict=True)) if isinstance(shape, tuple) else [layout]


def at(modes: Modes, index: int) -> int:
    """The offset of an index; past the end, and below zero, it goes on along the last mode."""
    total = 0
    for size, stride in modes[:-1]:
        total, index = total + index % size * stride, index // size
    return total + (index * modes[-1][1] if modes else 0)


def table(modes: Modes) -> list[int]:
    offsets = [0]
    for size, stride in modes:
        offsets = [base + place * stride for place in range(size) for base in offsets]
    return offsets


def offsets_of(layout: Any) -> list[int]:
    """The offsets of a library layout, read off its shape and stride."""
    return table(modes_of((layout.shape, layout.stride)))


def recognised(offsets: list[int]) -> Modes | None:
    """Some flat modes with these offsets, by trying every divisor as the first size."""
    count = len(offsets)
    if count == 0 or offsets[0] != 0:
        return None
    if count == 1:
        return []
    for size in range(count, 1, -1):
        if count % size:
            continue
        step = offsets[1]
        first = all(offsets[i] == offsets[i - i % size] + i % size * step for i in range(count))
        rest = recognised(offsets[::size]) if first else None
        if rest is not None:
            return [(size, step), *rest]
    return None


def refines(shape: Any, finer: Any) -> bool:
    """Every leaf of the shape is split into a shape of the same size."""
    if not isinstance(shape, tuple):
        return math.prod(leaves(finer)) == shape
    return isinstance(finer, tuple) and len(shape) == len(finer) and all(map(refines, shape, finer))


def composable(a: Modes, leaf_offsets: list[list[int]]) -> bool:
    """True when a layout of these leaves exists: every leaf is one through a, and they add up."""
    if not all(recognised([at(a, x) for x in leaf]) is not None for leaf in leaf_offsets):
        return False
    sums, parts = [0], [0]
    for leaf in leaf_offsets:
        sums = [x + y for y in leaf for x in sums]
        parts = [x + at(a, y) for y in leaf for x in parts]
    return [at(a, x) for x in sums] == parts


def leaf_offsets(modes: Modes) -> list[list[int]]:
    return [[place * stride for place in range(size)] for size, stride in modes]


def complement_offsets(layout: Modes, target: int) -> list[int] | None:
    """The only set T of offsets with image + T == 0 ... N - 1, each once, N the least >= target.

    The least offset not covered yet can only be covered by 0 + itself: so T grows without choice.
    """
    moving = [(size, stride) for size, stride in layout if stride != 0 and size != 1]
    image = table(moving)
    if any(size == 0 for size, _ in layout) or min(image) < 0 or len(set(image)) != len(image):
        return None
    chosen: list[int] = []
    covered: set[int] = set()
    edge, most = 0, (max(image) + 1) * (target // (max(image) + 1) + 2)
    while not covered or len(covered) != edge or edge < target:
        while edge in covered:
            edge += 1
        if len(covered) == edge and edge >= max(target, 1):
            break
        new = {edge + x for x in image}
        if new & covered or edge > most:
            return None
        chosen.append(edge)
        covered |= new
    return chosen


# Inverses


def prime_factors(number: int) -> list[int]:
    return next(
        ([p, *prime_factors(number // p)] for p in range(2, number + 1) if number % p == 0), []
    )


@lru_cache(maxsize=4096)
def prime_chains(most: int) -> list[tuple[int, ...]]:
    """All longest chains 1 < T1 | T2 | ... <= most in which every step is a prime."""
    found: list[tuple[int, ...]] = []

    def grow(chain: tuple[int, ...], last: int) -> None:
        steps = [p for p in range(2, most // last + 1) if len(prime_factors(p)) == 1]
        for p in steps:
            grow((*chain, last * p), last * p)
        if not steps:
            found.append(chain)

    grow((), 1)
    return found


def solvable(rows: list[list[int]], values: list[int]) -> bool:
    """True when rows . x == values for some integers x: columns are reduced to echelon form."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    left = list(values)
    for place in range(len(rows)):
        live = [column for column in columns if column[place]]
        while len(live) > 1:
            least = min(live, key=lambda column: abs(column[place]))
            for column in live:
                if column is not least:
                    times = column[place] // least[place]
                    column[:] = [x - times * y for x, y in zip(column, least, strict=True)]
            live = [column for column in live if column[place]]
        if live:
            times, rest = divmod(left[place], live[0][place])
            if rest:
                return False
            left = [x - times * y for x, y in zip(left, live[0], strict=True)]
            columns = [column for column in columns if column is not live[0]]
        elif left[place]:
            return False
    return True


def left_invertible(layout: Modes) -> bool | None:
    """Whether some layout takes every offset back to an index; None where that is too much work."""
    places: dict[int, list[int]] = {}
    for index, offset in enumerate(table(layout)):
        places.setdefault(offset, []).append(index)
    reach = max(max(x, -x - 1) for x in places)
    if reach > MOST_REACH or math.prod(map(len, places.values())) > MOST_CHOICES:
        return None
    for chain in prime_chains(reach):
        rows = [_digits(offset, chain) for offset in places]
        for values in itertools.product(*places.values()):
            if solvable(rows, list(values)):
                return True
    return False


def _digits(offset: int, chain: tuple[int, ...]) -> list[int]:
    digits, below = [], 1
    for number in chain:
        digits.append(offset // below % (number // below))
        below = number
    last = offset // below
    return [*digits, last, -(last < 0)]  # one more digit, past a size that no offset reaches


def longest_right_inverse(choices: dict[int, list[int]]) -> int:
    """The most i for which a layout takes 0, 1, ... i - 1 to one of their indices each."""
    top = 0
    while top in choices:
        top += 1
    if 0 not in choices.get(0, []):
        return 0
    return next((n for n in range(top, 1, -1) if _has_right_inverse(choices, n)), min(top, 1))


def _has_right_inverse(choices: dict[int, list[int]], count: int) -> bool:
    for sizes in set(itertools.permutations(prime_factors(count))):
        starts = [math.prod(sizes[:k]) for k in range(len(sizes))]
        for steps in itertools.product(*[choices[start] for start in starts]):
            offsets = table(list(zip(sizes, steps, strict=True)))
            if all(offset in choices[i] for i, offset in enumerate(offsets)):
                return True
    return False


# Random operands


def random_profile(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.35:
        return 0
    return tuple(random_profile(rng, depth - 1) for _ in range(rng.randint(1, 3)))


def filled(profile: Any, values: Iterator[int]) -> Any:
    if isinstance(profile, tuple):
        return tuple(filled(part, values) for part in profile)
    return next(values)


def random_layout(rng: random.Random, most: int = 48, reach: int = 30, depth: int = 3) -> Pair:
    """A nested layout: compact and permuted, gapped, or with any strides at all."""
    profile = random_profile(rng, depth)
    count = len(leaves(profile))
    sizes = []
    left = most
    for _ in range(count):
        sizes.append(rng.choice((1, 2, 2, 3, 4, rng.randint(1, 8))))
        sizes[-1] = max(1, min(sizes[-1], left))
        left //= sizes[-1]
    if rng.random() < 0.01:
        sizes[rng.randrange(count)] = 0
    strides = _random_strides(rng, sizes, reach)
    return filled(profile, iter(sizes)), filled(profile, iter(strides))


def _random_strides(rng: random.Random, sizes: list[int], reach: int) -> list[int]:
    kind = rng.randrange(4)
    if kind == 0:
        return [rng.randint(-reach // 4, reach) for _ in sizes]
    order = list(range(len(sizes)))
    rng.shuffle(order)
    strides, current = [0] * len(sizes), 1
    for place in order:
        if kind == 2 and rng.random() < 0.5:
            current *= rng.choice((2, 3))
        strides[place] = current
        current = max(current * sizes[place], 1)
        if kind == 3 and rng.random() < 0.4:
            strides[place] = rng.choice((0, 1, rng.randint(0, reach), -strides[place]))
    return strides


def random_tiler(rng: random.Random, layout: Pair, depth: int = 2) -> Any:
    """A tiler for the layout: a number, None, a pair (a layout), or a list of tilers by mode."""
    kind = rng.randrange(5)
    if kind == 0:
        return None
    if kind == 1:
        return rng.randint(1, 6)
    if kind == 2 or depth == 0:
        return random_layout(rng, 12, 12, 2)
    modes = top_modes(layout)
    return [random_tiler(rng, mode, depth - 1) for mode in modes[: rng.randint(1, len(modes))]]
