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
  const int64_t out_n0_ = (int64_t)args[1];
  const int64_t out_n1_ = (int64_t)args[2];
  const int64_t out_stride0_ = (int64_t)args[3];
  float *x_ = (float *)(uintptr_t)args[4];
  const int64_t x_n0_ = (int64_t)args[5];
  const int64_t x_n1_ = (int64_t)args[6];
  const int64_t x_stride0_ = (int64_t)args[7];
  const int64_t grid_x_ = (int64_t)args[8];
  const int64_t grid_y_ = (int64_t)args[9];
  const int64_t grid_z_ = (int64_t)args[10];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // staging.py  target.copy_from(tile.transpose())
  const int64_t trips4 = v2 > 0 ? (v2 - 0 + 1 - 1) / 1 : 0;
  const int64_t first5 = 0 + trips4 * worker / workers * 1;
  const int64_t last6 = 0 + trips4 * (worker + 1) / workers * 1;
  const int64_t end7 = last6 < v2 ? last6 : v2;
  for (int64_t block_3 = first5; block_3 < end7; block_3 += 1) {
    const int64_t v8 = tl_floor_modulo_i64x1(block_3, grid_x_);
    const int64_t v9 = tl_floor_divide_i64x1(block_3, grid_x_);
    const int64_t v10 = tl_floor_modulo_i64x1(v9, grid_y_);
    float local11[64] __attribute__((aligned(64)));
    // staging.py  smem = x.tile[SIZE, SIZE](i, j).copy[tl.SHARED]()
    for (int64_t thread_12 = 0; thread_12 < 16; thread_12 += 1) {
      const int64_t v13 = thread_12 >> 1;
      const int64_t v14 = v13 * 8;
      const int64_t v15 = thread_12 & 1;
      const int64_t v16 = v15 * 4;
      const int64_t v17 = v14 + v16;
      const int64_t v18 = v10 * 8;
      const int64_t v19 = v18 * x_stride0_;
      const int64_t v20 = v8 * 8;
      const int64_t v21 = v19 + v20;
      const int64_t v22 = v13 * x_stride0_;
      const int64_t v23 = v21 + v22;
      const int64_t v24 = v23 + v16;
      for (int64_t i25 = 0; i25 < 4; i25 += 1) {
        const int64_t v26 = v24 + i25;
        const float v27 = x_[v26];
        const int64_t v28 = v17 + i25;
        local11[v28] = v27;
      }
    }
    // staging.py  target.copy_from(tile.transpose())
    for (int64_t thread_29 = 0; thread_29 < 16; thread_29 += 1) {
      const int64_t v30 = v8 * 8;
      const int64_t v31 = v30 * out_stride0_;
      const int64_t v32 = v10 * 8;
      const int64_t v33 = v31 + v32;
      const int64_t v34 = thread_29 >> 3;
      const int64_t v35 = v34 * out_stride0_;
      const int64_t v36 = v33 + v35;
      const int64_t v37 = thread_29 & 7;
      const int64_t v38 = v36 + v37;
      const int64_t v39 = v37 * 8;
      const int64_t v40 = v34 + v39;
      for (int64_t i41 = 0; i41 < 1; i41 += 1) {
        const int64_t v42 = v40 + i41;
        const float v43 = local11[v42];
        const int64_t v44 = v38 + i41;
        out_[v44] = v43;
      }
      const int64_t v45 = thread_29 + 16;
      const int64_t v46 = v45 >> 3;
      const int64_t v47 = v46 * out_stride0_;
      const int64_t v48 = v33 + v47;
      const int64_t v49 = v45 & 7;
      const int64_t v50 = v48 + v49;
      const int64_t v51 = v49 * 8;
      const int64_t v52 = v46 + v51;
      for (int64_t i53 = 0; i53 < 1; i53 += 1) {
        const int64_t v54 = v52 + i53;
        const float v55 = local11[v54];
        const int64_t v56 = v50 + i53;
        out_[v56] = v55;
      }
      const int64_t v57 = thread_29 + 32;
      const int64_t v58 = v57 >> 3;
      const int64_t v59 = v58 * out_stride0_;
      const int64_t v60 = v33 + v59;
      const int64_t v61 = v57 & 7;
      const int64_t v62 = v60 + v61;
      const int64_t v63 = v61 * 8;
      const int64_t v64 = v58 + v63;
      for (int64_t i65 = 0; i65 < 1; i65 += 1) {
        const int64_t v66 = v64 + i65;
        const float v67 = local11[v66];
        const int64_t v68 = v62 + i65;
        out_[v68] = v67;
      }
      const int64_t v69 = thread_29 + 48;
      const int64_t v70 = v69 >> 3;
      const int64_t v71 = v70 * out_stride0_;
      const int64_t v72 = v33 + v71;
      const int64_t v73 = v69 & 7;
      const int64_t v74 = v72 + v73;
      const int64_t v75 = v73 * 8;
      const int64_t v76 = v70 + v75;
      for (int64_t i77 = 0; i77 < 1; i77 += 1) {
        const int64_t v78 = v76 + i77;
        const float v79 = local11[v78];
        const int64_t v80 = v74 + i77;
        out_[v80] = v79;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
