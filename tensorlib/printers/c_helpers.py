"""Small C functions that generated kernels call, printed only where used and guarded against
repetition.

GNU vector types leave a few things out (fma, rounding, saturation, division that can't trap): these
functions put them in, with the compiler's own builtins where it has one, else in vector arithmetic,
else lane by lane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tensorlib.ir.types import VectorType
from tensorlib.printers.c_half import HALF, CFunction
from tensorlib.printers.c_types import SCALAR, SHORT, declared, vector_name
from tensorlib.printers.walker import Walker, lanes

__all__ = ["call"]

SUFFIX = {"f32": "f", "f64": ""}
BYTES = {"f32": 4, "f64": 8}


def call(walker: Walker, name: str, kind: VectorType, *operands: str, extra: str = "") -> str:
    """Return a call of helper `name` for operands of `kind`, declaring it and what it needs."""
    function = _declare(walker, name, SHORT[kind.dtype], kind.width, extra)
    return f"{function}({', '.join(operands)})"


def _declare(walker: Walker, name: str, short: str, width: int, extra: str = "") -> str:
    """Declare a helper after the types and helpers that it needs; return its name."""
    function = "_".join(filter(None, ["tl", name, extra, f"{short}x{width}"]))
    if function not in walker.declarations:
        helper = _BODIES[name](short, width, extra)
        for kind in (vector_name(short, width), *helper.types):
            declared(walker, kind)
        inner = [_declare(walker, *need) for need in helper.needs]
        text = helper.text.replace("NAME", function)
        for number, known in enumerate(inner):
            text = text.replace(f"HELPER{number}", known)
        guard = f"#ifndef {function}_\n#define {function}_\n{text}#endif\n"
        walker.declarations[function] = guard
    return function


def signature(result: str, parameters: str) -> str:
    """The head of a helper function."""
    return f"static inline __attribute__((always_inline)) {result} NAME({parameters})"


def _lanes(
    short: str, width: int, one: str, operands: str, needs: Sequence[tuple[str, str, int]] = ()
) -> CFunction:
    """A function that applies scalar text `one` over a[i], b[i], ... to each lane."""
    kind = vector_name(short, width)
    parameters = ", ".join(f"{kind} {x}" for x in operands)
    if width == 1:
        text = f"{signature(kind, parameters)} {{ return {one.replace('[i]', '')}; }}\n"
        return CFunction(text, (), needs)
    each = "".join(f"  r[{i}] = {one.replace('[i]', f'[{i}]')};\n" for i in range(width))
    return CFunction(
        f"{signature(kind, parameters)} {{\n  {kind} r;\n{each}  return r;\n}}\n", (), needs
    )


def _native(
    name: str, short: str, width: int, operands: str, one: str, cases: Sequence[tuple[str, str]]
) -> CFunction:
    """The compiler's own function under each condition; else of each half, in turn by halves."""
    plain = _lanes(short, width, one, operands)
    if width == 1:
        return plain
    kind, half = vector_name(short, width), width // 2
    head = signature(kind, ", ".join(f"{kind} {x}" for x in operands))
    text = "".join(
        f"#{'el' if number else ''}if {condition}\n{head} {{ return {native}; }}\n"
        for number, (condition, native) in enumerate(cases)
    )
    otherwise, needs = plain.text, []
    if width * BYTES[short] > 16:
        parts = (
            ", ".join(f"__builtin_shufflevector({x}, {x}, {lanes(s, s + half)})" for x in operands)
            for s in (0, half)
        )
        low, high = (f"HELPER0({part})" for part in parts)
        joined = f"__builtin_shufflevector({low},\n    {high}, {lanes(0, width)})"
        otherwise, needs = f"{head} {{\n  return {joined};\n}}\n", [(name, short, half)]
    if cases:
        text = f"{text}#else\n{otherwise}#endif\n"
    return CFunction(text or otherwise, (), needs)


def _fma(short: str, width: int, extra: str) -> CFunction:
    letter, size = "s" if short == "f32" else "d", width * BYTES[short]
    cases = []
    if size == 64:
        native = f"__builtin_ia32_vfmaddp{letter}512_mask(a, b, c, -1, 4)"
        cases.append(("defined(__AVX512F__)", native))
    elif size in (16, 32):
        native = f"__builtin_ia32_vfmaddp{letter}{'256' if size == 32 else ''}(a, b, c)"
        cases.append(("defined(__FMA__)", native))
    if size == 16:
        mode = f"v{width}{'sf' if short == 'f32' else 'df'}"
        arm = "defined(__aarch64__) && !defined(__clang__)"
        cases.append((arm, f"__builtin_aarch64_fma{mode}(a, b, c)"))
    elementwise = "defined(__clang__) && __has_builtin(__builtin_elementwise_fma)"
    cases.append((elementwise, "__builtin_elementwise_fma(a, b, c)"))
    one = f"__builtin_fma{SUFFIX[short]}(a[i], b[i], c[i])"
    return _native("fma", short, width, "abc", one, cases)


def _sqrt(short: str, width: int, extra: str) -> CFunction:
    letter, size = "s" if short == "f32" else "d", width * BYTES[short]
    rows = {
        16: ("defined(__SSE2__) && !defined(__clang__)", f"__builtin_ia32_sqrtp{letter}(a)"),
        32: ("defined(__AVX__) && !defined(__clang__)", f"__builtin_ia32_sqrtp{letter}256(a)"),
    }
    cases = [rows[size]] if size in rows else []
    return _native("sqrt", short, width, "a", f"__builtin_sqrt{SUFFIX[short]}(a[i])", cases)


# name -> (C function, immediate of the SSE4.1 instruction: nearest 8, down 9, up 10, to zero 11)
_ROUNDINGS = {
    "round": ("rint", 8),
    "floor": ("floor", 9),
    "ceil": ("ceil", 10),
    "trunc": ("trunc", 11),
}


def _rounding(name: str) -> Callable[[str, int, str], CFunction]:
    function, mode = _ROUNDINGS[name]

    def body(short: str, width: int, extra: str) -> CFunction:
        letter, size = "s" if short == "f32" else "d", width * BYTES[short]
        rows = {
            16: ("defined(__SSE4_1__)", f"__builtin_ia32_roundp{letter}(a, {mode})"),
            32: ("defined(__AVX__)", f"__builtin_ia32_roundp{letter}256(a, {mode})"),
        }
        cases = [rows[size]] if size in rows else []
        one = f"__builtin_{function}{SUFFIX[short]}(a[i])"
        return _native(name, short, width, "a", one, cases)

    return body


def _float_modulo(short: str, width: int, extra: str) -> CFunction:
    return _lanes(short, width, f"__builtin_fmod{SUFFIX[short]}(a[i], b[i])", "ab")


# No early returns here: gcc 12 vectorises some such loops wrongly.
_WHOLE = {
    "floor_divide_unsigned": "TYPE s = b | (b == 0);\n  return (TYPE)(a / s & -(TYPE)(b != 0));",
    "floor_modulo_unsigned": "TYPE s = b | (b == 0);\n  return a % s;",
    "floor_divide_signed": (
        "TYPE s = ((b == 0) | (b == -1)) ? 1 : b, q = a / s, r = a % s;\n"
        "  TYPE n = -(b == -1), z = -(b != 0);\n"
        "  q -= (r != 0) & ((r < 0) != (s < 0));\n  return ((q ^ n) - n) & z;"
    ),
    "floor_modulo_signed": (
        "TYPE s = ((b == 0) | (b == -1)) ? 1 : b, r = a % s;\n"
        "  return r + (s & -(TYPE)((r != 0) & ((r < 0) != (s < 0))));"
    ),
}


def _whole(name: str) -> Callable[[str, int, str], CFunction]:
    def body(short: str, width: int, extra: str) -> CFunction:
        if width > 1:
            return _lanes(short, width, "HELPER0(a[i], b[i])", "ab", [(name, short, 1)])
        kind, sign = SCALAR[short], "unsigned" if short.startswith("u") else "signed"
        text = _WHOLE[f"{name}_{sign}"].replace("TYPE", kind)
        return CFunction(f"{signature(kind, f'{kind} a, {kind} b')} {{\n  {text}\n}}\n")

    return body


def _saturate(short: str, width: int, extra: str) -> CFunction:
    """Float `short` to integer `extra`: saturates, NaN gives 0."""
    bits, signed = int(extra[1:]), extra[0] == "i"
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    # The lowest float above the top is a power of two, so the comparisons are exact.
    edge = f"{float(high + 1)!r}{SUFFIX[short]}"
    bottom = f"{float(-(2 ** (bits - 1))) if signed else 0.0!r}{SUFFIX[short]}"
    top, low = f"({SCALAR[extra]})UINT64_C({high})", _lowest(extra)
    source, target = vector_name(short, width), vector_name(extra, width)
    head = signature(target, f"{source} a")
    if width == 1:
        picked = f"a >= {edge} ? {top} : a <= {bottom} ? {low} : ({target})a"
        return CFunction(f"{head} {{ return a != a ? 0 : {picked}; }}\n")
    mask = vector_name(f"i{short[1:]}", width)
    own = vector_name(f"i{extra[1:]}", width)
    middle = vector_name(f"i{short[1:]}" if bits < int(short[1:]) else extra, width)
    text = (
        f"{head} {{\n"
        f"  const {mask} over = a >= {edge}, under = a <= {bottom};\n"
        f"  const {mask} other = over | under | (a != a);  /* what does not fit */\n"
        f"  const {source} inside = ({source})(({mask})a & ~other);\n"
        f"  const {target} r = __builtin_convertvector("
        f"__builtin_convertvector(inside, {middle}), {target});\n"
        f"  const {target} o = ({target})__builtin_convertvector(over, {own});\n"
        f"  const {target} u = ({target})__builtin_convertvector(under, {own});\n"
        f"  return r | (o & {top}) | (u & {low});\n}}\n"
    )
    return CFunction(text, (target, mask, own, middle))


def _lowest(short: str) -> str:
    bits = int(short[1:])
    if short[0] == "u":
        return f"({SCALAR[short]})0"
    return f"({SCALAR[short]})(-INT64_C({2 ** (bits - 1) - 1}) - 1)"


# What gcc's builtins take: `char`, which is a type of its own beside signed and unsigned char.
CHARS = "__attribute__((vector_size(16))) char"


def _widen(short: str, width: int, extra: str) -> CFunction:
    """8-bit integers to int32: one instruction where the target has it; gcc takes it apart."""
    source, target = vector_name(short, width), vector_name("i32", width)
    middle = vector_name("i16" if short == "i8" else "u16", width)
    head, letter = signature(target, f"{source} a"), "s" if short == "i8" else "z"
    steps = f"__builtin_convertvector(__builtin_convertvector(a, {middle}), {target})"
    cases = [("defined(__clang__)", f"__builtin_convertvector(a, {target})")]
    if width == 8:
        padded = f"__builtin_shufflevector(a, a, {lanes(0, 8)}{', -1' * 8})"
        native = f"({target})__builtin_ia32_pmov{letter}xbd256(({CHARS}){padded})"
        cases.append(("defined(__AVX2__)", native))
    if width == 16:
        native = f"__builtin_ia32_pmov{letter}xbd512_mask(({CHARS})a, ({target}){{}}, -1)"
        cases.append(("defined(__AVX512F__)", f"({target}){native}"))
    text = "".join(
        f"#{'el' if number else ''}if {condition}\n{head} {{ return {native}; }}\n"
        for number, (condition, native) in enumerate(cases)
    )
    text = f"{text}#else\n{head} {{ return {steps}; }}\n#endif\n"
    return CFunction(text, (source, target, middle))


def _shift(direction: str) -> Callable[[str, int, str], CFunction]:
    """Shifts by the width or more give 0, or -1 for negative values shifted right."""

    def body(short: str, width: int, extra: str) -> CFunction:
        bits, signed = int(short[1:]), short[0] == "i"
        unsigned = vector_name("u" + short[1:], width)
        kind = vector_name(short, width)
        if width == 1:
            inside = f"({unsigned})b < {bits}"
            one = f"{inside} ? ({kind})(({unsigned})a << b) : 0"
            if direction == "right":
                one = f"a >> ({inside} ? b : {bits - 1})" if signed else f"{inside} ? a >> b : 0"
            return CFunction(f"{signature(kind, f'{kind} a, {kind} b')} {{ return {one}; }}\n")
        first = f"const {unsigned} n = ({unsigned})b, m = ({unsigned})(n < {bits});"
        result = f"({kind})((({unsigned})a << (n & m)) & m)"
        if direction == "right":
            most = f"({kind})((n & m) | ({bits - 1} & ~m))"
            result = f"a >> {most}" if signed else "(a >> (n & m)) & m"
        head = signature(kind, f"{kind} a, {kind} b")
        return CFunction(f"{head} {{\n  {first}\n  return {result};\n}}\n", (unsigned,))

    return body


# What tests all bits of a vector at once: bytes, the macro that says it is there, the call.
_TESTS = [
    (16, "defined(__SSE4_1__)", "!__builtin_ia32_ptestz128"),
    (32, "defined(__AVX__)", "!__builtin_ia32_ptestz256"),
]


def _any(short: str, width: int, extra: str) -> CFunction:
    """Whether any bit of a mask is set."""
    kind = vector_name(short, width)
    size = width * int(short[1:]) // 8
    word = min(size, 8)
    count = size // word
    words = " | ".join(f"word[{i}]" for i in range(count))
    plain = (
        f"  uint{8 * word}_t word[{count}];\n  __builtin_memcpy(word, &m, {size});\n"
        f"  return ({words}) != 0;\n"
    )
    for bytes_, there, test in _TESTS:
        if bytes_ == size:
            quads = f"(long long __attribute__((vector_size({size}))))m"
            plain = f"#if {there}\n  return {test}({quads}, {quads});\n#else\n{plain}#endif\n"
    return CFunction(f"{signature('int', f'{kind} m')} {{\n{plain}}}\n")


_BODIES: dict[str, Callable[[str, int, str], CFunction]] = {
    "fma": _fma,
    "sqrt": _sqrt,
    "any": _any,
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "round": _rounding("round"),
    "float_modulo": _float_modulo,
    "floor_divide": _whole("floor_divide"),
    "floor_modulo": _whole("floor_modulo"),
    "saturate": _saturate,
    "widen": _widen,
    "shift_left": _shift("left"),
    "shift_right": _shift("right"),
    **HALF,
}
