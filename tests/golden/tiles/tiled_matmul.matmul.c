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
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    const int64_t v7 = tl_floor_modulo_i64x1(block_3, grid_x_);
    const int64_t v8 = tl_floor_divide_i64x1(block_3, grid_x_);
    const int64_t v9 = tl_floor_modulo_i64x1(v8, grid_y_);
    float local10[1024] __attribute__((aligned(64)));
    float local11[512] __attribute__((aligned(64)));
    // tiled_matmul.py  for k in range(1, (a.shape[1] + K - 1) // K):
    float local12[256] __attribute__((aligned(64)));
    float local13[256] __attribute__((aligned(64)));
    int64_t local14[64] __attribute__((aligned(64)));
    int64_t local15[64] __attribute__((aligned(64)));
    // tiled_matmul.py  acc += a_tile @ b_tile
    int64_t local16[64] __attribute__((aligned(64)));
    int64_t local17[64] __attribute__((aligned(64)));
    float local18[256] __attribute__((aligned(64)));
    float local19[256] __attribute__((aligned(64)));
    // tiled_matmul.py  next_b = b.tile[K, N](0, column).copy[tl.SHARED](into=b_memory[0, :, :], other=0.0)
    for (int64_t thread_20 = 0; thread_20 < 64; thread_20 += 1) {
      // tiled_matmul.py  next_a = a.tile[M, K](row, 0).copy[tl.SHARED](into=a_memory[0, :, :], other=0.0)
      for (int64_t first_21 = 0; first_21 < 512; first_21 += 64) {
        const int64_t v22 = thread_20 + first_21;
        const int64_t v23 = v22 & 15;
        const int64_t v24 = v22 >> 4;
        const uint8_t v25 = v22 < 512;
        const int64_t v26 = v9 * 32;
        const int64_t v27 = a_n0_ - v26;
        const uint8_t v28 = ((v24 < v27) & (v23 < a_n1_)) & v25;
        const int64_t v29 = v24 * a_stride0_;
        const int64_t v30 = v26 * a_stride0_;
        const int64_t v31 = v30 + v29;
        const int64_t v32 = v31 + v23;
        float t33 = 0.0f;
        if (v28) t33 = a_[v32];
        const int64_t v34 = v24 * 16;
        const int64_t v35 = v34 + v23;
        if (v25) local10[v35] = t33;
      }
      // tiled_matmul.py  next_b = b.tile[K, N](0, column).copy[tl.SHARED](into=b_memory[0, :, :], other=0.0)
      for (int64_t first_36 = 0; first_36 < 256; first_36 += 64) {
        const int64_t v37 = thread_20 + first_36;
        const int64_t v38 = v37 & 15;
        const int64_t v39 = v37 >> 4;
        const uint8_t v40 = v37 < 256;
        const int64_t v41 = v7 * 16;
        const int64_t v42 = b_n1_ - v41;
        const uint8_t v43 = ((v39 < b_n0_) & (v38 < v42)) & v40;
        const int64_t v44 = v39 * b_stride0_;
        const int64_t v45 = v41 + v44;
        const int64_t v46 = v45 + v38;
        float t47 = 0.0f;
        if (v43) t47 = b_[v46];
        const int64_t v48 = v39 * 16;
        const int64_t v49 = v48 + v38;
        if (v40) local11[v49] = t47;
      }
    }
    // tiled_matmul.py  for k in range(1, (a.shape[1] + K - 1) // K):
    for (int64_t thread_50 = 0; thread_50 < 64; thread_50 += 1) {
      const int64_t v51 = thread_50 * 4;
      *(f32x4_memory *)(local12 + v51) = (f32x4){};
      const int64_t v52 = thread_50 * 4;
      *(f32x4_memory *)(local13 + v52) = (f32x4){};
      local14[thread_50] = 0;
      local15[thread_50] = 0;
    }
    const int64_t v53 = a_n1_ + 16;
    const int64_t v54 = v53 - 1;
    const int64_t v55 = v54 >> 4;
    // tiled_matmul.py  tl.barrier()  # all have read these tiles, before others overwrite them
    for (int64_t k_56 = 1; k_56 < v55; k_56 += 1) {
      // tiled_matmul.py  acc += a_tile @ b_tile
      for (int64_t thread_57 = 0; thread_57 < 64; thread_57 += 1) {
        // tiled_matmul.py  next_a = a.tile[M, K](row, k).copy[tl.SHARED](into=a_memory[k % 2, :, :], other=0.0)
        const int64_t v58 = k_56 * 16;
        const int64_t v59 = v9 * 32;
        const int64_t v60 = v59 * a_stride0_;
        const int64_t v61 = v60 + v58;
        const int64_t v62 = k_56 & 1;
        const int64_t v63 = v62 * 512;
        for (int64_t first_64 = 0; first_64 < 512; first_64 += 64) {
          const int64_t v65 = thread_57 + first_64;
          const int64_t v66 = v65 & 15;
          const int64_t v67 = v65 >> 4;
          const uint8_t v68 = v65 < 512;
          const int64_t v69 = a_n1_ - v58;
          const int64_t v70 = a_n0_ - v59;
          const uint8_t v71 = ((v67 < v70) & (v66 < v69)) & v68;
          const int64_t v72 = v67 * a_stride0_;
          const int64_t v73 = v61 + v72;
          const int64_t v74 = v73 + v66;
          float t75 = 0.0f;
          if (v71) t75 = a_[v74];
          const int64_t v76 = v67 * 16;
          const int64_t v77 = v63 + v76;
          const int64_t v78 = v77 + v66;
          if (v68) local10[v78] = t75;
        }
        // tiled_matmul.py  next_b = b.tile[K, N](k, column).copy[tl.SHARED](into=b_memory[k % 2, :, :], other=0.0)
        const int64_t v79 = v58 * b_stride0_;
        const int64_t v80 = v7 * 16;
        const int64_t v81 = v79 + v80;
        const int64_t v82 = v62 * 256;
        for (int64_t first_83 = 0; first_83 < 256; first_83 += 64) {
          const int64_t v84 = thread_57 + first_83;
          const int64_t v85 = v84 & 15;
          const int64_t v86 = v84 >> 4;
          const uint8_t v87 = v84 < 256;
          const int64_t v88 = b_n0_ - v58;
          const int64_t v89 = b_n1_ - v80;
          const uint8_t v90 = ((v86 < v88) & (v85 < v89)) & v87;
          const int64_t v91 = v86 * b_stride0_;
          const int64_t v92 = v81 + v91;
          const int64_t v93 = v92 + v85;
          float t94 = 0.0f;
          if (v90) t94 = b_[v93];
          const int64_t v95 = v86 * 16;
          const int64_t v96 = v82 + v95;
          const int64_t v97 = v96 + v85;
          if (v87) local11[v97] = t94;
        }
        // tiled_matmul.py  acc += a_tile @ b_tile
        const int64_t v98 = thread_57 * 4;
        const f32x4 v99 = *(f32x4_memory *)(local12 + v98);
        const int64_t v100 = thread_57 * 4;
        const f32x4 v101 = *(f32x4_memory *)(local13 + v100);
        f32x4 totals_102 = v99;
        f32x4 value2_103 = v101;
        for (int64_t k_104 = 0; k_104 < 16; k_104 += 1) {
          const int64_t v105 = local14[thread_57];
          const i64x4 v106 = v105 - (i64x4){};
          const int64_t v107 = thread_57 >> 2;
          const int64_t v108 = v107 & 7;
          const int64_t v109 = thread_57 >> 5;
          const int64_t v110 = v109 * 16;
          const int64_t v111 = v108 + v110;
          const i64x4 v112 = v111 - (i64x4){};
          const i64x4 v113 = v112 + (i64x4){0, 0, 8, 8};
          const i64x4 v114 = v113 * 16;
          const i64x4 v115 = v106 + v114;
          const i64x4 v116 = k_104 - (i64x4){};
          const i64x4 v117 = v115 + v116;
          const f32x4 v118 = (f32x4){local10[v117[0]], local10[v117[1]], local10[v117[2]], local10[v117[3]]};
          const u32x4 v119 = (u32x4)v118;
          const u32x4 v120 = v119 + 4096u;
          const u32x4 v121 = v120 & 4294959104u;
          const i32x4 v122 = (i32x4)(v118 == v118);
          const f32x4 v123 = (f32x4)v121;
          const f32x4 v124 = (f32x4)((v122 & (i32x4)v123) | (~v122 & (i32x4)v118));
          const int64_t v125 = k_104 * 16;
          const int64_t v126 = local15[thread_57];
          const int64_t v127 = v126 + v125;
          const i64x4 v128 = v127 - (i64x4){};
          const int64_t v129 = thread_57 & 3;
          const int64_t v130 = v129 * 2;
          const i64x4 v131 = v130 - (i64x4){};
          const i64x4 v132 = v131 + (i64x4){0, 1, 0, 1};
          const i64x4 v133 = v128 + v132;
          const f32x4 v134 = (f32x4){local11[v133[0]], local11[v133[1]], local11[v133[2]], local11[v133[3]]};
          const u32x4 v135 = (u32x4)v134;
          const u32x4 v136 = v135 + 4096u;
          const u32x4 v137 = v136 & 4294959104u;
          const i32x4 v138 = (i32x4)(v134 == v134);
          const f32x4 v139 = (f32x4)v137;
          const f32x4 v140 = (f32x4)((v138 & (i32x4)v139) | (~v138 & (i32x4)v134));
          const i64x4 v141 = v132 + 8;
          const i64x4 v142 = v128 + v141;
          const f32x4 v143 = (f32x4){local11[v142[0]], local11[v142[1]], local11[v142[2]], local11[v142[3]]};
          const u32x4 v144 = (u32x4)v143;
          const u32x4 v145 = v144 + 4096u;
          const u32x4 v146 = v145 & 4294959104u;
          const i32x4 v147 = (i32x4)(v143 == v143);
          const f32x4 v148 = (f32x4)v146;
          const f32x4 v149 = (f32x4)((v147 & (i32x4)v148) | (~v147 & (i32x4)v143));
          const f32x4 v150 = tl_fma_f32x4(v124, v140, totals_102);
          const f32x4 v151 = tl_fma_f32x4(v124, v149, value2_103);
          totals_102 = v150;
          value2_103 = v151;
        }
        local16[thread_57] = v63;
        local17[thread_57] = v82;
        const int64_t v152 = thread_57 * 4;
        *(f32x4_memory *)(local18 + v152) = totals_102;
        const int64_t v153 = thread_57 * 4;
        *(f32x4_memory *)(local19 + v153) = value2_103;
      }
      // tiled_matmul.py  tl.barrier()  # all have read these tiles, before others overwrite them
      for (int64_t thread_154 = 0; thread_154 < 64; thread_154 += 1) {
        const int64_t v155 = thread_154 * 4;
        const f32x4 v156 = *(f32x4_memory *)(local18 + v155);
        const int64_t v157 = thread_154 * 4;
        const f32x4 v158 = *(f32x4_memory *)(local19 + v157);
        const int64_t v159 = local16[thread_154];
        const int64_t v160 = local17[thread_154];
        const int64_t v161 = thread_154 * 4;
        *(f32x4_memory *)(local12 + v161) = v156;
        const int64_t v162 = thread_154 * 4;
        *(f32x4_memory *)(local13 + v162) = v158;
        local14[thread_154] = v159;
        local15[thread_154] = v160;
      }
    }
    // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
    for (int64_t thread_163 = 0; thread_163 < 64; thread_163 += 1) {
      // tiled_matmul.py  acc += (await next_a) @ (await next_b)
      const int64_t v164 = thread_163 * 4;
      const f32x4 v165 = *(f32x4_memory *)(local12 + v164);
      const int64_t v166 = thread_163 * 4;
      const f32x4 v167 = *(f32x4_memory *)(local13 + v166);
      f32x4 totals_168 = v165;
      f32x4 value2_169 = v167;
      for (int64_t k_170 = 0; k_170 < 16; k_170 += 1) {
        const int64_t v171 = local14[thread_163];
        const i64x4 v172 = v171 - (i64x4){};
        const int64_t v173 = thread_163 >> 2;
        const int64_t v174 = v173 & 7;
        const int64_t v175 = thread_163 >> 5;
        const int64_t v176 = v175 * 16;
        const int64_t v177 = v174 + v176;
        const i64x4 v178 = v177 - (i64x4){};
        const i64x4 v179 = v178 + (i64x4){0, 0, 8, 8};
        const i64x4 v180 = v179 * 16;
        const i64x4 v181 = v172 + v180;
        const i64x4 v182 = k_170 - (i64x4){};
        const i64x4 v183 = v181 + v182;
        const f32x4 v184 = (f32x4){local10[v183[0]], local10[v183[1]], local10[v183[2]], local10[v183[3]]};
        const u32x4 v185 = (u32x4)v184;
        const u32x4 v186 = v185 + 4096u;
        const u32x4 v187 = v186 & 4294959104u;
        const i32x4 v188 = (i32x4)(v184 == v184);
        const f32x4 v189 = (f32x4)v187;
        const f32x4 v190 = (f32x4)((v188 & (i32x4)v189) | (~v188 & (i32x4)v184));
        const int64_t v191 = k_170 * 16;
        const int64_t v192 = local15[thread_163];
        const int64_t v193 = v192 + v191;
        const i64x4 v194 = v193 - (i64x4){};
        const int64_t v195 = thread_163 & 3;
        const int64_t v196 = v195 * 2;
        const i64x4 v197 = v196 - (i64x4){};
        const i64x4 v198 = v197 + (i64x4){0, 1, 0, 1};
        const i64x4 v199 = v194 + v198;
        const f32x4 v200 = (f32x4){local11[v199[0]], local11[v199[1]], local11[v199[2]], local11[v199[3]]};
        const u32x4 v201 = (u32x4)v200;
        const u32x4 v202 = v201 + 4096u;
        const u32x4 v203 = v202 & 4294959104u;
        const i32x4 v204 = (i32x4)(v200 == v200);
        const f32x4 v205 = (f32x4)v203;
        const f32x4 v206 = (f32x4)((v204 & (i32x4)v205) | (~v204 & (i32x4)v200));
        const i64x4 v207 = v198 + 8;
        const i64x4 v208 = v194 + v207;
        const f32x4 v209 = (f32x4){local11[v208[0]], local11[v208[1]], local11[v208[2]], local11[v208[3]]};
        const u32x4 v210 = (u32x4)v209;
        const u32x4 v211 = v210 + 4096u;
        const u32x4 v212 = v211 & 4294959104u;
        const i32x4 v213 = (i32x4)(v209 == v209);
        const f32x4 v214 = (f32x4)v212;
        const f32x4 v215 = (f32x4)((v213 & (i32x4)v214) | (~v213 & (i32x4)v209));
        const f32x4 v216 = tl_fma_f32x4(v190, v206, totals_168);
        const f32x4 v217 = tl_fma_f32x4(v190, v215, value2_169);
        totals_168 = v216;
        value2_169 = v217;
      }
      // tiled_matmul.py  c.tile[M, N](row, column).copy_from(acc, masked=True)
      const int64_t v218 = thread_163 >> 2;
      const int64_t v219 = v218 & 7;
      const int64_t v220 = thread_163 >> 5;
      const int64_t v221 = v220 * 16;
      const int64_t v222 = v219 + v221;
      const i64x4 v223 = v222 - (i64x4){};
      const i64x4 v224 = v223 + (i64x4){0, 0, 8, 8};
      const int64_t v225 = v9 * 32;
      const int64_t v226 = c_n0_ - v225;
      const i64x4 v227 = v226 - (i64x4){};
      const i64x4 v228 = (i64x4)(v224 < v227);
      const int64_t v229 = thread_163 & 3;
      const int64_t v230 = v229 * 2;
      const i64x4 v231 = v230 - (i64x4){};
      const i64x4 v232 = v231 + (i64x4){0, 1, 0, 1};
      const int64_t v233 = v7 * 16;
      const int64_t v234 = c_n1_ - v233;
      const i64x4 v235 = v234 - (i64x4){};
      const i64x4 v236 = (i64x4)(v232 < v235);
      const i64x4 v237 = v228 & v236;
      const int64_t v238 = v225 * c_stride0_;
      const int64_t v239 = v238 + v233;
      const int64_t v240 = v219 * c_stride0_;
      const int64_t v241 = v230 + v240;
      const int64_t v242 = c_stride0_ * 16;
      const int64_t v243 = v220 * v242;
      const int64_t v244 = v241 + v243;
      const int64_t v245 = v239 + v244;
      const i64x4 v246 = v245 - (i64x4){};
      const int64_t v247 = c_stride0_ * 8;
      const i64x4 v248 = v247 - (i64x4){};
      const i64x4 v249 = (i64x4){0, 0, 1, 1} * v248;
      const i64x4 v250 = (i64x4){0, 1, 0, 1} + v249;
      const i64x4 v251 = v246 + v250;
      if (v237[0]) c_[v251[0]] = totals_168[0]; if (v237[1]) c_[v251[1]] = totals_168[1]; if (v237[2]) c_[v251[2]] = totals_168[2]; if (v237[3]) c_[v251[3]] = totals_168[3];
      const i64x4 v252 = v232 + 8;
      const i64x4 v253 = (i64x4)(v252 < v235);
      const i64x4 v254 = v228 & v253;
      const i64x4 v255 = v251 + 8;
      if (v254[0]) c_[v255[0]] = value2_169[0]; if (v254[1]) c_[v255[1]] = value2_169[1]; if (v254[2]) c_[v255[2]] = value2_169[2]; if (v254[3]) c_[v255[3]] = value2_169[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
