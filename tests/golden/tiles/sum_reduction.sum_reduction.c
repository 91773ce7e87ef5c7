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
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // sum_reduction.py  if tl.thread_id() == 0:
  for (int64_t block_3 = 0; block_3 < v2; block_3 += 1) {
    const int64_t v4 = tl_floor_modulo_i64x1(block_3, grid_x_);
    float local5[4] __attribute__((aligned(64)));
    float local6[4] __attribute__((aligned(64)));
    // sum_reduction.py  tile = buf.load_tile[tl.WARP](tid)
    float local7[128] __attribute__((aligned(64)));
    // sum_reduction.py  result = tile.reduce(add)
    float local8[128] __attribute__((aligned(64)));
    float local9[128] __attribute__((aligned(64)));
    float local10[128] __attribute__((aligned(64)));
    // sum_reduction.py  tile = buf.load_tile[tl.WARP](tid)
    for (int64_t thread_11 = 0; thread_11 < 128; thread_11 += 1) {
      const int64_t v12 = v4 * 128;
      const int64_t tid_13 = v12 + thread_11;
      const uint8_t v14 = tid_13 < buf_n0_;
      float t15 = 0.0f;
      if (v14) t15 = buf_[tid_13];
      local7[thread_11] = t15;
    }
    // sum_reduction.py  result = tile.reduce(add)
    for (int64_t thread_16 = 0; thread_16 < 128; thread_16 += 1) {
      const int64_t v17 = thread_16 & 31;
      const int64_t v18 = thread_16 - v17;
      const int64_t v19 = v17 ^ 16;
      const int64_t v20 = v18 + v19;
      const uint8_t v21 = (v19 >= 0) & (v19 < 32);
      const int64_t v22 = v21 ? v20 : thread_16;
      const float v23 = local7[v22];
      local8[thread_16] = v23;
    }
    for (int64_t thread_24 = 0; thread_24 < 128; thread_24 += 1) {
      const float v25 = local7[thread_24];
      const float v26 = local8[thread_24];
      const float v27 = v25 + v26;
      local9[thread_24] = v27;
    }
    for (int64_t thread_28 = 0; thread_28 < 128; thread_28 += 1) {
      const int64_t v29 = thread_28 & 31;
      const int64_t v30 = thread_28 - v29;
      const int64_t v31 = v29 ^ 8;
      const int64_t v32 = v30 + v31;
      const uint8_t v33 = (v31 >= 0) & (v31 < 32);
      const int64_t v34 = v33 ? v32 : thread_28;
      const float v35 = local9[v34];
      local10[thread_28] = v35;
    }
    for (int64_t thread_36 = 0; thread_36 < 128; thread_36 += 1) {
      const float v37 = local9[thread_36];
      const float v38 = local10[thread_36];
      const float v39 = v37 + v38;
      local8[thread_36] = v39;
    }
    for (int64_t thread_40 = 0; thread_40 < 128; thread_40 += 1) {
      const int64_t v41 = thread_40 & 31;
      const int64_t v42 = thread_40 - v41;
      const int64_t v43 = v41 ^ 4;
      const int64_t v44 = v42 + v43;
      const uint8_t v45 = (v43 >= 0) & (v43 < 32);
      const int64_t v46 = v45 ? v44 : thread_40;
      const float v47 = local8[v46];
      local7[thread_40] = v47;
    }
    for (int64_t thread_48 = 0; thread_48 < 128; thread_48 += 1) {
      const float v49 = local8[thread_48];
      const float v50 = local7[thread_48];
      const float v51 = v49 + v50;
      local10[thread_48] = v51;
    }
    for (int64_t thread_52 = 0; thread_52 < 128; thread_52 += 1) {
      const int64_t v53 = thread_52 & 31;
      const int64_t v54 = thread_52 - v53;
      const int64_t v55 = v53 ^ 2;
      const int64_t v56 = v54 + v55;
      const uint8_t v57 = (v55 >= 0) & (v55 < 32);
      const int64_t v58 = v57 ? v56 : thread_52;
      const float v59 = local10[v58];
      local9[thread_52] = v59;
    }
    for (int64_t thread_60 = 0; thread_60 < 128; thread_60 += 1) {
      const float v61 = local10[thread_60];
      const float v62 = local9[thread_60];
      const float v63 = v61 + v62;
      local7[thread_60] = v63;
    }
    for (int64_t thread_64 = 0; thread_64 < 128; thread_64 += 1) {
      const int64_t v65 = thread_64 & 31;
      const int64_t v66 = thread_64 - v65;
      const int64_t v67 = v65 ^ 1;
      const int64_t v68 = v66 + v67;
      const uint8_t v69 = (v67 >= 0) & (v67 < 32);
      const int64_t v70 = v69 ? v68 : thread_64;
      const float v71 = local7[v70];
      local8[thread_64] = v71;
    }
    // sum_reduction.py  if tl.lane_id() == 0:
    for (int64_t thread_72 = 0; thread_72 < 128; thread_72 += 1) {
      // sum_reduction.py  result = tile.reduce(add)
      const float v73 = local7[thread_72];
      const float v74 = local8[thread_72];
      const float v75 = v73 + v74;
      // sum_reduction.py  if tl.lane_id() == 0:
      const int64_t v76 = thread_72 & 31;
      if (v76 == 0) {
        // sum_reduction.py  smem[tl.warp_id()] = result
        const int64_t v77 = thread_72 >> 5;
        local5[v77] = v75;
      }
    }
    // sum_reduction.py  result = await smem.reduce(add)
    for (int64_t thread_78 = 0; thread_78 < 128; thread_78 += 1) {
      const int64_t v79 = (thread_78 < 3) ? thread_78 : 3;
      const float v80 = local5[v79];
      const uint8_t v81 = thread_78 < 4;
      if (v81) local6[thread_78] = v80;
      local8[thread_78] = v80;
    }
    for (int64_t thread_82 = 0; thread_82 < 128; thread_82 += 1) {
      const int64_t v83 = thread_82 + 2;
      const uint8_t v84 = v83 < 4;
      float t85 = 0.0f;
      if (v84) t85 = local6[v83];
      const float v86 = local8[thread_82];
      const float v87 = v86 + t85;
      const float v88 = v84 ? v87 : v86;
      local7[thread_82] = v88;
    }
    for (int64_t thread_89 = 0; thread_89 < 128; thread_89 += 1) {
      const float v90 = local7[thread_89];
      const uint8_t v91 = thread_89 < 4;
      if (v91) local6[thread_89] = v90;
    }
    for (int64_t thread_92 = 0; thread_92 < 128; thread_92 += 1) {
      const int64_t v93 = thread_92 + 1;
      const uint8_t v94 = v93 < 4;
      float t95 = 0.0f;
      if (v94) t95 = local6[v93];
      const float v96 = local7[thread_92];
      const float v97 = v96 + t95;
      const float v98 = v94 ? v97 : v96;
      local8[thread_92] = v98;
    }
    for (int64_t thread_99 = 0; thread_99 < 128; thread_99 += 1) {
      const float v100 = local8[thread_99];
      const uint8_t v101 = thread_99 == 0;
      if (v101) local6[thread_99] = v100;
    }
    for (int64_t thread_102 = 0; thread_102 < 128; thread_102 += 1) {
      const float result_103 = local6[0];
      local8[thread_102] = result_103;
    }
    // sum_reduction.py  if tl.thread_id() == 0:
    for (int64_t thread_104 = 0; thread_104 < 128; thread_104 += 1) {
      if (thread_104 == 0) {
        // sum_reduction.py  global_atomic += result
        const float v105 = local8[thread_104];
        const float v106 = global_atomic_[0];
        float c107 = v106;
        uint8_t c108 = 1;
        for (;;) {
          if (!c108) break;
          const float v109 = c107 + v105;
          float t111 = c107, t110 = v109;
          (void)__atomic_compare_exchange(global_atomic_ + 0, &t111, &t110, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
          const float v112 = t111;
          const uint32_t v113 = ((union { float a; uint32_t b; }){ .a = v112 }).b;
          const uint32_t v114 = ((union { float a; uint32_t b; }){ .a = c107 }).b;
          const uint8_t v115 = !(v113 == v114);
          c107 = v112;
          c108 = v115;
        }
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
