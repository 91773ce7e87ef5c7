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
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // tf32_fragments.py  out.store(0, 0, tl.Tile[tl.float32, kind](0).map(lambda zeros: zeros + numbers))
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    for (int64_t thread_7 = 0; thread_7 < 32; thread_7 += 1) {
      const int64_t v8 = thread_7 & 31;
      const int64_t v9 = v8 & 3;
      const int64_t v10 = v8 >> 2;
      const int64_t v11 = v10 * out_stride0_;
      const int64_t v12 = v9 + v11;
      const i64x4 v13 = v12 - (i64x4){};
      const int64_t v14 = out_stride0_ * 8;
      const i64x4 v15 = v14 - (i64x4){};
      const i64x4 v16 = (i64x4){0, 1, 0, 1} * v15;
      const i64x4 v17 = v16 + (i64x4){0, 0, 4, 4};
      const i64x4 v18 = v13 + v17;
      const int64_t v19 = v8 * 4;
      const float v20 = (float)v19;
      const f32x4 v21 = v20 - (f32x4){};
      const f32x4 numbers_22 = (f32x4){0.0f, 1.0f, 2.0f, 3.0f} + v21;
      const f32x4 v23 = 0.0f + numbers_22;
      out_[v18[0]] = v23[0]; out_[v18[1]] = v23[1]; out_[v18[2]] = v23[2]; out_[v18[3]] = v23[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
