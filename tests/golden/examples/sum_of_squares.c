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
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x2
#define TL_f32x2
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
void sum_of_squares(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_n0_ = (int64_t)args[3];
  if (worker) return;
  // simd_parameters.py  for steps in tl.vectorize[Vector.width](x.size, masked=True):
  const int64_t v1 = x_n0_ >> 3;
  const int64_t v2 = v1 * 8;
  // simd_parameters.py  for i in steps:
  f32x8 total_3 = (f32x8){};
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
    const i64x4 v9 = i_8 - (i64x4){};
    const i64x4 v10 = (i64x4){0, 1, 2, 3} + v9;
    const i64x4 v11 = (i64x4){4, 5, 6, 7} + v9;
    const i64x4 v12 = x_n0_ - (i64x4){};
    const i64x4 v13 = (i64x4)(v10 < v12);
    const i64x4 v14 = (i64x4)(v11 < v12);
    f32x4 v0_15 = (f32x4){};
    if (v13[0]) v0_15[0] = x_[i_8]; if (v13[1]) v0_15[1] = x_[i_8 + 1]; if (v13[2]) v0_15[2] = x_[i_8 + 2]; if (v13[3]) v0_15[3] = x_[i_8 + 3];
    const int64_t v16 = i_8 + 4;
    f32x4 v1_17 = (f32x4){};
    if (v14[0]) v1_17[0] = x_[v16]; if (v14[1]) v1_17[1] = x_[v16 + 1]; if (v14[2]) v1_17[2] = x_[v16 + 2]; if (v14[3]) v1_17[3] = x_[v16 + 3];
    // simd_parameters.py  total = v.fma(v, total)
    const f32x4 v18 = __builtin_shufflevector(total_7, total_7, 0, 1, 2, 3);
    const f32x4 v19 = __builtin_shufflevector(total_7, total_7, 4, 5, 6, 7);
    const f32x4 total0_20 = tl_fma_f32x4(v0_15, v0_15, v18);
    const f32x4 total1_21 = tl_fma_f32x4(v1_17, v1_17, v19);
    // simd_parameters.py  for i in steps:
    const f32x8 v22 = __builtin_shufflevector(total0_20, total1_21, 0, 1, 2, 3, 4, 5, 6, 7);
    total_7 = v22;
  }
  // simd_parameters.py  out[0] = total.reduce_add()
  const f32x4 t23 = __builtin_shufflevector(total_7, total_7, 0, 1, 2, 3);
  const f32x4 t24 = __builtin_shufflevector(total_7, total_7, 4, 5, 6, 7);
  const f32x4 t25 = t23 + t24;
  const f32x2 t26 = __builtin_shufflevector(t25, t25, 0, 1);
  const f32x2 t27 = __builtin_shufflevector(t25, t25, 2, 3);
  const f32x2 t28 = t26 + t27;
  const float v29 = t28[0] + t28[1];
  out_[0] = v29;
  (void)args; (void)worker; (void)workers;
}
