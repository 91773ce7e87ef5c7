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
  const int64_t global_atomic_n0_ = (int64_t)args[3];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  if (worker) return;
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // sum_reduction.py:30  if tl.thread_id() == 0:
  for (int64_t block_3 = 0; block_3 < v2; block_3 += 1) {
    const int64_t v4 = tl_floor_modulo_i64x1(block_3, grid_x_);
    float local5[4] __attribute__((aligned(64)));
    float local6[4] __attribute__((aligned(64)));
    // sum_reduction.py:25  tile = buf.load_tile[tl.WARP](tid)
    float local7[128] __attribute__((aligned(64)));
    // sum_reduction.py:26  result = tile.reduce(add)
    float local8[128] __attribute__((aligned(64)));
    float local9[128] __attribute__((aligned(64)));
    float local10[128] __attribute__((aligned(64)));
    // sum_reduction.py:25  tile = buf.load_tile[tl.WARP](tid)
    for (int64_t thread_11 = 0; thread_11 < 128; thread_11 += 1) {
      const int64_t v12 = v4 * 128;
      const int64_t tid_13 = v12 + thread_11;
      const uint8_t v14 = tid_13 < buf_n0_;
      float t15 = 0.0f;
      if (v14) t15 = buf_[tid_13];
      const float v16 = t15;
      local7[thread_11] = v16;
    }
    // sum_reduction.py:26  result = tile.reduce(add)
    for (int64_t thread_17 = 0; thread_17 < 128; thread_17 += 1) {
      const int64_t v18 = thread_17 & 31;
      const int64_t v19 = thread_17 - v18;
      const int64_t v20 = v18 ^ 16;
      const int64_t v21 = v19 + v20;
      const uint8_t v22 = v20 >= 0;
      const uint8_t v23 = v20 < 32;
      const uint8_t v24 = v22 & v23;
      const int64_t v25 = v24 ? v21 : thread_17;
      const float v26 = local7[v25];
      local8[thread_17] = v26;
    }
    for (int64_t thread_27 = 0; thread_27 < 128; thread_27 += 1) {
      const float v28 = local7[thread_27];
      const float v29 = local8[thread_27];
      const float v30 = v28 + v29;
      local9[thread_27] = v30;
    }
    for (int64_t thread_31 = 0; thread_31 < 128; thread_31 += 1) {
      const int64_t v32 = thread_31 & 31;
      const int64_t v33 = thread_31 - v32;
      const int64_t v34 = v32 ^ 8;
      const int64_t v35 = v33 + v34;
      const uint8_t v36 = v34 >= 0;
      const uint8_t v37 = v34 < 32;
      const uint8_t v38 = v36 & v37;
      const int64_t v39 = v38 ? v35 : thread_31;
      const float v40 = local9[v39];
      local10[thread_31] = v40;
    }
    for (int64_t thread_41 = 0; thread_41 < 128; thread_41 += 1) {
      const float v42 = local9[thread_41];
      const float v43 = local10[thread_41];
      const float v44 = v42 + v43;
      local8[thread_41] = v44;
    }
    for (int64_t thread_45 = 0; thread_45 < 128; thread_45 += 1) {
      const int64_t v46 = thread_45 & 31;
      const int64_t v47 = thread_45 - v46;
      const int64_t v48 = v46 ^ 4;
      const int64_t v49 = v47 + v48;
      const uint8_t v50 = v48 >= 0;
      const uint8_t v51 = v48 < 32;
      const uint8_t v52 = v50 & v51;
      const int64_t v53 = v52 ? v49 : thread_45;
      const float v54 = local8[v53];
      local7[thread_45] = v54;
    }
    for (int64_t thread_55 = 0; thread_55 < 128; thread_55 += 1) {
      const float v56 = local8[thread_55];
      const float v57 = local7[thread_55];
      const float v58 = v56 + v57;
      local10[thread_55] = v58;
    }
    for (int64_t thread_59 = 0; thread_59 < 128; thread_59 += 1) {
      const int64_t v60 = thread_59 & 31;
      const int64_t v61 = thread_59 - v60;
      const int64_t v62 = v60 ^ 2;
      const int64_t v63 = v61 + v62;
      const uint8_t v64 = v62 >= 0;
      const uint8_t v65 = v62 < 32;
      const uint8_t v66 = v64 & v65;
      const int64_t v67 = v66 ? v63 : thread_59;
      const float v68 = local10[v67];
      local9[thread_59] = v68;
    }
    for (int64_t thread_69 = 0; thread_69 < 128; thread_69 += 1) {
      const float v70 = local10[thread_69];
      const float v71 = local9[thread_69];
      const float v72 = v70 + v71;
      local7[thread_69] = v72;
    }
    for (int64_t thread_73 = 0; thread_73 < 128; thread_73 += 1) {
      const int64_t v74 = thread_73 & 31;
      const int64_t v75 = thread_73 - v74;
      const int64_t v76 = v74 ^ 1;
      const int64_t v77 = v75 + v76;
      const uint8_t v78 = v76 >= 0;
      const uint8_t v79 = v76 < 32;
      const uint8_t v80 = v78 & v79;
      const int64_t v81 = v80 ? v77 : thread_73;
      const float v82 = local7[v81];
      local8[thread_73] = v82;
    }
    // sum_reduction.py:27  if tl.lane_id() == 0:
    for (int64_t thread_83 = 0; thread_83 < 128; thread_83 += 1) {
      // sum_reduction.py:26  result = tile.reduce(add)
      const float v84 = local7[thread_83];
      const float v85 = local8[thread_83];
      const float v86 = v84 + v85;
      // sum_reduction.py:27  if tl.lane_id() == 0:
      const int64_t v87 = thread_83 & 31;
      const uint8_t v88 = v87 == 0;
      if (v88) {
        // sum_reduction.py:28  smem[tl.warp_id()] = result
        const int64_t v89 = thread_83 >> 5;
        local5[v89] = v86;
      }
    }
    // sum_reduction.py:29  result = await smem.reduce(add)
    for (int64_t thread_90 = 0; thread_90 < 128; thread_90 += 1) {
      const int64_t v91 = (thread_90 < 3) ? thread_90 : 3;
      const float v92 = local5[v91];
      const uint8_t v93 = thread_90 < 4;
      if (v93) local6[thread_90] = v92;
      local8[thread_90] = v92;
    }
    for (int64_t thread_94 = 0; thread_94 < 128; thread_94 += 1) {
      const int64_t v95 = thread_94 + 2;
      const uint8_t v96 = v95 < 4;
      float t97 = 0.0f;
      if (v96) t97 = local6[v95];
      const float v98 = t97;
      const float v99 = local8[thread_94];
      const float v100 = v99 + v98;
      const float v101 = v96 ? v100 : v99;
      local7[thread_94] = v101;
    }
    for (int64_t thread_102 = 0; thread_102 < 128; thread_102 += 1) {
      const float v103 = local7[thread_102];
      const uint8_t v104 = thread_102 < 4;
      if (v104) local6[thread_102] = v103;
    }
    for (int64_t thread_105 = 0; thread_105 < 128; thread_105 += 1) {
      const int64_t v106 = thread_105 + 1;
      const uint8_t v107 = v106 < 4;
      float t108 = 0.0f;
      if (v107) t108 = local6[v106];
      const float v109 = t108;
      const float v110 = local7[thread_105];
      const float v111 = v110 + v109;
      const float v112 = v107 ? v111 : v110;
      local8[thread_105] = v112;
    }
    for (int64_t thread_113 = 0; thread_113 < 128; thread_113 += 1) {
      const float v114 = local8[thread_113];
      const uint8_t v115 = thread_113 == 0;
      if (v115) local6[thread_113] = v114;
    }
    for (int64_t thread_116 = 0; thread_116 < 128; thread_116 += 1) {
      const float result_117 = local6[0];
      local8[thread_116] = result_117;
    }
    // sum_reduction.py:30  if tl.thread_id() == 0:
    for (int64_t thread_118 = 0; thread_118 < 128; thread_118 += 1) {
      const uint8_t v119 = thread_118 == 0;
      if (v119) {
        // sum_reduction.py:31  global_atomic += result
        const float v120 = local8[thread_118];
        const float v121 = global_atomic_[0];
        float c122 = v121;
        uint8_t c123 = 1;
        for (;;) {
          if (!c123) break;
          const float v124 = c122 + v120;
          float t126 = c122, t125 = v124;
          (void)__atomic_compare_exchange(global_atomic_ + 0, &t126, &t125, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
          const float v127 = t126;
          const uint32_t v128 = ((union { float a; uint32_t b; }){ .a = v127 }).b;
          const uint32_t v129 = ((union { float a; uint32_t b; }){ .a = c122 }).b;
          const uint8_t v130 = v128 == v129;
          const uint8_t v131 = !v130;
          c122 = v127;
          c123 = v131;
        }
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
