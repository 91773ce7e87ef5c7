"""One check an operation: draw operands, ask the library, and judge its answer by enumeration.

Every check returns the operands and a verdict: "right", "wrong", "refused", or "missed" where the
library refuses although an answer exists ("unjudged": enumeration would take too long to say).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

from tensorlib import layouts as tl
from tensorlib.errors import LayoutError
from tensorlib.tests.layout_oracles import (
    Modes,
    Pair,
    at,
    complement_offsets,
    composable,
    leaf_offsets,
    leaves,
    left_invertible,
    longest_right_inverse,
    modes_of,
    offsets_of,
    random_layout,
    random_tiler,
    recognised,
    refines,
    table,
    top_modes,
)

Verdict = tuple[Any, str]


def built(pair: Pair) -> tl.Layout:
    return tl.Layout(*pair)


def asked(operation: Callable[..., Any], *operands: Any) -> Any:
    """The answer, or None for a refusal, which must name the operation and its first operand."""
    try:
        return operation(*operands)
    except LayoutError as error:
        start = f"{operation.__name__}: got {operands[0]}"
        if not str(error).startswith(start):
            raise AssertionError(f"{error} should start with {start}") from None
        return None


def judged(
    operands: Any, answer: Any, right: Callable[[], bool], exists: Callable[[], bool]
) -> Any:
    if answer is None:
        return operands, "missed" if exists() else "refused"
    return operands, "right" if right() else "wrong"


def same_modes(layout: Any, expected: Any) -> bool:
    return (layout.shape, layout.stride) == expected


# coalesce and filter


def coalesce(rng: random.Random) -> Verdict:
    pair = random_layout(rng)
    profile = random_profile_of(rng, pair)
    return pair, "right" if _coalesced(
        pair, tl.coalesce(built(pair), profile), profile
    ) else "wrong"


def random_profile_of(rng: random.Random, pair: Pair) -> Any:
    if not isinstance(pair[0], tuple) or rng.random() < 0.5:
        return None
    modes = top_modes(pair)[: rng.randint(1, len(pair[0]))]
    return tuple(random_profile_of(rng, mode) for mode in modes)


def _coalesced(pair: Pair, result: Any, profile: Any) -> bool:
    if isinstance(profile, tuple):
        parts, kept = top_modes(pair), top_modes((result.shape, result.stride))
        inner = zip(parts, kept, profile, strict=False)
        good = all(_coalesced(part, built(mode), below) for part, mode, below in inner)
        return good and parts[len(profile) :] == kept[len(profile) :]
    modes = modes_of((result.shape, result.stride))
    pairs = itertools.pairwise(modes)
    shortest = all(d1 != s0 * d0 for (s0, d0), (_, d1) in pairs) and all(s != 1 for s, _ in modes)
    flat = not isinstance(result.shape, tuple) or not any(
        isinstance(s, tuple) for s in result.shape
    )
    return table(modes) == table(modes_of(pair)) and flat and (shortest or modes == [(1, 0)])


def filter(rng: random.Random) -> Verdict:
    pair = random_layout(rng)
    kept = [(s, d) for s, d in modes_of(pair) if d != 0 or s == 0]
    result, zeros = tl.filter(built(pair)), tl.filter_zeros(built(pair))
    sizes = [1 if d == 0 and s != 0 else s for s, d in modes_of(pair)]
    good = offsets_of(result) == table(kept) and zeros.stride == pair[1]
    good = good and set(table(kept)) == set(table(modes_of(pair)))
    return pair, "right" if good and leaves(zeros.shape) == sizes else "wrong"


# composition


def composition(rng: random.Random) -> Verdict:
    a, b = random_layout(rng), random_layout(rng, 24, 24)
    return (a, b), judged_composition(a, b, asked(tl.composition, built(a), built(b)))


def judged_composition(a: Pair, b: Pair, result: Any) -> str:
    left, right = modes_of(a), modes_of(b)
    if result is None:
        exists = 0 not in leaves(a[0]) and composable(left, leaf_offsets(right))
        return "missed" if exists else "refused"
    expected = [at(left, offset) for offset in table(right)]
    return "right" if offsets_of(result) == expected and refines(b[0], result.shape) else "wrong"


def composition_by_mode(rng: random.Random) -> Verdict:
    a = random_layout(rng)
    tiler = random_tiler(rng, a)
    answer = asked_by_mode(tl.composition, built(a), tiler)
    return (a, tiler), _composed_by_mode(a, tiler, answer)


def asked_by_mode(operation: Callable[..., Any], a: Any, tiler: Any) -> Any:
    return asked_inside(operation, a, as_tiler(tiler))


def asked_inside(operation: Callable[..., Any], *operands: Any) -> Any:
    """The answer, or None for a refusal, which names the operation inside that refused."""
    try:
        return operation(*operands)
    except LayoutError:
        return None


def as_tiler(tiler: Any) -> Any:
    if isinstance(tiler, list):
        return tuple(map(as_tiler, tiler))
    return built(tiler) if isinstance(tiler, tuple) else tiler


def _composed_by_mode(a: Pair, tiler: Any, answer: Any) -> str:
    if isinstance(tiler, list):
        modes = top_modes(a)[: len(tiler)]
        parts = [None] * len(modes) if answer is None else list(answer.modes)
        found = [_composed_by_mode(m, t, p) for m, t, p in zip(modes, tiler, parts, strict=True)]
        if answer is None:
            return "refused" if "refused" in found else "missed"
        return "wrong" if "wrong" in found else "right"
    if tiler is None:
        return "missed" if answer is None else "right" if same_modes(answer, a) else "wrong"
    return judged_composition(a, (tiler, 1) if isinstance(tiler, int) else tiler, answer)


# complement, division, product


def complement(rng: random.Random) -> Verdict:
    pair, target = random_layout(rng, 24, 24), rng.randint(0, 120)
    expected = complement_offsets(modes_of(pair), target)
    answer = asked(tl.complement, built(pair), target)
    return judged(
        (pair, target),
        answer,
        lambda: expected is not None and offsets_of(answer) == expected == sorted(expected),
        lambda: expected is not None,
    )


def logical_divide(rng: random.Random) -> Verdict:
    a, b = random_layout(rng), random_layout(rng, 12, 12)
    return (a, b), judged_divide(a, b, asked(tl.logical_divide, built(a), built(b)))


def judged_divide(a: Pair, b: Pair, answer: Any) -> str:
    left, right = modes_of(a), modes_of(b)
    size = len(table(left))
    rest = complement_offsets(right, size) if size else None
    inside = table(right)
    must_permute = bool(inside) and size % len(inside) == 0 and len(set(inside)) == len(inside)
    if answer is None:
        exists = rest is not None and composable(left, [*leaf_offsets(right), *_leaves(rest)])
        short = rest is not None and must_permute and len(rest) * len(inside) != size
        return "missed" if exists and not short else "refused"
    if rest is None:
        return "wrong"
    expected = [at(left, x + y) for y in rest for x in inside]
    good = offsets_of(answer) == expected and refines((b[0], len(rest)), answer.shape)
    permuted = not must_permute or sorted(expected) == sorted(table(left))
    first = [at(left, x) for x in inside]
    return "right" if good and permuted and offsets_of(answer.mode(0)) == first else "wrong"


def _leaves(offsets: list[int]) -> list[list[int]]:
    modes = recognised(offsets)
    assert modes is not None  # what tiles an interval is a layout
    return leaf_offsets(modes)


def logical_product(rng: random.Random) -> Verdict:
    a, b = random_layout(rng, 16, 16), random_layout(rng, 12, 12)
    return (a, b), judged_product(a, b, asked(tl.logical_product, built(a), built(b)))


def judged_product(a: Pair, b: Pair, answer: Any) -> str:
    left, right = modes_of(a), modes_of(b)
    places = table(right)
    span = max(places) - min(places) + 1 if places else 0
    rest = complement_offsets(left, len(table(left)) * span)
    modes: Modes = [] if rest is None else recognised(rest) or []
    if answer is None:
        exists = rest is not None and composable(modes, leaf_offsets(right))
        return "missed" if exists else "refused"
    block, repeat = top_modes((answer.shape, answer.stride))
    expected = [at(modes, place) for place in places]
    good = block == a and table(modes_of(repeat)) == expected and refines(b[0], repeat[0])
    both = [x + y for x in table(left) for y in expected]
    injective = len(set(table(left))) == len(table(left)) and len(set(places)) == len(places)
    distinct = not injective or len(set(both)) == len(both)
    return "right" if rest is not None and good and distinct else "wrong"


def divides_by_mode(rng: random.Random) -> Verdict:
    return _by_mode(rng, "divide", judged_divide)


def products_by_mode(rng: random.Random) -> Verdict:
    return _by_mode(rng, "product", judged_product)


def _by_mode(rng: random.Random, kind: str, judge: Callable[[Pair, Pair, Any], str]) -> Verdict:
    """All four arrangements: the logical one is judged by mode, the others gather its modes."""
    a = random_layout(rng, 32, 16)
    tiler = [random_tiler(rng, mode, 1) for mode in top_modes(a)]
    tiler = tiler[: rng.randint(1, len(tiler))]
    answers = {
        name: asked_by_mode(getattr(tl, f"{name}_{kind}"), built(a), tiler)
        for name in ("logical", "zipped", "tiled", "flat")
    }
    whole = answers["logical"]
    verdict = _judged_by_mode(a, tiler, whole, judge)
    if whole is None:
        alone = all(answer is None for answer in answers.values())
        return (a, tiler), verdict if alone else "wrong"
    tile, rest = _gathered(whole, tiler)
    tiles, rests = top_modes(tile), top_modes(rest)
    good = same_modes(answers["zipped"], _joined([tile, rest]))
    good = good and same_modes(answers["tiled"], _joined([tile, *rests]))
    good = good and same_modes(answers["flat"], _joined([*tiles, *rests]))
    return (a, tiler), verdict if good else "wrong"


def _judged_by_mode(
    a: Pair, tiler: Any, answer: Any, judge: Callable[[Pair, Pair, Any], str]
) -> str:
    if isinstance(tiler, list):
        modes = top_modes(a)
        if answer is None:
            found = [_judged_by_mode(m, t, None, judge) for m, t in zip(modes, tiler, strict=False)]
            return "refused" if "refused" in found else "missed"
        parts = top_modes((answer.shape, answer.stride))
        found = [
            _judged_by_mode(m, t, built(p), judge)
            for m, t, p in zip(modes, tiler, parts, strict=False)
        ]
        kept = parts[len(tiler) :] == modes[len(tiler) :]
        return "right" if kept and "wrong" not in found else "wrong"
    if tiler is None:
        return "missed" if answer is None else "right" if same_modes(answer, a) else "wrong"
    return judge(a, (tiler, 1) if isinstance(tiler, int) else tiler, answer)


def _joined(parts: list[Pair]) -> Pair:
    return tuple(shape for shape, _ in parts), tuple(stride for _, stride in parts)


def _gathered(layout: Any, tiler: Any) -> tuple[Pair, Pair]:
    parts = top_modes((layout.shape, layout.stride))
    if tiler is None:
        return (1, 0), (layout.shape, layout.stride)
    if not isinstance(tiler, list):
        return parts[0], parts[1]
    halves = [_gathered(built(part), t) for part, t in zip(parts, tiler, strict=False)]
    rests = [rest for _, rest in halves] + parts[len(tiler) :]
    return _joined([tile for tile, _ in halves]), _joined(rests)


def blocked_and_raked_products(rng: random.Random) -> Verdict:
    a, b = random_layout(rng, 16, 16, 2), random_layout(rng, 12, 12, 2)
    blocked = asked(tl.blocked_product, built(a), built(b))
    raked = asked(tl.raked_product, built(a), built(b))
    if blocked is None or raked is None:
        verdict = judged_product(_padded(a, b), _padded(b, a), None)
        return (a, b), verdict if blocked is raked else "wrong"
    zips = [top_modes((m.shape, m.stride)) for m in blocked.modes]
    swapped = [top_modes((m.shape, m.stride))[::-1] for m in raked.modes]
    whole = built(_joined([_joined([x for x, _ in zips]), _joined([y for _, y in zips])]))
    verdict = judged_product(_padded(a, b), _padded(b, a), whole)
    return (a, b), verdict if zips == swapped else "wrong"


def _padded(pair: Pair, other: Pair) -> Pair:
    missing = len(top_modes(other)) - len(top_modes(pair))
    return _joined([*top_modes(pair), *[(1, 0)] * max(missing, 0)])


def tile_to_shape(rng: random.Random) -> Verdict:
    block = random_layout(rng, 12, 12, 2)
    sizes = [math.prod(leaves(mode[0])) for mode in top_modes(block)]
    sizes += [1] * rng.randint(0, 1)
    shape = tuple(rng.randint(1, 3) * size - rng.randint(0, max(size - 1, 0)) for size in sizes)
    order = list(range(len(shape)))
    rng.shuffle(order)
    answer = asked(tl.tile_to_shape, built(block), shape, tuple(order))
    if 0 in sizes:
        return (block, shape), "refused" if answer is None else "wrong"
    counts = [-(-whole // size) for whole, size in zip(shape, sizes, strict=True)]
    strides, step = [0] * len(counts), 1
    for rank in range(len(counts)):
        strides[order.index(rank)] = step
        step *= counts[order.index(rank)]
    tiles: Pair = (tuple(counts), tuple(strides))
    padded = _padded(block, tiles)
    if answer is None:
        return (block, shape, order), judged_product(padded, tiles, None)
    halves = [top_modes((m.shape, m.stride)) for m in answer.modes]
    whole = built(_joined([_joined([x for x, _ in halves]), _joined([y for _, y in halves])]))
    return (block, shape, order), judged_product(padded, tiles, whole)


# inverses


def left_inverse(rng: random.Random) -> Verdict:
    pair = random_layout(rng, rng.choice((8, 16, 32)))
    modes, offsets = modes_of(pair), table(modes_of(pair))
    answer = asked(tl.left_inverse, built(pair))
    if not offsets:
        return pair, "right" if answer is not None and answer.size == 0 else "wrong"
    if answer is None:
        exists = left_invertible(modes)
        return pair, "unjudged" if exists is None else "missed" if exists else "refused"
    back = [at(modes_of((answer.shape, answer.stride)), offset) for offset in offsets]
    good = [at(modes, index) for index in back] == offsets
    distinct = len(set(offsets)) < len(offsets) or back == list(range(len(offsets)))
    return pair, "right" if good and distinct else "wrong"


def right_inverse(rng: random.Random) -> Verdict:
    pair = random_layout(rng, rng.choice((8, 24, 36)))
    offsets = table(modes_of(pair))
    places: dict[int, list[int]] = {}
    for index, offset in enumerate(offsets):
        places.setdefault(offset, []).append(index)
    return pair, _longest(tl.right_inverse(built(pair)), places)


def _longest(result: Any, places: dict[int, list[int]]) -> str:
    found = offsets_of(result)
    if any(index not in places.get(i, []) for i, index in enumerate(found)):
        return "wrong"
    few = {offset: indices[:12] for offset, indices in places.items()}
    return "right" if len(found) >= longest_right_inverse(few) else "missed"


def max_common_layout(rng: random.Random) -> Verdict:
    a = random_layout(rng, 32)
    b = random_layout(rng, 32) if rng.random() < 0.3 else _nearly(rng, a)
    places: dict[int, list[int]] = {}
    for index, (x, y) in enumerate(zip(table(modes_of(a)), table(modes_of(b)), strict=False)):
        if x == y:
            places.setdefault(x, []).append(index)
    result = tl.max_common_layout(built(a), built(b))
    if tl.max_common_vector(built(a), built(b)) != result.size:
        return (a, b), "wrong"
    return (a, b), _longest(result, places)


def _nearly(rng: random.Random, pair: Pair) -> Pair:
    shape, stride = pair
    if isinstance(shape, tuple):
        place = rng.randrange(len(shape))
        inner = _nearly(rng, (shape[place], stride[place]))
        changed = [inner if k == place else mode for k, mode in enumerate(top_modes(pair))]
        return _joined(changed)
    return shape, rng.choice((stride, stride + 1, 2 * stride))


def nullspace(rng: random.Random) -> Verdict:
    pair = random_layout(rng)
    modes = modes_of(pair)
    found = offsets_of(tl.nullspace(built(pair)))
    size = len(table(modes))
    good = all(at(modes, index) == 0 for index in found) and len(set(found)) == len(found)
    kept = math.prod(s for s, d in modes if d != 0)
    return pair, "right" if good and (size == len(found) * kept) else "wrong"


def is_injective(rng: random.Random) -> Verdict:
    pair = random_layout(rng)
    offsets = table(modes_of(pair))
    good = tl.is_injective(built(pair)) == (len(set(offsets)) == len(offsets))
    compact = sorted(offsets) == list(range(len(offsets)))
    return pair, "right" if good and tl.is_bijective(built(pair)) == compact else "wrong"


# tiles and threads


def make_layout_tv(rng: random.Random) -> Verdict:
    threads, values = random_layout(rng, 12, 12, 2), random_layout(rng, 8, 8, 2)
    raked = asked(tl.raked_product, built(threads), built(values))
    tile = offsets_of(raked) if raked is not None else []
    answer = asked_inside(tl.make_layout_tv, built(threads), built(values))
    if 0 in leaves((threads[0], values[0])):
        return (threads, values), "refused"
    exists = bool(tile) and sorted(tile) == list(range(len(tile)))
    count = math.prod(leaves(threads[0]))
    if answer is None:
        exists = exists and is_split([tile.index(i) for i in range(len(tile))], count)
        return (threads, values), "missed" if exists else "refused"
    shape, tv = answer
    owners = [tile[index] for index in offsets_of(tv)]
    expected = [t + count * v for v in range(len(tile) // count) for t in range(count)]
    sized = math.prod(leaves(shape)) == len(tile) and tv.rank == 2
    return (threads, values), "right" if exists and sized and owners == expected else "wrong"


def is_split(offsets: list[int], count: int) -> bool:
    """True when a layout of two modes, the first of this size, has the offsets."""
    first, second = offsets[:count], offsets[::count]
    sums = [x + y for y in second for x in first]
    return sums == offsets and None not in (recognised(first), recognised(second))


def local_tile(rng: random.Random) -> Verdict:
    a = random_layout(rng, 32, 16, 2)
    tiler = [rng.choice((None, 1, 2, 3, 4)) for _ in top_modes(a)]
    zipped = asked_by_mode(tl.zipped_divide, built(a), tiler)
    if zipped is None or 0 in leaves(a[0]):
        return (a, tiler), "refused"
    tile, rest = top_modes((zipped.shape, zipped.stride))
    good = True
    for place, offset in enumerate(table(modes_of(rest))):
        coordinate = []
        for size in (math.prod(leaves(mode[0])) for mode in top_modes(rest)):
            coordinate.append(place % size)
            place //= size
        found = tl.local_tile(built(a), as_tiler(tiler), tuple(coordinate))
        good = good and same_modes(found[0], tile) and found[1] == offset
    return (a, tiler), "right" if good else "wrong"


def local_partition(rng: random.Random) -> Verdict:
    a, threads = random_layout(rng, 32, 16, 2), random_layout(rng, 8, 8, 2)
    count = math.prod(leaves(threads[0]))
    owners = table(modes_of(threads))
    found = [asked_inside(tl.local_partition, built(a), built(threads), t) for t in range(count)]
    sizes = [math.prod(leaves(mode[0])) for mode in top_modes(threads)]
    zipped = (
        asked_by_mode(tl.zipped_divide, built(a), sizes)
        if len(sizes) <= len(top_modes(a))
        else None
    )
    exists = zipped is not None and sorted(owners) == list(range(count)) and count > 0
    if not found or None in found:
        return (a, threads), "missed" if exists else "refused"
    tile, rest = top_modes((zipped.shape, zipped.stride))
    within, over = table(modes_of(tile)), table(modes_of(rest))
    good = all(
        offsets_of(values) == over and offset == within[owners.index(t)]
        for t, (values, offset) in enumerate(found)
    )
    return (a, threads), "right" if exists and good else "wrong"


CHECKS: dict[str, Callable[[random.Random], Verdict]] = {
    check.__name__: check
    for check in (
        *(coalesce, filter, composition, composition_by_mode, complement),
        *(logical_divide, divides_by_mode, logical_product, products_by_mode),
        *(blocked_and_raked_products, tile_to_shape),
        *(left_inverse, right_inverse, max_common_layout, nullspace, is_injective),
        *(make_layout_tv, local_tile, local_partition),
    )
}
