#include <stdint.h>
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_f32x2
#define TL_f32x2
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
void tile_sums(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  const int64_t out_n1_ = (int64_t)args[2];
  const int64_t out_stride0_ = (int64_t)args[3];
  float *x_ = (float *)(uintptr_t)args[4];
  const int64_t x_stride0_ = (int64_t)args[7];
  if (worker) return;
  // tile_layout.py  for m in range(out.shape[0]):
  for (int64_t m_1 = 0; m_1 < out_n0_; m_1 += 1) {
    // tile_layout.py  for n in range(out.shape[1]):
    for (int64_t n_2 = 0; n_2 < out_n1_; n_2 += 1) {
      // tile_layout.py  tile = x.tile[ROWS, COLUMNS](m, n)
      const int64_t v3 = m_1 * 4;
      const int64_t v4 = n_2 * 8;
      const int64_t v5 = v3 * x_stride0_;
      const int64_t v6 = v5 + v4;
      // tile_layout.py  out[m, n] = tile.reduce("add")
      const f32x4 v7 = *(f32x4_memory *)(x_ + v6);
      const int64_t v8 = v6 + 4;
      const f32x4 v9 = *(f32x4_memory *)(x_ + v8);
      const f32x4 v10 = v7 + v9;
      const int64_t v11 = v6 + x_stride0_;
      const f32x4 v12 = *(f32x4_memory *)(x_ + v11);
      const f32x4 v13 = v10 + v12;
      const int64_t v14 = v11 + 4;
      const f32x4 v15 = *(f32x4_memory *)(x_ + v14);
      const f32x4 v16 = v13 + v15;
      const int64_t v17 = 2 * x_stride0_;
      const int64_t v18 = v6 + v17;
      const f32x4 v19 = *(f32x4_memory *)(x_ + v18);
      const f32x4 v20 = v16 + v19;
      const int64_t v21 = v18 + 4;
      const f32x4 v22 = *(f32x4_memory *)(x_ + v21);
      const f32x4 v23 = v20 + v22;
      const int64_t v24 = 3 * x_stride0_;
      const int64_t v25 = v6 + v24;
      const f32x4 v26 = *(f32x4_memory *)(x_ + v25);
      const f32x4 v27 = v23 + v26;
      const int64_t v28 = v25 + 4;
      const f32x4 v29 = *(f32x4_memory *)(x_ + v28);
      const f32x4 v30 = v27 + v29;
      const f32x2 v31 = __builtin_shufflevector(v30, v30, 0, 1);
      const f32x2 v32 = __builtin_shufflevector(v30, v30, 2, 3);
      const f32x2 v33 = v31 + v32;
      const float v34 = v33[0];
      const float v35 = v33[1];
      const float v36 = v34 + v35;
      const int64_t v37 = m_1 * out_stride0_;
      const int64_t v38 = v37 + n_2;
      out_[v38] = v36;
    }
  }
  (void)args; (void)worker; (void)workers;
}
