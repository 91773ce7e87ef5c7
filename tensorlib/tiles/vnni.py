"""VPDPBUSD: dot products of four within the lanes of a vector, of uint8 with int8.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, VPDPBUSD.
"""

from __future__ import annotations

from tensorlib.dtypes import DType
from tensorlib.lang.control import unroll
from tensorlib.lang.instruction import instruction
from tensorlib.simd import SIMD

__all__ = ["dot4", "dpbusd_8", "dpbusd_16"]


def dot4(accumulator: SIMD, a: SIMD, b: SIMD) -> SIMD:
    """Return accumulator[i] + the sum of a[4i + j] * b[4i + j] over j < 4, wrapping."""
    products = a.cast(DType.int32) * b.cast(DType.int32)
    for j in unroll(range(4)):
        lanes = products.shuffle(*range(j, products.width, 4))
        accumulator = accumulator + lanes
    return accumulator


@instruction(
    c="({type})_mm512_dpbusd_epi32((__m512i){accumulator}, (__m512i){a}, (__m512i){b})",
    requires="avx512_vnni",
    headers="immintrin.h",
    portable=True,
)
def dpbusd_16(accumulator: SIMD, a: SIMD, b: SIMD) -> SIMD:
    """VPDPBUSD on 512 bits: int32x16 + dot products of four, of uint8x64 with int8x64."""
    return dot4(accumulator, a, b)


@instruction(
    c="({type})_mm256_dpbusd_avx_epi32((__m256i){accumulator}, (__m256i){a}, (__m256i){b})",
    requires="avx_vnni",
    headers="immintrin.h",
    portable=True,
)
def dpbusd_8(accumulator: SIMD, a: SIMD, b: SIMD) -> SIMD:
    """VPDPBUSD on 256 bits: int32x8 + dot products of four, of uint8x32 with int8x32."""
    return dot4(accumulator, a, b)
