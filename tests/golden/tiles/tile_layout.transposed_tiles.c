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
      const int64_t v3 = m_1 * 8;
      const int64_t v4 = n_2 * 128;
      const int64_t v5 = v3 + v4;
      const f32x4 v6 = *(f32x4_memory *)(x_ + v5);
      const int64_t v7 = v5 + 4;
      const f32x4 v8 = *(f32x4_memory *)(x_ + v7);
      const f32x4 v9 = v6 + v8;
      const int64_t v10 = v5 + 32;
      const f32x4 v11 = *(f32x4_memory *)(x_ + v10);
      const f32x4 v12 = v9 + v11;
      const int64_t v13 = v10 + 4;
      const f32x4 v14 = *(f32x4_memory *)(x_ + v13);
      const f32x4 v15 = v12 + v14;
      const int64_t v16 = v5 + 64;
      const f32x4 v17 = *(f32x4_memory *)(x_ + v16);
      const f32x4 v18 = v15 + v17;
      const int64_t v19 = v16 + 4;
      const f32x4 v20 = *(f32x4_memory *)(x_ + v19);
      const f32x4 v21 = v18 + v20;
      const int64_t v22 = v5 + 96;
      const f32x4 v23 = *(f32x4_memory *)(x_ + v22);
      const f32x4 v24 = v21 + v23;
      const int64_t v25 = v22 + 4;
      const f32x4 v26 = *(f32x4_memory *)(x_ + v25);
      const f32x4 v27 = v24 + v26;
      const f32x2 v28 = __builtin_shufflevector(v27, v27, 0, 1);
      const f32x2 v29 = __builtin_shufflevector(v27, v27, 2, 3);
      const f32x2 v30 = v28 + v29;
      const float v31 = v30[0];
      const float v32 = v30[1];
      const float v33 = v31 + v32;
      const int64_t v34 = m_1 * out_stride0_;
      const int64_t v35 = v34 + n_2;
      out_[v35] = v33;
    }
  }
  (void)args; (void)worker; (void)workers;
}
