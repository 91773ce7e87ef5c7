"""What can be proved about a size for all values of its symbols: sign, divisibility, equality."""

from __future__ import annotations

from math import gcd, prod

from tensorlib.layouts.symbolic import Atom, Dim, Size, Terms, dim_equal, polynomial, terms_of

__all__ = ["divides", "greatest_divisor", "known_equal", "known_nonnegative", "known_positive"]

_DEPTH = 6  # substitutions that one proof may need
_TRIED = 32  # and that are tried for it

known_equal = dim_equal


def greatest_divisor(size: Size) -> int:
    """Return the greatest number that provably divides the size (0 for the size 0).

    >>> n = Dim("n", divisible_by=8)
    >>> greatest_divisor(6 * n + 32), greatest_divisor(n * n), greatest_divisor(n % Dim("m") * 2)
    (16, 64, 2)
    """
    return gcd(*(c * prod(map(_divisor, m)) for m, c in terms_of(size).items()))


def _divisor(a: Atom) -> int:
    """The greatest number known to divide an atom; a symbol's own is in its coefficient."""
    if a.op in ("symbol", "//"):
        return 1
    return gcd(*map(greatest_divisor, a.arguments))  # x % k == x - k * (x // k)


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
    return _nonnegative(size.terms, _DEPTH, [_TRIED])


def _nonnegative(terms: Terms, depth: int, left: list[int]) -> bool:
    if _plainly_nonnegative(terms):
        return True
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        return False
    undecided = {a: None for m in terms for a in m if a.op != "symbol"}
    return any(_lowered(terms, a, depth, left) for a in undecided)


def _plainly_nonnegative(terms: Terms) -> bool:
    return all(c > 0 and all(a.nonnegative for a in m) for m, c in terms.items())


def _lowered(terms: Terms, a: Atom, depth: int, left: list[int]) -> bool:
    """Replace an atom of sum == a * factor + others by a bound that makes the sum no greater."""
    if any(m.count(a) > 1 for m in terms):
        return False
    factor = polynomial({tuple(f for f in m if f is not a): c for m, c in terms.items() if a in m})
    others = polynomial({m: c for m, c in terms.items() if a not in m})

    def proved(size: Size) -> bool:
        return _nonnegative(terms_of(size), depth - 1, left)

    rises = _plainly_nonnegative(terms_of(factor))
    if not rises and not _plainly_nonnegative(terms_of(-factor)):
        return False
    if a.op in ("max", "min"):
        weak = (a.op == "max") == rises  # one argument bounds, or all are needed
        return (any if weak else all)(proved(others + x * factor) for x in a.arguments)
    x, k = a.arguments
    if not proved(k):
        return False
    if a.op == "//":  # x - k + 1 <= k * (x // k) <= x; alone it need only reach an integer
        bound = x - (k - 1) if rises != _is_unit(factor) else x
        return proved(others * k + bound * factor) or (
            not rises and proved(x) and proved(others + x * factor)
        )
    if rises:
        return proved(others)
    return proved(others + (k - 1) * factor) or (proved(x) and proved(others + x * factor))


def _is_unit(factor: Size) -> bool:
    return isinstance(factor, int) and abs(factor) == 1
