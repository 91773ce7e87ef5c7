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
  const int64_t a_n0_ = (int64_t)args[5];
  const int64_t a_n1_ = (int64_t)args[6];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_n0_ = (int64_t)args[9];
  const int64_t b_n1_ = (int64_t)args[10];
  const int64_t b_stride0_ = (int64_t)args[11];
  // recursive_matmul.py  for block in tl.parallel(range(c.shape[0] // rows)):
  const int64_t v1 = c_n0_ >> 3;
  const int64_t trips3 = v1 > 0 ? (v1 - 0 + 1 - 1) / 1 : 0;
  const int64_t first4 = 0 + trips3 * worker / workers * 1;
  const int64_t last5 = 0 + trips3 * (worker + 1) / workers * 1;
  const int64_t end6 = last5 < v1 ? last5 : v1;
  for (int64_t block_2 = first4; block_2 < end6; block_2 += 1) {
    // recursive_matmul.py  stripe = c.tile[rows, columns](block, 0)
    const int64_t v7 = block_2 * 8;
    const int64_t v8 = v7 * c_stride0_;
    // recursive_matmul.py  multiply(stripe, a.tile[rows, depth](block, 0), b, list(levels))
    const int64_t v9 = v7 * a_stride0_;
    // recursive_matmul.py  for m in range(c.shape[0] // M):
    for (int64_t m_10 = 0; m_10 < 1; m_10 += 1) {
      // recursive_matmul.py  for n in range(c.shape[1] // N):
      const int64_t v11 = c_n1_ >> 3;
      for (int64_t n_12 = 0; n_12 < v11; n_12 += 1) {
        // recursive_matmul.py  for k in range(a.shape[1] // K):
        const int64_t v13 = a_n1_ >> 3;
        for (int64_t k_14 = 0; k_14 < v13; k_14 += 1) {
          // recursive_matmul.py  multiply(c.tile[M, N](m, n), a.tile[M, K](m, k), b.tile[K, N](k, n), finer)
          const int64_t v15 = m_10 * 8;
          const int64_t v16 = n_12 * 8;
          const int64_t v17 = v15 * c_stride0_;
          const int64_t v18 = v8 + v17;
          const int64_t v19 = v18 + v16;
          const int64_t v20 = k_14 * 8;
          const int64_t v21 = v15 * a_stride0_;
          const int64_t v22 = v9 + v21;
          const int64_t v23 = v22 + v20;
          const int64_t v24 = v20 * b_stride0_;
          const int64_t v25 = v24 + v16;
          // recursive_matmul.py  for m in range(c.shape[0] // M):
          for (int64_t m_26 = 0; m_26 < 4; m_26 += 1) {
            // recursive_matmul.py  for n in range(c.shape[1] // N):
            for (int64_t n_27 = 0; n_27 < 1; n_27 += 1) {
              // recursive_matmul.py  for k in range(a.shape[1] // K):
              for (int64_t k_28 = 0; k_28 < 4; k_28 += 1) {
                // recursive_matmul.py  multiply(c.tile[M, N](m, n), a.tile[M, K](m, k), b.tile[K, N](k, n), finer)
                const int64_t v29 = m_26 * 2;
                const int64_t v30 = n_27 * 8;
                const int64_t v31 = v29 * c_stride0_;
                const int64_t v32 = v19 + v31;
                const int64_t v33 = v32 + v30;
                const int64_t v34 = k_28 * 2;
                const int64_t v35 = v29 * a_stride0_;
                const int64_t v36 = v23 + v35;
                const int64_t v37 = v36 + v34;
                const int64_t v38 = v34 * b_stride0_;
                const int64_t v39 = v25 + v38;
                const int64_t v40 = v39 + v30;
                // recursive_matmul.py  total = [c.load[width](m, 0) for m in range(rows)]
                const f32x8 v41 = *(f32x8_memory *)(c_ + v33);
                const int64_t v42 = v33 + c_stride0_;
                const f32x8 v43 = *(f32x8_memory *)(c_ + v42);
                // recursive_matmul.py  row = b.load[width](k, 0)
                const f32x8 row_44 = *(f32x8_memory *)(b_ + v40);
                // recursive_matmul.py  total = [SIMD[c.dtype, width](a[m, k]).fma(row, total[m]) for m in range(rows)]
                const float v45 = a_[v37];
                const f32x8 v46 = v45 - (f32x8){};
                const f32x8 v47 = tl_fma_f32x8(v46, row_44, v41);
                const int64_t v48 = v37 + a_stride0_;
                const float v49 = a_[v48];
                const f32x8 v50 = v49 - (f32x8){};
                const f32x8 v51 = tl_fma_f32x8(v50, row_44, v43);
                // recursive_matmul.py  row = b.load[width](k, 0)
                const int64_t v52 = v40 + b_stride0_;
                const f32x8 row_53 = *(f32x8_memory *)(b_ + v52);
                // recursive_matmul.py  total = [SIMD[c.dtype, width](a[m, k]).fma(row, total[m]) for m in range(rows)]
                const int64_t v54 = v37 + 1;
                const float v55 = a_[v54];
                const f32x8 v56 = v55 - (f32x8){};
                const f32x8 v57 = tl_fma_f32x8(v56, row_53, v47);
                const int64_t v58 = v48 + 1;
                const float v59 = a_[v58];
                const f32x8 v60 = v59 - (f32x8){};
                const f32x8 v61 = tl_fma_f32x8(v60, row_53, v51);
                // recursive_matmul.py  c.store[width](m, 0, total[m])
                *(f32x8_memory *)(c_ + v33) = v57;
                *(f32x8_memory *)(c_ + v42) = v61;
              }
            }
          }
        }
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
