"""Sizes as text (Python and C) and as fast functions of their symbols' values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from tensorlib.errors import LayoutError
from tensorlib.layouts.dim_facts import known_nonnegative
from tensorlib.layouts.symbolic import Atom, Dim, Monomial, Size, is_static

__all__ = ["c_text", "compiled", "python_text", "wrapped"]

Values: TypeAlias = Sequence[int]
Evaluator: TypeAlias = Callable[[Values], int]


def compiled(sizes: Iterable[Size], names: Sequence[str]) -> Callable[[Values], tuple[int, ...]]:
    """Return a function from the values of `names`, in order, to the tuple of the sizes' values.

    Equal sizes are computed once. Raises LayoutError for a symbol that is not in `names`.

    >>> n, m = Dim("n"), Dim("m")
    >>> compiled([n * m, 4, n + 1], ["n", "m"])([3, 5])
    (15, 4, 4)
    """
    sizes = tuple(sizes)
    place = {name: index for index, name in enumerate(names)}
    dims = list(dict.fromkeys(size for size in sizes if isinstance(size, Dim)))
    numbers = list(dict.fromkeys(size for size in sizes if is_static(size)))
    if not dims:
        constant = tuple(size for size in sizes if is_static(size))
        return lambda values: constant
    steps = [_evaluator(dim, place) for dim in dims]
    slot = {size: index for index, size in enumerate((*dims, *numbers))}
    return _gathered(steps, numbers, [slot[size] for size in sizes])


def _gathered(
    steps: list[Evaluator], numbers: list[int], slots: list[int]
) -> Callable[[Values], tuple[int, ...]]:
    if len(slots) == 1:
        (single,) = steps
        return lambda values: (single(values),)
    if not numbers and slots == list(range(len(steps))):
        return lambda values: tuple([step(values) for step in steps])
    pick: Callable[[list[int]], tuple[int, ...]] = itemgetter(*slots)
    return lambda values: pick([step(values) for step in steps] + numbers)


def _evaluator(size: Size, place: Mapping[str, int]) -> Evaluator:
    if not isinstance(size, Dim):
        return lambda values: size
    constant = size.terms.get((), 0)
    rows = [(c, m) for m, c in size.terms.items() if m]
    linear = [(c, *_symbol(m[0], place)) for c, m in rows if len(m) == 1 and m[0].op == "symbol"]
    plain = [(c // d, i) for c, i, d in linear if c % d == 0]
    if len(plain) == len(rows) <= 2:
        return _linear(plain, constant)
    products = [(c, [_atom(a, place) for a in m]) for c, m in rows]
    return _polynomial(products, constant)


def _linear(terms: list[tuple[int, int]], constant: int) -> Evaluator:
    if len(terms) == 2:
        (c, i), (d, j) = terms
        return lambda values: c * values[i] + d * values[j] + constant
    ((c, i),) = terms
    if c == 1:
        return (lambda values: values[i] + constant) if constant else itemgetter(i)
    return lambda values: c * values[i] + constant


def _polynomial(products: list[tuple[int, list[Evaluator]]], constant: int) -> Evaluator:
    if len(products) == 1 and len(products[0][1]) == 1:
        c, (f,) = products[0]
        return lambda values: c * f(values) + constant
    if len(products) == 1 and len(products[0][1]) == 2:
        c, (f, g) = products[0]
        return lambda values: c * f(values) * g(values) + constant

    def value(values: Values) -> int:
        total = constant
        for product, factors in products:
            for factor in factors:
                product *= factor(values)
            total += product
        return total

    return value


def _symbol(a: Atom, place: Mapping[str, int]) -> tuple[int, int]:
    name, divisor = a.arguments
    if name not in place:
        raise LayoutError(f"compiled: got names {list(place)}, needed {name!r} among them")
    return place[name], divisor


def _atom(a: Atom, place: Mapping[str, int]) -> Evaluator:
    if a.op == "symbol":
        index, divisor = _symbol(a, place)
        return itemgetter(index) if divisor == 1 else lambda values: values[index] // divisor
    parts = [_evaluator(argument, place) for argument in a.arguments]
    if a.op in ("max", "min"):
        choose: Callable[[Iterable[int]], int] = max if a.op == "max" else min
        return lambda values: choose([part(values) for part in parts])
    left, right = parts
    if a.op == "//":
        return lambda values: left(values) // right(values)
    return lambda values: left(values) % right(values)


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one language writes the operations; each takes the operands' text and the operands."""

    quotient: Callable[[str, str, Any, Any], str]
    remainder: Callable[[str, str, Any, Any], str]
    extreme: Callable[[str, list[str]], str]
    name: Callable[[str], str]


def python_text(size: Size) -> str:
    """Return the expression as Python reads it; the order of terms is by degree, then by name."""
    return _text(size, PYTHON)


def c_text(size: Size, names: Mapping[str, str] | None = None) -> str:
    """Return int64 C text of a size, with `names[symbol]` (by default the symbol) as operands.

    Every operand must be an int64 expression without side effects. Where the operands of `//` and
    `%` are provably non-negative C's `/` and `%` are printed plainly; elsewhere with a correction,
    so that the meaning is always Python's.

    >>> n = Dim("n")
    >>> c_text((n + 7) // 8 * 64, {"n": "s0"}), c_text(n * n - 1)
    ('64*((s0 + 7)/8)', 'n*n - 1')
    """
    table = {} if names is None else names

    def name(symbol: str) -> str:
        if names is not None and symbol not in table:
            raise LayoutError(f"c: got names for {sorted(table)}, needed one for {symbol!r}")
        return table.get(symbol, symbol)

    return _text(size, Spelling(_c_quotient, _c_remainder, _c_extreme, name))


def _c_quotient(a: str, b: str, x: Size, y: Size) -> str:
    if known_nonnegative(x) and known_nonnegative(y):
        return f"{a}/{b}"
    return f"({a}/{b} - ({a}%{b} != 0 && (({a}%{b}) ^ {b}) < 0))"


def _c_remainder(a: str, b: str, x: Size, y: Size) -> str:
    if known_nonnegative(x) and known_nonnegative(y):
        return f"{a}%{b}"
    return f"(({a}%{b} + {b})%{b})"


def _c_extreme(op: str, parts: list[str]) -> str:
    text, sign = parts[0], ">" if op == "max" else "<"
    for part in parts[1:]:
        text = f"({text} {sign} {part} ? {text} : {part})"
    return text


PYTHON = Spelling(
    quotient=lambda a, b, x, y: f"{a}//{b}",
    remainder=lambda a, b, x, y: f"{a}%{b}",
    extreme=lambda op, parts: f"{op}({', '.join(parts)})",
    name=lambda symbol: symbol,
)


def _text(size: Size, spelling: Spelling) -> str:
    if not isinstance(size, Dim):
        return str(size)
    rows = sorted(
        (-len(m), _product(m, abs(c), spelling), c < 0, c == -1 and len(m) == 1)
        for m, c in size.terms.items()
    )
    _, text, negative, bare = rows[0]
    if negative:  # -(a//b) is not -a//b
        text = f"-{wrapped(text) if bare else text}"
    for _, part, negative, _ in rows[1:]:
        text += f" - {part}" if negative else f" + {part}"
    return text


def _product(monomial: Monomial, coefficient: int, spelling: Spelling) -> str:
    """Write one term; a symbol divisible by d takes d out of the coefficient where it can."""
    factors: list[str] = []
    for a in monomial:
        if a.op == "symbol" and coefficient % a.arguments[1] == 0:
            coefficient //= a.arguments[1]
            factors.append(spelling.name(a.arguments[0]))
        else:
            factors.append(_factor(a, spelling))
    if len(monomial) == 1 and monomial[0].op in ("max", "min") and coefficient > 1:
        inside = [_text(x * coefficient, spelling) for x in monomial[0].arguments]
        outside = [_text(x, spelling) for x in monomial[0].arguments]
        if sum(map(len, inside)) <= sum(map(len, outside)):  # 8*max(n//8, 1) is max(n, 8)
            return spelling.extreme(monomial[0].op, inside)
    number = [str(coefficient)] if coefficient != 1 or not factors else []
    if len(number) + len(factors) > 1:
        factors = [wrapped(text) for text in factors]
    return "*".join(number + sorted(factors))


def _factor(a: Atom, spelling: Spelling) -> str:
    if a.op == "symbol":
        name, divisor = a.arguments
        return spelling.quotient(spelling.name(name), str(divisor), 0, divisor)
    if a.op == "//" and (symbol := _scaled_symbol(a)):  # (n//8)//2 is n//16
        name, divisor = symbol
        return spelling.quotient(spelling.name(name), str(divisor), 0, divisor)
    parts = [_operand_text(x, spelling) for x in a.arguments]
    if a.op in ("max", "min"):
        return spelling.extreme(a.op, [_text(x, spelling) for x in a.arguments])
    write = spelling.quotient if a.op == "//" else spelling.remainder
    return write(parts[0], parts[1], *a.arguments)


def _scaled_symbol(quotient: Atom) -> tuple[str, int] | None:
    """Name and divisor where the quotient is that of a symbol with a promised divisor."""
    x, k = quotient.arguments
    if isinstance(k, Dim) or not isinstance(x, Dim) or list(x.terms.values()) != [1]:
        return None
    (monomial,) = x.terms
    if len(monomial) != 1 or monomial[0].op != "symbol":
        return None
    name, divisor = monomial[0].arguments
    return name, divisor * k


def _operand_text(size: Size, spelling: Spelling) -> str:
    return wrapped(_text(size, spelling))


def wrapped(text: str) -> str:
    """Parenthesise text unless it is a name, a number or already enclosed."""
    if text.isalnum() or text.isidentifier():
        return text
    opened = text.removeprefix("max").removeprefix("min")
    depth = 0
    for index, letter in enumerate(opened):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text if index and index == len(opened) - 1 else f"({text})"
    raise AssertionError(f"unbalanced {text}")
