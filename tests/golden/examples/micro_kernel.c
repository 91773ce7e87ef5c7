#include <stdint.h>
#ifndef TL_f32x16
#define TL_f32x16
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_memory __attribute__((vector_size(64), aligned(1), may_alias));
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
void matmul(const uint64_t *args, int64_t worker, int64_t workers) {
  float *c_ = (float *)(uintptr_t)args[0];
  const int64_t c_n0_ = (int64_t)args[1];
  const int64_t c_n1_ = (int64_t)args[2];
  const int64_t c_stride0_ = (int64_t)args[3];
  float *a_ = (float *)(uintptr_t)args[4];
  const int64_t a_n0_ = (int64_t)args[5];
  const int64_t a_n1_ = (int64_t)args[6];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_n0_ = (int64_t)args[9];
  const int64_t b_n1_ = (int64_t)args[10];
  const int64_t b_stride0_ = (int64_t)args[11];
  // micro_kernel.py  for i in tl.parallel(range(c.shape[0] // MR)):
  const int64_t v1 = c_n0_ >> 2;
  const int64_t trips3 = v1 > 0 ? (v1 - 0 + 1 - 1) / 1 : 0;
  const int64_t first4 = 0 + trips3 * worker / workers * 1;
  const int64_t last5 = 0 + trips3 * (worker + 1) / workers * 1;
  const int64_t end6 = last5 < v1 ? last5 : v1;
  for (int64_t i_2 = first4; i_2 < end6; i_2 += 1) {
    // micro_kernel.py  for j in range(c.shape[1] // NR):
    const int64_t v7 = c_n1_ >> 4;
    for (int64_t j_8 = 0; j_8 < v7; j_8 += 1) {
      // micro_kernel.py  rows = a.tile[MR, 1](i, 0)
      const int64_t v9 = i_2 * 4;
      const int64_t v10 = v9 * a_stride0_;
      // micro_kernel.py  columns = b.tile[1, NR](0, j)
      const int64_t v11 = j_8 * 16;
      // micro_kernel.py  micro_kernel(c.tile[MR, NR](i, j), rows, columns, depth, MR, NR)
      const int64_t v12 = v9 * c_stride0_;
      const int64_t v13 = v12 + v11;
      // micro_kernel.py  for k in range(depth):
      f32x16 c_cache_0_14 = (0.0f - (f32x16){});
      f32x16 c_cache_1_15 = (0.0f - (f32x16){});
      f32x16 c_cache_2_16 = (0.0f - (f32x16){});
      f32x16 c_cache_3_17 = (0.0f - (f32x16){});
      for (int64_t k_18 = 0; k_18 < a_n1_; k_18 += 1) {
        // micro_kernel.py  b_next_tile = b_row.tile[1, NR](k + AHEAD, 0)
        const int64_t v19 = k_18 + 4;
        const int64_t v20 = v19 * b_stride0_;
        const int64_t v21 = v11 + v20;
        // micro_kernel.py  b_next_tile.prefetch(0, n)
        __builtin_prefetch(b_ + v21);
        const int64_t v22 = v21 + 8;
        __builtin_prefetch(b_ + v22);
        // micro_kernel.py  b_tile = b_row.tile[1, NR](k, 0)
        const int64_t v23 = k_18 * b_stride0_;
        const int64_t v24 = v11 + v23;
        // micro_kernel.py  b = b_tile.load[NR](0, 0)
        const f32x16 b_25 = *(f32x16_memory *)(b_ + v24);
        // micro_kernel.py  c_cache = tuple(SIMD[c.dtype, NR](a_tile[m, k]).fma(b, c_cache[m]) for m in range(MR))
        const int64_t v26 = v10 + k_18;
        const float v27 = a_[v26];
        const f32x16 v28 = v27 - (f32x16){};
        const f32x16 v29 = tl_fma_f32x16(v28, b_25, c_cache_0_14);
        const int64_t v30 = v10 + a_stride0_;
        const int64_t v31 = v30 + k_18;
        const float v32 = a_[v31];
        const f32x16 v33 = v32 - (f32x16){};
        const f32x16 v34 = tl_fma_f32x16(v33, b_25, c_cache_1_15);
        const int64_t v35 = 2 * a_stride0_;
        const int64_t v36 = v10 + v35;
        const int64_t v37 = v36 + k_18;
        const float v38 = a_[v37];
        const f32x16 v39 = v38 - (f32x16){};
        const f32x16 v40 = tl_fma_f32x16(v39, b_25, c_cache_2_16);
        const int64_t v41 = 3 * a_stride0_;
        const int64_t v42 = v10 + v41;
        const int64_t v43 = v42 + k_18;
        const float v44 = a_[v43];
        const f32x16 v45 = v44 - (f32x16){};
        const f32x16 v46 = tl_fma_f32x16(v45, b_25, c_cache_3_17);
        c_cache_0_14 = v29;
        c_cache_1_15 = v34;
        c_cache_2_16 = v40;
        c_cache_3_17 = v46;
      }
      // micro_kernel.py  c.store[NR](m, 0, c_cache[m])
      *(f32x16_memory *)(c_ + v13) = c_cache_0_14;
      const int64_t v47 = v13 + c_stride0_;
      *(f32x16_memory *)(c_ + v47) = c_cache_1_15;
      const int64_t v48 = 2 * c_stride0_;
      const int64_t v49 = v13 + v48;
      *(f32x16_memory *)(c_ + v49) = c_cache_2_16;
      const int64_t v50 = 3 * c_stride0_;
      const int64_t v51 = v13 + v50;
      *(f32x16_memory *)(c_ + v51) = c_cache_3_17;
    }
  }
  (void)args; (void)worker; (void)workers;
}
