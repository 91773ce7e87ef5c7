"""Names of Python as names of a target: what its language knows gets an underscore behind it.

Parameters have one anyway, and locals end in a number, so only the names of kernels are asked for.
What the printers write themselves (`tl_...`, `TL_...`) is a known name too.
"""

from __future__ import annotations

import functools
import re

__all__ = ["MACROS", "entry_name", "identifier", "parameter_name"]

# Words, and patterns of words, by target; `math` also with the suffixes of C for other types.
_WORDS = {
    "c": r"""
asm auto break case char const continue default do double else enum extern float for goto if inline
int long register restrict return short signed sizeof static struct switch typedef typeof union
unsigned void volatile while alignas alignof bool constexpr false nullptr static_assert thread_local
true main errno linux unix i386 args worker workers [A-Z][A-Z0-9_]+
u?int(_fast|_least)?(\d+|max|ptr)_t (size|ptrdiff|wchar|off|time)_t
(clock|va_list|max_align|float|double)_t _[_A-Z]\w* tl_\w* TL_\w* [bcfimu]\d+(x\d+)?
""",
    "library": r"""
abort abs alloca assert at(exit|o[filq]|oll) bcmp bcopy bsearch bzero calloc clock close div exit
fclose ffs fopen fork fputc fputs fread free fwrite getc getenv index is(al(num|pha)|ascii|blank)
is(cntrl|digit|graph|lower|print|punct|space|upper|xdigit) kill l?labs longjmp malloc
mem(chr|cmp|cpy|move|set|pcpy) open putc putchar puts qsort raise rand read realloc remove rename
rindex setjmp signal sleep srand st(dup|r\w+) system time tolower toupper ungetc v?[fs]?n?printf
v?[fs]?scanf write [jy][01n][fl]? \w+_unlocked (rand|random|strtok|[a-z]+time|lgamma[fl]?)_r
[a-z]+48(_r)? s?random arc4\w+ l?ldiv p?select (un|put|clear)env setenv getc(har)? get(delim|line|w)
get(loadavg|subopt) putw f(dopen|eof|error|flush|get\w+|ileno|reopen|memopen|pclassify|seeko?)
f(set\w+|tello?|inite[fl]?) mk(d?temp|stemps?|time) mb\w+ wc\w+ (aligned|v)alloc posix_memalign
(at_)?quick_exit on_exit realpath reallocarray rewind set(buf\w*|state|linebuf|vbuf) initstate
(asc|c|gm|local)time time(gm|local) a64l l64a [efgq]+cvt drem[fl]? rpmatch explicit_bzero
u(int|short|long) std(in|out|err) pid_t
""",
    "math": """
acos acosh asin asinh atan atan2 atanh cabs carg cbrt ceil cexp cimag clog conj copysign cos cosh
cpow cproj creal csqrt erf erfc exp exp10 exp2 expm1 fabs fdim floor fma fmax fmin fmod frexp gamma
hypot ilogb isfinite isinf isnan isnormal ldexp lgamma llrint llround log log10 log1p log2 logb
lrint lround modf nan nearbyint nextafter nexttoward pow pow10 powi remainder remquo rint round
roundeven scalb scalbln scalbn signbit significand sin sincos sinh sqrt tan tanh tgamma trunc
""",
    "opencl": r"""
(bool|half|quad|complex|imaginary|u(char|short|int|long))
((u?(char|short|int|long))|float|double|half|bool|quad)\d+ (size|ptrdiff|(u?intptr)|event|queue)_t
(image\w+|sampler|ndrange|clk_event|reserve_id|cl_mem_fence_flags|atomic_\w+|memory_\w+)(_t)?
kernel global local constant private generic pipe uniform (read|write)_only read_write
(as|async|atom|atomic|atomics|cl|convert|get|half|intel|is|native|pocl|read|set|sub|work|write)_\w+
v(load|store)\w*
vec_step abs all any barrier bitselect clamp clz cospi a(cos|sin|tan)pi atan2pi cross ctz degrees
distance dot enqueue\w+ fast_\w+ fract hadd is(equal|notequal|greater|greaterequal|less|lessequal)
is(lessgreater|ordered|unordered) length lgamma_r (abs_diff|add_sat|sub_sat|rhadd|upsample)
mad(24|_hi|_sat)? max maxmag mem_fence min minmag mix mul(24|_hi) normalize pown prefetch printf
popcount powr radians rootn rotate rsqrt select shuffle2? sign sinpi smoothstep step tanpi wait_\w+
work_group_barrier to_(global|local|private)
""",
    "cuda": r"""
(and|or|xor|not)(_eq)? bit(and|or) compl catch char(8|16|32)_t class concept const(eval|init)
(const|dynamic|reinterpret|static)_cast co_(await|return|yield) decltype delete explicit export
friend mutable namespace new noexcept operator private protected public requires std template this
throw try typeid typename using virtual wchar_t u(char|short|int|long)
(u?(char|short|int|long|longlong)|float|double)\d(_\w+)? dim3 cuda\w* nv\w* half\d? u_(char|int)
va_list CU\w+ threadIdx blockIdx blockDim gridDim warpSize
threadfence\w* make_\w+ atomic\w* tex\w* surf\w*
clock64 trap max min u(max|min) u?ll(max|min) rsqrtf? rcbrtf? rhypotf? r?norm(3d|4d)?f?
(sin|cos)pif? sincospif? norm(cdf)?(inv)?f? erfc?(inv|x)f? cyl_bessel_i[01]f? fdividef? saturate
simd wrapping splat low high load store convert bitcast select shuffled fault copy_now copy_async
await_copies compare_and_swap prefetch float64_to_odd (float16|bfloat16)_to_float32
float32_to_(float16|bfloat16) fma_b?float16 floor_(divide|modulo) shift_(left|right)
reduce_(and|or|xor)
""",
}
_LANGUAGES = {
    "c": ("c", "library", "math"),
    "opencl": ("c", "math", "opencl"),
    "cuda": ("c", "library", "math", "cuda"),
}
MACROS = frozenset({"CL_VERSION_1_1", "CL_VERSION_1_2", "M_PI_2", "M_PI_4", "M_SQRT1_2"})


def identifier(name: str) -> str:
    """Return `name` with everything replaced that C does not allow in identifiers."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def entry_name(name: str, language: str) -> str:
    """Return what the kernel of a Python name is called in "c", "cuda" or "opencl".

    >>> entry_name("block_sum", "cuda"), entry_name("exp", "cuda"), entry_name("<lambda>", "c")
    ('block_sum', 'exp_', '_lambda_')
    """
    text = identifier(name) or "kernel"
    return f"{text}_" if _known(language).fullmatch(text) else text


def parameter_name(name: str, number: int, others: set[str]) -> str:
    """Return what parameter `number` is called: differently from `others`, and from macros.

    >>> parameter_name("half", 0, set()), parameter_name("x", 3, {"x_"})
    ('half_', 'x_3_')
    """
    text = identifier(name) or "a"
    if f"{text}_" not in others and text[:3] not in ("tl_", "TL_"):
        return f"{text}_"
    while f"{text}_{number}_" in others:
        text += "_"
    return f"{text}_{number}_"


@functools.cache
def _known(language: str) -> re.Pattern[str]:
    """Return the pattern of all names that a language knows."""
    words = []
    for group in _LANGUAGES[language]:
        suffix = "[fl]?" if group == "math" else ""
        words += [f"(?:{word}){suffix}" for word in _WORDS[group].split()]
    return re.compile("|".join(words), re.ASCII)
