#include <stdint.h>
#ifndef TL_i32x4
#define TL_i32x4
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef tl_floor_modulo_i64x1_
#define tl_floor_modulo_i64x1_
static inline __attribute__((always_inline)) int64_t tl_floor_modulo_i64x1(int64_t a, int64_t b) {
  int64_t s = ((b == 0) | (b == -1)) ? 1 : b, r = a % s;
  return r + (s & -(int64_t)((r != 0) & ((r < 0) != (s < 0))));
}
#endif
void smoothed(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_n0_ = (int64_t)args[3];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // staging.py  await following
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    float local7[64] __attribute__((aligned(64)));
    // staging.py  for step in range(blocks):
    int64_t local8[32] __attribute__((aligned(64)));
    // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
    int64_t local9[32] __attribute__((aligned(64)));
    // staging.py  following = rows.tile[1, size](0, 0).copy[tl.SHARED](into=buffers.tile[1, size](0, 0))
    for (int64_t thread_10 = 0; thread_10 < 32; thread_10 += 1) {
      const int64_t v11 = thread_10 >> 3;
      const int64_t v12 = v11 * 32;
      const int64_t v13 = thread_10 & 7;
      const int64_t v14 = v13 * 4;
      const int64_t v15 = v12 + v14;
      const uint8_t v16 = thread_10 < 8;
      const i32x4 v17 = (i32x4){} - v16;
      f32x4 t18 = (f32x4){};
      if (v17[0]) t18[0] = x_[v15]; if (v17[1]) t18[1] = x_[v15 + 1]; if (v17[2]) t18[2] = x_[v15 + 2]; if (v17[3]) t18[3] = x_[v15 + 3];
      if (v17[0]) local7[v15] = t18[0]; if (v17[1]) local7[v15 + 1] = t18[1]; if (v17[2]) local7[v15 + 2] = t18[2]; if (v17[3]) local7[v15 + 3] = t18[3];
    }
    // staging.py  for step in range(blocks):
    for (int64_t thread_19 = 0; thread_19 < 32; thread_19 += 1) {
      local8[thread_19] = 0;
    }
    const int64_t v20 = x_n0_ >> 5;
    // staging.py  tl.barrier()  # all have read the row, before the next copy overwrites it
    for (int64_t step_21 = 0; step_21 < v20; step_21 += 1) {
      // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
      for (int64_t thread_22 = 0; thread_22 < 32; thread_22 += 1) {
        // staging.py  ahead = (step + 1) % blocks
        const int64_t v23 = step_21 + 1;
        const int64_t v24 = x_n0_ >> 5;
        const int64_t ahead_25 = tl_floor_modulo_i64x1(v23, v24);
        // staging.py  buffer = buffers.tile[1, size]((step + 1) % 2, 0)
        const int64_t v26 = v23 & 1;
        const int64_t v27 = v26 * 32;
        // staging.py  following = rows.tile[1, size](ahead, 0).copy[tl.SHARED](into=buffer)
        const int64_t v28 = ahead_25 * 32;
        const int64_t v29 = thread_22 >> 3;
        const int64_t v30 = v29 * 32;
        const int64_t v31 = v28 + v30;
        const int64_t v32 = thread_22 & 7;
        const int64_t v33 = v32 * 4;
        const int64_t v34 = v31 + v33;
        const uint8_t v35 = thread_22 < 8;
        const i32x4 v36 = (i32x4){} - v35;
        f32x4 t37 = (f32x4){};
        if (v36[0]) t37[0] = x_[v34]; if (v36[1]) t37[1] = x_[v34 + 1]; if (v36[2]) t37[2] = x_[v34 + 2]; if (v36[3]) t37[3] = x_[v34 + 3];
        const int64_t v38 = v27 + v30;
        const int64_t v39 = v38 + v33;
        if (v36[0]) local7[v39] = t37[0]; if (v36[1]) local7[v39 + 1] = t37[1]; if (v36[2]) local7[v39 + 2] = t37[2]; if (v36[3]) local7[v39 + 3] = t37[3];
        // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
        const int64_t v40 = local8[thread_22];
        const int64_t v41 = thread_22 - 1;
        const int64_t v42 = v41 & 31;
        const int64_t v43 = v40 + v42;
        const float v44 = local7[v43];
        const int64_t v45 = v40 + thread_22;
        const float v46 = local7[v45];
        const float v47 = v44 + v46;
        const int64_t v48 = thread_22 + 1;
        const int64_t v49 = v48 & 31;
        const int64_t v50 = v40 + v49;
        const float v51 = local7[v50];
        const float v52 = v47 + v51;
        const int64_t v53 = step_21 * 32;
        const int64_t v54 = v53 + thread_22;
        out_[v54] = v52;
        local9[thread_22] = v27;
      }
      // staging.py  tl.barrier()  # all have read the row, before the next copy overwrites it
      for (int64_t thread_55 = 0; thread_55 < 32; thread_55 += 1) {
        const int64_t v56 = local9[thread_55];
        local8[thread_55] = v56;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
