#include <stdint.h>
#ifndef tl_floor_modulo_i64x1_
#define tl_floor_modulo_i64x1_
static inline __attribute__((always_inline)) int64_t tl_floor_modulo_i64x1(int64_t a, int64_t b) {
  int64_t s = ((b == 0) | (b == -1)) ? 1 : b, r = a % s;
  return r + (s & -(int64_t)((r != 0) & ((r < 0) != (s < 0))));
}
#endif
void warp_sums(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t x_n0_ = (int64_t)args[3];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // shuffle_down.py  if tl.lane_id() == 0:
  const int64_t trips4 = v2 > 0 ? (v2 - 0 + 1 - 1) / 1 : 0;
  const int64_t first5 = 0 + trips4 * worker / workers * 1;
  const int64_t last6 = 0 + trips4 * (worker + 1) / workers * 1;
  const int64_t end7 = last6 < v2 ? last6 : v2;
  for (int64_t block_3 = first5; block_3 < end7; block_3 += 1) {
    const int64_t v8 = tl_floor_modulo_i64x1(block_3, grid_x_);
    float local9[64] __attribute__((aligned(64)));
    float local10[64] __attribute__((aligned(64)));
    float local11[64] __attribute__((aligned(64)));
    float local12[64] __attribute__((aligned(64)));
    float local13[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local14[64] __attribute__((aligned(64)));
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    float local15[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local16[64] __attribute__((aligned(64)));
    for (int64_t thread_17 = 0; thread_17 < 64; thread_17 += 1) {
      // shuffle_down.py  total = x[i]
      const int64_t v18 = v8 * 64;
      const int64_t i_19 = v18 + thread_17;
      const float total_20 = x_[i_19];
      // shuffle_down.py  values[lane] = value
      const int64_t lane_21 = thread_17 & 31;
      const int64_t v22 = thread_17 >> 5;
      const int64_t v23 = v22 * 32;
      const int64_t v24 = v23 + lane_21;
      local9[v24] = total_20;
      local14[thread_17] = total_20;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_25 = 0; thread_25 < 64; thread_25 += 1) {
      const int64_t lane_26 = thread_25 & 31;
      const int64_t source_27 = lane_26 + 16;
      const uint8_t v28 = source_27 < 32;
      const int64_t v29 = v28 ? source_27 : lane_26;
      const int64_t v30 = thread_25 >> 5;
      const int64_t v31 = v30 * 32;
      const int64_t v32 = v31 + v29;
      const float found_33 = local9[v32];
      local15[thread_25] = found_33;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_34 = 0; thread_34 < 64; thread_34 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v35 = local14[thread_34];
      const float v36 = local15[thread_34];
      const float total_37 = v35 + v36;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_38 = thread_34 & 31;
      const int64_t v39 = thread_34 >> 5;
      const int64_t v40 = v39 * 32;
      const int64_t v41 = v40 + lane_38;
      local10[v41] = total_37;
      local16[thread_34] = total_37;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_42 = 0; thread_42 < 64; thread_42 += 1) {
      const int64_t lane_43 = thread_42 & 31;
      const int64_t source_44 = lane_43 + 8;
      const uint8_t v45 = source_44 < 32;
      const int64_t v46 = v45 ? source_44 : lane_43;
      const int64_t v47 = thread_42 >> 5;
      const int64_t v48 = v47 * 32;
      const int64_t v49 = v48 + v46;
      const float found_50 = local10[v49];
      local15[thread_42] = found_50;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_51 = 0; thread_51 < 64; thread_51 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v52 = local16[thread_51];
      const float v53 = local15[thread_51];
      const float total_54 = v52 + v53;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_55 = thread_51 & 31;
      const int64_t v56 = thread_51 >> 5;
      const int64_t v57 = v56 * 32;
      const int64_t v58 = v57 + lane_55;
      local11[v58] = total_54;
      local14[thread_51] = total_54;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_59 = 0; thread_59 < 64; thread_59 += 1) {
      const int64_t lane_60 = thread_59 & 31;
      const int64_t source_61 = lane_60 + 4;
      const uint8_t v62 = source_61 < 32;
      const int64_t v63 = v62 ? source_61 : lane_60;
      const int64_t v64 = thread_59 >> 5;
      const int64_t v65 = v64 * 32;
      const int64_t v66 = v65 + v63;
      const float found_67 = local11[v66];
      local15[thread_59] = found_67;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_68 = 0; thread_68 < 64; thread_68 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v69 = local14[thread_68];
      const float v70 = local15[thread_68];
      const float total_71 = v69 + v70;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_72 = thread_68 & 31;
      const int64_t v73 = thread_68 >> 5;
      const int64_t v74 = v73 * 32;
      const int64_t v75 = v74 + lane_72;
      local12[v75] = total_71;
      local16[thread_68] = total_71;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_76 = 0; thread_76 < 64; thread_76 += 1) {
      const int64_t lane_77 = thread_76 & 31;
      const int64_t source_78 = lane_77 + 2;
      const uint8_t v79 = source_78 < 32;
      const int64_t v80 = v79 ? source_78 : lane_77;
      const int64_t v81 = thread_76 >> 5;
      const int64_t v82 = v81 * 32;
      const int64_t v83 = v82 + v80;
      const float found_84 = local12[v83];
      local15[thread_76] = found_84;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_85 = 0; thread_85 < 64; thread_85 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v86 = local16[thread_85];
      const float v87 = local15[thread_85];
      const float total_88 = v86 + v87;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_89 = thread_85 & 31;
      const int64_t v90 = thread_85 >> 5;
      const int64_t v91 = v90 * 32;
      const int64_t v92 = v91 + lane_89;
      local13[v92] = total_88;
      local14[thread_85] = total_88;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_93 = 0; thread_93 < 64; thread_93 += 1) {
      const int64_t lane_94 = thread_93 & 31;
      const int64_t source_95 = lane_94 + 1;
      const uint8_t v96 = source_95 < 32;
      const int64_t v97 = v96 ? source_95 : lane_94;
      const int64_t v98 = thread_93 >> 5;
      const int64_t v99 = v98 * 32;
      const int64_t v100 = v99 + v97;
      const float found_101 = local13[v100];
      local15[thread_93] = found_101;
    }
    // shuffle_down.py  if tl.lane_id() == 0:
    for (int64_t thread_102 = 0; thread_102 < 64; thread_102 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v103 = local14[thread_102];
      const float v104 = local15[thread_102];
      const float total_105 = v103 + v104;
      // shuffle_down.py  if tl.lane_id() == 0:
      const int64_t v106 = thread_102 & 31;
      const uint8_t v107 = v106 == 0;
      if (v107) {
        // shuffle_down.py  out[i // tl.WARP_SIZE] = total
        const int64_t v108 = v8 * 64;
        const int64_t i_109 = v108 + thread_102;
        const int64_t v110 = i_109 >> 5;
        out_[v110] = total_105;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
