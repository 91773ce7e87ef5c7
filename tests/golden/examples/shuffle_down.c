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
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // shuffle_down.py  if tl.lane_id() == 0:
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    const int64_t v6 = tl_floor_modulo_i64x1(block_2, grid_x_);
    float local7[64] __attribute__((aligned(64)));
    float local8[64] __attribute__((aligned(64)));
    float local9[64] __attribute__((aligned(64)));
    float local10[64] __attribute__((aligned(64)));
    float local11[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local12[64] __attribute__((aligned(64)));
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    float local13[64] __attribute__((aligned(64)));
    // shuffle_down.py  values[lane] = value
    float local14[64] __attribute__((aligned(64)));
    for (int64_t thread_15 = 0; thread_15 < 64; thread_15 += 1) {
      // shuffle_down.py  total = x[i]
      const int64_t i_16 = v6 * 64 + thread_15;
      const float total_17 = x_[i_16];
      // shuffle_down.py  values[lane] = value
      const int64_t lane_18 = thread_15 & 31;
      local7[(thread_15 >> 5) * 32 + lane_18] = total_17;
      local12[thread_15] = total_17;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_19 = 0; thread_19 < 64; thread_19 += 1) {
      const int64_t lane_20 = thread_19 & 31;
      const int64_t source_21 = lane_20 + 16;
      const uint8_t v22 = source_21 < 32;
      const int64_t v23 = v22 ? source_21 : lane_20;
      const float found_24 = local7[(thread_19 >> 5) * 32 + v23];
      local13[thread_19] = found_24;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_25 = 0; thread_25 < 64; thread_25 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v26 = local12[thread_25];
      const float v27 = local13[thread_25];
      const float total_28 = v26 + v27;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_29 = thread_25 & 31;
      local8[(thread_25 >> 5) * 32 + lane_29] = total_28;
      local14[thread_25] = total_28;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_30 = 0; thread_30 < 64; thread_30 += 1) {
      const int64_t lane_31 = thread_30 & 31;
      const int64_t source_32 = lane_31 + 8;
      const uint8_t v33 = source_32 < 32;
      const int64_t v34 = v33 ? source_32 : lane_31;
      const float found_35 = local8[(thread_30 >> 5) * 32 + v34];
      local13[thread_30] = found_35;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_36 = 0; thread_36 < 64; thread_36 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v37 = local14[thread_36];
      const float v38 = local13[thread_36];
      const float total_39 = v37 + v38;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_40 = thread_36 & 31;
      local9[(thread_36 >> 5) * 32 + lane_40] = total_39;
      local12[thread_36] = total_39;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_41 = 0; thread_41 < 64; thread_41 += 1) {
      const int64_t lane_42 = thread_41 & 31;
      const int64_t source_43 = lane_42 + 4;
      const uint8_t v44 = source_43 < 32;
      const int64_t v45 = v44 ? source_43 : lane_42;
      const float found_46 = local9[(thread_41 >> 5) * 32 + v45];
      local13[thread_41] = found_46;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_47 = 0; thread_47 < 64; thread_47 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v48 = local12[thread_47];
      const float v49 = local13[thread_47];
      const float total_50 = v48 + v49;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_51 = thread_47 & 31;
      local10[(thread_47 >> 5) * 32 + lane_51] = total_50;
      local14[thread_47] = total_50;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_52 = 0; thread_52 < 64; thread_52 += 1) {
      const int64_t lane_53 = thread_52 & 31;
      const int64_t source_54 = lane_53 + 2;
      const uint8_t v55 = source_54 < 32;
      const int64_t v56 = v55 ? source_54 : lane_53;
      const float found_57 = local10[(thread_52 >> 5) * 32 + v56];
      local13[thread_52] = found_57;
    }
    // shuffle_down.py  values[lane] = value
    for (int64_t thread_58 = 0; thread_58 < 64; thread_58 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v59 = local14[thread_58];
      const float v60 = local13[thread_58];
      const float total_61 = v59 + v60;
      // shuffle_down.py  values[lane] = value
      const int64_t lane_62 = thread_58 & 31;
      local11[(thread_58 >> 5) * 32 + lane_62] = total_61;
      local12[thread_58] = total_61;
    }
    // shuffle_down.py  found = values[(source < tl.WARP_SIZE).select(source, lane)]
    for (int64_t thread_63 = 0; thread_63 < 64; thread_63 += 1) {
      const int64_t lane_64 = thread_63 & 31;
      const int64_t source_65 = lane_64 + 1;
      const uint8_t v66 = source_65 < 32;
      const int64_t v67 = v66 ? source_65 : lane_64;
      const float found_68 = local11[(thread_63 >> 5) * 32 + v67];
      local13[thread_63] = found_68;
    }
    // shuffle_down.py  if tl.lane_id() == 0:
    for (int64_t thread_69 = 0; thread_69 < 64; thread_69 += 1) {
      // shuffle_down.py  total = total + shuffle_down(total, offset)
      const float v70 = local12[thread_69];
      const float v71 = local13[thread_69];
      const float total_72 = v70 + v71;
      // shuffle_down.py  if tl.lane_id() == 0:
      if ((thread_69 & 31) == 0) {
        // shuffle_down.py  out[i // tl.WARP_SIZE] = total
        const int64_t i_73 = v6 * 64 + thread_69;
        out_[i_73 >> 5] = total_72;
      }
    }
  }
  (void)args; (void)worker; (void)workers;
}
