"""The C++ templates that generated CUDA C calls, printed only where used and guarded against
repetition: `simd<T, N>` with its operators, memory, conversions, functions lane by lane.

Each text may stand in a host program too, where the marks of CUDA are defined away.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.printers.walker import Walker

__all__ = ["BUILT_IN", "FUNCTIONS", "WHOLE", "CudaText", "need"]

# Functions that CUDA has for scalars, with their operands.
BUILT_IN = {
    "sqrt": "a", "floor": "a", "ceil": "a", "trunc": "a", "rint": "a", "fabs": "a",
    "fmod": "ab", "fma": "abc",
}  # fmt: skip

_DEVICE = "__device__ __forceinline__"
_LANES = f"template <typename T, int N>\n{_DEVICE}"


@dataclass(frozen=True, slots=True)
class CudaText:
    """A piece of CUDA C, and the names of the pieces that it needs."""

    text: str
    needs: tuple[str, ...] = ("simd",)


def need(walker: Walker, name: str) -> str:
    """Declare a piece after what it needs, and return its name."""
    key = f"cuda {name}"
    if key not in walker.declarations:
        row = FUNCTIONS[name]
        for other in row.needs:
            need(walker, other)
        guard = f"TL_{_GUARDS.get(name, name)}_"
        walker.declarations[key] = f"#ifndef {guard}\n#define {guard}\n{row.text}#endif\n"
    return name


_GUARDS = {
    "+": "ADD", "-": "SUBTRACT", "*": "MULTIPLY", "/": "DIVIDE", "minus": "MINUS", "&": "AND",
    "|": "OR", "^": "XOR", "~": "INVERT", "!": "NOT", "<<": "LEFT", ">>": "RIGHT", "==": "EQUAL",
    "!=": "UNEQUAL", "<": "LESS", "<=": "LESS_EQUAL", ">": "GREATER", ">=": "GREATER_EQUAL",
    "saturate lanes": "saturate_lanes",
}  # fmt: skip


def _each(head: str, result: str, one: str, each: str = "simd<T, N>") -> str:
    """A function that computes `one` over a[i], b[i], ... in each lane."""
    return f"""\
{_LANES} {result} {head.replace("V ", f"{each} ")} {{
  {result} r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = {one};
  return r;
}}
"""


def _operator(sign: str, one: str, result: str = "simd<T, N>") -> str:
    return _each(f"operator{sign}(V a, V b)", result, one)


_TYPES = """\
#ifdef __CUDACC_RTC__
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#else
#include <math.h>
#include <stdint.h>
#include <string.h>
#endif
"""
_NOT_FINITE = """\
#ifndef INFINITY
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fc00000)
#endif
"""
_SIMD = f"""\
template <typename T, int N> struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) simd {{
  typedef T element;
  T lanes[N];
  {_DEVICE} T &operator[](int i) {{ return lanes[i]; }}
  {_DEVICE} const T &operator[](int i) const {{ return lanes[i]; }}
}};
"""
_WRAPPING = f"""\
/* integers as unsigned ones, whose arithmetic wraps */
{_DEVICE} uint32_t wrapping(int32_t a) {{ return a; }}
{_DEVICE} uint32_t wrapping(uint32_t a) {{ return a; }}
{_DEVICE} uint64_t wrapping(int64_t a) {{ return a; }}
{_DEVICE} uint64_t wrapping(uint64_t a) {{ return a; }}
{_DEVICE} float wrapping(float a) {{ return a; }}
{_DEVICE} double wrapping(double a) {{ return a; }}
"""
_SPLAT = f"""\
template <typename V> {_DEVICE} V splat(typename V::element a) {{
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof r / sizeof a); i++) r[i] = a;
  return r;
}}
"""
_HALVES = """\
template <typename T, int N>
DEVICE simd<T, N / 2> NAME(simd<T, N> a) {
  simd<T, N / 2> r;
#pragma unroll
  for (int i = 0; i < N / 2; i++) r[i] = a[LANE];
  return r;
}
""".replace("DEVICE", _DEVICE)

# Vectors as wide accesses where the address allows it.
_LOAD = f"""\
template <typename V, typename T> {_DEVICE} V load(const T *p) {{
  if ((size_t)p % alignof(V) == 0) return *(const V *)p;
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof(V) / sizeof(T)); i++) ((T *)&r)[i] = p[i];
  return r;
}}
"""
_STORE = f"""\
template <typename V, typename T> {_DEVICE} void store(T *p, V a) {{
  if ((size_t)p % alignof(V) == 0) {{
    *(V *)p = a;
    return;
  }}
#pragma unroll
  for (int i = 0; i < (int)(sizeof(V) / sizeof(T)); i++) p[i] = ((const T *)&a)[i];
}}
"""
_PREFETCH = f"""\
{_DEVICE} void prefetch(const void *p) {{
#ifdef __CUDA_ARCH__
  asm volatile("prefetch.global.L2 [%0];" ::"l"(p));
#else
  (void)p;
#endif
}}
"""

_CONVERT = f"""\
template <typename V, typename T, int N> {_DEVICE} V convert(simd<T, N> a) {{
  V r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = (typename V::element)a[i];
  return r;
}}
"""
_BITCAST = f"""\
template <typename To, typename From> {_DEVICE} To bitcast(From a) {{
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To r;
  memcpy(&r, &a, sizeof r);
  return r;
}}
"""
_SATURATE = f"""\
template <typename To, typename From> {_DEVICE} To saturate(From a) {{
  constexpr bool is_signed = (To)-1 < (To)0;
  constexpr int digits = 8 * sizeof(To) - is_signed;
  constexpr From edge = (From)((uint64_t)1 << (digits - 1)) * 2;  /* the first above the top */
  constexpr To top = (To)(((((uint64_t)1 << (digits - 1)) - 1) << 1) + 1);
  constexpr To low = is_signed ? (To)~top : (To)0;
  const From floor = is_signed ? -edge : (From)0;
  return a != a ? (To)0 : a >= edge ? top : a <= floor ? low : (To)a;
}}
"""
_SATURATE_LANES = f"""\
template <typename V, typename T, int N> {_DEVICE} V saturate(simd<T, N> a) {{
  V r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = saturate<typename V::element>(a[i]);
  return r;
}}
"""

_FROM_FLOAT16 = f"""\
{_DEVICE} float float16_to_float32(uint16_t a) {{
#ifdef __CUDA_ARCH__
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(a));
  return f;
#else
  const uint32_t sign = (uint32_t)(a & 0x8000) << 16, rest = a & 0x7fff;
  if (rest >= 0x7c00) {{
    const uint32_t quiet = rest > 0x7c00 ? 0x400000 : 0;
    return bitcast<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13 | quiet);
  }}
  return bitcast<float>(bitcast<uint32_t>(bitcast<float>(rest << 13) * 0x1p112f) | sign);
#endif
}}
"""
_TO_FLOAT16 = f"""\
{_DEVICE} uint16_t float32_to_float16(float a) {{
#ifdef __CUDA_ARCH__
  uint16_t r;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(a));
  return r;
#else
  uint32_t x = bitcast<uint32_t>(a);
  const uint32_t sign = x >> 16 & 0x8000;
  x &= 0x7fffffff;
  if (x > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (x >> 13 & 0x3ff));
  if (x >= 0x47800000) return (uint16_t)(sign | 0x7c00);
  if (x < 0x38800000) {{  /* subnormal: adding 0.5 rounds to multiples of 2**-24 */
    return (uint16_t)(sign | (bitcast<uint32_t>(bitcast<float>(x) + 0.5f) - 0x3f000000));
  }}
  x += 0xfff + (x >> 13 & 1);
  return (uint16_t)(sign | ((x >> 13) - 0x1c000));
#endif
}}
"""
_FROM_BFLOAT16 = f"""\
{_DEVICE} float bfloat16_to_float32(uint16_t a) {{ return bitcast<float>((uint32_t)a << 16); }}
"""
_TO_BFLOAT16 = f"""\
{_DEVICE} uint16_t float32_to_bfloat16(float a) {{
  const uint32_t x = bitcast<uint32_t>(a);
  if (a != a) return (uint16_t)((x >> 16 & 0x8000) | 0x7fc0);
  return (uint16_t)((x + 0x7fff + (x >> 16 & 1)) >> 16);
}}
"""
_TO_ODD = f"""\
{_DEVICE} float float64_to_odd(double a) {{
  const float f = (float)a;  /* round to odd, so that a second rounding is right */
  if (a != a || (double)f == a || a - a != 0) return f;
  return bitcast<float>((bitcast<uint32_t>(f) - (fabs((double)f) > fabs(a))) | 1);
}}
"""
_HALF_FMA = f"""\
{_DEVICE} uint16_t fma_NAME(uint16_t a, uint16_t b, uint16_t c) {{
  const double p = (double)NAME_to_float32(a) * (double)NAME_to_float32(b);
  const double d = NAME_to_float32(c), s = p + d, v = s - p;
  const double e = (p - (s - v)) + (d - v);  /* p + d == s + e exactly: Knuth's TwoSum */
  int64_t x = bitcast<int64_t>(s);
  if (s - s == 0 && e != 0 && !(x & 1)) x += (e > 0) == (s > 0) ? 1 : -1;
  return float32_to_NAME(float64_to_odd(bitcast<double>(x)));
}}
"""

# Integer functions of one element, by the lines of their bodies over T.
WHOLE = {
    "floor_divide": """\
  if (b == 0) return 0;
  if ((T)-1 < (T)0 && b == (T)-1) return (T)(0 - wrapping(a));
  const T q = a / b, r = a % b;
  return (T)(q - (r != 0 && (r < 0) != (b < 0)));
""",
    "floor_modulo": """\
  if (b == 0 || ((T)-1 < (T)0 && b == (T)-1)) return 0;
  const T r = a % b;
  return (T)(r != 0 && (r < 0) != (b < 0) ? r + b : r);
""",
    "shift_left": """\
  constexpr uint64_t bits = 8 * sizeof(T);
  return (uint64_t)b < bits ? (T)(wrapping(a) << b) : (T)0;
""",
    "shift_right": """\
  constexpr uint64_t bits = 8 * sizeof(T);
  return (uint64_t)b < bits ? (T)(a >> b) : a < 0 ? (T)-1 : (T)0;
""",
}


def _whole(name: str) -> CudaText:
    one = f"template <typename T> {_DEVICE} T {name}(T a, T b) {{\n{WHOLE[name]}}}\n"
    return CudaText(one + _each(f"{name}(V a, V b)", "simd<T, N>", f"{name}<T>(a[i], b[i])"),
                    ("simd", "wrapping"))  # fmt: skip


def _function(name: str, operands: str) -> CudaText:
    """A function that CUDA has for scalars, for vectors."""
    head = f"{name}({', '.join(f'V {x}' for x in operands)})"
    one = f"{name}({', '.join(f'{x}[i]' for x in operands)})"
    return CudaText(_each(head, "simd<T, N>", one))


def _half(
    name: str, text: str, result: str, needs: tuple[str, ...], operands: str = "a"
) -> CudaText:
    """A function of one element on bits of halves, and the same lane by lane."""
    head = f"{name}({', '.join(f'V {x}' for x in operands)})"
    one = f"{name}({', '.join(f'{x}[i]' for x in operands)})"
    return CudaText(text + _each(head, f"simd<{result}, N>", one), ("simd", *needs))


def _half_fma(name: str) -> CudaText:
    needs = (f"{name}_to_float32", f"float32_to_{name}", "float64_to_odd")
    text = _HALF_FMA.replace("NAME", name)
    return _half(f"fma_{name}", text, "uint16_t", needs, "abc")


def _reduction(name: str, sign: str) -> CudaText:
    text = f"""\
template <int N> {_DEVICE} bool reduce_{name}(simd<bool, N> a) {{
  bool r = a[0];
#pragma unroll
  for (int i = 1; i < N; i++) r = r {sign} a[i];
  return r;
}}
"""
    return CudaText(text)


_CHOOSE = f"""\
{_LANES} simd<T, N> select(simd<bool, N> test, simd<T, N> a, simd<T, N> b) {{
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = test[i] ? a[i] : b[i];
  return r;
}}
"""
_ARITHMETIC = ("simd", "wrapping")
_MASK = "simd<bool, N>"

# --- blocks of threads ---

_DYNAMIC = """\
#ifdef __CUDACC__
extern __shared__ __align__(16) unsigned char dynamic_shared[];
#else
static __align__(16) unsigned char dynamic_shared[1 << 18];
#endif
"""
_SHUFFLED = f"""\
template <typename T, int N>
{_DEVICE} simd<T, N> shuffled(uint32_t warp, simd<T, N> a, uint32_t lane) {{
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = (T)__shfl_sync(warp, a[i], lane);
  return r;
}}
"""
_SWAP = f"""\
{_DEVICE} uint32_t compare_and_swap(volatile uint32_t *p, uint32_t a, uint32_t b) {{
  return atomicCAS((uint32_t *)p, a, b);
}}
{_DEVICE} uint64_t compare_and_swap(volatile uint64_t *p, uint64_t a, uint64_t b) {{
  return atomicCAS((uint64_t *)p, a, b);
}}
"""
_FAULT = f"""\
{_DEVICE} void fault(int64_t *faults, int64_t site, int64_t index) {{
  if (compare_and_swap((uint64_t *)faults, 0, site) == 0) faults[1] = index;
}}
"""
_COPY_NOW = f"""\
template <int BYTES, typename T> {_DEVICE} void copy_now(T *to, const T *from) {{
#pragma unroll
  for (int i = 0; i < (int)(BYTES / sizeof(T)); i++) to[i] = from[i];
}}
"""
_COPY_ASYNC = f"""\
/* each copy is a group of its own, to wait for */
template <int BYTES, typename T> {_DEVICE} void copy_async(T *to, const T *from) {{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  constexpr int piece = BYTES % 16 == 0 ? 16 : BYTES % 8 == 0 ? 8 : 4;
  if (BYTES % piece == 0 && ((size_t)to | (size_t)from) % piece == 0) {{
    const uint32_t target = (uint32_t)__cvta_generic_to_shared(to);
#pragma unroll
    for (int i = 0; i < BYTES; i += piece) {{
      const char *source = (const char *)from + i;
      if (piece == 16) {{
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16;"
                     ::"r"(target + i), "l"(source) : "memory");
      }} else {{
        asm volatile("cp.async.ca.shared.global [%0], [%1], %2;"
                     ::"r"(target + i), "l"(source), "n"(piece) : "memory");
      }}
    }}
  }} else {{
    copy_now<BYTES>(to, from);
  }}
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  copy_now<BYTES>(to, from);
#endif
}}
"""
_AWAIT = f"""\
template <int LATER> {_DEVICE} void await_copies() {{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(LATER) : "memory");
#endif
}}
"""

FUNCTIONS: dict[str, CudaText] = {
    "types": CudaText(_TYPES, ()),
    "not_finite": CudaText(_NOT_FINITE, ("types",)),
    "simd": CudaText(_SIMD, ("types",)),
    "wrapping": CudaText(_WRAPPING, ("types",)),
    "splat": CudaText(_SPLAT),
    "low": CudaText(_HALVES.replace("NAME", "low").replace("LANE", "i")),
    "high": CudaText(_HALVES.replace("NAME", "high").replace("LANE", "i + N / 2")),
    # operators
    **{
        sign: CudaText(_operator(sign, f"wrapping(a[i]) {sign} wrapping(b[i])"), _ARITHMETIC)
        for sign in "+-*/"
    },
    "minus": CudaText(_each("operator-(V a)", "simd<T, N>", "-wrapping(a[i])"), _ARITHMETIC),
    **{sign: CudaText(_operator(sign, f"a[i] {sign} b[i]")) for sign in "&|^"},
    **{
        sign: CudaText(_operator(sign, f"a[i] {sign} b[i]", _MASK))
        for sign in ("==", "!=", "<", "<=", ">", ">=")
    },
    "~": CudaText(_each("operator~(V a)", "simd<T, N>", "~a[i]")),
    "!": CudaText(_each("operator!(V a)", "simd<T, N>", "!a[i]")),
    "<<": CudaText(_each("operator<<(V a, int n)", "simd<T, N>", "wrapping(a[i]) << n"),
                   _ARITHMETIC),
    ">>": CudaText(_each("operator>>(V a, int n)", "simd<T, N>", "a[i] >> n")),
    "select": CudaText(_CHOOSE),
    # folds of masks
    "reduce_and": _reduction("and", "&"),
    "reduce_or": _reduction("or", "|"),
    "reduce_xor": _reduction("xor", "^"),
    # functions
    **{name: _function(name, operands) for name, operands in BUILT_IN.items()},
    **{name: _whole(name) for name in WHOLE},
    # conversion
    "convert": CudaText(_CONVERT),
    "bitcast": CudaText(_BITCAST, ("types",)),
    "saturate": CudaText(_SATURATE, ("types",)),
    "saturate lanes": CudaText(_SATURATE_LANES, ("simd", "saturate")),
    "float16_to_float32": _half("float16_to_float32", _FROM_FLOAT16, "float", ("bitcast",)),
    "float32_to_float16": _half("float32_to_float16", _TO_FLOAT16, "uint16_t", ("bitcast",)),
    "bfloat16_to_float32": _half("bfloat16_to_float32", _FROM_BFLOAT16, "float", ("bitcast",)),
    "float32_to_bfloat16": _half("float32_to_bfloat16", _TO_BFLOAT16, "uint16_t", ("bitcast",)),
    "float64_to_odd": _half("float64_to_odd", _TO_ODD, "float", ("bitcast",)),
    "fma_float16": _half_fma("float16"),
    "fma_bfloat16": _half_fma("bfloat16"),
    # memory
    "load": CudaText(_LOAD),
    "store": CudaText(_STORE),
    "prefetch": CudaText(_PREFETCH, ("types",)),
    # blocks of threads
    "dynamic_shared": CudaText(_DYNAMIC, ("types",)),
    "shuffled": CudaText(_SHUFFLED),
    "compare_and_swap": CudaText(_SWAP, ("types",)),
    "fault": CudaText(_FAULT, ("compare_and_swap",)),
    "copy_now": CudaText(_COPY_NOW, ("types",)),
    "copy_async": CudaText(_COPY_ASYNC, ("copy_now",)),
    "await_copies": CudaText(_AWAIT, ("types",)),
}  # fmt: skip
