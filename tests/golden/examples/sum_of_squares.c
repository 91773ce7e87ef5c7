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
  const int64_t v1 = (x_n0_ >> 3) * 8;
  // simd_parameters.py  for i in steps:
  f32x8 total_2 = (f32x8){};
  for (int64_t i_3 = 0; i_3 < v1; i_3 += 8) {
    // simd_parameters.py  v = x.load[steps.width](i, mask=steps.mask(i)).cast(Vector.dtype)
    const f32x8 v_4 = *(f32x8_memory *)(x_ + i_3);
    // simd_parameters.py  total = v.fma(v, total)
    const f32x8 total_5 = tl_fma_f32x8(v_4, v_4, total_2);
    total_2 = total_5;
  }
  // simd_parameters.py  for i in steps:
  f32x8 total_6 = total_2;
  for (int64_t i_7 = v1; i_7 < x_n0_; i_7 += 8) {
    // simd_parameters.py  v = x.load[steps.width](i, mask=steps.mask(i)).cast(Vector.dtype)
    const i64x4 v8 = i_7 - (i64x4){};
    const i64x4 v9 = (i64x4){0, 1, 2, 3} + v8;
    const i64x4 v10 = (i64x4){4, 5, 6, 7} + v8;
    const i64x4 v11 = x_n0_ - (i64x4){};
    const i64x4 v12 = (i64x4)(v9 < v11);
    const i64x4 v13 = (i64x4)(v10 < v11);
    f32x4 v0_14 = (f32x4){};
    if (v12[0]) v0_14[0] = x_[i_7]; if (v12[1]) v0_14[1] = x_[i_7 + 1]; if (v12[2]) v0_14[2] = x_[i_7 + 2]; if (v12[3]) v0_14[3] = x_[i_7 + 3];
    const int64_t v15 = i_7 + 4;
    f32x4 v1_16 = (f32x4){};
    if (v13[0]) v1_16[0] = x_[v15]; if (v13[1]) v1_16[1] = x_[v15 + 1]; if (v13[2]) v1_16[2] = x_[v15 + 2]; if (v13[3]) v1_16[3] = x_[v15 + 3];
    // simd_parameters.py  total = v.fma(v, total)
    const f32x4 v17 = __builtin_shufflevector(total_6, total_6, 0, 1, 2, 3);
    const f32x4 v18 = __builtin_shufflevector(total_6, total_6, 4, 5, 6, 7);
    const f32x4 total0_19 = tl_fma_f32x4(v0_14, v0_14, v17);
    const f32x4 total1_20 = tl_fma_f32x4(v1_16, v1_16, v18);
    // simd_parameters.py  for i in steps:
    const f32x8 v21 = __builtin_shufflevector(total0_19, total1_20, 0, 1, 2, 3, 4, 5, 6, 7);
    total_6 = v21;
  }
  // simd_parameters.py  out[0] = total.reduce_add()
  const f32x4 t22 = __builtin_shufflevector(total_6, total_6, 0, 1, 2, 3);
  const f32x4 t23 = __builtin_shufflevector(total_6, total_6, 4, 5, 6, 7);
  const f32x4 t24 = t22 + t23;
  const f32x2 t25 = __builtin_shufflevector(t24, t24, 0, 1);
  const f32x2 t26 = __builtin_shufflevector(t24, t24, 2, 3);
  const f32x2 t27 = t25 + t26;
  const float v28 = t27[0] + t27[1];
  out_[0] = v28;
  (void)args; (void)worker; (void)workers;
}
