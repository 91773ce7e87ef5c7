"""Random well-typed kernels as Python source: every dtype and width, hostile values, all control
flow.
"""

from __future__ import annotations

import itertools
import linecache
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
from hypothesis import strategies as st

from tensorlib.dtypes import DType
from tensorlib.ir import meaning
from tensorlib.lang import math as m
from tensorlib.lang.control import unroll
from tensorlib.simd import SIMD, apply
from tensorlib.tile import Tile, stack_allocation

__all__ = ["DTYPES", "RandomKernel", "hostile", "random_kernels", "seeded_kernel"]

SIZE = 64
WIDTHS = (1, 2, 4, 8, 16, 32)
DTYPES = [d for d in DType.by_name.values() if not d.is_packed and d.kind != "complex"]
NAMES: dict[str, Any] = {
    "SIMD": SIMD, "Tile": Tile, "apply": apply, "m": m, "unroll": unroll,
    "stack_allocation": stack_allocation, "inf": float("inf"), "nan": float("nan"),
    **{d.name: d for d in DTYPES},
}  # fmt: skip
_NUMBER = itertools.count()

Type = tuple[DType, int]
INDEX: Type = (DType.int64, 1)


@dataclass(frozen=True)
class RandomKernel:
    """Source of one kernel, and the dtypes whose arrays `x_...`, `o_...` and scalars it takes."""

    source: str
    dtypes: tuple[DType, ...]

    def function(self) -> Callable[..., None]:
        """Return the kernel as a Python function whose source can be found."""
        filename = f"<random kernel {next(_NUMBER)}>"
        lines = self.source.splitlines(keepends=True)
        linecache.cache[filename] = (len(self.source), None, lines, filename)
        space: dict[str, Any] = {**NAMES, "__name__": "random_kernel"}
        exec(compile(self.source, filename, "exec"), space)
        function: Callable[..., None] = space["kernel"]
        return function

    def data(self, seed: int) -> dict[str, Any]:
        """Return arrays and scalars of hostile values."""
        rng = np.random.default_rng(seed)
        made: dict[str, Any] = {}
        for dtype in self.dtypes:
            made[f"x_{dtype.name}"] = hostile(dtype, SIZE, rng)
            made[f"o_{dtype.name}"] = hostile(dtype, SIZE, rng)
            made[f"s_{dtype.name}"] = SIMD(hostile(dtype, 1, rng).reshape(()), dtype, 1)
        return made


def hostile(dtype: DType, count: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return random values among which the awkward ones are frequent."""
    if dtype is DType.bool:
        return rng.integers(0, 2, count).astype(np.bool_)
    if dtype.is_coded:
        codes = 16 if dtype is DType.float4_e2m1fn else 256
        return rng.integers(0, codes, count * dtype.itemsize, dtype=np.uint8).view(dtype.numpy)
    raw = rng.integers(0, 256, count * dtype.itemsize, dtype=np.uint8).view(dtype.numpy)
    special = meaning.array(tuple(_special(dtype)), dtype, len(_special(dtype)))
    small = rng.integers(0 if dtype.kind == "unsigned" else -9, 10, count).astype(dtype.numpy)
    choice = rng.integers(0, 3, count)
    picked = special[rng.integers(0, len(special), count)]
    return np.where(choice == 0, raw, np.where(choice == 1, picked, small)).astype(dtype.numpy)


def _special(dtype: DType) -> list[Any]:
    if dtype.is_integer:
        low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
        return [int(x) for x in (low, high, high - 1, high // 2, 0, 1)]
    if dtype.is_coded:
        return [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.5, 0.3, 448.0, 464.0, 6e4, 1e-9, 5e38]
    info = ml_dtypes.finfo(dtype.numpy)
    tiny, largest = float(info.smallest_subnormal), float(info.max)
    values = [0.0, -0.0, np.inf, -np.inf, np.nan, tiny, -tiny, float(info.tiny), largest, -largest]
    values += [1.0, -1.0, 0.5, 1.5, 2.5, -0.5, 127.5, 128.0, -129.0, 255.5, 65535.0, 2.0**15]
    edges = (2.0**31, 2.0**63, -(2.0**63), 2.0**64)  # of integers
    return values + [edge for edge in edges if abs(edge) < largest]


@st.composite
def random_kernels(draw: Any, statements: int = 6) -> RandomKernel:
    """Draw a kernel of a few statements, some nested, over two to five dtypes."""
    return _written(lambda low, high: draw(st.integers(low, high)), statements)


def seeded_kernel(seed: int, statements: int = 6) -> RandomKernel:
    """Return the random kernel of a seed."""
    return _written(random.Random(seed).randint, statements)


def _written(integer: Callable[[int, int], int], statements: int) -> RandomKernel:
    count = integer(1, 4)
    chosen = {DTYPES[integer(0, len(DTYPES) - 1)] for _ in range(count)} | {DType.int64}
    writer = _Writer(integer, tuple(sorted(chosen, key=lambda d: d.name)))
    writer.body(statements)
    return RandomKernel(writer.text(), writer.dtypes)


@dataclass
class _Writer:
    """Writes statements; `known` are the names that have a value here, with their types."""

    integer: Callable[[int, int], int]
    dtypes: tuple[DType, ...]
    known: dict[str, Type] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    count: int = 0
    loops: int = 0

    def text(self) -> str:
        names = [f"{p}_{d.name}" for d in self.dtypes for p in "xos"]
        return "\n".join([f"def kernel({', '.join(names)}):", *self.lines, ""])

    # --- choices ---

    def pick(self, options: Any) -> Any:
        every = list(options)
        return every[self.integer(0, len(every) - 1)]

    def fresh(self, stem: str = "v") -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def type(self) -> Type:
        return self.pick(self.dtypes), self.pick(WIDTHS)

    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    # --- statements ---

    def body(self, count: int) -> None:
        before = len(self.lines)
        for _ in range(self.integer(1, count)):
            getattr(self, f"_{self.pick(STATEMENTS)}")()
        self._store()
        assert len(self.lines) > before

    def _nested(self, count: int = 2) -> None:
        """An indented body; names it introduces are local to it."""
        outside = dict(self.known)
        self.indent += 1
        self.body(count)
        self.indent -= 1
        self.known = outside

    def _new(self) -> None:
        name, kind = self.fresh(), self.type()
        self.line(f"{name} = {self.value(kind, 3)}")
        self.known[name] = kind

    def _again(self) -> None:
        if self.known:
            name = self.pick(self.known)
            self.line(f"{name} = {self.value(self.known[name], 2)}")

    def _swap(self) -> None:
        """Two names of one type exchange their values."""
        for a, b in itertools.combinations(self.known, 2):
            if self.known[a] == self.known[b]:
                self.line(f"{a}, {b} = {b}, {a}")
                return

    def _if(self) -> None:
        if self.indent > 3:
            return
        self.line(f"if {self.condition(2)}:")
        self._nested()
        if self.integer(0, 1):
            self.line(f"elif {self.condition(1)}:")
            self._nested()
        if self.integer(0, 1):
            self.line("else:")
            self._nested()

    def _both(self) -> None:
        """A name that both branches introduce."""
        name, kind = self.fresh(), self.type()
        self.line(f"if {self.condition(1)}:")
        self.line(f"    {name} = {self.value(kind, 2)}")
        self.line("else:")
        self.line(f"    {name} = {self.value(kind, 2)}")
        self.known[name] = kind

    def _for(self) -> None:
        if self.loops > 1:
            return
        i = self.fresh("i")
        bounds = self.pick(
            ["3", "0", "1, 4", "0, 9, 4", "s_int64 % 4", "s_int64 % 3, 4", "5, 2", "-2, 2"]
        )
        self.line(f"for {i} in range({bounds}):")
        self._loop(f"n{i} = SIMD[int64, 1]({i})", f"n{i}")

    def _while(self) -> None:
        if self.loops > 1:
            return
        n = self.fresh("n")
        self.line(f"{n} = SIMD[int64, 1](0)")
        self.known[n] = INDEX
        more = f" and {self.condition(1)}" if self.integer(0, 1) else ""
        self.line(f"while {n} < {self.integer(0, 3)}{more}:")
        del self.known[n]  # the body must not assign it
        self._loop(f"{n} = {n} + 1", n)

    def _loop(self, first: str, counter: str) -> None:
        outside = dict(self.known)
        self.indent, self.loops = self.indent + 1, self.loops + 1
        self.line(first)
        if self.integer(0, 1):
            self._leave()
        self.body(3)
        self.indent, self.loops = self.indent - 1, self.loops - 1
        self.known = outside
        if self.integer(0, 3) == 0:
            self.line("else:")
            self._nested(1)

    def _leave(self) -> None:
        """Leave the loop, its iteration or the kernel."""
        how = self.pick(["break", "continue", "return"] if self.loops else ["return"])
        self.line(f"if {self.condition(1)}:")
        if self.integer(0, 1) and self.known:
            name = self.pick(self.known)
            self.line(f"    {name} = {self.value(self.known[name], 1)}")
        self.line(f"    {how}")

    def _unroll(self) -> None:
        name, kind = self.fresh(), self.type()
        k = self.fresh("k")
        self.line(f"{name} = [{self.value(kind, 1)}, {self.value(kind, 1)}]")
        self.line(f"for {k} in unroll(range(2)):")
        self.line(f"    {name}[{k}] = {self.binary(kind, f'{name}[{k}]', self.value(kind, 1))}")
        self.known[f"{name}[0]"] = kind
        self.known[f"{name}[1]"] = kind

    def _call(self) -> None:
        name, kind, f = self.fresh(), self.type(), self.fresh("f")
        inside = self.value(kind, 1)
        if self.integer(0, 1):
            self.line(f"{f} = lambda a, b={self.value(kind, 1)}: {self.binary(kind, 'a', 'b')}")
        else:
            self.line(f"def {f}(a):")
            self.line(f"    if {self.condition(1)}:")
            if self.integer(0, 1):
                self.line(f"        a = {self.binary(kind, 'a', inside)}")
            else:
                self.line(f"        return {self.binary(kind, 'a', inside)}")
            self.line("    return a")
        self.line(f"{name} = {f}({self.value(kind, 1)})")
        self.known[name] = kind

    def _local(self) -> None:
        t, (dtype, width) = self.fresh("t"), self.type()
        self.line(f"{t} = stack_allocation({dtype.name}, {2 * width})")
        for part in range(2):
            self.line(f"{t}.store[{width}]({part * width}, {self.value((dtype, width), 1)})")
        name, at = self.fresh(), f"SIMD[int64, 1]({self.value(INDEX, 1)}) % {width + 1}"
        self.line(f"{name} = {t}.load[{width}]({at})")
        self.known[name] = (dtype, width)

    def _store(self) -> None:
        kind = self.type()
        dtype, width = kind
        out, value = f"o_{dtype.name}", self.value(kind, 3)
        how = self.integer(0, 3)
        if how == 0:
            ragged = f"{iota(width)} < {SIZE} - a_"
            at = self.fresh("at")
            self.line(f"{at} = {self.index(SIZE)}")
            mask = f"({ragged.replace('a_', at)}) & {self.value((DType.bool, width), 1)}"
            self.line(f"{out}.store[{width}]({at}, {value}, mask={mask})")
        elif how == 1 and width > 1:
            mask = f", mask={self.value((DType.bool, width), 1)}" if self.integer(0, 1) else ""
            self.line(f"{self.strided(out, width)}, {value}{mask})")
        else:
            self.line(f"{out}.store[{width}]({self.index(SIZE - width + 1)}, {value})")

    def strided(self, tile: str, width: int, what: str = "store") -> str:
        """The head of an access with stride 2: its indices stay inside."""
        start = self.index(SIZE - 2 * width + 2)
        view = (
            f"Tile({tile}.pointer, {tile}.dtype, ({SIZE // 2},), (2,), {start}, {tile}.placement)"
        )
        return f"{view}.{what}[{width}](0"

    # --- expressions ---

    def index(self, below: int) -> str:
        if self.integer(0, 1):
            return str(self.integer(0, below - 1))
        return f"SIMD[int64, 1]({self.value(INDEX, 1)}) % {below}"

    def condition(self, depth: int) -> str:
        return self.value((DType.bool, 1), depth)

    def value(self, kind: Type, depth: int) -> str:
        """Return an expression of this type."""
        names = [n for n, k in self.known.items() if k == kind]
        if names and self.integer(0, 2) == 0:
            return str(self.pick(names))
        if depth == 0 or self.integer(0, 5) == 0:
            return self.leaf(kind)
        made = getattr(self, f"_{self.pick(EXPRESSIONS)}_of")(kind, depth - 1)
        return made if made is not None else self.leaf(kind)

    def leaf(self, kind: Type) -> str:
        dtype, width = kind
        if dtype not in self.dtypes or self.integer(0, 3) == 0:
            return self.literal(kind)
        how = self.integer(0, 5)
        if how == 0:
            return f"SIMD[{dtype.name}, {width}](s_{dtype.name})"
        if how == 1 and width > 1:
            return f"{self.strided(f'x_{dtype.name}', width, 'load')})"
        tile = self.pick("xo")
        return f"{tile}_{dtype.name}.load[{width}]({self.integer(0, SIZE - width)})"

    def literal(self, kind: Type) -> str:
        dtype, width = kind
        count = width if self.integer(0, 2) == 0 else 1
        return f"SIMD[{dtype.name}, {width}]({', '.join(self.number(dtype) for _ in range(count))})"

    def number(self, dtype: DType) -> str:
        if dtype is DType.bool:
            return str(self.pick([True, False]))
        value = self.pick(_special(dtype))
        if dtype.is_integer:
            return str(self.pick([value, self.integer(0, 100)]))
        return repr(float(value))

    def binary(self, kind: Type, a: str, b: str) -> str:
        dtype = kind[0]
        if dtype is DType.bool:
            return f"({a} {self.pick('&|^')} {b})"
        if dtype.is_coded:
            sign = self.pick("+-*/")
            return f"({a}.cast(float32) {sign} {b}.cast(float32)).cast({dtype.name})"
        if dtype.is_float:
            forms = ["({a} + {b})", "({a} - {b})", "({a} * {b})", "({a} / {b})", "{a}.min({b})",
                     "{a}.max({b})", "apply('float_modulo', {a}, {b})", "({a} // {b})",
                     "({a} % {b})", "{a}.copysign(clean({b}))"]  # fmt: skip
        else:
            forms = ["({a} + {b})", "({a} - {b})", "({a} * {b})", "({a} // {b})", "({a} % {b})",
                     "({a} & {b})", "({a} | {b})", "({a} ^ {b})", "({a} << {b})", "({a} >> {b})",
                     "{a}.min({b})", "{a}.max({b})"]  # fmt: skip
        return str(self.pick(forms)).format(a=a, b=b)

    def _binary_of(self, kind: Type, depth: int) -> str:
        return self.binary(kind, self.value(kind, depth), self.value(kind, depth))

    def _shift_of(self, kind: Type, depth: int) -> str | None:
        if not kind[0].is_integer:
            return None
        sign = self.pick(["<<", ">>"])
        return f"({self.value(kind, depth)} {sign} {self.integer(0, kind[0].bits + 1)})"

    def _unary_of(self, kind: Type, depth: int) -> str:
        dtype, a = kind[0], self.value(kind, depth)
        if dtype is DType.bool:
            return f"(~{a})"
        if dtype.is_coded:
            return f"{a}.reversed()"
        if dtype.is_float:
            forms = ["(-{a})", "abs({a})", "{a}.floor()", "{a}.ceil()", "{a}.trunc()",
                     "{a}.round()", "{a}.sqrt()"]  # fmt: skip
        else:
            forms = ["(-{a})", "abs({a})", "(~{a})", "{a}.popcount()", "{a}.clz()", "{a}.ctz()"]
        return str(self.pick(forms)).format(a=a)

    def _math_of(self, kind: Type, depth: int) -> str | None:
        if not kind[0].is_float:
            return None
        if self.integer(0, 5) == 0:
            name, b = self.pick(["pow", "hypot", "atan2"]), self.value(kind, depth)
            return f"m.{name}({self.value(kind, depth)}, {b})"
        return f"m.{self.pick(FUNCTIONS)}({self.value(kind, depth)})"

    def _fma_of(self, kind: Type, depth: int) -> str | None:
        if kind[0] is DType.bool or kind[0].is_coded:
            return None
        a, b, c = (self.value(kind, depth) for _ in range(3))
        return f"{a}.fma({b}, {c})"

    def _compare_of(self, kind: Type, depth: int) -> str | None:
        if kind[0] is not DType.bool:
            return None
        of = (self.pick(d for d in self.dtypes if not d.is_coded), kind[1])
        signs = ["<", "<=", ">", ">=", "==", "!="]
        a, b = self.value(of, depth), self.value(of, depth)
        if kind[1] == 1 and self.integer(0, 3) == 0:
            c = self.value(of, depth)
            return f"SIMD[bool, 1]({a} {self.pick(signs)} {b} {self.pick(signs)} {c})"
        return f"({a} {self.pick(signs)} {b})"

    def _logic_of(self, kind: Type, depth: int) -> str | None:
        if kind != (DType.bool, 1):
            return None
        a, b = self.condition(depth), self.condition(depth)
        form = self.pick(["({a} and {b})", "({a} or {b})", "SIMD[bool, 1](not {a})"])
        return str(form).format(a=a, b=b)

    def _select_of(self, kind: Type, depth: int) -> str:
        mask = self.value((DType.bool, kind[1]), depth)
        return f"{mask}.select({self.value(kind, depth)}, {self.value(kind, depth)})"

    def _choose_of(self, kind: Type, depth: int) -> str:
        a, b = self.value(kind, depth), self.value(kind, depth)
        return f"({a} if {self.condition(depth)} else {b})"

    def _cast_of(self, kind: Type, depth: int) -> str:
        return f"{self.value((self.pick(self.dtypes), kind[1]), depth)}.cast({kind[0].name})"

    def _bitcast_of(self, kind: Type, depth: int) -> str | None:
        bits = kind[0].bits * kind[1]
        options = [d for d in self.dtypes if d is not DType.bool and bits / d.bits in WIDTHS]
        if kind[0] is DType.bool or not options:
            return None
        source = self.pick(options)
        width = bits // source.bits
        a = self.value((source, width), depth)
        if source.is_float or source.is_coded:  # the bits of a NaN are not the same everywhere
            a = f"clean({a})"
        return f"{a}.bitcast({kind[0].name})"

    def _shuffle_of(self, kind: Type, depth: int) -> str:
        dtype, width = kind
        of = (dtype, self.pick(WIDTHS))
        lanes = ", ".join(str(self.integer(0, of[1] - 1)) for _ in range(width))
        return f"{self.value(of, depth)}.shuffle({lanes})"

    def _lanes_of(self, kind: Type, depth: int) -> str | None:
        dtype, width = kind
        if width == 1:
            return None
        half = (dtype, width // 2)
        a, b, whole = self.value(half, depth), self.value(half, depth), self.value(kind, depth)
        by = self.integer(0, width)
        forms = ["SIMD.join({a}, {b})", "{a}.interleave({b})", "{w}.rotate_left(3)",
                 "{w}.reversed()",
                 f"{{w}}.rotate_right({by})", f"{{w}}.shift_left({by})", f"{{w}}.shift_right({by})",
                 f"{{w}}.insert({{a}}, {by // 2})", "{w}.insert({w}[0], s_int64 % 40)"]  # fmt: skip
        lanes = [str(self.integer(0, 2 * width - 1)) for _ in range(width)]
        forms.append(f"{{w}}.shuffle({', '.join(lanes)}, other={self.value(kind, depth)})")
        if width < 32:
            wide = self.value((dtype, width * 2), depth)
            forms += [f"{wide}.split()[1]", f"{wide}.deinterleave()[1]"]
        return str(self.pick(forms)).format(a=a, b=b, w=whole)

    def _reduce_of(self, kind: Type, depth: int) -> str | None:
        dtype, width = kind
        if self.integer(0, 3) == 0:
            of = (dtype, self.pick(WIDTHS))
            lane = f"{self.value(of, depth)}[s_int64 % {of[1] + 1}]"
            return f"SIMD[{dtype.name}, {width}]({lane})"
        if dtype.is_coded:
            return None
        names = ["and", "or", "xor"] if dtype is DType.bool else ["add", "multiply", "min", "max"]
        if dtype.is_integer:
            names += ["and", "or", "xor"]
        wide = [w for w in WIDTHS if w > width]
        if wide and self.integer(0, 2) == 0:
            a = self.value((dtype, self.pick(wide)), depth)
            return f"{a}.reduce_{self.pick(names)}({width})"
        a = self.value((dtype, self.pick(WIDTHS)), depth)
        return f"SIMD[{dtype.name}, {width}]({a}.reduce_{self.pick(names)}())"

    def _masked_of(self, kind: Type, depth: int) -> str | None:
        dtype, width = kind
        if dtype not in self.dtypes:
            return None
        at = self.integer(0, SIZE - 1)
        mask = f"({iota(width)} < {SIZE - at}) & {self.value((DType.bool, width), depth)}"
        return f"x_{dtype.name}.load[{width}]({at}, mask={mask}, other={self.number(dtype)})"

    def _gather_of(self, kind: Type, depth: int) -> str | None:
        dtype, width = kind
        if dtype not in self.dtypes or width == 1:
            return None
        mask = f", mask={self.value((DType.bool, width), depth)}, other={self.number(dtype)}"
        return f"{self.strided(f'x_{dtype.name}', width, 'load')}{mask})"

    def _bytes_of(self, kind: Type, depth: int) -> str | None:
        dtype, width = kind
        if DType.uint8 not in self.dtypes or width * dtype.itemsize > SIZE or dtype is DType.bool:
            return None
        at = self.integer(0, SIZE - width * dtype.itemsize)
        return f"x_uint8.load[{dtype.name}, {width}]({at})"


def iota(width: int) -> str:
    return f"SIMD[int64, {width}]({', '.join(map(str, range(width)))})"


def clean(x: SIMD) -> SIMD:
    """Replace NaNs by zeros."""
    number = x.cast(DType.float32) if x.dtype.is_coded else x
    return (number == number).select(x, 1.0)


NAMES["clean"] = clean
FUNCTIONS = [
    "exp", "log", "sigmoid", "silu", "rsqrt", "tanh", "sin", "cos", "exp2", "expm1", "log2",
    "log10", "log1p", "sinh", "cosh", "erf", "cbrt", "tan", "asin", "acos", "atan",
]  # fmt: skip
STATEMENTS = [
    "new",
    "new",
    "new",
    "again",
    "again",
    "swap",
    "if",
    "both",
    "for",
    "while",
    "unroll",
    "call",
    "local",
    "store",
    "leave",
]
EXPRESSIONS = [
    "binary",
    "binary",
    "binary",
    "unary",
    "math",
    "fma",
    "compare",
    "compare",
    "logic",
    "select",
    "choose",
    "cast",
    "cast",
    "bitcast",
    "shuffle",
    "lanes",
    "reduce",
    "masked",
    "gather",
    "bytes",
    "shift",
]
