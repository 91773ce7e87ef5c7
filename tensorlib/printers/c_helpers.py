"""Small C functions that generated kernels call, printed only where used and guarded against repetition.

GNU vector types leave a few things out (fma, rounding, saturation): these functions put them in, lane by lane or
with the compiler's own builtins where it has one.
"""

from __future__ import annotations

from collections.abc import Callable

from tensorlib.ir.types import VectorType
from tensorlib.printers.c_types import SCALAR, SHORT, declared, vector_name
from tensorlib.printers.walker import Walker, lanes

__all__ = ["call"]

Body = Callable[[str, int, str], tuple[str, list[str]]]
_SUFFIX = {"f32": "f", "f64": ""}


def call(walker: Walker, name: str, kind: VectorType, *operands: str, extra: str = "") -> str:
    """Return a call of helper `name` for operands of `kind`, declaring it and its types."""
    function, text, needs = helper(name, SHORT[kind.dtype], kind.width, extra)
    for need in needs:
        declared(walker, need)
    walker.declarations.setdefault(function, text)
    return f"{function}({', '.join(operands)})"


def helper(name: str, short: str, width: int, extra: str = "") -> tuple[str, str, list[str]]:
    """Return (function name, guarded C text, vector types needed) of helper `name` for a type."""
    body, needs = _BODIES[name](short, width, extra)
    function = "_".join(filter(None, ["tl", name, extra, f"{short}x{width}"]))
    text = f"#ifndef {function}_\n#define {function}_\n{body.replace('NAME', function)}#endif\n"
    return function, text, needs


def _signature(result: str, parameters: str) -> str:
    return f"static inline __attribute__((always_inline)) {result} NAME({parameters})"


def _lanes(short: str, width: int, call: str, operands: str) -> tuple[str, list[str]]:
    """A function that applies scalar text `call` over a[i], b[i], ... to each lane."""
    kind = vector_name(short, width)
    parameters = ", ".join(f"{kind} {x}" for x in operands)
    if width == 1:
        return f"{_signature(kind, parameters)} {{ return {call.replace('[i]', '')}; }}\n", []
    return (
        f"{_signature(kind, parameters)} {{\n  {kind} r;\n"
        f"  for (int i = 0; i < {width}; ++i) r[i] = {call};\n  return r;\n}}\n"
    ), [kind]


def _fma(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    suffix = _SUFFIX[short]
    text, needs = _lanes(short, width, f"__builtin_fma{suffix}(a[i], b[i], c[i])", "abc")
    if width == 1:
        return text, needs
    builtin = _x86_fma(short, width)
    kind, size = vector_name(short, width), width * (4 if short == "f32" else 8)
    head = _signature(kind, f"{kind} a, {kind} b, {kind} c")
    cases = [("__has_builtin(__builtin_elementwise_fma)", "__builtin_elementwise_fma(a, b, c)")]
    if builtin:
        cases.append(builtin)
    if size == 16:
        mode = f"v{width}{'sf' if short == 'f32' else 'df'}"
        cases.append(("defined(__aarch64__)", f"__builtin_aarch64_fma{mode}(a, b, c)"))
    lines = ""
    for number, (condition, call) in enumerate(cases):
        lines += f"#{'el' if number else ''}if {condition}\n{head} {{ return {call}; }}\n"
    halves, half_needs = _halves(short, width, head) if size > 16 else ("", [])
    return f"{lines}#else\n{halves or text}#endif\n", [*needs, *half_needs]


def _x86_fma(short: str, width: int) -> tuple[str, str] | None:
    letter = "s" if short == "f32" else "d"
    size = width * (4 if short == "f32" else 8)
    if size == 64:
        call = f"__builtin_ia32_vfmaddp{letter}512_mask(a, b, c, -1, 4)"
        return "defined(__AVX512F__)", call
    if size in (16, 32):
        name = f"__builtin_ia32_vfmaddp{letter}{'256' if size == 32 else ''}"
        return "defined(__FMA__)", f"{name}(a, b, c)"
    return None


def _halves(short: str, width: int, head: str) -> tuple[str, list[str]]:
    """Where the target has no such vector, fma of each half (in turn by halves)."""
    half = width // 2
    inner, text, needs = helper("fma", short, half)
    low = ", ".join(f"__builtin_shufflevector({x}, {x}, {lanes(0, half)})" for x in "abc")
    high = ", ".join(f"__builtin_shufflevector({x}, {x}, {lanes(half, width)})" for x in "abc")
    body = (
        f"{text}{head} {{\n  return __builtin_shufflevector({inner}({low}),\n"
        f"    {inner}({high}), {lanes(0, width)});\n}}\n"
    )
    return body, [vector_name(short, half), *needs]


def _rounding(function: str) -> Body:
    def body(short: str, width: int, extra: str) -> tuple[str, list[str]]:
        call = f"__builtin_{function}{_SUFFIX[short]}(a[i])"
        return _lanes(short, width, call, "a")

    return body


def _float_modulo(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    return _lanes(short, width, f"__builtin_fmod{_SUFFIX[short]}(a[i], b[i])", "ab")


def _library(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    """A float64 function of the C library on each lane; `extra` is name:operands."""
    name, operands = extra[:-1], "ab"[: int(extra[-1])]
    call = f"__builtin_{name}({', '.join(f'{x}[i]' for x in operands)})"
    return _lanes(short, width, call, operands)


def _floor_divide(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    return _whole(short, width, "divide")


def _floor_modulo(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    return _whole(short, width, "modulo")


def _whole(short: str, width: int, which: str) -> tuple[str, list[str]]:
    kind = SCALAR[short]
    if short.startswith("u"):
        body = f"b == 0 ? 0 : a {'/' if which == 'divide' else '%'} b"
        scalar = f"{_signature(kind, f'{kind} a, {kind} b')} {{ return {body}; }}\n"
    else:
        unsigned = SCALAR["u" + short[1:]]
        minus_one = f"({kind})(0 - ({unsigned})a)" if which == "divide" else "0"
        result = (
            "q - ((a % b != 0) & ((a < 0) != (b < 0)))"
            if which == "divide"
            else "r + (((r != 0) & ((r < 0) != (b < 0))) ? b : 0)"
        )
        first = "q = a / b" if which == "divide" else "r = a % b"
        scalar = (
            f"{_signature(kind, f'{kind} a, {kind} b')} {{\n  if (b == 0) return 0;\n"
            f"  if (b == -1) return {minus_one};\n  {kind} {first};\n  return {result};\n}}\n"
        )
    if width == 1:
        return scalar, []
    inner, text, _ = helper(f"floor_{which}", short, 1)
    vector, needs = _lanes(short, width, f"{inner}(a[i], b[i])", "ab")
    return text + vector, needs


def _saturate(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    """Float `short` to integer `extra`: saturates, NaN gives 0."""
    bits, signed = int(extra[1:]), extra[0] == "i"
    low = f"(-INT64_C({2 ** (bits - 1) - 1}) - 1)" if signed else "0"
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    edge = f"{float(high + 1)!r}{_SUFFIX[short]}"
    bottom = f"{float(-(2 ** (bits - 1))) if signed else 0.0!r}{_SUFFIX[short]}"
    # The lowest float at or above the top is a power of two, so the comparison is exact.
    one = (
        f"(a[i] != a[i] ? 0 : a[i] >= {edge} ? ({SCALAR[extra]})UINT64_C({high}) : "
        f"a[i] <= {bottom} ? ({SCALAR[extra]}){low} : ({SCALAR[extra]})a[i])"
    )
    source, target = vector_name(short, width), vector_name(extra, width)
    if width == 1:
        text = one.replace("[i]", "")
        return f"{_signature(target, f'{source} a')} {{ return {text}; }}\n", []
    return (
        f"{_signature(target, f'{source} a')} {{\n  {target} r;\n"
        f"  for (int i = 0; i < {width}; ++i) r[i] = {one};\n  return r;\n}}\n"
    ), [source, target]


def _widen(short: str, width: int, extra: str) -> tuple[str, list[str]]:
    """8-bit integers to int32: one instruction where the target has it."""
    source, target = vector_name(short, width), vector_name("i32", width)
    middle = vector_name("i16" if short == "i8" else "u16", width)
    head = _signature(target, f"{source} a")
    steps = f"__builtin_convertvector(__builtin_convertvector(a, {middle}), {target})"
    cases = [("defined(__clang__)", f"__builtin_convertvector(a, {target})")]
    letter = "s" if short == "i8" else "z"
    bytes16 = "__attribute__((vector_size(16))) char"
    if width == 8:
        padded = f"__builtin_shufflevector(a, a, {lanes(0, 8)}{', -1' * 8})"
        call = f"({target})__builtin_ia32_pmov{letter}xbd256(({bytes16}){padded})"
        cases.append(("defined(__AVX2__)", call))
    if width == 16:
        call = f"({target})__builtin_ia32_pmov{letter}xbd512_mask(({bytes16})a, ({target}){{}}, -1)"
        cases.append(("defined(__AVX512F__)", call))
    lines = ""
    for number, (condition, call) in enumerate(cases):
        lines += f"#{'el' if number else ''}if {condition}\n{head} {{ return {call}; }}\n"
    return f"{lines}#else\n{head} {{ return {steps}; }}\n#endif\n", [source, target, middle]


def _shift(direction: str) -> Body:
    def body(short: str, width: int, extra: str) -> tuple[str, list[str]]:
        bits = int(short[1:])
        unsigned = SCALAR["u" + short[1:]]
        inside = f"(uint64_t)b[i] < {bits}"
        if direction == "left":
            one = f"({inside} ? ({SCALAR[short]})(({unsigned})a[i] << b[i]) : 0)"
        elif short.startswith("u"):
            one = f"({inside} ? a[i] >> b[i] : 0)"
        else:
            one = f"(a[i] >> ({inside} ? b[i] : {bits - 1}))"
        return _lanes(short, width, one, "ab")

    return body


_HALF_SCALAR = """\
static inline __attribute__((always_inline)) float NAME(uint16_t a) {
#if defined(__F16C__)
  typedef short tl_s8 __attribute__((vector_size(16)));
  return __builtin_ia32_vcvtph2ps((tl_s8){(short)a})[0];
#elif defined(__aarch64__)
  __fp16 h; __builtin_memcpy(&h, &a, 2); return (float)h;
#else
  uint32_t sign = (uint32_t)(a & 0x8000) << 16, rest = a & 0x7fff, bits;
  float f;
  if (rest >= 0x7c00) {
    bits = sign | 0x7f800000 | (rest & 0x3ff) << 13 | (rest > 0x7c00 ? 0x400000 : 0);
    __builtin_memcpy(&f, &bits, 4); return f;
  }
  bits = rest << 13;
  __builtin_memcpy(&f, &bits, 4); f *= 0x1p112f;
  __builtin_memcpy(&bits, &f, 4); bits |= sign;
  __builtin_memcpy(&f, &bits, 4); return f;
#endif
}
"""

_TO_HALF_SCALAR = """\
static inline __attribute__((always_inline)) uint16_t NAME(float a) {
#if defined(__F16C__)
  typedef float tl_f4 __attribute__((vector_size(16)));
  return (uint16_t)__builtin_ia32_vcvtps2ph((tl_f4){a}, 0)[0];
#elif defined(__aarch64__)
  __fp16 h = (__fp16)a; uint16_t r; __builtin_memcpy(&r, &h, 2); return r;
#else
  uint32_t x; __builtin_memcpy(&x, &a, 4);
  uint32_t sign = x >> 16 & 0x8000; x &= 0x7fffffff;
  if (x > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (x >> 13 & 0x3ff));
  if (x >= 0x47800000) return (uint16_t)(sign | 0x7c00);
  if (x < 0x38800000) {  /* subnormal: adding 0.5 rounds to multiples of 2**-24 */
    float f; __builtin_memcpy(&f, &x, 4); f += 0.5f;
    __builtin_memcpy(&x, &f, 4); return (uint16_t)(sign | (x - 0x3f000000));
  }
  x += 0xfff + (x >> 13 & 1);
  return (uint16_t)(sign | ((x >> 13) - 0x1c000));
#endif
}
"""

_TO_BFLOAT_SCALAR = """\
static inline __attribute__((always_inline)) uint16_t NAME(float a) {
  uint32_t x; __builtin_memcpy(&x, &a, 4);
  if (a != a) return (uint16_t)((x >> 16 & 0x8000) | 0x7fc0);
  return (uint16_t)((x + 0x7fff + (x >> 16 & 1)) >> 16);
}
"""

_ODD_SCALAR = """\
static inline __attribute__((always_inline)) float NAME(double a) {
  float f = (float)a; uint32_t x;  /* round to odd, so that a second rounding is right */
  if (a != a || (double)f == a || a - a != 0) return f;
  __builtin_memcpy(&x, &f, 4);
  if (__builtin_fabs((double)f) > __builtin_fabs(a)) x -= 1;
  x |= 1;
  __builtin_memcpy(&f, &x, 4); return f;
}
"""


def _convert(text: str, source: str, target: str) -> Body:
    """A conversion of scalars by `text`, applied to each lane of a vector."""

    def body(short: str, width: int, extra: str) -> tuple[str, list[str]]:
        if width == 1:
            return text, []
        inner, scalar, _ = helper(_NAMES[text], short, 1)
        kinds = vector_name(source, width), vector_name(target, width)
        builtin = _F16C.get((_NAMES[text], width))
        loop = f"  for (int i = 0; i < {width}; ++i) r[i] = {inner}(a[i]);\n"
        if builtin:
            loop = f"#if defined(__F16C__)\n  {builtin}\n#else\n{loop}#endif\n"
        head = _signature(kinds[1], f"{kinds[0]} a")
        needs = [*kinds, *(["i16x8"] if builtin else [])]
        return f"{scalar}{head} {{\n  {kinds[1]} r;\n{loop}  return r;\n}}\n", needs

    return body


def _fma_half(dtype: str) -> Body:
    """Exactly rounded fma of halves: the product is exact in float64, the sum is rounded to odd."""

    def body(short: str, width: int, extra: str) -> tuple[str, list[str]]:
        odd, odd_text, _ = helper("float64_to_odd", "f64", 1)
        to, to_text, _ = helper(f"float32_to_{dtype}", "f32", 1)
        scalar = f"tl_fma_{dtype}_u16x1"
        text = (
            _FMA_HALF_SCALAR.replace("NAME", scalar)
            .replace("WIDEN", _WIDEN[dtype][0])
            .replace("ODD", odd)
            .replace("NARROW", to)
        )
        guarded = f"#ifndef {scalar}_\n#define {scalar}_\n{text}#endif\n"
        before = f"{_WIDEN[dtype][1]()}{odd_text}{to_text}"
        if width == 1:
            return before + text, []
        vector_text, needs = _lanes(short, width, f"{scalar}(a[i], b[i], c[i])", "abc")
        return before + guarded + vector_text, needs

    return body


_BFLOAT_SCALAR = """\
static inline __attribute__((always_inline)) float NAME(uint16_t a) {
  uint32_t x = (uint32_t)a << 16; float f; __builtin_memcpy(&f, &x, 4); return f;
}
"""

_FMA_HALF_SCALAR = """\
static inline __attribute__((always_inline)) uint16_t NAME(uint16_t a, uint16_t b, uint16_t c) {
  double p = (double)WIDEN(a) * (double)WIDEN(b), d = WIDEN(c), s = p + d, v = s - p;
  double e = (p - (s - v)) + (d - v);  /* p + d == s + e exactly: Knuth's TwoSum */
  int64_t x; __builtin_memcpy(&x, &s, 8);
  if (s - s == 0 && e != 0 && !(x & 1)) x += (e > 0) == (s > 0) ? 1 : -1;
  __builtin_memcpy(&s, &x, 8);
  return NARROW(ODD(s));
}
"""

_WIDEN: dict[str, tuple[str, Callable[[], str]]] = {
    "float16": ("tl_float16_to_float32_u16x1", lambda: helper("float16_to_float32", "u16", 1)[1]),
    "bfloat16": ("tl_bfloat16_to_float32_u16x1", lambda: helper("bfloat16_to_float32", "u16", 1)[1]),
}

_NAMES = {
    _BFLOAT_SCALAR: "bfloat16_to_float32",
    _HALF_SCALAR: "float16_to_float32",
    _TO_HALF_SCALAR: "float32_to_float16",
    _TO_BFLOAT_SCALAR: "float32_to_bfloat16",
    _ODD_SCALAR: "float64_to_odd",
}
_F16C = {
    ("float16_to_float32", 8): "r = __builtin_ia32_vcvtph2ps256((i16x8)a);",
    ("float32_to_float16", 8): "r = (u16x8)__builtin_ia32_vcvtps2ph256(a, 0);",
}

_BODIES: dict[str, Body] = {
    "fma": _fma,
    "sqrt": _rounding("sqrt"),
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "round": _rounding("rint"),
    "float_modulo": _float_modulo,
    "library": _library,
    "floor_divide": _floor_divide,
    "floor_modulo": _floor_modulo,
    "saturate": _saturate,
    "widen": _widen,
    "shift_left": _shift("left"),
    "shift_right": _shift("right"),
    "fma_float16": _fma_half("float16"),
    "fma_bfloat16": _fma_half("bfloat16"),
    "bfloat16_to_float32": _convert(_BFLOAT_SCALAR, "u16", "f32"),
    "float16_to_float32": _convert(_HALF_SCALAR, "u16", "f32"),
    "float32_to_float16": _convert(_TO_HALF_SCALAR, "f32", "u16"),
    "float32_to_bfloat16": _convert(_TO_BFLOAT_SCALAR, "f32", "u16"),
    "float64_to_odd": _convert(_ODD_SCALAR, "f64", "f32"),
}
