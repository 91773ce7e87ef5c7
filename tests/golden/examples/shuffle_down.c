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
  float *x_ = (float *)(uintptr_t)args[2];
  const int64_t grid_x_ = (int64_t)args[4];
  const int64_t grid_y_ = (int64_t)args[5];
  const int64_t grid_z_ = (int64_t)args[6];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // shuffle_down.py  if tl.lane_id() == 0:
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    const int64_t v7 = tl_floor_modulo_i64x1(block_3, grid_x_);
    float local8[64] __attribute__((aligned(64)));
    float local9[64] __attribute__((aligned(64)));
    float local10[64] __attribute__((aligned(64)));
    float local11[64] __attribute__((aligned(64)));
    float local12[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local13[64] __attribute__((aligned(64)));
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    float local14[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local15[64] __attribute__((aligned(64)));
    for (int64_t thread_16 = 0; thread_16 < 64; thread_16 += 1) {
      // shuffle_down.py  total = x[i]
      const int64_t v17 = v7 * 64;
      const int64_t i_18 = v17 + thread_16;
      const float total_19 = x_[i_18];
      // shuffle_down.py  values[lane] = value
      const int64_t lane_20 = thread_16 & 31;
      const int64_t v21 = thread_16 >> 5;
      const int64_t v22 = v21 * 32;
      const int64_t v23 = v22 + lane_20;
      local8[v23] = total_19;
      local13[thread_16] = total_19;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_24 = 0; thread_24 < 64; thread_24 += 1) {
      const int64_t lane_25 = thread_24 & 31;
      const int64_t source_26 = lane_25 + 16;
      const uint8_t v27 = source_26 < 32;
      const int64_t v28 = v27 ? source_26 : lane_25;
      const int64_t v29 = thread_24 >> 5;
      const int64_t v30 = v29 * 32;
      const int64_t v31 = v30 + v28;
      const float found_32 = local8[v31];
      local14[thread_24] = found_32;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_33 = 0; thread_33 < 64; thread_33 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v34 = local13[thread_33];
      const float v35 = local14[thread_33];
      const float total_36 = v34 + v35;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_37 = thread_33 & 31;
      const int64_t v38 = thread_33 >> 5;
      const int64_t v39 = v38 * 32;
      const int64_t v40 = v39 + lane_37;
      local9[v40] = total_36;
      local15[thread_33] = total_36;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_41 = 0; thread_41 < 64; thread_41 += 1) {
      const int64_t lane_42 = thread_41 & 31;
      const int64_t source_43 = lane_42 + 8;
      const uint8_t v44 = source_43 < 32;
      const int64_t v45 = v44 ? source_43 : lane_42;
      const int64_t v46 = thread_41 >> 5;
      const int64_t v47 = v46 * 32;
      const int64_t v48 = v47 + v45;
      const float found_49 = local9[v48];
      local14[thread_41] = found_49;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_50 = 0; thread_50 < 64; thread_50 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v51 = local15[thread_50];
      const float v52 = local14[thread_50];
      const float total_53 = v51 + v52;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_54 = thread_50 & 31;
      const int64_t v55 = thread_50 >> 5;
      const int64_t v56 = v55 * 32;
      const int64_t v57 = v56 + lane_54;
      local10[v57] = total_53;
      local13[thread_50] = total_53;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_58 = 0; thread_58 < 64; thread_58 += 1) {
      const int64_t lane_59 = thread_58 & 31;
      const int64_t source_60 = lane_59 + 4;
      const uint8_t v61 = source_60 < 32;
      const int64_t v62 = v61 ? source_60 : lane_59;
      const int64_t v63 = thread_58 >> 5;
      const int64_t v64 = v63 * 32;
      const int64_t v65 = v64 + v62;
      const float found_66 = local10[v65];
      local14[thread_58] = found_66;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_67 = 0; thread_67 < 64; thread_67 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v68 = local13[thread_67];
      const float v69 = local14[thread_67];
      const float total_70 = v68 + v69;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_71 = thread_67 & 31;
      const int64_t v72 = thread_67 >> 5;
      const int64_t v73 = v72 * 32;
      const int64_t v74 = v73 + lane_71;
      local11[v74] = total_70;
      local15[thread_67] = total_70;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_75 = 0; thread_75 < 64; thread_75 += 1) {
      const int64_t lane_76 = thread_75 & 31;
      const int64_t source_77 = lane_76 + 2;
      const uint8_t v78 = source_77 < 32;
      const int64_t v79 = v78 ? source_77 : lane_76;
      const int64_t v80 = thread_75 >> 5;
      const int64_t v81 = v80 * 32;
      const int64_t v82 = v81 + v79;
      const float found_83 = local11[v82];
      local14[thread_75] = found_83;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_84 = 0; thread_84 < 64; thread_84 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v85 = local15[thread_84];
      const float v86 = local14[thread_84];
      const float total_87 = v85 + v86;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_88 = thread_84 & 31;
      const int64_t v89 = thread_84 >> 5;
      const int64_t v90 = v89 * 32;
      const int64_t v91 = v90 + lane_88;
      local12[v91] = total_87;
      local13[thread_84] = total_87;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_92 = 0; thread_92 < 64; thread_92 += 1) {
      const int64_t lane_93 = thread_92 & 31;
      const int64_t source_94 = lane_93 + 1;
      const uint8_t v95 = source_94 < 32;
      const int64_t v96 = v95 ? source_94 : lane_93;
      const int64_t v97 = thread_92 >> 5;
      const int64_t v98 = v97 * 32;
      const int64_t v99 = v98 + v96;
      const float found_100 = local12[v99];
      local14[thread_92] = found_100;
    }
    // shuffle_down.py  if tl.lane_id() == 0:
    for (int64_t thread_101 = 0; thread_101 < 64; thread_101 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v102 = local13[thread_101];
      const float v103 = local14[thread_101];
      const float total_104 = v102 + v103;
      // shuffle_down.py  if tl.lane_id() == 0:
      const int64_t v105 = thread_101 & 31;
      if (v105 == 0) {
        // shuffle_down.py  out[i // tl.WARP_SIZE] = total
        const int64_t v106 = v7 * 64;
        const int64_t i_107 = v106 + thread_101;
        const int64_t v108 = i_107 >> 5;
        out_[v108] = total_104;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
