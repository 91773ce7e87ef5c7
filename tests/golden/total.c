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
#ifndef TL_i32x4
#define TL_i32x4
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
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
  const int64_t out_size_ = (int64_t)args[1];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_size_ = (int64_t)args[3];
  if (worker) return;
  f32x4 acc_0_1 = (0.0f - (f32x4){});
  f32x4 acc_1_2 = (0.0f - (f32x4){});
  for (int64_t i_3 = 0; i_3 < x_size_; i_3 += 8) {
    const i64x4 v4 = i_3 - (i64x4){};
    const i64x4 v5 = (i64x4){0, 1, 2, 3} + v4;
    const i64x4 v6 = x_size_ - (i64x4){};
    const i64x4 v7 = (i64x4)(v5 < v6);
    const i32x4 t8 = __builtin_convertvector(v7, i32x4);
    f32x4 t9 = (0.0f - (f32x4){});
    if (t8[0]) t9[0] = x_[i_3]; if (t8[1]) t9[1] = x_[i_3 + 1]; if (t8[2]) t9[2] = x_[i_3 + 2]; if (t8[3]) t9[3] = x_[i_3 + 3];
    const f32x4 v_10 = t9;
    const f32x4 v11 = tl_fma_f32x4(v_10, v_10, acc_0_1);
    const int64_t v12 = i_3 + 4;
    const i64x4 v13 = v5 + 4;
    const i64x4 v14 = (i64x4)(v13 < v6);
    const i32x4 t15 = __builtin_convertvector(v14, i32x4);
    f32x4 t16 = (0.0f - (f32x4){});
    if (t15[0]) t16[0] = x_[v12]; if (t15[1]) t16[1] = x_[v12 + 1]; if (t15[2]) t16[2] = x_[v12 + 2]; if (t15[3]) t16[3] = x_[v12 + 3];
    const f32x4 v_17 = t16;
    const f32x4 v18 = tl_fma_f32x4(v_17, v_17, acc_1_2);
    acc_0_1 = v11;
    acc_1_2 = v18;
  }
  const f32x4 v19 = acc_0_1 + acc_1_2;
  const f32x2 t20 = __builtin_shufflevector(v19, v19, 0, 1);
  const f32x2 t21 = __builtin_shufflevector(v19, v19, 2, 3);
  const f32x2 t22 = t20 + t21;
  const float t23 = (t22)[0];
  const float t24 = (t22)[1];
  const float t25 = t23 + t24;
  const float v26 = t25;
  out_[0] = v26;
  (void)args; (void)worker; (void)workers;
}
