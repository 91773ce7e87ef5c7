#include <stdint.h>
#ifndef TL_f32x16
#define TL_f32x16
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_memory __attribute__((vector_size(64), aligned(1), may_alias));
#endif
#ifndef TL_i32x16
#define TL_i32x16
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_memory __attribute__((vector_size(64), aligned(1), may_alias));
#endif
#ifndef tl_any_i32x16_
#define tl_any_i32x16_
static inline __attribute__((always_inline)) int tl_any_i32x16(i32x16 m) {
  uint64_t word[8];
  __builtin_memcpy(word, &m, 64);
  return (word[0] | word[1] | word[2] | word[3] | word[4] | word[5] | word[6] | word[7]) != 0;
}
#endif
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
#ifndef tl_fma_f32x16_
#define tl_fma_f32x16_
#if defined(__AVX512F__)
static inline __attribute__((always_inline)) f32x16 tl_fma_f32x16(f32x16 a, f32x16 b, f32x16 c) { return __builtin_ia32_vfmaddps512_mask(a, b, c, -1, 4); }
#elif defined(__clang__) && __has_builtin(__builtin_elementwise_fma)
static inline __attribute__((always_inline)) f32x16 tl_fma_f32x16(f32x16 a, f32x16 b, f32x16 c) { return __builtin_elementwise_fma(a, b, c); }
#else
static inline __attribute__((always_inline)) f32x16 tl_fma_f32x16(f32x16 a, f32x16 b, f32x16 c) {
  return __builtin_shufflevector(tl_fma_f32x8(__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7), __builtin_shufflevector(b, b, 0, 1, 2, 3, 4, 5, 6, 7), __builtin_shufflevector(c, c, 0, 1, 2, 3, 4, 5, 6, 7)),
    tl_fma_f32x8(__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15), __builtin_shufflevector(b, b, 8, 9, 10, 11, 12, 13, 14, 15), __builtin_shufflevector(c, c, 8, 9, 10, 11, 12, 13, 14, 15)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#endif
#endif
#ifndef TL_i64x16
#define TL_i64x16
typedef int64_t i64x16 __attribute__((vector_size(128)));
typedef int64_t i64x16_memory __attribute__((vector_size(128), aligned(1), may_alias));
#endif
void mandelbrot(const uint64_t *args, int64_t worker, int64_t workers) {
  int32_t *out_ = (int32_t *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  const int64_t out_n1_ = (int64_t)args[2];
  const int64_t out_stride0_ = (int64_t)args[3];
  float left_;
  __builtin_memcpy(&left_, args + 4, sizeof left_);
  float bottom_;
  __builtin_memcpy(&bottom_, args + 5, sizeof bottom_);
  float dx_;
  __builtin_memcpy(&dx_, args + 6, sizeof dx_);
  float dy_;
  __builtin_memcpy(&dy_, args + 7, sizeof dy_);
  // mandelbrot.py  for row in tl.parallel(range(out.shape[0])):
  const int64_t trips2 = out_n0_ > 0 ? (out_n0_ - 0 + 1 - 1) / 1 : 0;
  const int64_t first3 = 0 + trips2 * worker / workers * 1;
  const int64_t last4 = 0 + trips2 * (worker + 1) / workers * 1;
  const int64_t end5 = last4 < out_n0_ ? last4 : out_n0_;
  for (int64_t row_1 = first3; row_1 < end5; row_1 += 1) {
    // mandelbrot.py  im = SIMD[kind, width](bottom + dy * SIMD[kind, 1](row))
    const float v6 = (float)row_1;
    const float v7 = dy_ * v6;
    const float v8 = bottom_ + v7;
    const f32x16 im_9 = v8 - (f32x16){};
    // mandelbrot.py  for column in range(0, out.shape[1], width):
    for (int64_t column_10 = 0; column_10 < out_n1_; column_10 += 16) {
      // mandelbrot.py  c = ComplexSIMD(left + dx * (lanes + SIMD[kind, 1](column)), im)
      const float v11 = (float)column_10;
      const f32x16 v12 = v11 - (f32x16){};
      const f32x16 v13 = (f32x16){0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f, 8.0f, 9.0f, 10.0f, 11.0f, 12.0f, 13.0f, 14.0f, 15.0f} + v12;
      const f32x16 v14 = dx_ - (f32x16){};
      const f32x16 v15 = v14 * v13;
      const f32x16 v16 = left_ - (f32x16){};
      const f32x16 v17 = v16 + v15;
      // mandelbrot.py  for _ in range(iterations):
      int64_t c18 = 0;
      uint8_t __broken_1_19 = 0;
      i32x16 count_20 = (0 - (i32x16){});
      i32x16 mask_21 = (-1 - (i32x16){});
      f32x16 z_0_22 = (0.0f - (f32x16){});
      f32x16 z_1_23 = (0.0f - (f32x16){});
      for (;;) {
        const uint8_t v24 = !__broken_1_19;
        const uint8_t v25 = c18 < 1000;
        const uint8_t v26 = v25 & v24;
        if (!v26) break;
        // mandelbrot.py  if not mask.reduce_or():
        const uint8_t v27 = tl_any_i32x16(mask_21);
        const uint8_t v28 = !v27;
        uint8_t c29;
        i32x16 c30;
        i32x16 c31;
        f32x16 c32;
        f32x16 c33;
        if (v28) {
          c29 = 1;
          c30 = count_20;
          c31 = mask_21;
          c32 = z_0_22;
          c33 = z_1_23;
        } else {
          // mandelbrot.py  mask = z.squared_norm() <= 4
          const f32x16 v34 = z_1_23 * z_1_23;
          const f32x16 v35 = tl_fma_f32x16(z_0_22, z_0_22, v34);
          const i32x16 mask_36 = (i32x16)(v35 <= 4.0f);
          // mandelbrot.py  count = mask.select(count + 1, count)
          const i32x16 v37 = count_20 + 1;
          const i32x16 count_38 = (i32x16)((mask_36 & (i32x16)v37) | (~mask_36 & (i32x16)count_20));
          // mandelbrot.py  z = z.squared_add(c)
          const f32x16 v39 = tl_fma_f32x16(z_0_22, z_0_22, v17);
          const f32x16 v40 = v39 - v34;
          const f32x16 v41 = z_1_23 + z_1_23;
          const f32x16 v42 = tl_fma_f32x16(z_0_22, v41, im_9);
          c29 = __broken_1_19;
          c30 = count_38;
          c31 = mask_36;
          c32 = v40;
          c33 = v42;
        }
        // mandelbrot.py  for _ in range(iterations):
        const int64_t v43 = c18 + 1;
        c18 = v43;
        __broken_1_19 = c29;
        count_20 = c30;
        mask_21 = c31;
        z_0_22 = c32;
        z_1_23 = c33;
      }
      // mandelbrot.py  inside = lanes.cast(DType.int64) + column < out.shape[1]
      const i64x16 v44 = column_10 - (i64x16){};
      const i64x16 v45 = (i64x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + v44;
      const i64x16 v46 = out_n1_ - (i64x16){};
      const i64x16 inside_47 = (i64x16)(v45 < v46);
      // mandelbrot.py  out.store[width](row, column, counts, mask=inside)
      const int64_t v48 = row_1 * out_stride0_;
      const int64_t v49 = v48 + column_10;
      const i32x16 t50 = __builtin_convertvector(inside_47, i32x16);
      const i32x16 t51 = count_20;
      if (t50[0]) out_[v49] = t51[0]; if (t50[1]) out_[v49 + 1] = t51[1]; if (t50[2]) out_[v49 + 2] = t51[2]; if (t50[3]) out_[v49 + 3] = t51[3];
      if (t50[4]) out_[v49 + 4] = t51[4]; if (t50[5]) out_[v49 + 5] = t51[5]; if (t50[6]) out_[v49 + 6] = t51[6]; if (t50[7]) out_[v49 + 7] = t51[7];
      if (t50[8]) out_[v49 + 8] = t51[8]; if (t50[9]) out_[v49 + 9] = t51[9]; if (t50[10]) out_[v49 + 10] = t51[10]; if (t50[11]) out_[v49 + 11] = t51[11];
      if (t50[12]) out_[v49 + 12] = t51[12]; if (t50[13]) out_[v49 + 13] = t51[13]; if (t50[14]) out_[v49 + 14] = t51[14]; if (t50[15]) out_[v49 + 15] = t51[15];
    }
  }
  (void)args; (void)worker; (void)workers;
}
