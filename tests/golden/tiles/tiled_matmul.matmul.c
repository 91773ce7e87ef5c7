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
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_u32x4
#define TL_u32x4
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_i32x4
#define TL_i32x4
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef tl_fma_f32x4_
#define tl_fma_f32x4_
#if defined(__FMA__)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_ia32_vfmaddps(a, b, c); }
#elif defined(__aarch64__) && !defined(__clang__)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_aarch64_fmav4sf(a, b, c); }
#elif defined(__clang__) && __has_builtin(__builtin_elementwise_fma)
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) { return __builtin_elementwise_fma(a, b, c); }
#else
static inline __attribute__((always_inline)) f32x4 tl_fma_f32x4(f32x4 a, f32x4 b, f32x4 c) {
  f32x4 r;
  r[0] = __builtin_fmaf(a[0], b[0], c[0]);
  r[1] = __builtin_fmaf(a[1], b[1], c[1]);
  r[2] = __builtin_fmaf(a[2], b[2], c[2]);
  r[3] = __builtin_fmaf(a[3], b[3], c[3]);
  return r;
}
#endif
#endif
void matmul(const uint64_t *args, int64_t worker, int64_t workers) {
  float *c_ = (float *)(uintptr_t)args[0];
  const int64_t c_n0_ = (int64_t)args[1];
  const int64_t c_n1_ = (int64_t)args[2];
  const int64_t c_stride0_ = (int64_t)args[3];
  float *a_ = (float *)(uintptr_t)args[4];
  const int64_t a_n0_ = (int64_t)args[5];
  const int64_t a_n1_ = (int64_t)args[6];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_n0_ = (int64_t)args[9];
  const int64_t b_n1_ = (int64_t)args[10];
  const int64_t b_stride0_ = (int64_t)args[11];
  const int64_t grid_x_ = (int64_t)args[12];
  const int64_t grid_y_ = (int64_t)args[13];
  const int64_t grid_z_ = (int64_t)args[14];
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    const int64_t v6 = tl_floor_modulo_i64x1(block_2, grid_x_);
    const int64_t v7 = tl_floor_divide_i64x1(block_2, grid_x_);
    const int64_t v8 = tl_floor_modulo_i64x1(v7, grid_y_);
    float local9[1024] __attribute__((aligned(64)));
    float local10[512] __attribute__((aligned(64)));
    // tiled_matmul.py  for k in range(1, (a.shape[1] + K - 1) // K):
    float local11[256] __attribute__((aligned(64)));
    float local12[256] __attribute__((aligned(64)));
    int64_t local13[64] __attribute__((aligned(64)));
    int64_t local14[64] __attribute__((aligned(64)));
    // tiled_matmul.py  acc += a_tile @ b_tile
    int64_t local15[64] __attribute__((aligned(64)));
    int64_t local16[64] __attribute__((aligned(64)));
    float local17[256] __attribute__((aligned(64)));
    float local18[256] __attribute__((aligned(64)));
    // tiled_matmul.py  next_b = b.tile[K, N](0, column).copy[tl.SHARED](into=b_memory[0, :, :], other=0.0)
    for (int64_t thread_19 = 0; thread_19 < 64; thread_19 += 1) {
      // tiled_matmul.py  next_a = a.tile[M, K](row, 0).copy[tl.SHARED](into=a_memory[0, :, :], other=0.0)
      for (int64_t first_20 = 0; first_20 < 512; first_20 += 64) {
        const int64_t v21 = thread_19 + first_20;
        const int64_t v22 = v21 & 15;
        const int64_t v23 = v21 >> 4;
        const uint8_t v24 = v21 < 512;
        const int64_t v25 = v8 * 32;
        const uint8_t v26 = ((v23 < a_n0_ - v25) & (v22 < a_n1_)) & v24;
        float t27 = 0.0f;
        if (v26) t27 = a_[v25 * a_stride0_ + v23 * a_stride0_ + v22];
        if (v24) local9[v23 * 16 + v22] = t27;
      }
      // tiled_matmul.py  next_b = b.tile[K, N](0, column).copy[tl.SHARED](into=b_memory[0, :, :], other=0.0)
      for (int64_t first_28 = 0; first_28 < 256; first_28 += 64) {
        const int64_t v29 = thread_19 + first_28;
        const int64_t v30 = v29 & 15;
        const int64_t v31 = v29 >> 4;
        const uint8_t v32 = v29 < 256;
        const int64_t v33 = v6 * 16;
        const uint8_t v34 = ((v31 < b_n0_) & (v30 < b_n1_ - v33)) & v32;
        float t35 = 0.0f;
        if (v34) t35 = b_[v33 + v31 * b_stride0_ + v30];
        if (v32) local10[v31 * 16 + v30] = t35;
      }
    }
    // tiled_matmul.py  for k in range(1, (a.shape[1] + K - 1) // K):
    for (int64_t thread_36 = 0; thread_36 < 64; thread_36 += 1) {
      *(f32x4_memory *)(local11 + thread_36 * 4) = (f32x4){};
      *(f32x4_memory *)(local12 + thread_36 * 4) = (f32x4){};
      local13[thread_36] = 0;
      local14[thread_36] = 0;
    }
    const int64_t v37 = (a_n1_ + 16 - 1) >> 4;
    // tiled_matmul.py  tl.barrier()  # all have read these tiles, before others overwrite them
    for (int64_t k_38 = 1; k_38 < v37; k_38 += 1) {
      // tiled_matmul.py  acc += a_tile @ b_tile
      for (int64_t thread_39 = 0; thread_39 < 64; thread_39 += 1) {
        // tiled_matmul.py  next_a = a.tile[M, K](row, k).copy[tl.SHARED](into=a_memory[k % 2, :, :], other=0.0)
        const int64_t v40 = k_38 * 16;
        const int64_t v41 = v8 * 32;
        const int64_t v42 = v41 * a_stride0_ + v40;
        const int64_t v43 = k_38 & 1;
        const int64_t v44 = v43 * 512;
        for (int64_t first_45 = 0; first_45 < 512; first_45 += 64) {
          const int64_t v46 = thread_39 + first_45;
          const int64_t v47 = v46 & 15;
          const int64_t v48 = v46 >> 4;
          const uint8_t v49 = v46 < 512;
          const uint8_t v50 = ((v48 < a_n0_ - v41) & (v47 < a_n1_ - v40)) & v49;
          float t51 = 0.0f;
          if (v50) t51 = a_[v42 + v48 * a_stride0_ + v47];
          if (v49) local9[v44 + v48 * 16 + v47] = t51;
        }
        // tiled_matmul.py  next_b = b.tile[K, N](k, column).copy[tl.SHARED](into=b_memory[k % 2, :, :], other=0.0)
        const int64_t v52 = v6 * 16;
        const int64_t v53 = v40 * b_stride0_ + v52;
        const int64_t v54 = v43 * 256;
        for (int64_t first_55 = 0; first_55 < 256; first_55 += 64) {
          const int64_t v56 = thread_39 + first_55;
          const int64_t v57 = v56 & 15;
          const int64_t v58 = v56 >> 4;
          const uint8_t v59 = v56 < 256;
          const uint8_t v60 = ((v58 < b_n0_ - v40) & (v57 < b_n1_ - v52)) & v59;
          float t61 = 0.0f;
          if (v60) t61 = b_[v53 + v58 * b_stride0_ + v57];
          if (v59) local10[v54 + v58 * 16 + v57] = t61;
        }
        // tiled_matmul.py  acc += a_tile @ b_tile
        const f32x4 v62 = *(f32x4_memory *)(local11 + thread_39 * 4);
        const f32x4 v63 = *(f32x4_memory *)(local12 + thread_39 * 4);
        f32x4 totals_64 = v62;
        f32x4 value2_65 = v63;
        for (int64_t k_66 = 0; k_66 < 16; k_66 += 1) {
          const int64_t v67 = local13[thread_39];
          const i64x4 v68 = v67 - (i64x4){};
          const int64_t v69 = ((thread_39 >> 2) & 7) + (thread_39 >> 5) * 16;
          const i64x4 v70 = v69 - (i64x4){};
          const i64x4 v71 = v70 + (i64x4){0, 0, 8, 8};
          const i64x4 v72 = v71 * 16;
          const i64x4 v73 = v68 + v72;
          const i64x4 v74 = k_66 - (i64x4){};
          const i64x4 v75 = v73 + v74;
          const f32x4 v76 = (f32x4){local9[v75[0]], local9[v75[1]], local9[v75[2]], local9[v75[3]]};
          const u32x4 v77 = (u32x4)v76;
          const u32x4 v78 = v77 + 4096u;
          const u32x4 v79 = v78 & 4294959104u;
          const i32x4 v80 = (i32x4)(v76 == v76);
          const f32x4 v81 = (f32x4)v79;
          const f32x4 v82 = (f32x4)((v80 & (i32x4)v81) | (~v80 & (i32x4)v76));
          const int64_t v83 = local14[thread_39];
          const int64_t v84 = v83 + k_66 * 16;
          const i64x4 v85 = v84 - (i64x4){};
          const int64_t v86 = (thread_39 & 3) * 2;
          const i64x4 v87 = v86 - (i64x4){};
          const i64x4 v88 = v87 + (i64x4){0, 1, 0, 1};
          const i64x4 v89 = v85 + v88;
          const f32x4 v90 = (f32x4){local10[v89[0]], local10[v89[1]], local10[v89[2]], local10[v89[3]]};
          const u32x4 v91 = (u32x4)v90;
          const u32x4 v92 = v91 + 4096u;
          const u32x4 v93 = v92 & 4294959104u;
          const i32x4 v94 = (i32x4)(v90 == v90);
          const f32x4 v95 = (f32x4)v93;
          const f32x4 v96 = (f32x4)((v94 & (i32x4)v95) | (~v94 & (i32x4)v90));
          const i64x4 v97 = v88 + 8;
          const i64x4 v98 = v85 + v97;
          const f32x4 v99 = (f32x4){local10[v98[0]], local10[v98[1]], local10[v98[2]], local10[v98[3]]};
          const u32x4 v100 = (u32x4)v99;
          const u32x4 v101 = v100 + 4096u;
          const u32x4 v102 = v101 & 4294959104u;
          const i32x4 v103 = (i32x4)(v99 == v99);
          const f32x4 v104 = (f32x4)v102;
          const f32x4 v105 = (f32x4)((v103 & (i32x4)v104) | (~v103 & (i32x4)v99));
          const f32x4 v106 = tl_fma_f32x4(v82, v96, totals_64);
          const f32x4 v107 = tl_fma_f32x4(v82, v105, value2_65);
          totals_64 = v106;
          value2_65 = v107;
        }
        local15[thread_39] = v44;
        local16[thread_39] = v54;
        *(f32x4_memory *)(local17 + thread_39 * 4) = totals_64;
        *(f32x4_memory *)(local18 + thread_39 * 4) = value2_65;
      }
      // tiled_matmul.py  tl.barrier()  # all have read these tiles, before others overwrite them
      for (int64_t thread_108 = 0; thread_108 < 64; thread_108 += 1) {
        const f32x4 v109 = *(f32x4_memory *)(local17 + thread_108 * 4);
        const f32x4 v110 = *(f32x4_memory *)(local18 + thread_108 * 4);
        const int64_t v111 = local15[thread_108];
        const int64_t v112 = local16[thread_108];
        *(f32x4_memory *)(local11 + thread_108 * 4) = v109;
        *(f32x4_memory *)(local12 + thread_108 * 4) = v110;
        local13[thread_108] = v111;
        local14[thread_108] = v112;
      }
    }
    // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
    for (int64_t thread_113 = 0; thread_113 < 64; thread_113 += 1) {
      // tiled_matmul.py  acc += (await next_a) @ (await next_b)
      const f32x4 v114 = *(f32x4_memory *)(local11 + thread_113 * 4);
      const f32x4 v115 = *(f32x4_memory *)(local12 + thread_113 * 4);
      f32x4 totals_116 = v114;
      f32x4 value2_117 = v115;
      for (int64_t k_118 = 0; k_118 < 16; k_118 += 1) {
        const int64_t v119 = local13[thread_113];
        const i64x4 v120 = v119 - (i64x4){};
        const int64_t v121 = ((thread_113 >> 2) & 7) + (thread_113 >> 5) * 16;
        const i64x4 v122 = v121 - (i64x4){};
        const i64x4 v123 = v122 + (i64x4){0, 0, 8, 8};
        const i64x4 v124 = v123 * 16;
        const i64x4 v125 = v120 + v124;
        const i64x4 v126 = k_118 - (i64x4){};
        const i64x4 v127 = v125 + v126;
        const f32x4 v128 = (f32x4){local9[v127[0]], local9[v127[1]], local9[v127[2]], local9[v127[3]]};
        const u32x4 v129 = (u32x4)v128;
        const u32x4 v130 = v129 + 4096u;
        const u32x4 v131 = v130 & 4294959104u;
        const i32x4 v132 = (i32x4)(v128 == v128);
        const f32x4 v133 = (f32x4)v131;
        const f32x4 v134 = (f32x4)((v132 & (i32x4)v133) | (~v132 & (i32x4)v128));
        const int64_t v135 = local14[thread_113];
        const int64_t v136 = v135 + k_118 * 16;
        const i64x4 v137 = v136 - (i64x4){};
        const int64_t v138 = (thread_113 & 3) * 2;
        const i64x4 v139 = v138 - (i64x4){};
        const i64x4 v140 = v139 + (i64x4){0, 1, 0, 1};
        const i64x4 v141 = v137 + v140;
        const f32x4 v142 = (f32x4){local10[v141[0]], local10[v141[1]], local10[v141[2]], local10[v141[3]]};
        const u32x4 v143 = (u32x4)v142;
        const u32x4 v144 = v143 + 4096u;
        const u32x4 v145 = v144 & 4294959104u;
        const i32x4 v146 = (i32x4)(v142 == v142);
        const f32x4 v147 = (f32x4)v145;
        const f32x4 v148 = (f32x4)((v146 & (i32x4)v147) | (~v146 & (i32x4)v142));
        const i64x4 v149 = v140 + 8;
        const i64x4 v150 = v137 + v149;
        const f32x4 v151 = (f32x4){local10[v150[0]], local10[v150[1]], local10[v150[2]], local10[v150[3]]};
        const u32x4 v152 = (u32x4)v151;
        const u32x4 v153 = v152 + 4096u;
        const u32x4 v154 = v153 & 4294959104u;
        const i32x4 v155 = (i32x4)(v151 == v151);
        const f32x4 v156 = (f32x4)v154;
        const f32x4 v157 = (f32x4)((v155 & (i32x4)v156) | (~v155 & (i32x4)v151));
        const f32x4 v158 = tl_fma_f32x4(v134, v148, totals_116);
        const f32x4 v159 = tl_fma_f32x4(v134, v157, value2_117);
        totals_116 = v158;
        value2_117 = v159;
      }
      // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
      const int64_t v160 = (thread_113 >> 2) & 7;
      const int64_t v161 = thread_113 >> 5;
      const int64_t v162 = v160 + v161 * 16;
      const i64x4 v163 = v162 - (i64x4){};
      const i64x4 v164 = v163 + (i64x4){0, 0, 8, 8};
      const int64_t v165 = v8 * 32;
      const int64_t v166 = c_n0_ - v165;
      const i64x4 v167 = v166 - (i64x4){};
      const i64x4 v168 = (i64x4)(v164 < v167);
      const int64_t v169 = (thread_113 & 3) * 2;
      const i64x4 v170 = v169 - (i64x4){};
      const i64x4 v171 = v170 + (i64x4){0, 1, 0, 1};
      const int64_t v172 = v6 * 16;
      const int64_t v173 = c_n1_ - v172;
      const i64x4 v174 = v173 - (i64x4){};
      const i64x4 v175 = (i64x4)(v171 < v174);
      const i64x4 v176 = v168 & v175;
      const int64_t v177 = v169 + v160 * c_stride0_ + v161 * (c_stride0_ * 16);
      const int64_t v178 = v165 * c_stride0_ + v172 + v177;
      const i64x4 v179 = v178 - (i64x4){};
      const int64_t v180 = c_stride0_ * 8;
      const i64x4 v181 = v180 - (i64x4){};
      const i64x4 v182 = (i64x4){0, 0, 1, 1} * v181;
      const i64x4 v183 = (i64x4){0, 1, 0, 1} + v182;
      const i64x4 v184 = v179 + v183;
      if (v176[0]) c_[v184[0]] = totals_116[0]; if (v176[1]) c_[v184[1]] = totals_116[1]; if (v176[2]) c_[v184[2]] = totals_116[2]; if (v176[3]) c_[v184[3]] = totals_116[3];
      const i64x4 v185 = v171 + 8;
      const i64x4 v186 = (i64x4)(v185 < v174);
      const i64x4 v187 = v168 & v186;
      const i64x4 v188 = v184 + 8;
      if (v187[0]) c_[v188[0]] = value2_117[0]; if (v187[1]) c_[v188[1]] = value2_117[1]; if (v187[2]) c_[v188[2]] = value2_117[2]; if (v187[3]) c_[v188[3]] = value2_117[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
