#include <stdint.h>
#ifndef tl_floor_modulo_i64x1_
#define tl_floor_modulo_i64x1_
static inline __attribute__((always_inline)) int64_t tl_floor_modulo_i64x1(int64_t a, int64_t b) {
  int64_t s = ((b == 0) | (b == -1)) ? 1 : b, r = a % s;
  return r + (s & -(int64_t)((r != 0) & ((r < 0) != (s < 0))));
}
#endif
#ifndef tl_floor_divide_i64x1_
#define tl_floor_divide_i64x1_
static inline __attribute__((always_inline)) int64_t tl_floor_divide_i64x1(int64_t a, int64_t b) {
  int64_t s = ((b == 0) | (b == -1)) ? 1 : b, q = a / s, r = a % s;
  int64_t n = -(b == -1), z = -(b != 0);
  q -= (r != 0) & ((r < 0) != (s < 0));
  return ((q ^ n) - n) & z;
}
#endif
void transposed(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_stride0_ = (int64_t)args[3];
  float *x_ = (float *)(uintptr_t)args[4];
  const int64_t x_stride0_ = (int64_t)args[7];
  const int64_t grid_x_ = (int64_t)args[8];
  const int64_t grid_y_ = (int64_t)args[9];
  const int64_t grid_z_ = (int64_t)args[10];
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // staging.py  target.copy_from(tile.transpose())
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    const int64_t v6 = tl_floor_modulo_i64x1(block_2, grid_x_);
    const int64_t v7 = tl_floor_divide_i64x1(block_2, grid_x_);
    const int64_t v8 = tl_floor_modulo_i64x1(v7, grid_y_);
    float local9[64] __attribute__((aligned(64)));
    // staging.py  smem = x.tile[SIZE, SIZE](i, j).copy[tl.SHARED]()
    for (int64_t thread_10 = 0; thread_10 < 16; thread_10 += 1) {
      const int64_t v11 = thread_10 >> 1;
      const int64_t v12 = (thread_10 & 1) * 4;
      const int64_t v13 = v11 * 8 + v12;
      const int64_t v14 = v8 * 8 * x_stride0_ + v6 * 8 + v11 * x_stride0_ + v12;
      for (int64_t i15 = 0; i15 < 4; i15 += 1) {
        local9[v13 + i15] = x_[v14 + i15];
      }
    }
    // staging.py  target.copy_from(tile.transpose())
    for (int64_t thread_16 = 0; thread_16 < 16; thread_16 += 1) {
      const int64_t v17 = v6 * 8 * out_stride0_ + v8 * 8;
      const int64_t v18 = thread_16 >> 3;
      const int64_t v19 = thread_16 & 7;
      out_[v17 + v18 * out_stride0_ + v19] = local9[v18 + v19 * 8];
      const int64_t v20 = thread_16 + 16;
      const int64_t v21 = v20 >> 3;
      const int64_t v22 = v20 & 7;
      out_[v17 + v21 * out_stride0_ + v22] = local9[v21 + v22 * 8];
      const int64_t v23 = thread_16 + 32;
      const int64_t v24 = v23 >> 3;
      const int64_t v25 = v23 & 7;
      out_[v17 + v24 * out_stride0_ + v25] = local9[v24 + v25 * 8];
      const int64_t v26 = thread_16 + 48;
      const int64_t v27 = v26 >> 3;
      const int64_t v28 = v26 & 7;
      out_[v17 + v27 * out_stride0_ + v28] = local9[v27 + v28 * 8];
    }
  }
  (void)args; (void)worker; (void)workers;
}
