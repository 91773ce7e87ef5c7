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
void every_other_row(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  const int64_t out_n1_ = (int64_t)args[2];
  const int64_t out_stride0_ = (int64_t)args[3];
  float *x_ = (float *)(uintptr_t)args[4];
  if (worker) return;
  // tile_layout.py  for m in range(out.shape[0]):
  for (int64_t m_1 = 0; m_1 < out_n0_; m_1 += 1) {
    // tile_layout.py  for n in range(out.shape[1]):
    for (int64_t n_2 = 0; n_2 < out_n1_; n_2 += 1) {
      // tile_layout.py  tile = matrix.tile[Layout(ROWS, 2), COLUMNS](m, n)
      const int64_t v3 = m_1 & 1;
      const int64_t v4 = v3 * 32;
      const int64_t v5 = m_1 >> 1;
      const int64_t v6 = v5 * 256;
      const int64_t v7 = v4 + v6;
      const int64_t v8 = n_2 * 8;
      const int64_t v9 = v7 + v8;
      // tile_layout.py  out[m, n] = tile.reduce("add")
      const f32x4 v10 = *(f32x4_memory *)(x_ + v9);
      const int64_t v11 = v9 + 4;
      const f32x4 v12 = *(f32x4_memory *)(x_ + v11);
      const f32x4 v13 = v10 + v12;
      const int64_t v14 = v9 + 64;
      const f32x4 v15 = *(f32x4_memory *)(x_ + v14);
      const f32x4 v16 = v13 + v15;
      const int64_t v17 = v14 + 4;
      const f32x4 v18 = *(f32x4_memory *)(x_ + v17);
      const f32x4 v19 = v16 + v18;
      const int64_t v20 = v9 + 128;
      const f32x4 v21 = *(f32x4_memory *)(x_ + v20);
      const f32x4 v22 = v19 + v21;
      const int64_t v23 = v20 + 4;
      const f32x4 v24 = *(f32x4_memory *)(x_ + v23);
      const f32x4 v25 = v22 + v24;
      const int64_t v26 = v9 + 192;
      const f32x4 v27 = *(f32x4_memory *)(x_ + v26);
      const f32x4 v28 = v25 + v27;
      const int64_t v29 = v26 + 4;
      const f32x4 v30 = *(f32x4_memory *)(x_ + v29);
      const f32x4 v31 = v28 + v30;
      const f32x2 v32 = __builtin_shufflevector(v31, v31, 0, 1);
      const f32x2 v33 = __builtin_shufflevector(v31, v31, 2, 3);
      const f32x2 v34 = v32 + v33;
      const float v35 = v34[0];
      const float v36 = v34[1];
      const float v37 = v35 + v36;
      const int64_t v38 = m_1 * out_stride0_;
      const int64_t v39 = v38 + n_2;
      out_[v39] = v37;
    }
  }
  (void)args; (void)worker; (void)workers;
}
