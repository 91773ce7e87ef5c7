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
  // recursive_matmul.py  for block in tl.parallel(range(c.shape[0] // rows)):
  const int64_t v1 = c_n0_ >> 3;
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    // recursive_matmul.py  stripe = c.tile[rows, columns](block, 0)
    const int64_t v6 = block_2 * 8;
    const int64_t v7 = v6 * c_stride0_;
    // recursive_matmul.py  multiply(stripe, a.tile[rows, depth](block, 0), b, list(levels))
    const int64_t v8 = v6 * a_stride0_;
    // recursive_matmul.py  for m in range(c.shape[0] // M):
    for (int64_t m_9 = 0; m_9 < 1; m_9 += 1) {
      // recursive_matmul.py  for n in range(c.shape[1] // N):
      const int64_t v10 = c_n1_ >> 3;
      for (int64_t n_11 = 0; n_11 < v10; n_11 += 1) {
        // recursive_matmul.py  for k in range(a.shape[1] // K):
        const int64_t v12 = a_n1_ >> 3;
        for (int64_t k_13 = 0; k_13 < v12; k_13 += 1) {
          // recursive_matmul.py  multiply(c.tile[M, N](m, n), a.tile[M, K](m, k), b.tile[K, N](k, n), finer)
          const int64_t v14 = m_9 * 8;
          const int64_t v15 = n_11 * 8;
          const int64_t v16 = v7 + v14 * c_stride0_ + v15;
          const int64_t v17 = k_13 * 8;
          const int64_t v18 = v8 + v14 * a_stride0_ + v17;
          const int64_t v19 = v17 * b_stride0_ + v15;
          // recursive_matmul.py  for m in range(c.shape[0] // M):
          for (int64_t m_20 = 0; m_20 < 4; m_20 += 1) {
            // recursive_matmul.py  for n in range(c.shape[1] // N):
            for (int64_t n_21 = 0; n_21 < 1; n_21 += 1) {
              // recursive_matmul.py  for k in range(a.shape[1] // K):
              for (int64_t k_22 = 0; k_22 < 4; k_22 += 1) {
                // recursive_matmul.py  multiply(c.tile[M, N](m, n), a.tile[M, K](m, k), b.tile[K, N](k, n), finer)
                const int64_t v23 = m_20 * 2;
                const int64_t v24 = n_21 * 8;
                const int64_t v25 = v16 + v23 * c_stride0_ + v24;
                const int64_t v26 = k_22 * 2;
                const int64_t v27 = v18 + v23 * a_stride0_ + v26;
                const int64_t v28 = v19 + v26 * b_stride0_ + v24;
                // recursive_matmul.py  total = [c.load[width](m, 0) for m in range(rows)]
                const f32x8 v29 = *(f32x8_memory *)(c_ + v25);
                const int64_t v30 = v25 + c_stride0_;
                const f32x8 v31 = *(f32x8_memory *)(c_ + v30);
                // recursive_matmul.py  row = b.load[width](k, 0)
                const f32x8 row_32 = *(f32x8_memory *)(b_ + v28);
                // recursive_matmul.py  total = [SIMD[c.dtype, width](a[m, k]).fma(row, total[m]) for m in range(rows)]
                const float v33 = a_[v27];
                const f32x8 v34 = v33 - (f32x8){};
                const f32x8 v35 = tl_fma_f32x8(v34, row_32, v29);
                const int64_t v36 = v27 + a_stride0_;
                const float v37 = a_[v36];
                const f32x8 v38 = v37 - (f32x8){};
                const f32x8 v39 = tl_fma_f32x8(v38, row_32, v31);
                // recursive_matmul.py  row = b.load[width](k, 0)
                const f32x8 row_40 = *(f32x8_memory *)(b_ + (v28 + b_stride0_));
                // recursive_matmul.py  total = [SIMD[c.dtype, width](a[m, k]).fma(row, total[m]) for m in range(rows)]
                const float v41 = a_[v27 + 1];
                const f32x8 v42 = v41 - (f32x8){};
                const f32x8 v43 = tl_fma_f32x8(v42, row_40, v35);
                const float v44 = a_[v36 + 1];
                const f32x8 v45 = v44 - (f32x8){};
                const f32x8 v46 = tl_fma_f32x8(v45, row_40, v39);
                // recursive_matmul.py  c.store[width](m, 0, total[m])
                *(f32x8_memory *)(c_ + v25) = v43;
                *(f32x8_memory *)(c_ + v30) = v46;
              }
            }
          }
        }
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
