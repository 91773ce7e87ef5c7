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
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // staging.py  await following
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    float local6[64] __attribute__((aligned(64)));
    // staging.py  for step in range(blocks):
    int64_t local7[32] __attribute__((aligned(64)));
    // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
    int64_t local8[32] __attribute__((aligned(64)));
    // staging.py  following = rows.tile[1, size](0, 0).copy[tl.SHARED](into=buffers.tile[1, size](0, 0))
    for (int64_t thread_9 = 0; thread_9 < 32; thread_9 += 1) {
      const int64_t v10 = (thread_9 >> 3) * 32 + (thread_9 & 7) * 4;
      const uint8_t v11 = thread_9 < 8;
      const i32x4 v12 = (i32x4){} - v11;
      f32x4 t13 = (f32x4){};
      if (v12[0]) t13[0] = x_[v10]; if (v12[1]) t13[1] = x_[v10 + 1]; if (v12[2]) t13[2] = x_[v10 + 2]; if (v12[3]) t13[3] = x_[v10 + 3];
      if (v12[0]) local6[v10] = t13[0]; if (v12[1]) local6[v10 + 1] = t13[1]; if (v12[2]) local6[v10 + 2] = t13[2]; if (v12[3]) local6[v10 + 3] = t13[3];
    }
    // staging.py  for step in range(blocks):
    for (int64_t thread_14 = 0; thread_14 < 32; thread_14 += 1) {
      local7[thread_14] = 0;
    }
    const int64_t v15 = x_n0_ >> 5;
    // staging.py  tl.barrier()  # all have read the row, before the next copy overwrites it
    for (int64_t step_16 = 0; step_16 < v15; step_16 += 1) {
      // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
      for (int64_t thread_17 = 0; thread_17 < 32; thread_17 += 1) {
        // staging.py  ahead = (step + 1) % blocks
        const int64_t v18 = step_16 + 1;
        const int64_t v19 = x_n0_ >> 5;
        const int64_t ahead_20 = tl_floor_modulo_i64x1(v18, v19);
        // staging.py  buffer = buffers.tile[1, size]((step + 1) % 2, 0)
        const int64_t v21 = (v18 & 1) * 32;
        // staging.py  following = rows.tile[1, size](ahead, 0).copy[tl.SHARED](into=buffer)
        const int64_t v22 = (thread_17 >> 3) * 32;
        const int64_t v23 = (thread_17 & 7) * 4;
        const int64_t v24 = ahead_20 * 32 + v22 + v23;
        const uint8_t v25 = thread_17 < 8;
        const i32x4 v26 = (i32x4){} - v25;
        f32x4 t27 = (f32x4){};
        if (v26[0]) t27[0] = x_[v24]; if (v26[1]) t27[1] = x_[v24 + 1]; if (v26[2]) t27[2] = x_[v24 + 2]; if (v26[3]) t27[3] = x_[v24 + 3];
        const int64_t v28 = v21 + v22 + v23;
        if (v26[0]) local6[v28] = t27[0]; if (v26[1]) local6[v28 + 1] = t27[1]; if (v26[2]) local6[v28 + 2] = t27[2]; if (v26[3]) local6[v28 + 3] = t27[3];
        // staging.py  written[step, t] = row[0, (t - 1) % size] + row[0, t] + row[0, (t + 1) % size]
        const int64_t v29 = local7[thread_17];
        const float v30 = local6[v29 + ((thread_17 - 1) & 31)];
        const float v31 = local6[v29 + thread_17];
        const float v32 = v30 + v31;
        const float v33 = local6[v29 + ((thread_17 + 1) & 31)];
        const float v34 = v32 + v33;
        out_[step_16 * 32 + thread_17] = v34;
        local8[thread_17] = v21;
      }
      // staging.py  tl.barrier()  # all have read the row, before the next copy overwrites it
      for (int64_t thread_35 = 0; thread_35 < 32; thread_35 += 1) {
        local7[thread_35] = local8[thread_35];
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
