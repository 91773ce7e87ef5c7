#include <stdint.h>
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
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
#ifndef TL_f32x2
#define TL_f32x2
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
void total(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_size_ = (int64_t)args[3];
  if (worker) return;
  f32x4 acc_0_1 = (f32x4){};
  f32x4 acc_1_2 = (f32x4){};
  for (int64_t i_3 = 0; i_3 < x_size_; i_3 += 8) {
    const i64x4 v4 = i_3 - (i64x4){};
    const i64x4 v5 = (i64x4){0, 1, 2, 3} + v4;
    const i64x4 v6 = x_size_ - (i64x4){};
    const i64x4 v7 = (i64x4)(v5 < v6);
    f32x4 v_8 = (f32x4){};
    if (v7[0]) v_8[0] = x_[i_3]; if (v7[1]) v_8[1] = x_[i_3 + 1]; if (v7[2]) v_8[2] = x_[i_3 + 2]; if (v7[3]) v_8[3] = x_[i_3 + 3];
    const f32x4 v9 = tl_fma_f32x4(v_8, v_8, acc_0_1);
    const int64_t v10 = i_3 + 4;
    const i64x4 v11 = v5 + 4;
    const i64x4 v12 = (i64x4)(v11 < v6);
    f32x4 v_13 = (f32x4){};
    if (v12[0]) v_13[0] = x_[v10]; if (v12[1]) v_13[1] = x_[v10 + 1]; if (v12[2]) v_13[2] = x_[v10 + 2]; if (v12[3]) v_13[3] = x_[v10 + 3];
    const f32x4 v14 = tl_fma_f32x4(v_13, v_13, acc_1_2);
    acc_0_1 = v9;
    acc_1_2 = v14;
  }
  const f32x4 v15 = acc_0_1 + acc_1_2;
  const f32x2 t16 = __builtin_shufflevector(v15, v15, 0, 1);
  const f32x2 t17 = __builtin_shufflevector(v15, v15, 2, 3);
  const f32x2 t18 = t16 + t17;
  const float v19 = t18[0] + t18[1];
  out_[0] = v19;
  (void)args; (void)worker; (void)workers;
}
