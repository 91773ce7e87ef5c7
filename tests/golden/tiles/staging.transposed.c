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
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // staging.py  target.copy_from(tile.transpose())
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    const int64_t v7 = tl_floor_modulo_i64x1(block_3, grid_x_);
    const int64_t v8 = tl_floor_divide_i64x1(block_3, grid_x_);
    const int64_t v9 = tl_floor_modulo_i64x1(v8, grid_y_);
    float local10[64] __attribute__((aligned(64)));
    // staging.py  smem = x.tile[SIZE, SIZE](i, j).copy[tl.SHARED]()
    for (int64_t thread_11 = 0; thread_11 < 16; thread_11 += 1) {
      const int64_t v12 = thread_11 >> 1;
      const int64_t v13 = v12 * 8;
      const int64_t v14 = thread_11 & 1;
      const int64_t v15 = v14 * 4;
      const int64_t v16 = v13 + v15;
      const int64_t v17 = v9 * 8;
      const int64_t v18 = v17 * x_stride0_;
      const int64_t v19 = v7 * 8;
      const int64_t v20 = v18 + v19;
      const int64_t v21 = v12 * x_stride0_;
      const int64_t v22 = v20 + v21;
      const int64_t v23 = v22 + v15;
      for (int64_t i24 = 0; i24 < 4; i24 += 1) {
        const int64_t v25 = v23 + i24;
        const float v26 = x_[v25];
        const int64_t v27 = v16 + i24;
        local10[v27] = v26;
      }
    }
    // staging.py  target.copy_from(tile.transpose())
    for (int64_t thread_28 = 0; thread_28 < 16; thread_28 += 1) {
      const int64_t v29 = v7 * 8;
      const int64_t v30 = v29 * out_stride0_;
      const int64_t v31 = v9 * 8;
      const int64_t v32 = v30 + v31;
      const int64_t v33 = thread_28 >> 3;
      const int64_t v34 = v33 * out_stride0_;
      const int64_t v35 = v32 + v34;
      const int64_t v36 = thread_28 & 7;
      const int64_t v37 = v35 + v36;
      const int64_t v38 = v36 * 8;
      const int64_t v39 = v33 + v38;
      for (int64_t i40 = 0; i40 < 1; i40 += 1) {
        const int64_t v41 = v39 + i40;
        const float v42 = local10[v41];
        const int64_t v43 = v37 + i40;
        out_[v43] = v42;
      }
      const int64_t v44 = thread_28 + 16;
      const int64_t v45 = v44 >> 3;
      const int64_t v46 = v45 * out_stride0_;
      const int64_t v47 = v32 + v46;
      const int64_t v48 = v44 & 7;
      const int64_t v49 = v47 + v48;
      const int64_t v50 = v48 * 8;
      const int64_t v51 = v45 + v50;
      for (int64_t i52 = 0; i52 < 1; i52 += 1) {
        const int64_t v53 = v51 + i52;
        const float v54 = local10[v53];
        const int64_t v55 = v49 + i52;
        out_[v55] = v54;
      }
      const int64_t v56 = thread_28 + 32;
      const int64_t v57 = v56 >> 3;
      const int64_t v58 = v57 * out_stride0_;
      const int64_t v59 = v32 + v58;
      const int64_t v60 = v56 & 7;
      const int64_t v61 = v59 + v60;
      const int64_t v62 = v60 * 8;
      const int64_t v63 = v57 + v62;
      for (int64_t i64 = 0; i64 < 1; i64 += 1) {
        const int64_t v65 = v63 + i64;
        const float v66 = local10[v65];
        const int64_t v67 = v61 + i64;
        out_[v67] = v66;
      }
      const int64_t v68 = thread_28 + 48;
      const int64_t v69 = v68 >> 3;
      const int64_t v70 = v69 * out_stride0_;
      const int64_t v71 = v32 + v70;
      const int64_t v72 = v68 & 7;
      const int64_t v73 = v71 + v72;
      const int64_t v74 = v72 * 8;
      const int64_t v75 = v69 + v74;
      for (int64_t i76 = 0; i76 < 1; i76 += 1) {
        const int64_t v77 = v75 + i76;
        const float v78 = local10[v77];
        const int64_t v79 = v73 + i76;
        out_[v79] = v78;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
