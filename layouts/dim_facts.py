"""What can be proved about a size for all values of its symbols: sign, divisibility, equality."""

from __future__ import annotations

from math import gcd

from tensorlib.layouts.symbolic import Atom, Dim, Size, Terms, dim_equal, polynomial, terms_of

__all__ = ["divides", "greatest_divisor", "known_equal", "known_nonnegative", "known_positive"]

_DEPTH = 6  # substitutions tried for one proof

known_equal = dim_equal


def greatest_divisor(size: Size) -> int:
    """Return the greatest number that provably divides the size (0 for the size 0).

    >>> n = Dim("n", divisible_by=8)
    >>> greatest_divisor(6 * n + 32), greatest_divisor(n * n)
    (16, 64)
    """
    return gcd(*terms_of(size).values())


def divides(k: int, size: Size) -> bool:
    """True when k provably divides the size, whatever its symbols' values.

    >>> divides(4, Dim("n", divisible_by=8) + 4), divides(4, Dim("n"))
    (True, False)
    """
    return greatest_divisor(size) % k == 0


def known_positive(size: Size) -> bool:
    """True when the size is provably >= 1."""
    return known_nonnegative(size - 1)


def known_nonnegative(size: Size) -> bool:
    """True when the size is provably >= 0; False means unknown.

    >>> n = Dim("n")
    >>> known_nonnegative(n * n + 1), known_nonnegative(n - n // 8 * 8), known_nonnegative(n - 1)
    (True, True, False)
    """
    if not isinstance(size, Dim):
        return size >= 0
    return _nonnegative(size.terms, _DEPTH)


def _nonnegative(terms: Terms, depth: int) -> bool:
    bad = [m for m, c in terms.items() if c < 0 or not all(a.nonnegative for a in m)]
    if not bad:
        return True
    if depth == 0:
        return False
    return any(
        _lowered(terms, index, depth)
        for monomial in terms
        if len(monomial) == 1 and (index := monomial[0]).op != "symbol"
    )


def _lowered(terms: Terms, a: Atom, depth: int) -> bool:
    """Replace the linear atom by a lower bound of its term, and ask again."""
    coefficient = terms[(a,)]
    if any(a in m and m != (a,) for m in terms):
        return False
    others = polynomial({m: c for m, c in terms.items() if m != (a,)})

    def proved(size: Size) -> bool:
        return _nonnegative(terms_of(size), depth - 1)

    if a.op in ("max", "min"):
        weak = (a.op == "max") == (coefficient > 0)  # one argument bounds, or all are needed
        return (any if weak else all)(proved(others + x * coefficient) for x in a.arguments)
    x, k = a.arguments
    if not isinstance(k, int):
        return False
    if a.op == "//":  # (x - k + 1) / k <= x // k <= x / k
        bound = x if coefficient < 0 else x - (k - 1)
        return proved(others * k + bound * coefficient)
    if coefficient > 0:
        return proved(others)
    return proved(others + (k - 1) * coefficient) or (
        known_nonnegative(x) and proved(others + x * coefficient)
    )
