"""C functions of float16 and bfloat16, which kernels keep as their bits in uint16_t."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tensorlib.printers.c_types import vector_name
from tensorlib.printers.walker import lanes

__all__ = ["HALF", "CFunction"]


@dataclass(frozen=True, slots=True)
class CFunction:
    """The text of a function called NAME, which calls HELPER0, HELPER1, ... of `needs`.

    `types` are the vector types that it uses; `needs` are rows of name, element and width.
    """

    text: str
    types: Sequence[str] = ()
    needs: Sequence[tuple[str, str, int]] = ()


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

_BFLOAT_SCALAR = """\
static inline __attribute__((always_inline)) float NAME(uint16_t a) {
  uint32_t x = (uint32_t)a << 16; float f; __builtin_memcpy(&f, &x, 4); return f;
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

_FMA_SCALAR = """\
static inline __attribute__((always_inline)) uint16_t NAME(uint16_t a, uint16_t b, uint16_t c) {
  double p = (double)HELPER0(a) * (double)HELPER0(b), d = HELPER0(c), s = p + d, v = s - p;
  double e = (p - (s - v)) + (d - v);  /* p + d == s + e exactly: Knuth's TwoSum */
  int64_t x; __builtin_memcpy(&x, &s, 8);
  if (s - s == 0 && e != 0 && !(x & 1)) x += (e > 0) == (s > 0) ? 1 : -1;
  __builtin_memcpy(&s, &x, 8);
  return HELPER2(HELPER1(s));
}
"""

_TO_BFLOAT_VECTOR = """\
static inline __attribute__((always_inline)) u16xN NAME(f32xN a) {
  const u32xN x = (u32xN)a, nan = (u32xN)(a != a);
  const u32xN rounded = x + 0x7fff + (x >> 16 & 1), quiet = (x & 0x80000000u) | 0x7fc00000;
  return __builtin_convertvector(((rounded & ~nan) | (quiet & nan)) >> 16, u16xN);
}
"""


def _each(name: str, source: str, target: str, width: int) -> CFunction:
    """Convert lane by lane."""
    kinds = vector_name(source, width), vector_name(target, width)
    head = f"static inline __attribute__((always_inline)) {kinds[1]} NAME({kinds[0]} a)"
    each = "".join(f"  r[{i}] = HELPER0(a[{i}]);\n" for i in range(width))
    text = f"{head} {{\n  {kinds[1]} r;\n{each}  return r;\n}}\n"
    return CFunction(text, kinds, [(name, source, 1)])


def _halves(name: str, source: str, target: str, width: int) -> CFunction:
    """Convert half by half."""
    kinds = vector_name(source, width), vector_name(target, width)
    head = f"static inline __attribute__((always_inline)) {kinds[1]} NAME({kinds[0]} a)"
    low, high = (
        f"HELPER0(__builtin_shufflevector(a, a, {lanes(s, s + width // 2)}))"
        for s in (0, width // 2)
    )
    joined = f"__builtin_shufflevector({low},\n    {high}, {lanes(0, width)})"
    return CFunction(f"{head} {{\n  return {joined};\n}}\n", kinds, [(name, source, width // 2)])


def _f16c(
    name: str, source: str, target: str, native: str, scalar: str
) -> Callable[..., CFunction]:
    """Eight lanes at once where the processor has F16C."""

    def body(short: str, width: int, extra: str) -> CFunction:
        if width == 1:
            return CFunction(scalar)
        if width > 8:
            return _halves(name, source, target, width)
        each = _each(name, source, target, width)
        if width < 8:
            return each
        kinds = vector_name(source, 8), vector_name(target, 8)
        head = f"static inline __attribute__((always_inline)) {kinds[1]} NAME({kinds[0]} a)"
        text = f"#if defined(__F16C__)\n{head} {{ return {native}; }}\n#else\n{each.text}#endif\n"
        return CFunction(text, (*kinds, "i16x8"), each.needs)

    return body


def _bfloat16_to_float32(short: str, width: int, extra: str) -> CFunction:
    if width == 1:
        return CFunction(_BFLOAT_SCALAR)
    return _each("bfloat16_to_float32", "u16", "f32", width)


def _float32_to_bfloat16(short: str, width: int, extra: str) -> CFunction:
    if width == 1:
        return CFunction(_TO_BFLOAT_SCALAR)
    types = [vector_name(kind, width) for kind in ("u16", "u32", "f32")]
    return CFunction(_TO_BFLOAT_VECTOR.replace("xN", f"x{width}"), types)


def _float64_to_odd(short: str, width: int, extra: str) -> CFunction:
    return CFunction(_ODD_SCALAR) if width == 1 else _each("float64_to_odd", "f64", "f32", width)


def _fma(dtype: str) -> Callable[..., CFunction]:
    """fma that rounds once: the product is exact in float64, the sum is rounded to odd."""

    def body(short: str, width: int, extra: str) -> CFunction:
        if width == 1:
            narrow = ("float64_to_odd", "f64", 1), (f"float32_to_{dtype}", "f32", 1)
            return CFunction(_FMA_SCALAR, (), [(f"{dtype}_to_float32", "u16", 1), *narrow])
        kind = vector_name("u16", width)
        parameters = f"{kind} a, {kind} b, {kind} c"
        head = f"static inline __attribute__((always_inline)) {kind} NAME({parameters})"
        each = "".join(f"  r[{i}] = HELPER0(a[{i}], b[{i}], c[{i}]);\n" for i in range(width))
        text = f"{head} {{\n  {kind} r;\n{each}  return r;\n}}\n"
        return CFunction(text, (kind,), [(f"fma_{dtype}", "u16", 1)])

    return body


HALF: dict[str, Callable[[str, int, str], CFunction]] = {
    "float16_to_float32": _f16c(
        "float16_to_float32", "u16", "f32", "__builtin_ia32_vcvtph2ps256((i16x8)a)", _HALF_SCALAR
    ),
    "float32_to_float16": _f16c(
        "float32_to_float16", "f32", "u16", "(u16x8)__builtin_ia32_vcvtps2ph256(a, 0)",
        _TO_HALF_SCALAR,
    ),
    "bfloat16_to_float32": _bfloat16_to_float32,
    "float32_to_bfloat16": _float32_to_bfloat16,
    "float64_to_odd": _float64_to_odd,
    "fma_float16": _fma("float16"),
    "fma_bfloat16": _fma("bfloat16"),
}  # fmt: skip
