"""The symbolic integer `Dim`: interned polynomials, their arithmetic and their meaning."""

from __future__ import annotations

import itertools
import operator
import threading
from collections.abc import Callable, Iterable, Mapping
from math import gcd
from typing import Any, TypeAlias, TypeGuard, cast
from weakref import WeakValueDictionary

from tensorlib.errors import LayoutError

__all__ = ["Dim", "Size", "dim_equal", "dim_max", "dim_min", "evaluate", "is_static"]


class Atom:
    """A factor of a monomial: a symbol, or an undecided `//`, `%`, `max` or `min`. Interned.

    The arguments of a symbol are (name, d): its value is the name's value divided by d, so that
    "divisible by d" needs no rule of its own: the symbol n is the polynomial d * atom.
    """

    __slots__ = ("__weakref__", "arguments", "nonnegative", "op", "serial")

    op: str
    arguments: tuple[Any, ...]
    nonnegative: bool
    serial: int


Monomial: TypeAlias = tuple[Atom, ...]  # sorted by serial; () is the constant term
Terms: TypeAlias = dict[Monomial, int]

_serials = itertools.count()
_lock = threading.Lock()
_atoms: WeakValueDictionary[tuple[Any, ...], Atom] = WeakValueDictionary()
_dims: WeakValueDictionary[frozenset[tuple[Monomial, int]], Dim] = WeakValueDictionary()
_MEMO_CAP = 1 << 16
_serial = operator.attrgetter("serial")


class Dim:
    """An integer known only at run time: `Dim("n")` stands for some value >= 0.

    `+ - * // %` with Dims and ints give a Dim in normal form, or a plain int where the result is
    constant. Equal polynomials are the same object, so `==` and `hash` cost nothing; a Dim never
    equals an int. `//` and `%` floor, as Python's do; an expression with a zero divisor has no
    value. Symbols are the same when name and `divisible_by` both agree.

    >>> n = Dim("n", divisible_by=8)
    >>> n * 2 == n + n, n % 8, (2 * n + 3) // 16, (n + 1) * (n - 1)
    (True, 0, n//8, n*n - 1)
    """

    __array_ufunc__ = None  # np.int64(3) * Dim("n") asks Dim
    __slots__ = ("__weakref__", "_symbols", "_text", "terms")

    terms: Terms

    def __new__(cls, name: str, *, divisible_by: int = 1) -> Dim:
        """Return the symbol `name`. Raises LayoutError unless it is an identifier."""
        if not isinstance(name, str) or not name.isidentifier():
            raise LayoutError(f"Dim: got name {name!r}, needed an identifier such as 'n'")
        if type(divisible_by) is not int or divisible_by < 1:
            raise LayoutError(f"Dim: got divisible_by={divisible_by!r}, needed an int >= 1")
        return interned({(atom("symbol", (name, divisible_by), True),): divisible_by})

    @property
    def symbols(self) -> frozenset[str]:
        """The names that the value depends on."""
        if self._symbols is None:
            self._symbols = frozenset(
                name for monomial in self.terms for a in monomial for name in _names(a)
            )
        return self._symbols

    def evaluate(
        self,
        values: Mapping[str, Any],
        *,
        maximum: Callable[[Any, Any], Any] | None = None,
        minimum: Callable[[Any, Any], Any] | None = None,
    ) -> Any:
        """Return the value where the names have these `values`: ints, Dims, or traced scalars.

        Values need `+ * // %` only; `max` and `min` atoms use `maximum` and `minimum` (by default
        `dim_max`, `dim_min`). Raises LayoutError for a name without a value.

        >>> (Dim("n") * 3 + 1).evaluate({"n": 5}), (Dim("n") // 2).evaluate({"n": Dim("m") * 4})
        (16, 2*m)
        """
        return evaluate(self, values, maximum=maximum, minimum=minimum)

    def c(self, names: Mapping[str, str] | None = None) -> str:
        """Return int64 C text over `names[symbol]`. See `tensorlib.layouts.dim_code.c_text`."""
        from tensorlib.layouts.dim_code import c_text

        return c_text(self, names)

    def __add__(self, other: Size) -> Size:
        return combined("+", self, other)

    def __radd__(self, other: Size) -> Size:
        return combined("+", self, other)

    def __sub__(self, other: Size) -> Size:
        return combined("-", self, other)

    def __rsub__(self, other: Size) -> Size:
        return combined("-", other, self)

    def __mul__(self, other: Size) -> Size:
        return combined("*", self, other)

    def __rmul__(self, other: Size) -> Size:
        return combined("*", self, other)

    def __floordiv__(self, other: Size) -> Size:
        return combined("//", self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return combined("//", other, self)

    def __mod__(self, other: Size) -> Size:
        return combined("%", self, other)

    def __rmod__(self, other: Size) -> Size:
        return combined("%", other, self)

    def __neg__(self) -> Size:
        return combined("*", self, -1)

    def __pos__(self) -> Dim:
        return self

    def __lt__(self, other: Size) -> bool:
        return _ordered(other - self - 1, self - other, f"{self} < {other}")

    def __le__(self, other: Size) -> bool:
        return _ordered(other - self, self - other - 1, f"{self} <= {other}")

    def __gt__(self, other: Size) -> bool:
        return _ordered(self - other - 1, other - self, f"{self} > {other}")

    def __ge__(self, other: Size) -> bool:
        return _ordered(self - other, other - self - 1, f"{self} >= {other}")

    def __bool__(self) -> bool:
        from tensorlib.layouts.dim_facts import known_nonnegative

        if known_nonnegative(self - 1) or known_nonnegative(-self - 1):
            return True
        raise LayoutError(_undecided(f"{self} != 0"))

    def __int__(self) -> int:
        raise LayoutError(f"int: got the symbolic size {self}, needed a number; try .evaluate")

    __index__ = __int__

    def __str__(self) -> str:
        if self._text is None:
            from tensorlib.layouts.dim_code import python_text

            self._text = python_text(self)
        return self._text

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        terms = [([(a.op, a.arguments) for a in m], c) for m, c in self.terms.items()]
        return _rebuilt, (terms,)

    _symbols: frozenset[str] | None
    _text: str | None


Size: TypeAlias = int | Dim


def is_static(size: object) -> TypeGuard[int]:
    """True for an int, False for a Dim.

    >>> is_static(3), is_static(Dim("n"))
    (True, False)
    """
    return not isinstance(size, Dim)


def evaluate(
    size: Size,
    values: Mapping[str, Any],
    *,
    maximum: Callable[[Any, Any], Any] | None = None,
    minimum: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """Return the value of a size: an int is its own, a Dim's is `Dim.evaluate`."""
    meaning = {**_MEANING, "max": maximum or dim_max, "min": minimum or dim_min}
    return _evaluate(size, values, meaning)


def dim_equal(a: Size, b: Size) -> bool:
    """True when a == b provably holds for all values; also sees k*(x//k) + x%k == x.

    >>> n = Dim("n")
    >>> dim_equal(n // 4 * 4 + n % 4, n), dim_equal(n, n + 1)
    (True, False)
    """
    if a == b or not (isinstance(a, Dim) or isinstance(b, Dim)):
        return a == b
    return _without_remainders(_operand(a) - _operand(b)) == 0


def dim_max(a: Any, b: Any) -> Any:
    """Return the greater of two sizes: one of them where decidable, else a `max` Dim.

    >>> dim_max(3, 4), dim_max(Dim("n"), Dim("n") + 1), dim_max(Dim("n"), 1)
    (4, n + 1, max(1, n))
    """
    return _extreme("max", a, b)


def dim_min(a: Any, b: Any) -> Any:
    """Return the lesser of two sizes: one of them where decidable, else a `min` Dim."""
    return _extreme("min", a, b)


# Construction: every Dim and Atom is interned, so identity is equality.


def atom(op: str, arguments: tuple[Any, ...], nonnegative: bool) -> Atom:
    """Return the interned atom."""
    key = (op, arguments)
    with _lock:
        found = _atoms.get(key)
        if found is None:
            found = Atom()
            found.op, found.arguments, found.nonnegative = op, arguments, nonnegative
            found.serial = next(_serials)
            _atoms[key] = found
    return found


def interned(terms: Terms) -> Dim:
    """Return the Dim with these terms, which are never changed afterwards."""
    key = frozenset(terms.items())
    with _lock:
        found = _dims.get(key)
        if found is None:
            found = object.__new__(Dim)
            found.terms, found._symbols, found._text = terms, None, None
            _dims[key] = found
    return found


def polynomial(terms: Terms) -> Size:
    """Return the size with these nonzero terms: an int where only the constant term is there."""
    if not terms:
        return 0
    if len(terms) == 1 and () in terms:
        return terms[()]
    return interned(terms)


def terms_of(size: Size) -> Terms:
    """Return the terms of a Dim or an int."""
    if isinstance(size, Dim):
        return size.terms
    return {(): size} if size else {}


def _rebuilt(terms: list[tuple[list[tuple[str, tuple[Any, ...]]], int]]) -> Size:
    total: Size = 0
    for factors, coefficient in terms:
        product: Size = coefficient
        for op, arguments in factors:
            product = product * _atom_value(op, arguments)
        total = total + product
    return total


def _atom_value(op: str, arguments: tuple[Any, ...]) -> Size:
    if op == "symbol":
        return interned({(atom(op, arguments, True),): 1})
    value: Size = arguments[0]
    for argument in arguments[1:]:
        value = combined(op, value, argument)
    return value


# Arithmetic: one memo for every operation, then the rule of the operation.

_memo: dict[tuple[str, Any, Any], Size] = {}


def combined(op: str, a: Any, b: Any) -> Size:
    """Return a `op` b through the memo; NotImplemented unless both are sizes."""
    kind_a, kind_b = a.__class__, b.__class__
    if (kind_a is not Dim and kind_a is not int) or (kind_b is not Dim and kind_b is not int):
        try:
            a, b = _operand(a), _operand(b)
        except TypeError:
            return cast(Size, NotImplemented)
    found = _memo.get((op, a, b))
    if found is None:
        if len(_memo) >= _MEMO_CAP:
            _memo.clear()
        found = _memo[op, a, b] = RULES[op](a, b)
    return found


def _operand(value: Any) -> Any:
    return value if isinstance(value, Dim) else operator.index(value)


def _sum(a: Size, b: Size) -> Size:
    terms = dict(terms_of(a))
    for monomial, coefficient in terms_of(b).items():
        new = terms.get(monomial, 0) + coefficient
        if new:
            terms[monomial] = new
        else:
            del terms[monomial]
    return polynomial(terms)


def _difference(a: Size, b: Size) -> Size:
    return _sum(a, polynomial({m: -c for m, c in terms_of(b).items()}))


def _product(a: Size, b: Size) -> Size:
    terms: Terms = {}
    other = terms_of(b)
    for left, c in terms_of(a).items():
        for right, d in other.items():
            key = tuple(sorted(left + right, key=_serial)) if left and right else left or right
            terms[key] = terms.get(key, 0) + c * d
    return polynomial({m: c for m, c in terms.items() if c})


def _extreme(op: str, a: Any, b: Any) -> Size:
    a, b = _operand(a), _operand(b)
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b) if op == "max" else min(a, b)
    return combined(op, a, b)


def _extreme_rule(op: str) -> Callable[[Any, Any], Size]:
    return lambda a, b: _common_factor_out(op, (*_arguments(op, a), *_arguments(op, b)))


def _common_factor_out(op: str, parts: tuple[Size, ...]) -> Size:
    """max(8*n, 8) == 8*max(n, 1): so that divisors are seen."""
    from tensorlib.layouts.division import RULES

    factor = gcd(*(c for part in parts for c in terms_of(part).values())) or 1
    value, *others = (polynomial({m: c // factor for m, c in terms_of(p).items()}) for p in parts)
    for other in others:
        value = RULES[op](value, other)
    kept = _arguments(op, value)
    if 1 < len(kept) < len(parts):  # fewer may have more in common
        value = _common_factor_out(op, kept)
    return value * factor


def _arguments(op: str, size: Size) -> tuple[Size, ...]:
    """The sizes that a multiple of an extreme chooses from; any other size is its own choice."""
    terms = terms_of(size)
    if len(terms) == 1:
        ((monomial, coefficient),) = terms.items()
        if coefficient > 0 and len(monomial) == 1 and monomial[0].op == op:
            return tuple(x * coefficient for x in monomial[0].arguments)
    return (size,)


def _divided(op: str) -> Callable[[Any, Any], Size]:
    def rule(a: Size, b: Size) -> Size:
        from tensorlib.layouts import division

        return division.RULES[op](a, b)

    return rule


RULES: dict[str, Callable[[Any, Any], Size]] = {
    "+": _sum,
    "-": _difference,
    "*": _product,
    **{op: _divided(op) for op in ("//", "%")},
    **{op: _extreme_rule(op) for op in ("max", "min")},
}


# Meaning: what an expression is worth.

_MEANING: dict[str, Callable[[Any, Any], Any]] = {"//": operator.floordiv, "%": operator.mod}


def _evaluate(size: Size, values: Mapping[str, Any], meaning: Mapping[str, Any]) -> Any:
    if not isinstance(size, Dim):
        return size
    total: Any = None
    for monomial, coefficient in size.terms.items():
        product: Any = None
        for factor in monomial:
            value = _evaluate_atom(factor, values, meaning)
            product = value if product is None else product * value
        if product is None:
            product = coefficient
        elif coefficient != 1:
            product = product * coefficient
        total = product if total is None else total + product
    return total


def _evaluate_atom(a: Atom, values: Mapping[str, Any], meaning: Mapping[str, Any]) -> Any:
    if a.op != "symbol":
        parts = [_evaluate(argument, values, meaning) for argument in a.arguments]
        value = parts[0]
        for part in parts[1:]:
            value = meaning[a.op](value, part)
        return value
    name, divisor = a.arguments
    if name not in values:
        raise LayoutError(f"evaluate: got values for {sorted(values)}, needed one for {name!r}")
    return values[name] if divisor == 1 else values[name] // divisor


def _names(a: Atom) -> Iterable[str]:
    if a.op == "symbol":
        return (a.arguments[0],)
    return (name for d in a.arguments if isinstance(d, Dim) for name in d.symbols)


def _without_remainders(size: Size) -> Size:
    """Rewrite every x % k as x - k * (x // k)."""
    total: Size = 0
    for monomial, coefficient in terms_of(size).items():
        product: Size = coefficient
        for factor in monomial:
            if factor.op == "%":
                x, k = factor.arguments
                product = product * (x - x // k * k)
            else:
                product = product * interned({(factor,): 1})
        total = total + product
    return total


def _ordered(yes: Size, no: Size, question: str) -> bool:
    from tensorlib.layouts.dim_facts import known_nonnegative

    if known_nonnegative(yes):
        return True
    if known_nonnegative(no):
        return False
    raise LayoutError(_undecided(question))


def _undecided(question: str) -> str:
    return f"Dim: got {question}, needed an answer for every value; try .evaluate first"
