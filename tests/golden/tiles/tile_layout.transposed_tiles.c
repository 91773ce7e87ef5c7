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
void transposed_tiles(const uint64_t *args, int64_t worker, int64_t workers) {
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
      // tile_layout.py  out[m, n] = matrix.tile[ROWS, COLUMNS](m, n, layout=swapped).reduce("add")
      const int64_t v3 = m_1 * 8 + n_2 * 128;
      const f32x4 v4 = *(f32x4_memory *)(x_ + v3);
      const f32x4 v5 = *(f32x4_memory *)(x_ + (v3 + 4));
      const f32x4 v6 = v4 + v5;
      const int64_t v7 = v3 + 32;
      const f32x4 v8 = *(f32x4_memory *)(x_ + v7);
      const f32x4 v9 = v6 + v8;
      const f32x4 v10 = *(f32x4_memory *)(x_ + (v7 + 4));
      const f32x4 v11 = v9 + v10;
      const int64_t v12 = v3 + 64;
      const f32x4 v13 = *(f32x4_memory *)(x_ + v12);
      const f32x4 v14 = v11 + v13;
      const f32x4 v15 = *(f32x4_memory *)(x_ + (v12 + 4));
      const f32x4 v16 = v14 + v15;
      const int64_t v17 = v3 + 96;
      const f32x4 v18 = *(f32x4_memory *)(x_ + v17);
      const f32x4 v19 = v16 + v18;
      const f32x4 v20 = *(f32x4_memory *)(x_ + (v17 + 4));
      const f32x4 v21 = v19 + v20;
      const f32x2 v22 = __builtin_shufflevector(v21, v21, 0, 1);
      const f32x2 v23 = __builtin_shufflevector(v21, v21, 2, 3);
      const f32x2 v24 = v22 + v23;
      const float v25 = v24[0];
      const float v26 = v24[1];
      const float v27 = v25 + v26;
      out_[m_1 * out_stride0_ + n_2] = v27;
    }
  }
  (void)args; (void)worker; (void)workers;
}
