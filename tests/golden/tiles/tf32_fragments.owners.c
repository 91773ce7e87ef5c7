#include <stdint.h>
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
void owners(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_stride0_ = (int64_t)args[3];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // tf32_fragments.py  out.store(0, 0, tl.Tile[tl.float32, kind](0).map(lambda zeros: zeros + numbers))
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    for (int64_t thread_6 = 0; thread_6 < 32; thread_6 += 1) {
      const int64_t v7 = thread_6 & 31;
      const int64_t v8 = (v7 & 3) + (v7 >> 2) * out_stride0_;
      const i64x4 v9 = v8 - (i64x4){};
      const int64_t v10 = out_stride0_ * 8;
      const i64x4 v11 = v10 - (i64x4){};
      const i64x4 v12 = (i64x4){0, 1, 0, 1} * v11;
      const i64x4 v13 = v12 + (i64x4){0, 0, 4, 4};
      const i64x4 v14 = v9 + v13;
      const int64_t v15 = v7 * 4;
      const float v16 = (float)v15;
      const f32x4 v17 = v16 - (f32x4){};
      const f32x4 numbers_18 = (f32x4){0.0f, 1.0f, 2.0f, 3.0f} + v17;
      const f32x4 v19 = 0.0f + numbers_18;
      out_[v14[0]] = v19[0]; out_[v14[1]] = v19[1]; out_[v14[2]] = v19[2]; out_[v14[3]] = v19[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
