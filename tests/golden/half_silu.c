#include <stdint.h>
#ifndef TL_u16x8
#define TL_u16x8
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint16_t u16x8_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_u32x8
#define TL_u32x8
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef uint32_t u32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x8
#define TL_f32x8
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_i32x8
#define TL_i32x8
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef tl_fma_f32x4_
#define tl_fma_f32x4_
#if defined(__FMA__)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_ia32_vfmaddps(a, b, c); }
#elif defined(__aarch64__) && !defined(__clang__)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_aarch64_fmav4sf(a, b, c); }
#elif defined(__clang__) && __has_builtin(__builtin_elementwise_fma)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_elementwise_fma(a, b, c); }
#else
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
  f32x4 r;
  r[0] = __builtin_fmaf(a[0], b[0], c[0]);
  r[1] = __builtin_fmaf(a[1], b[1], c[1]);
  r[2] = __builtin_fmaf(a[2], b[2], c[2]);
  r[3] = __builtin_fmaf(a[3], b[3], c[3]);
  return r;
}
#endif
#endif
#ifndef tl_fma_f32x8_
#define tl_fma_f32x8_
#if defined(__FMA__)
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) { return __builtin_ia32_vfmaddps256(a, b, c); }
#elif defined(__clang__) && __has_builtin(__builtin_elementwise_fma)
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) { return __builtin_elementwise_fma(a, b, c); }
#else
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) {
  return __builtin_shufflevector(tl_fma_f32x4(__builtin_shufflevector(a, a, 0, 1, 2, 3), __builtin_shufflevector(b, b, 0, 1, 2, 3), __builtin_shufflevector(c, c, 0, 1, 2, 3)),
    tl_fma_f32x4(__builtin_shufflevector(a, a, 4, 5, 6, 7), __builtin_shufflevector(b, b, 4, 5, 6, 7), __builtin_shufflevector(c, c, 4, 5, 6, 7)), 0, 1, 2, 3, 4, 5, 6, 7);
}
#endif
#endif
#ifndef tl_float32_to_bfloat16_f32x8_
#define tl_float32_to_bfloat16_f32x8_
static inline __attribute__((always_inline)) u16x8 tl_float32_to_bfloat16_f32x8(f32x8 a) {
  const u32x8 x = (u32x8)a, nan = (u32x8)(a != a);
  const u32x8 rounded = x + 0x7fff + (x >> 16 & 1), quiet = (x & 0x80000000u) | 0x7fc00000;
  return __builtin_convertvector(((rounded & ~nan) | (quiet & nan)) >> 16, u16x8);
}
#endif
void half_silu(const uint64_t *args, int64_t worker, int64_t workers) {
  uint16_t *out_ = (uint16_t *)(uintptr_t)args[0];
  uint16_t *x_ = (uint16_t *)(uintptr_t)args[2];
  const int64_t x_size_ = (int64_t)args[3];
  if (worker) return;
  for (int64_t i_1 = 0; i_1 < x_size_; i_1 += 8) {
    const u16x8 v2 = *(u16x8_memory *)(x_ + i_1);
    const f32x8 v3 = (f32x8)(__builtin_convertvector(v2, u32x8) << 16);
    const f32x8 v4 = (f32x8)((i32x8)v3 & 2147483647);
    const f32x8 v5 = -v4;
    const i32x8 v6 = (i32x8)(v5 < (-104.0f));
    const f32x8 v7 = (f32x8)((v6 & (i32x8)(f32x8){}) | (~v6 & (i32x8)v5));
    const i32x8 t8 = (i32x8)((v7 < 89.0f) | (v7 != v7));
    const f32x8 v9 = (f32x8)((t8 & (i32x8)v7) | (~t8 & (i32x8)(89.0f - (f32x8){})));
    const f32x8 v10 = tl_fma_f32x8(v9, (1.442695f - (f32x8){}), (1.2582912e+07f - (f32x8){}));
    const f32x8 v11 = v10 - 1.2582912e+07f;
    const f32x8 v12 = tl_fma_f32x8(v11, ((-0.69314575f) - (f32x8){}), v9);
    const f32x8 v13 = tl_fma_f32x8(v11, ((-1.4286068e-06f) - (f32x8){}), v12);
    const f32x8 v14 = tl_fma_f32x8((0.0001984127f - (f32x8){}), v13, (0.0013888889f - (f32x8){}));
    const f32x8 v15 = tl_fma_f32x8(v14, v13, (0.008333334f - (f32x8){}));
    const f32x8 v16 = tl_fma_f32x8(v15, v13, (0.041666668f - (f32x8){}));
    const f32x8 v17 = tl_fma_f32x8(v16, v13, (0.16666667f - (f32x8){}));
    const f32x8 v18 = tl_fma_f32x8(v17, v13, (0.5f - (f32x8){}));
    const f32x8 v19 = tl_fma_f32x8(v18, v13, (1.0f - (f32x8){}));
    const f32x8 v20 = tl_fma_f32x8(v19, v13, (1.0f - (f32x8){}));
    const i32x8 v21 = (i32x8)v10;
    const i32x8 v22 = v21 - 1262485504;
    const i32x8 v23 = (i32x8)(v22 >> 1);
    const i32x8 v24 = v23 + 127;
    const i32x8 v25 = (i32x8)((u32x8)v24 << 23);
    const f32x8 v26 = (f32x8)v25;
    const i32x8 v27 = v22 - v23;
    const i32x8 v28 = v27 + 127;
    const i32x8 v29 = (i32x8)((u32x8)v28 << 23);
    const f32x8 v30 = (f32x8)v29;
    const f32x8 v31 = v20 * v26;
    const f32x8 v32 = v31 * v30;
    const f32x8 v33 = (f32x8)((v6 & (i32x8)(f32x8){}) | (~v6 & (i32x8)v32));
    const i32x8 v34 = (i32x8)(v3 < 0.0f);
    const f32x8 v35 = v3 * v33;
    const f32x8 v36 = (f32x8)((v34 & (i32x8)v35) | (~v34 & (i32x8)v3));
    const f32x8 v37 = v33 + 1.0f;
    const f32x8 v38 = v36 / v37;
    const u16x8 v39 = tl_float32_to_bfloat16_f32x8(v38);
    const f32x8 v40 = (f32x8)(__builtin_convertvector(v39, u32x8) << 16);
    const f32x8 v41 = v40 + 1.0f;
    const u16x8 v42 = tl_float32_to_bfloat16_f32x8(v41);
    *(u16x8_memory *)(out_ + i_1) = v42;
  }
  (void)args; (void)worker; (void)workers;
}
