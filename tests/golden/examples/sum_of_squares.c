#include <stdint.h>
#ifndef TL_f32x8
#define TL_f32x8
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
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
#ifndef TL_i64x8
#define TL_i64x8
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef int64_t i64x8_memory __attribute__((vector_size(64), aligned(1), may_alias));
#endif
#ifndef TL_i32x8
#define TL_i32x8
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x2
#define TL_f32x2
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
void sum_of_squares(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_n0_ = (int64_t)args[3];
  if (worker) return;
  // simd_parameters.py  for steps in tl.vectorize[Vector.width](x.size, masked=True):
  const int64_t v1 = x_n0_ >> 3;
  const int64_t v2 = v1 * 8;
  // simd_parameters.py  for i in steps:
  f32x8 total_3 = (0.0f - (f32x8){});
  for (int64_t i_4 = 0; i_4 < v2; i_4 += 8) {
    // simd_parameters.py  v = x.load[steps.width](i, mask=steps.mask(i)).cast(Vector.dtype)
    const f32x8 v_5 = *(f32x8_memory *)(x_ + i_4);
    // simd_parameters.py  total = v.fma(v, total)
    const f32x8 total_6 = tl_fma_f32x8(v_5, v_5, total_3);
    total_3 = total_6;
  }
  // simd_parameters.py  for i in steps:
  f32x8 total_7 = total_3;
  for (int64_t i_8 = v2; i_8 < x_n0_; i_8 += 8) {
    // simd_parameters.py  v = x.load[steps.width](i, mask=steps.mask(i)).cast(Vector.dtype)
    const i64x8 v9 = i_8 - (i64x8){};
    const i64x8 v10 = (i64x8){0, 1, 2, 3, 4, 5, 6, 7} + v9;
    const i64x8 v11 = x_n0_ - (i64x8){};
    const i64x8 v12 = (i64x8)(v10 < v11);
    const i32x8 t13 = __builtin_convertvector(v12, i32x8);
    f32x8 t14 = (0.0f - (f32x8){});
    if (t13[0]) t14[0] = x_[i_8]; if (t13[1]) t14[1] = x_[i_8 + 1]; if (t13[2]) t14[2] = x_[i_8 + 2]; if (t13[3]) t14[3] = x_[i_8 + 3];
    if (t13[4]) t14[4] = x_[i_8 + 4]; if (t13[5]) t14[5] = x_[i_8 + 5]; if (t13[6]) t14[6] = x_[i_8 + 6]; if (t13[7]) t14[7] = x_[i_8 + 7];
    const f32x8 v_15 = t14;
    // simd_parameters.py  total = v.fma(v, total)
    const f32x8 total_16 = tl_fma_f32x8(v_15, v_15, total_7);
    total_7 = total_16;
  }
  // simd_parameters.py  out[0] = total.reduce_add()
  const f32x4 t17 = __builtin_shufflevector(total_7, total_7, 0, 1, 2, 3);
  const f32x4 t18 = __builtin_shufflevector(total_7, total_7, 4, 5, 6, 7);
  const f32x4 t19 = t17 + t18;
  const f32x2 t20 = __builtin_shufflevector(t19, t19, 0, 1);
  const f32x2 t21 = __builtin_shufflevector(t19, t19, 2, 3);
  const f32x2 t22 = t20 + t21;
  const float t23 = (t22)[0];
  const float t24 = (t22)[1];
  const float t25 = t23 + t24;
  const float v26 = t25;
  out_[0] = v26;
  (void)args; (void)worker; (void)workers;
}
