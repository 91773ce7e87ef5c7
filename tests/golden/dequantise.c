#include <stdint.h>
#ifndef TL_u16_memory
#define TL_u16_memory
typedef uint16_t u16_memory __attribute__((aligned(1), may_alias));
#endif
#ifndef tl_float16_to_float32_u16x1_
#define tl_float16_to_float32_u16x1_
static inline __attribute__((always_inline)) float tl_float16_to_float32_u16x1(uint16_t a) {
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
#endif
#ifndef TL_u8x8
#define TL_u8x8
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef uint8_t u8x8_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
#ifndef TL_i32x8
#define TL_i32x8
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_u16x8
#define TL_u16x8
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint16_t u16x8_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef tl_widen_u8x8_
#define tl_widen_u8x8_
#if defined(__clang__)
static inline __attribute__((always_inline)) i32x8 tl_widen_u8x8(u8x8 a) { return __builtin_convertvector(a, i32x8); }
#elif defined(__AVX2__)
static inline __attribute__((always_inline)) i32x8 tl_widen_u8x8(u8x8 a) { return (i32x8)__builtin_ia32_pmovzxbd256((__attribute__((vector_size(16))) char)__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1)); }
#else
static inline __attribute__((always_inline)) i32x8 tl_widen_u8x8(u8x8 a) { return __builtin_convertvector(__builtin_convertvector(a, u16x8), i32x8); }
#endif
#endif
#ifndef TL_f32x8
#define TL_f32x8
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
void dequantise(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_size_ = (int64_t)args[1];
  uint8_t *data_ = (uint8_t *)(uintptr_t)args[2];
  if (worker) return;
  const int64_t v1 = out_size_ >> 5;
  for (int64_t block_2 = 0; block_2 < v1; block_2 += 1) {
    const int64_t at_3 = block_2 * 18;
    const uint16_t v4 = *(u16_memory *)(data_ + at_3);
    const float scale_5 = tl_float16_to_float32_u16x1(v4);
    const int64_t v6 = at_3 + 2;
    const u8x8 v7 = *(u8x8_memory *)(data_ + v6);
    const i32x8 q_8 = tl_widen_u8x8(v7);
    const int64_t v9 = block_2 * 32;
    const i32x8 v10 = q_8 & 15;
    const i32x8 v11 = v10 - 8;
    const f32x8 v12 = __builtin_convertvector(v11, f32x8);
    const f32x8 v13 = scale_5 - (f32x8){};
    const f32x8 v14 = v12 * v13;
    *(f32x8_memory *)(out_ + v9) = v14;
    const int64_t v15 = v9 + 16;
    const i32x8 v16 = (i32x8)(q_8 >> 4);
    const i32x8 v17 = v16 - 8;
    const f32x8 v18 = __builtin_convertvector(v17, f32x8);
    const f32x8 v19 = v18 * v13;
    *(f32x8_memory *)(out_ + v15) = v19;
    const u8x8 v20 = *(u8x8_memory *)(data_ + (v6 + 8));
    const i32x8 q_21 = tl_widen_u8x8(v20);
    const i32x8 v22 = q_21 & 15;
    const i32x8 v23 = v22 - 8;
    const f32x8 v24 = __builtin_convertvector(v23, f32x8);
    const f32x8 v25 = v24 * v13;
    *(f32x8_memory *)(out_ + (v9 + 8)) = v25;
    const i32x8 v26 = (i32x8)(q_21 >> 4);
    const i32x8 v27 = v26 - 8;
    const f32x8 v28 = __builtin_convertvector(v27, f32x8);
    const f32x8 v29 = v28 * v13;
    *(f32x8_memory *)(out_ + (v15 + 8)) = v29;
  }
  (void)args; (void)worker; (void)workers;
}
