#include <stdint.h>
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
#ifndef tl_any_i32x8_
#define tl_any_i32x8_
static inline __attribute__((always_inline)) int tl_any_i32x8(i32x8 m) {
#if defined(__AVX__)
  return !__builtin_ia32_ptestz256((long long __attribute__((vector_size(32))))m, (long long __attribute__((vector_size(32))))m);
#else
  uint64_t word[4];
  __builtin_memcpy(word, &m, 32);
  return (word[0] | word[1] | word[2] | word[3]) != 0;
#endif
}
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
#ifndef TL_i32x4
#define TL_i32x4
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
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
  const int64_t trips2 = out_n0_ > 0 ? out_n0_ : 0;
  const int64_t first3 = trips2 * worker / workers;
  const int64_t last4 = trips2 * (worker + 1) / workers;
  for (int64_t row_1 = first3; row_1 < last4; row_1 += 1) {
    // mandelbrot.py  im = SIMD[kind, width](bottom + dy * SIMD[kind, 1](row))
    const float v5 = (float)row_1;
    const float v6 = dy_ * v5;
    const float v7 = bottom_ + v6;
    const f32x8 im_8 = v7 - (f32x8){};
    // mandelbrot.py  for column in range(0, out.shape[1], width):
    for (int64_t column_9 = 0; column_9 < out_n1_; column_9 += 32) {
      // mandelbrot.py  c = ComplexSIMD(left + dx * (lanes + SIMD[kind, 1](column)), im)
      const float v10 = (float)column_9;
      const f32x8 v11 = v10 - (f32x8){};
      const f32x8 v12 = (f32x8){0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f} + v11;
      const f32x8 v13 = (f32x8){8.0f, 9.0f, 10.0f, 11.0f, 12.0f, 13.0f, 14.0f, 15.0f} + v11;
      const f32x8 v14 = (f32x8){16.0f, 17.0f, 18.0f, 19.0f, 20.0f, 21.0f, 22.0f, 23.0f} + v11;
      const f32x8 v15 = (f32x8){24.0f, 25.0f, 26.0f, 27.0f, 28.0f, 29.0f, 30.0f, 31.0f} + v11;
      const f32x8 v16 = dx_ - (f32x8){};
      const f32x8 v17 = v16 * v12;
      const f32x8 v18 = v16 * v13;
      const f32x8 v19 = v16 * v14;
      const f32x8 v20 = v16 * v15;
      const f32x8 v21 = left_ - (f32x8){};
      const f32x8 v22 = v21 + v17;
      const f32x8 v23 = v21 + v18;
      const f32x8 v24 = v21 + v19;
      const f32x8 v25 = v21 + v20;
      // mandelbrot.py  for _ in range(iterations):
      i32x8 count0_26 = (i32x8){};
      i32x8 count1_27 = (i32x8){};
      i32x8 count2_28 = (i32x8){};
      i32x8 count3_29 = (i32x8){};
      i32x8 mask0_30 = ~(i32x8){};
      i32x8 mask1_31 = ~(i32x8){};
      i32x8 mask2_32 = ~(i32x8){};
      i32x8 mask3_33 = ~(i32x8){};
      f32x8 z_0_0_34 = (f32x8){};
      f32x8 z_0_1_35 = (f32x8){};
      f32x8 z_0_2_36 = (f32x8){};
      f32x8 z_0_3_37 = (f32x8){};
      f32x8 z_1_0_38 = (f32x8){};
      f32x8 z_1_1_39 = (f32x8){};
      f32x8 z_1_2_40 = (f32x8){};
      f32x8 z_1_3_41 = (f32x8){};
      for (int64_t i42 = 0; i42 < 1000; i42 += 1) {
        // mandelbrot.py  if not mask.reduce_or():
        const i32x8 v43 = mask0_30 | mask2_32;
        const i32x8 v44 = mask1_31 | mask3_33;
        const i32x8 v45 = v43 | v44;
        if (!tl_any_i32x8(v45)) break;
        // mandelbrot.py  mask = z.squared_norm() <= 4
        const f32x8 v46 = z_1_0_38 * z_1_0_38;
        const f32x8 v47 = tl_fma_f32x8(z_0_0_34, z_0_0_34, v46);
        const i32x8 mask0_48 = (i32x8)(v47 <= 4.0f);
        // mandelbrot.py  count = mask.select(count + 1, count)
        const i32x8 count0_49 = count0_26 - mask0_48;
        // mandelbrot.py  z = z.squared_add(c)
        const f32x8 v50 = tl_fma_f32x8(z_0_0_34, z_0_0_34, v22);
        const f32x8 v51 = v50 - v46;
        const f32x8 v52 = z_1_0_38 + z_1_0_38;
        const f32x8 v53 = tl_fma_f32x8(z_0_0_34, v52, im_8);
        // mandelbrot.py  mask = z.squared_norm() <= 4
        const f32x8 v54 = z_1_1_39 * z_1_1_39;
        const f32x8 v55 = tl_fma_f32x8(z_0_1_35, z_0_1_35, v54);
        const i32x8 mask1_56 = (i32x8)(v55 <= 4.0f);
        // mandelbrot.py  count = mask.select(count + 1, count)
        const i32x8 count1_57 = count1_27 - mask1_56;
        // mandelbrot.py  z = z.squared_add(c)
        const f32x8 v58 = tl_fma_f32x8(z_0_1_35, z_0_1_35, v23);
        const f32x8 v59 = v58 - v54;
        const f32x8 v60 = z_1_1_39 + z_1_1_39;
        const f32x8 v61 = tl_fma_f32x8(z_0_1_35, v60, im_8);
        // mandelbrot.py  mask = z.squared_norm() <= 4
        const f32x8 v62 = z_1_2_40 * z_1_2_40;
        const f32x8 v63 = tl_fma_f32x8(z_0_2_36, z_0_2_36, v62);
        const i32x8 mask2_64 = (i32x8)(v63 <= 4.0f);
        // mandelbrot.py  count = mask.select(count + 1, count)
        const i32x8 count2_65 = count2_28 - mask2_64;
        // mandelbrot.py  z = z.squared_add(c)
        const f32x8 v66 = tl_fma_f32x8(z_0_2_36, z_0_2_36, v24);
        const f32x8 v67 = v66 - v62;
        const f32x8 v68 = z_1_2_40 + z_1_2_40;
        const f32x8 v69 = tl_fma_f32x8(z_0_2_36, v68, im_8);
        // mandelbrot.py  mask = z.squared_norm() <= 4
        const f32x8 v70 = z_1_3_41 * z_1_3_41;
        const f32x8 v71 = tl_fma_f32x8(z_0_3_37, z_0_3_37, v70);
        const i32x8 mask3_72 = (i32x8)(v71 <= 4.0f);
        // mandelbrot.py  count = mask.select(count + 1, count)
        const i32x8 count3_73 = count3_29 - mask3_72;
        // mandelbrot.py  z = z.squared_add(c)
        const f32x8 v74 = tl_fma_f32x8(z_0_3_37, z_0_3_37, v25);
        const f32x8 v75 = v74 - v70;
        const f32x8 v76 = z_1_3_41 + z_1_3_41;
        const f32x8 v77 = tl_fma_f32x8(z_0_3_37, v76, im_8);
        count0_26 = count0_49;
        count1_27 = count1_57;
        count2_28 = count2_65;
        count3_29 = count3_73;
        mask0_30 = mask0_48;
        mask1_31 = mask1_56;
        mask2_32 = mask2_64;
        mask3_33 = mask3_72;
        z_0_0_34 = v51;
        z_0_1_35 = v59;
        z_0_2_36 = v67;
        z_0_3_37 = v75;
        z_1_0_38 = v53;
        z_1_1_39 = v61;
        z_1_2_40 = v69;
        z_1_3_41 = v77;
      }
      // mandelbrot.py  inside = lanes.cast(DType.int64) + column < out.shape[1]
      const i64x4 v78 = column_9 - (i64x4){};
      const i64x4 v79 = (i64x4){0, 1, 2, 3} + v78;
      const i64x4 v80 = (i64x4){4, 5, 6, 7} + v78;
      const i64x4 v81 = (i64x4){8, 9, 10, 11} + v78;
      const i64x4 v82 = (i64x4){12, 13, 14, 15} + v78;
      const i64x4 v83 = (i64x4){16, 17, 18, 19} + v78;
      const i64x4 v84 = (i64x4){20, 21, 22, 23} + v78;
      const i64x4 v85 = (i64x4){24, 25, 26, 27} + v78;
      const i64x4 v86 = (i64x4){28, 29, 30, 31} + v78;
      const i64x4 v87 = out_n1_ - (i64x4){};
      const i64x4 inside0_88 = (i64x4)(v79 < v87);
      const i64x4 inside1_89 = (i64x4)(v80 < v87);
      const i64x4 inside2_90 = (i64x4)(v81 < v87);
      const i64x4 inside3_91 = (i64x4)(v82 < v87);
      const i64x4 inside4_92 = (i64x4)(v83 < v87);
      const i64x4 inside5_93 = (i64x4)(v84 < v87);
      const i64x4 inside6_94 = (i64x4)(v85 < v87);
      const i64x4 inside7_95 = (i64x4)(v86 < v87);
      // mandelbrot.py  out.store[width](row, column, counts, mask=inside)
      const int64_t v96 = row_1 * out_stride0_ + column_9;
      const i32x4 v97 = __builtin_shufflevector(count0_26, count0_26, 0, 1, 2, 3);
      const i32x4 v98 = __builtin_shufflevector(count0_26, count0_26, 4, 5, 6, 7);
      const i32x4 v99 = __builtin_shufflevector(count1_27, count1_27, 0, 1, 2, 3);
      const i32x4 v100 = __builtin_shufflevector(count1_27, count1_27, 4, 5, 6, 7);
      const i32x4 v101 = __builtin_shufflevector(count2_28, count2_28, 0, 1, 2, 3);
      const i32x4 v102 = __builtin_shufflevector(count2_28, count2_28, 4, 5, 6, 7);
      const i32x4 v103 = __builtin_shufflevector(count3_29, count3_29, 0, 1, 2, 3);
      const i32x4 v104 = __builtin_shufflevector(count3_29, count3_29, 4, 5, 6, 7);
      if (inside0_88[0]) out_[v96] = v97[0]; if (inside0_88[1]) out_[v96 + 1] = v97[1]; if (inside0_88[2]) out_[v96 + 2] = v97[2]; if (inside0_88[3]) out_[v96 + 3] = v97[3];
      const int64_t v105 = v96 + 4;
      if (inside1_89[0]) out_[v105] = v98[0]; if (inside1_89[1]) out_[v105 + 1] = v98[1]; if (inside1_89[2]) out_[v105 + 2] = v98[2]; if (inside1_89[3]) out_[v105 + 3] = v98[3];
      const int64_t v106 = v96 + 8;
      if (inside2_90[0]) out_[v106] = v99[0]; if (inside2_90[1]) out_[v106 + 1] = v99[1]; if (inside2_90[2]) out_[v106 + 2] = v99[2]; if (inside2_90[3]) out_[v106 + 3] = v99[3];
      const int64_t v107 = v96 + 12;
      if (inside3_91[0]) out_[v107] = v100[0]; if (inside3_91[1]) out_[v107 + 1] = v100[1]; if (inside3_91[2]) out_[v107 + 2] = v100[2]; if (inside3_91[3]) out_[v107 + 3] = v100[3];
      const int64_t v108 = v96 + 16;
      if (inside4_92[0]) out_[v108] = v101[0]; if (inside4_92[1]) out_[v108 + 1] = v101[1]; if (inside4_92[2]) out_[v108 + 2] = v101[2]; if (inside4_92[3]) out_[v108 + 3] = v101[3];
      const int64_t v109 = v96 + 20;
      if (inside5_93[0]) out_[v109] = v102[0]; if (inside5_93[1]) out_[v109 + 1] = v102[1]; if (inside5_93[2]) out_[v109 + 2] = v102[2]; if (inside5_93[3]) out_[v109 + 3] = v102[3];
      const int64_t v110 = v96 + 24;
      if (inside6_94[0]) out_[v110] = v103[0]; if (inside6_94[1]) out_[v110 + 1] = v103[1]; if (inside6_94[2]) out_[v110 + 2] = v103[2]; if (inside6_94[3]) out_[v110 + 3] = v103[3];
      const int64_t v111 = v96 + 28;
      if (inside7_95[0]) out_[v111] = v104[0]; if (inside7_95[1]) out_[v111 + 1] = v104[1]; if (inside7_95[2]) out_[v111 + 2] = v104[2]; if (inside7_95[3]) out_[v111 + 3] = v104[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
