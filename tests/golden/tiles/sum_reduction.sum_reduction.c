#include <stdint.h>
#ifndef tl_floor_modulo_i64x1_
#define tl_floor_modulo_i64x1_
static inline __attribute__((always_inline)) int64_t tl_floor_modulo_i64x1(int64_t a, int64_t b) {
  int64_t s = ((b == 0) | (b == -1)) ? 1 : b, r = a % s;
  return r + (s & -(int64_t)((r != 0) & ((r < 0) != (s < 0))));
}
#endif
void sum_reduction(const uint64_t *args, int64_t worker, int64_t workers) {
  float *buf_ = (float *)(uintptr_t)args[0];
  const int64_t buf_n0_ = (int64_t)args[1];
  float *global_atomic_ = (float *)(uintptr_t)args[2];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  if (worker) return;
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // sum_reduction.py  if tl.thread_id() == 0:
  for (int64_t block_2 = 0; block_2 < v1; block_2 += 1) {
    const int64_t v3 = tl_floor_modulo_i64x1(block_2, grid_x_);
    float local4[4] __attribute__((aligned(64)));
    float local5[4] __attribute__((aligned(64)));
    // sum_reduction.py  tile = buf.load_tile[tl.WARP](tid)
    float local6[128] __attribute__((aligned(64)));
    // sum_reduction.py  result = tile.reduce(add)
    float local7[128] __attribute__((aligned(64)));
    float local8[128] __attribute__((aligned(64)));
    float local9[128] __attribute__((aligned(64)));
    // sum_reduction.py  tile = buf.load_tile[tl.WARP](tid)
    for (int64_t thread_10 = 0; thread_10 < 128; thread_10 += 1) {
      const int64_t tid_11 = v3 * 128 + thread_10;
      const uint8_t v12 = tid_11 < buf_n0_;
      float t13 = 0.0f;
      if (v12) t13 = buf_[tid_11];
      local6[thread_10] = t13;
    }
    // sum_reduction.py  result = tile.reduce(add)
    for (int64_t thread_14 = 0; thread_14 < 128; thread_14 += 1) {
      const int64_t v15 = thread_14 & 31;
      const int64_t v16 = v15 ^ 16;
      const int64_t v17 = thread_14 - v15 + v16;
      const uint8_t v18 = (v16 >= 0) & (v16 < 32);
      const int64_t v19 = v18 ? v17 : thread_14;
      local7[thread_14] = local6[v19];
    }
    for (int64_t thread_20 = 0; thread_20 < 128; thread_20 += 1) {
      const float v21 = local6[thread_20];
      const float v22 = local7[thread_20];
      const float v23 = v21 + v22;
      local8[thread_20] = v23;
    }
    for (int64_t thread_24 = 0; thread_24 < 128; thread_24 += 1) {
      const int64_t v25 = thread_24 & 31;
      const int64_t v26 = v25 ^ 8;
      const int64_t v27 = thread_24 - v25 + v26;
      const uint8_t v28 = (v26 >= 0) & (v26 < 32);
      const int64_t v29 = v28 ? v27 : thread_24;
      local9[thread_24] = local8[v29];
    }
    for (int64_t thread_30 = 0; thread_30 < 128; thread_30 += 1) {
      const float v31 = local8[thread_30];
      const float v32 = local9[thread_30];
      const float v33 = v31 + v32;
      local7[thread_30] = v33;
    }
    for (int64_t thread_34 = 0; thread_34 < 128; thread_34 += 1) {
      const int64_t v35 = thread_34 & 31;
      const int64_t v36 = v35 ^ 4;
      const int64_t v37 = thread_34 - v35 + v36;
      const uint8_t v38 = (v36 >= 0) & (v36 < 32);
      const int64_t v39 = v38 ? v37 : thread_34;
      local6[thread_34] = local7[v39];
    }
    for (int64_t thread_40 = 0; thread_40 < 128; thread_40 += 1) {
      const float v41 = local7[thread_40];
      const float v42 = local6[thread_40];
      const float v43 = v41 + v42;
      local9[thread_40] = v43;
    }
    for (int64_t thread_44 = 0; thread_44 < 128; thread_44 += 1) {
      const int64_t v45 = thread_44 & 31;
      const int64_t v46 = v45 ^ 2;
      const int64_t v47 = thread_44 - v45 + v46;
      const uint8_t v48 = (v46 >= 0) & (v46 < 32);
      const int64_t v49 = v48 ? v47 : thread_44;
      local8[thread_44] = local9[v49];
    }
    for (int64_t thread_50 = 0; thread_50 < 128; thread_50 += 1) {
      const float v51 = local9[thread_50];
      const float v52 = local8[thread_50];
      const float v53 = v51 + v52;
      local6[thread_50] = v53;
    }
    for (int64_t thread_54 = 0; thread_54 < 128; thread_54 += 1) {
      const int64_t v55 = thread_54 & 31;
      const int64_t v56 = v55 ^ 1;
      const int64_t v57 = thread_54 - v55 + v56;
      const uint8_t v58 = (v56 >= 0) & (v56 < 32);
      const int64_t v59 = v58 ? v57 : thread_54;
      local7[thread_54] = local6[v59];
    }
    // sum_reduction.py  if tl.lane_id() == 0:
    for (int64_t thread_60 = 0; thread_60 < 128; thread_60 += 1) {
      // sum_reduction.py  result = tile.reduce(add)
      const float v61 = local6[thread_60];
      const float v62 = local7[thread_60];
      const float v63 = v61 + v62;
      // sum_reduction.py  if tl.lane_id() == 0:
      if ((thread_60 & 31) == 0) {
        // sum_reduction.py  smem[tl.warp_id()] = result
        local4[thread_60 >> 5] = v63;
      }
    }
    // sum_reduction.py  result = await smem.reduce(add)
    for (int64_t thread_64 = 0; thread_64 < 128; thread_64 += 1) {
      const int64_t v65 = (thread_64 < 3) ? thread_64 : 3;
      const float v66 = local4[v65];
      const uint8_t v67 = thread_64 < 4;
      if (v67) local5[thread_64] = v66;
      local7[thread_64] = v66;
    }
    for (int64_t thread_68 = 0; thread_68 < 128; thread_68 += 1) {
      const int64_t v69 = thread_68 + 2;
      const uint8_t v70 = v69 < 4;
      float t71 = 0.0f;
      if (v70) t71 = local5[v69];
      const float v72 = local7[thread_68];
      const float v73 = v72 + t71;
      const float v74 = v70 ? v73 : v72;
      local6[thread_68] = v74;
    }
    for (int64_t thread_75 = 0; thread_75 < 128; thread_75 += 1) {
      const float v76 = local6[thread_75];
      const uint8_t v77 = thread_75 < 4;
      if (v77) local5[thread_75] = v76;
    }
    for (int64_t thread_78 = 0; thread_78 < 128; thread_78 += 1) {
      const int64_t v79 = thread_78 + 1;
      const uint8_t v80 = v79 < 4;
      float t81 = 0.0f;
      if (v80) t81 = local5[v79];
      const float v82 = local6[thread_78];
      const float v83 = v82 + t81;
      const float v84 = v80 ? v83 : v82;
      local7[thread_78] = v84;
    }
    for (int64_t thread_85 = 0; thread_85 < 128; thread_85 += 1) {
      const float v86 = local7[thread_85];
      const uint8_t v87 = thread_85 == 0;
      if (v87) local5[thread_85] = v86;
    }
    for (int64_t thread_88 = 0; thread_88 < 128; thread_88 += 1) {
      const float result_89 = local5[0];
      local7[thread_88] = result_89;
    }
    // sum_reduction.py  if tl.thread_id() == 0:
    for (int64_t thread_90 = 0; thread_90 < 128; thread_90 += 1) {
      if (thread_90 == 0) {
        // sum_reduction.py  global_atomic += result
        const float v91 = local7[thread_90];
        const float v92 = global_atomic_[0];
        float c93 = v92;
        uint8_t c94 = 1;
        for (;;) {
          if (!c94) break;
          const float v95 = c93 + v91;
          float t97 = c93, t96 = v95;
          (void)__atomic_compare_exchange(global_atomic_ + 0, &t97, &t96, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
          const float v98 = t97;
          const uint32_t v99 = ((union { float a; uint32_t b; }){ .a = v98 }).b;
          const uint32_t v100 = ((union { float a; uint32_t b; }){ .a = c93 }).b;
          const uint8_t v101 = !(v99 == v100);
          c93 = v98;
          c94 = v101;
        }
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
