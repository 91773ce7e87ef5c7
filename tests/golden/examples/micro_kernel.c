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
void matmul(const uint64_t *args, int64_t worker, int64_t workers) {
  float *c_ = (float *)(uintptr_t)args[0];
  const int64_t c_n0_ = (int64_t)args[1];
  const int64_t c_n1_ = (int64_t)args[2];
  const int64_t c_stride0_ = (int64_t)args[3];
  float *a_ = (float *)(uintptr_t)args[4];
  const int64_t a_n1_ = (int64_t)args[6];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_stride0_ = (int64_t)args[11];
  // micro_kernel.py  for i in tl.parallel(range(c.shape[0] // MR)):
  const int64_t v1 = c_n0_ >> 2;
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t i_2 = first4; i_2 < last5; i_2 += 1) {
    // micro_kernel.py  for j in range(c.shape[1] // NR):
    const int64_t v6 = c_n1_ >> 4;
    for (int64_t j_7 = 0; j_7 < v6; j_7 += 1) {
      // micro_kernel.py  rows = a.tile[MR, 1](i, 0)
      const int64_t v8 = i_2 * 4;
      const int64_t v9 = v8 * a_stride0_;
      // micro_kernel.py  columns = b.tile[1, NR](0, j)
      const int64_t v10 = j_7 * 16;
      // micro_kernel.py  micro_kernel(c.tile[MR, NR](i, j), rows, columns, depth, MR, NR)
      const int64_t v11 = v8 * c_stride0_ + v10;
      // micro_kernel.py  for k in range(depth):
      f32x8 c_cache_0_0_12 = (f32x8){};
      f32x8 c_cache_0_1_13 = (f32x8){};
      f32x8 c_cache_1_0_14 = (f32x8){};
      f32x8 c_cache_1_1_15 = (f32x8){};
      f32x8 c_cache_2_0_16 = (f32x8){};
      f32x8 c_cache_2_1_17 = (f32x8){};
      f32x8 c_cache_3_0_18 = (f32x8){};
      f32x8 c_cache_3_1_19 = (f32x8){};
      for (int64_t k_20 = 0; k_20 < a_n1_; k_20 += 1) {
        // micro_kernel.py  b_next_tile = b_row.tile[1, NR](k + AHEAD, 0)
        const int64_t v21 = v10 + (k_20 + 4) * b_stride0_;
        // micro_kernel.py  b_next_tile.prefetch(0, n)
        __builtin_prefetch(b_ + v21);
        __builtin_prefetch(b_ + (v21 + 8));
        // micro_kernel.py  b_tile = b_row.tile[1, NR](k, 0)
        const int64_t v22 = v10 + k_20 * b_stride0_;
        // micro_kernel.py  b = b_tile.load[NR](0, 0)
        const f32x8 b0_23 = *(f32x8_memory *)(b_ + v22);
        const f32x8 b1_24 = *(f32x8_memory *)(b_ + (v22 + 8));
        // micro_kernel.py  c_cache = tuple(SIMD[c.dtype, NR](a_tile[m, k]).fma(b, c_cache[m]) for m in range(MR))
        const float v25 = a_[v9 + k_20];
        const f32x8 v26 = v25 - (f32x8){};
        const f32x8 v27 = tl_fma_f32x8(v26, b0_23, c_cache_0_0_12);
        const f32x8 v28 = tl_fma_f32x8(v26, b1_24, c_cache_0_1_13);
        const float v29 = a_[v9 + a_stride0_ + k_20];
        const f32x8 v30 = v29 - (f32x8){};
        const f32x8 v31 = tl_fma_f32x8(v30, b0_23, c_cache_1_0_14);
        const f32x8 v32 = tl_fma_f32x8(v30, b1_24, c_cache_1_1_15);
        const float v33 = a_[v9 + 2 * a_stride0_ + k_20];
        const f32x8 v34 = v33 - (f32x8){};
        const f32x8 v35 = tl_fma_f32x8(v34, b0_23, c_cache_2_0_16);
        const f32x8 v36 = tl_fma_f32x8(v34, b1_24, c_cache_2_1_17);
        const float v37 = a_[v9 + 3 * a_stride0_ + k_20];
        const f32x8 v38 = v37 - (f32x8){};
        const f32x8 v39 = tl_fma_f32x8(v38, b0_23, c_cache_3_0_18);
        const f32x8 v40 = tl_fma_f32x8(v38, b1_24, c_cache_3_1_19);
        c_cache_0_0_12 = v27;
        c_cache_0_1_13 = v28;
        c_cache_1_0_14 = v31;
        c_cache_1_1_15 = v32;
        c_cache_2_0_16 = v35;
        c_cache_2_1_17 = v36;
        c_cache_3_0_18 = v39;
        c_cache_3_1_19 = v40;
      }
      // micro_kernel.py  c.store[NR](m, 0, c_cache[m])
      *(f32x8_memory *)(c_ + v11) = c_cache_0_0_12;
      *(f32x8_memory *)(c_ + (v11 + 8)) = c_cache_0_1_13;
      const int64_t v41 = v11 + c_stride0_;
      *(f32x8_memory *)(c_ + v41) = c_cache_1_0_14;
      *(f32x8_memory *)(c_ + (v41 + 8)) = c_cache_1_1_15;
      const int64_t v42 = v11 + 2 * c_stride0_;
      *(f32x8_memory *)(c_ + v42) = c_cache_2_0_16;
      *(f32x8_memory *)(c_ + (v42 + 8)) = c_cache_2_1_17;
      const int64_t v43 = v11 + 3 * c_stride0_;
      *(f32x8_memory *)(c_ + v43) = c_cache_3_0_18;
      *(f32x8_memory *)(c_ + (v43 + 8)) = c_cache_3_1_19;
    }
  }
  (void)args; (void)worker; (void)workers;
}
