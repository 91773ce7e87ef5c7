"""Small OpenCL C functions that generated kernels call, printed only where used.

TYPE and the like are replaced by types of one width, so that each text serves scalars and vectors:
a comparison of vectors gives -1, of scalars 1, and `?:` takes either.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorlib.dtypes import DType

__all__ = ["FUNCTIONS", "OpenCLFunction"]


@dataclass(frozen=True, slots=True)
class OpenCLFunction:
    """Text of a function NAME over TYPE; `{int32}` and so on are types of the same width.

    HELPER0, HELPER1, ... are functions of `needs`: rows of name and dtype.
    """

    text: str
    needs: tuple[tuple[str, DType], ...] = ()


_DIVIDE_SIGNED = """\
TYPE NAME(TYPE a, TYPE b) {
  const TYPE zero = (TYPE)(0), one = (TYPE)(1);
  const TYPE s = (b == zero) | (b == (TYPE)(-1)) ? one : b, q = a / s, r = a % s;
  const TYPE down = (r != zero) & ((r < zero) != (s < zero)) ? q - one : q;
  const TYPE minus = AS_TYPE((UNSIGNED)((UNSIGNED)(0) - AS_UNSIGNED(a)));
  return b == zero ? zero : b == (TYPE)(-1) ? minus : down;
}
"""
_MODULO_SIGNED = """\
TYPE NAME(TYPE a, TYPE b) {
  const TYPE zero = (TYPE)(0);
  const TYPE s = (b == zero) | (b == (TYPE)(-1)) ? (TYPE)(1) : b, r = a % s;
  return (r != zero) & ((r < zero) != (s < zero)) ? r + s : r;
}
"""
_DIVIDE_UNSIGNED = """\
TYPE NAME(TYPE a, TYPE b) {
  return b == (TYPE)(0) ? (TYPE)(0) : a / (b == (TYPE)(0) ? (TYPE)(1) : b);
}
"""
_MODULO_UNSIGNED = """\
TYPE NAME(TYPE a, TYPE b) {
  return b == (TYPE)(0) ? (TYPE)(0) : a % (b == (TYPE)(0) ? (TYPE)(1) : b);
}
"""
_SHIFT_LEFT = """\
TYPE NAME(TYPE a, TYPE b) {
  const UNSIGNED n = AS_UNSIGNED(b), bits = (UNSIGNED)(BITS), most = (UNSIGNED)(BITS - 1);
  const TYPE moved = AS_TYPE((UNSIGNED)(AS_UNSIGNED(a) << (n & most)));
  return n < bits ? moved : (TYPE)(0);
}
"""
_SHIFT_RIGHT = """\
TYPE NAME(TYPE a, TYPE b) {
  const UNSIGNED n = AS_UNSIGNED(b), bits = (UNSIGNED)(BITS), most = (UNSIGNED)(BITS - 1);
  const TYPE moved = a >> AS_TYPE((UNSIGNED)(n & most));
  return n < bits ? moved : OUTSIDE;
}
"""

# vload_half and vstore_half are in every OpenCL, also where half is no type to compute in.
_FROM_FLOAT16 = "{float32} NAME(TYPE a) { return vload_halfN(0, (const half *)&a); }\n"
_TO_FLOAT16 = """\
{uint16} NAME(TYPE a) {
  {uint16} r;
  vstore_halfN_rte(a, 0, (half *)&r);
  return r;
}
"""
_FROM_BFLOAT16 = """\
{float32} NAME(TYPE a) { return as_{float32}(convert_{uint32}(a) << ({uint32})(16)); }
"""
_TO_BFLOAT16 = """\
{uint16} NAME(TYPE a) {
  const {uint32} x = as_{uint32}(a), one = ({uint32})(1);
  const {uint32} rounded = x + ({uint32})(0x7fff) + (x >> ({uint32})(16) & one);
  const {uint32} quiet = (x & ({uint32})(0x80000000u)) | ({uint32})(0x7fc00000);
  return convert_{uint16}((a != a ? quiet : rounded) >> ({uint32})(16));
}
"""
# Round to odd, so that a second rounding is right.
_TO_ODD = """\
{float32} NAME(TYPE a) {
  const {float32} f = convert_{float32}_rte(a);
  const TYPE back = convert_{float64}(f);
  const {int64} above = fabs(back) > fabs(a) ? ({int64})(1) : ({int64})(0);
  const {uint32} odd = (as_{uint32}(f) - convert_{uint32}(above)) | ({uint32})(1);
  const {int32} exact = convert_{int32}((a != a) | (back == a) | (fabs(a) == (TYPE)(INFINITY)));
  return exact ? f : as_{float32}(odd);
}
"""
# p + d == s + e exactly: Knuth's TwoSum; s is rounded to odd, then once more.
_FMA = """\
TYPE NAME(TYPE a, TYPE b, TYPE c) {
  const {float64} p = convert_{float64}(HELPER0(a)) * convert_{float64}(HELPER0(b));
  const {float64} d = convert_{float64}(HELPER0(c)), s = p + d, v = s - p, none = ({float64})(0.0f);
  const {float64} e = (p - (s - v)) + (d - v);
  const {int64} x = as_{int64}(s), one = ({int64})(1), zero = ({int64})(0);
  const {int64} more = e > none ? one : zero, positive = s > none ? one : zero;
  const {int64} near = more == positive ? x + one : x - one;
  const {int64} odd = (x & one) == zero ? near : x;
  const {float64} r = (s - s == none) & (e != none) ? as_{float64}(odd) : s;
  return HELPER2(HELPER1(r));
}
"""
# The same in float32: products of float16 are exact there, and its 24 bits round to odd for 11.
_FMA_SINGLE = (
    _FMA.replace("{float64}", "{float32}")
    .replace("{int64}", "{int32}")
    .replace("HELPER2(HELPER1(r))", "HELPER1(r)")
)

_WIDE, _SINGLE = DType.float64, DType.float32
FUNCTIONS: dict[str, OpenCLFunction] = {
    "floor_divide signed": OpenCLFunction(_DIVIDE_SIGNED),
    "floor_divide unsigned": OpenCLFunction(_DIVIDE_UNSIGNED),
    "floor_modulo signed": OpenCLFunction(_MODULO_SIGNED),
    "floor_modulo unsigned": OpenCLFunction(_MODULO_UNSIGNED),
    "shift_left signed": OpenCLFunction(_SHIFT_LEFT),
    "shift_left unsigned": OpenCLFunction(_SHIFT_LEFT),
    "shift_right signed": OpenCLFunction(
        _SHIFT_RIGHT.replace("OUTSIDE", "(a < (TYPE)(0) ? (TYPE)(-1) : (TYPE)(0))")
    ),
    "shift_right unsigned": OpenCLFunction(_SHIFT_RIGHT.replace("OUTSIDE", "(TYPE)(0)")),
    "float16_to_float32": OpenCLFunction(_FROM_FLOAT16),
    "float32_to_float16": OpenCLFunction(_TO_FLOAT16),
    "bfloat16_to_float32": OpenCLFunction(_FROM_BFLOAT16),
    "float32_to_bfloat16": OpenCLFunction(_TO_BFLOAT16),
    "float64_to_odd": OpenCLFunction(_TO_ODD),
    "fma_float16": OpenCLFunction(
        _FMA_SINGLE,
        (("float16_to_float32", DType.float16), ("float32_to_float16", _SINGLE)),
    ),
    "fma_bfloat16": OpenCLFunction(
        _FMA,
        (("bfloat16_to_float32", DType.bfloat16), ("float64_to_odd", _WIDE),
         ("float32_to_bfloat16", _SINGLE)),
    ),
}  # fmt: skip
