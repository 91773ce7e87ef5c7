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
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_i64x2
#define TL_i64x2
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef int64_t i64x2_memory __attribute__((vector_size(16), aligned(1), may_alias));
#endif
#ifndef TL_f32x2
#define TL_f32x2
typedef float f32x2 __attribute__((vector_size(8)));
typedef float f32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
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
#ifndef TL_u32x2
#define TL_u32x2
typedef uint32_t u32x2 __attribute__((vector_size(8)));
typedef uint32_t u32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
#endif
#ifndef TL_i32x2
#define TL_i32x2
typedef int32_t i32x2 __attribute__((vector_size(8)));
typedef int32_t i32x2_memory __attribute__((vector_size(8), aligned(1), may_alias));
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
  const int64_t c_stride0_ = (int64_t)args[3];
  float *a_ = (float *)(uintptr_t)args[4];
  const int64_t a_n1_ = (int64_t)args[6];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_stride0_ = (int64_t)args[11];
  const int64_t grid_x_ = (int64_t)args[12];
  const int64_t grid_y_ = (int64_t)args[13];
  const int64_t grid_z_ = (int64_t)args[14];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // fragment_matmul.py  c.store(row, column, acc_frag)
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    const int64_t v7 = tl_floor_modulo_i64x1(block_3, grid_x_);
    const int64_t v8 = tl_floor_divide_i64x1(block_3, grid_x_);
    const int64_t v9 = tl_floor_modulo_i64x1(v8, grid_y_);
    float local10[256] __attribute__((aligned(64)));
    float local11[256] __attribute__((aligned(64)));
    float local12[256] __attribute__((aligned(64)));
    float local13[256] __attribute__((aligned(64)));
    // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
    float local14[128] __attribute__((aligned(64)));
    float local15[128] __attribute__((aligned(64)));
    float local16[64] __attribute__((aligned(64)));
    float local17[64] __attribute__((aligned(64)));
    float local18[64] __attribute__((aligned(64)));
    float local19[64] __attribute__((aligned(64)));
    // fragment_matmul.py  for i in range(1, steps):
    float local20[128] __attribute__((aligned(64)));
    float local21[128] __attribute__((aligned(64)));
    float local22[128] __attribute__((aligned(64)));
    float local23[128] __attribute__((aligned(64)));
    float local24[64] __attribute__((aligned(64)));
    float local25[64] __attribute__((aligned(64)));
    float local26[64] __attribute__((aligned(64)));
    float local27[64] __attribute__((aligned(64)));
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    float local28[128] __attribute__((aligned(64)));
    float local29[128] __attribute__((aligned(64)));
    float local30[64] __attribute__((aligned(64)));
    float local31[64] __attribute__((aligned(64)));
    float local32[64] __attribute__((aligned(64)));
    float local33[64] __attribute__((aligned(64)));
    float local34[128] __attribute__((aligned(64)));
    float local35[128] __attribute__((aligned(64)));
    // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
    for (int64_t thread_36 = 0; thread_36 < 32; thread_36 += 1) {
      // fragment_matmul.py  a_frag = a.tile[16, 16](row, 0).copy[tl.REGISTER](layout=a_layout)
      const int64_t v37 = v7 * 16;
      const int64_t v38 = v37 * a_stride0_;
      const int64_t v39 = thread_36 & 31;
      const int64_t v40 = v39 & 3;
      const int64_t v41 = v39 >> 2;
      const int64_t v42 = v41 * a_stride0_;
      const int64_t v43 = v40 + v42;
      const int64_t v44 = v38 + v43;
      const i64x4 v45 = v44 - (i64x4){};
      const int64_t v46 = a_stride0_ * 8;
      const i64x4 v47 = v46 - (i64x4){};
      const i64x4 v48 = (i64x4){0, 1, 0, 1} * v47;
      const i64x4 v49 = v48 + (i64x4){0, 0, 4, 4};
      const i64x4 v50 = v45 + v49;
      const f32x4 v51 = (f32x4){a_[v50[0]], a_[v50[1]], a_[v50[2]], a_[v50[3]]};
      const i64x4 v52 = v50 + 8;
      const f32x4 v53 = (f32x4){a_[v52[0]], a_[v52[1]], a_[v52[2]], a_[v52[3]]};
      // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
      const int64_t v54 = v9 * 16;
      const int64_t v55 = v40 * b_stride0_;
      const int64_t v56 = v55 + v41;
      const int64_t v57 = v54 + v56;
      const i64x2 v58 = v57 - (i64x2){};
      const int64_t v59 = b_stride0_ * 4;
      const i64x2 v60 = v59 - (i64x2){};
      const i64x2 v61 = (i64x2){0, 1} * v60;
      const i64x2 v62 = v58 + v61;
      const f32x2 v63 = (f32x2){b_[v62[0]], b_[v62[1]]};
      const int64_t v64 = b_stride0_ * 8;
      const i64x2 v65 = v64 - (i64x2){};
      const i64x2 v66 = v62 + v65;
      const f32x2 v67 = (f32x2){b_[v66[0]], b_[v66[1]]};
      const i64x2 v68 = v62 + 8;
      const f32x2 v69 = (f32x2){b_[v68[0]], b_[v68[1]]};
      const i64x2 v70 = v68 + v65;
      const f32x2 v71 = (f32x2){b_[v70[0]], b_[v70[1]]};
      const int64_t v72 = thread_36 * 4;
      *(f32x4_memory *)(local14 + v72) = v51;
      const int64_t v73 = thread_36 * 4;
      *(f32x4_memory *)(local15 + v73) = v53;
      const int64_t v74 = thread_36 * 2;
      *(f32x2_memory *)(local16 + v74) = v63;
      const int64_t v75 = thread_36 * 2;
      *(f32x2_memory *)(local17 + v75) = v67;
      const int64_t v76 = thread_36 * 2;
      *(f32x2_memory *)(local18 + v76) = v69;
      const int64_t v77 = thread_36 * 2;
      *(f32x2_memory *)(local19 + v77) = v71;
    }
    // fragment_matmul.py  for i in range(1, steps):
    for (int64_t thread_78 = 0; thread_78 < 32; thread_78 += 1) {
      const int64_t v79 = thread_78 * 4;
      const f32x4 v80 = *(f32x4_memory *)(local14 + v79);
      const int64_t v81 = thread_78 * 4;
      const f32x4 v82 = *(f32x4_memory *)(local15 + v81);
      const int64_t v83 = thread_78 * 2;
      const f32x2 v84 = *(f32x2_memory *)(local16 + v83);
      const int64_t v85 = thread_78 * 2;
      const f32x2 v86 = *(f32x2_memory *)(local17 + v85);
      const int64_t v87 = thread_78 * 2;
      const f32x2 v88 = *(f32x2_memory *)(local18 + v87);
      const int64_t v89 = thread_78 * 2;
      const f32x2 v90 = *(f32x2_memory *)(local19 + v89);
      const int64_t v91 = thread_78 * 4;
      *(f32x4_memory *)(local20 + v91) = v80;
      const int64_t v92 = thread_78 * 4;
      *(f32x4_memory *)(local21 + v92) = v82;
      const int64_t v93 = thread_78 * 4;
      *(f32x4_memory *)(local22 + v93) = (f32x4){};
      const int64_t v94 = thread_78 * 4;
      *(f32x4_memory *)(local23 + v94) = (f32x4){};
      const int64_t v95 = thread_78 * 2;
      *(f32x2_memory *)(local24 + v95) = v84;
      const int64_t v96 = thread_78 * 2;
      *(f32x2_memory *)(local25 + v96) = v86;
      const int64_t v97 = thread_78 * 2;
      *(f32x2_memory *)(local26 + v97) = v88;
      const int64_t v98 = thread_78 * 2;
      *(f32x2_memory *)(local27 + v98) = v90;
    }
    const int64_t steps_99 = a_n1_ >> 4;
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    for (int64_t i_100 = 1; i_100 < steps_99; i_100 += 1) {
      for (int64_t thread_101 = 0; thread_101 < 32; thread_101 += 1) {
        // fragment_matmul.py  next_a_frag = a.tile[16, 16](row, i).copy[tl.REGISTER](layout=a_layout)
        const int64_t v102 = i_100 * 16;
        const int64_t v103 = v7 * 16;
        const int64_t v104 = v103 * a_stride0_;
        const int64_t v105 = v104 + v102;
        const int64_t v106 = thread_101 & 31;
        const int64_t v107 = v106 & 3;
        const int64_t v108 = v106 >> 2;
        const int64_t v109 = v108 * a_stride0_;
        const int64_t v110 = v107 + v109;
        const int64_t v111 = v105 + v110;
        const i64x4 v112 = v111 - (i64x4){};
        const int64_t v113 = a_stride0_ * 8;
        const i64x4 v114 = v113 - (i64x4){};
        const i64x4 v115 = (i64x4){0, 1, 0, 1} * v114;
        const i64x4 v116 = v115 + (i64x4){0, 0, 4, 4};
        const i64x4 v117 = v112 + v116;
        const f32x4 v118 = (f32x4){a_[v117[0]], a_[v117[1]], a_[v117[2]], a_[v117[3]]};
        const i64x4 v119 = v117 + 8;
        const f32x4 v120 = (f32x4){a_[v119[0]], a_[v119[1]], a_[v119[2]], a_[v119[3]]};
        // fragment_matmul.py  next_b_frag = b.tile[16, 16](i, column).copy[tl.REGISTER](layout=b_layout)
        const int64_t v121 = v102 * b_stride0_;
        const int64_t v122 = v9 * 16;
        const int64_t v123 = v121 + v122;
        const int64_t v124 = v107 * b_stride0_;
        const int64_t v125 = v124 + v108;
        const int64_t v126 = v123 + v125;
        const i64x2 v127 = v126 - (i64x2){};
        const int64_t v128 = b_stride0_ * 4;
        const i64x2 v129 = v128 - (i64x2){};
        const i64x2 v130 = (i64x2){0, 1} * v129;
        const i64x2 v131 = v127 + v130;
        const f32x2 v132 = (f32x2){b_[v131[0]], b_[v131[1]]};
        const int64_t v133 = b_stride0_ * 8;
        const i64x2 v134 = v133 - (i64x2){};
        const i64x2 v135 = v131 + v134;
        const f32x2 v136 = (f32x2){b_[v135[0]], b_[v135[1]]};
        const i64x2 v137 = v131 + 8;
        const f32x2 v138 = (f32x2){b_[v137[0]], b_[v137[1]]};
        const i64x2 v139 = v137 + v134;
        const f32x2 v140 = (f32x2){b_[v139[0]], b_[v139[1]]};
        // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
        const int64_t v141 = thread_101 * 4;
        const f32x4 v142 = *(f32x4_memory *)(local20 + v141);
        const u32x4 v143 = (u32x4)v142;
        const u32x4 v144 = v143 + 4096u;
        const u32x4 v145 = v144 & 4294959104u;
        const i32x4 v146 = (i32x4)(v142 == v142);
        const f32x4 v147 = (f32x4)v145;
        const f32x4 v148 = (f32x4)((v146 & (i32x4)v147) | (~v146 & (i32x4)v142));
        const int64_t v149 = thread_101 * 4;
        const f32x4 v150 = *(f32x4_memory *)(local21 + v149);
        const u32x4 v151 = (u32x4)v150;
        const u32x4 v152 = v151 + 4096u;
        const u32x4 v153 = v152 & 4294959104u;
        const i32x4 v154 = (i32x4)(v150 == v150);
        const f32x4 v155 = (f32x4)v153;
        const f32x4 v156 = (f32x4)((v154 & (i32x4)v155) | (~v154 & (i32x4)v150));
        const int64_t v157 = v107 * 16;
        const int64_t v158 = v157 + v108;
        const i64x4 v159 = v158 - (i64x4){};
        const i64x4 v160 = v159 + (i64x4){0, 8, 64, 72};
        const int64_t v161 = thread_101 >> 5;
        const int64_t v162 = v161 * 256;
        const i64x4 v163 = v162 - (i64x4){};
        const i64x4 v164 = v163 + v160;
        local10[v164[0]] = v148[0]; local10[v164[1]] = v148[1]; local10[v164[2]] = v148[2]; local10[v164[3]] = v148[3];
        const i64x4 v165 = v159 + (i64x4){128, 136, 192, 200};
        const int64_t v166 = thread_101 >> 5;
        const int64_t v167 = v166 * 256;
        const i64x4 v168 = v167 - (i64x4){};
        const i64x4 v169 = v168 + v165;
        local10[v169[0]] = v156[0]; local10[v169[1]] = v156[1]; local10[v169[2]] = v156[2]; local10[v169[3]] = v156[3];
        const int64_t v170 = thread_101 * 2;
        const f32x2 v171 = *(f32x2_memory *)(local24 + v170);
        const u32x2 v172 = (u32x2)v171;
        const u32x2 v173 = v172 + 4096u;
        const u32x2 v174 = v173 & 4294959104u;
        const i32x2 v175 = (i32x2)(v171 == v171);
        const f32x2 v176 = (f32x2)v174;
        const f32x2 v177 = (f32x2)((v175 & (i32x2)v176) | (~v175 & (i32x2)v171));
        const int64_t v178 = thread_101 * 2;
        const f32x2 v179 = *(f32x2_memory *)(local25 + v178);
        const u32x2 v180 = (u32x2)v179;
        const u32x2 v181 = v180 + 4096u;
        const u32x2 v182 = v181 & 4294959104u;
        const i32x2 v183 = (i32x2)(v179 == v179);
        const f32x2 v184 = (f32x2)v182;
        const f32x2 v185 = (f32x2)((v183 & (i32x2)v184) | (~v183 & (i32x2)v179));
        const int64_t v186 = thread_101 * 2;
        const f32x2 v187 = *(f32x2_memory *)(local26 + v186);
        const u32x2 v188 = (u32x2)v187;
        const u32x2 v189 = v188 + 4096u;
        const u32x2 v190 = v189 & 4294959104u;
        const i32x2 v191 = (i32x2)(v187 == v187);
        const f32x2 v192 = (f32x2)v190;
        const f32x2 v193 = (f32x2)((v191 & (i32x2)v192) | (~v191 & (i32x2)v187));
        const int64_t v194 = thread_101 * 2;
        const f32x2 v195 = *(f32x2_memory *)(local27 + v194);
        const u32x2 v196 = (u32x2)v195;
        const u32x2 v197 = v196 + 4096u;
        const u32x2 v198 = v197 & 4294959104u;
        const i32x2 v199 = (i32x2)(v195 == v195);
        const f32x2 v200 = (f32x2)v198;
        const f32x2 v201 = (f32x2)((v199 & (i32x2)v200) | (~v199 & (i32x2)v195));
        const i64x2 v202 = v158 - (i64x2){};
        const i64x2 v203 = v202 + (i64x2){0, 64};
        const int64_t v204 = thread_101 >> 5;
        const int64_t v205 = v204 * 256;
        const i64x2 v206 = v205 - (i64x2){};
        const i64x2 v207 = v206 + v203;
        local11[v207[0]] = v177[0]; local11[v207[1]] = v177[1];
        const i64x2 v208 = v202 + (i64x2){128, 192};
        const int64_t v209 = thread_101 >> 5;
        const int64_t v210 = v209 * 256;
        const i64x2 v211 = v210 - (i64x2){};
        const i64x2 v212 = v211 + v208;
        local11[v212[0]] = v185[0]; local11[v212[1]] = v185[1];
        const i64x2 v213 = v202 + (i64x2){8, 72};
        const int64_t v214 = thread_101 >> 5;
        const int64_t v215 = v214 * 256;
        const i64x2 v216 = v215 - (i64x2){};
        const i64x2 v217 = v216 + v213;
        local11[v217[0]] = v193[0]; local11[v217[1]] = v193[1];
        const i64x2 v218 = v202 + (i64x2){136, 200};
        const int64_t v219 = thread_101 >> 5;
        const int64_t v220 = v219 * 256;
        const i64x2 v221 = v220 - (i64x2){};
        const i64x2 v222 = v221 + v218;
        local11[v222[0]] = v201[0]; local11[v222[1]] = v201[1];
        const int64_t v223 = thread_101 * 4;
        *(f32x4_memory *)(local28 + v223) = v118;
        const int64_t v224 = thread_101 * 4;
        *(f32x4_memory *)(local29 + v224) = v120;
        const int64_t v225 = thread_101 * 2;
        *(f32x2_memory *)(local30 + v225) = v132;
        const int64_t v226 = thread_101 * 2;
        *(f32x2_memory *)(local31 + v226) = v136;
        const int64_t v227 = thread_101 * 2;
        *(f32x2_memory *)(local32 + v227) = v138;
        const int64_t v228 = thread_101 * 2;
        *(f32x2_memory *)(local33 + v228) = v140;
      }
      for (int64_t thread_229 = 0; thread_229 < 32; thread_229 += 1) {
        const int64_t v230 = thread_229 * 4;
        const f32x4 v231 = *(f32x4_memory *)(local22 + v230);
        const int64_t v232 = thread_229 * 4;
        const f32x4 v233 = *(f32x4_memory *)(local23 + v232);
        f32x4 totals_234 = v231;
        f32x4 value2_235 = v233;
        for (int64_t k_236 = 0; k_236 < 16; k_236 += 1) {
          const int64_t v237 = k_236 * 16;
          const i64x2 v238 = v237 - (i64x2){};
          const int64_t v239 = thread_229 & 31;
          const int64_t v240 = v239 >> 2;
          const i64x2 v241 = v240 - (i64x2){};
          const i64x2 v242 = v241 + (i64x2){0, 8};
          const i64x2 v243 = v242 + v238;
          const int64_t v244 = thread_229 >> 5;
          const int64_t v245 = v244 * 256;
          const i64x2 v246 = v245 - (i64x2){};
          const i64x2 v247 = v246 + v243;
          const f32x2 v248 = (f32x2){local10[v247[0]], local10[v247[1]]};
          const f32x4 v249 = __builtin_shufflevector(v248, v248, 0, 0, 1, 1);
          const int64_t v250 = v239 & 3;
          const int64_t v251 = v250 * 2;
          const i64x2 v252 = v251 - (i64x2){};
          const i64x2 v253 = v252 + (i64x2){0, 1};
          const i64x2 v254 = v253 + v238;
          const int64_t v255 = thread_229 >> 5;
          const int64_t v256 = v255 * 256;
          const i64x2 v257 = v256 - (i64x2){};
          const i64x2 v258 = v257 + v254;
          const f32x2 v259 = (f32x2){local11[v258[0]], local11[v258[1]]};
          const int64_t v260 = v237 + 8;
          const i64x2 v261 = v260 - (i64x2){};
          const i64x2 v262 = v253 + v261;
          const int64_t v263 = thread_229 >> 5;
          const int64_t v264 = v263 * 256;
          const i64x2 v265 = v264 - (i64x2){};
          const i64x2 v266 = v265 + v262;
          const f32x2 v267 = (f32x2){local11[v266[0]], local11[v266[1]]};
          const f32x4 v268 = __builtin_shufflevector(v259, v259, 0, 1, 0, 1);
          const f32x4 v269 = __builtin_shufflevector(v267, v267, 0, 1, 0, 1);
          const f32x4 v270 = tl_fma_f32x4(v249, v268, totals_234);
          const f32x4 v271 = tl_fma_f32x4(v249, v269, value2_235);
          totals_234 = v270;
          value2_235 = v271;
        }
        const int64_t v272 = thread_229 * 4;
        *(f32x4_memory *)(local34 + v272) = totals_234;
        const int64_t v273 = thread_229 * 4;
        *(f32x4_memory *)(local35 + v273) = value2_235;
      }
      for (int64_t thread_274 = 0; thread_274 < 32; thread_274 += 1) {
        const int64_t v275 = thread_274 * 4;
        const f32x4 v276 = *(f32x4_memory *)(local28 + v275);
        const int64_t v277 = thread_274 * 4;
        const f32x4 v278 = *(f32x4_memory *)(local29 + v277);
        const int64_t v279 = thread_274 * 4;
        const f32x4 v280 = *(f32x4_memory *)(local34 + v279);
        const int64_t v281 = thread_274 * 4;
        const f32x4 v282 = *(f32x4_memory *)(local35 + v281);
        const int64_t v283 = thread_274 * 2;
        const f32x2 v284 = *(f32x2_memory *)(local30 + v283);
        const int64_t v285 = thread_274 * 2;
        const f32x2 v286 = *(f32x2_memory *)(local31 + v285);
        const int64_t v287 = thread_274 * 2;
        const f32x2 v288 = *(f32x2_memory *)(local32 + v287);
        const int64_t v289 = thread_274 * 2;
        const f32x2 v290 = *(f32x2_memory *)(local33 + v289);
        const int64_t v291 = thread_274 * 4;
        *(f32x4_memory *)(local20 + v291) = v276;
        const int64_t v292 = thread_274 * 4;
        *(f32x4_memory *)(local21 + v292) = v278;
        const int64_t v293 = thread_274 * 4;
        *(f32x4_memory *)(local22 + v293) = v280;
        const int64_t v294 = thread_274 * 4;
        *(f32x4_memory *)(local23 + v294) = v282;
        const int64_t v295 = thread_274 * 2;
        *(f32x2_memory *)(local24 + v295) = v284;
        const int64_t v296 = thread_274 * 2;
        *(f32x2_memory *)(local25 + v296) = v286;
        const int64_t v297 = thread_274 * 2;
        *(f32x2_memory *)(local26 + v297) = v288;
        const int64_t v298 = thread_274 * 2;
        *(f32x2_memory *)(local27 + v298) = v290;
      }
    }
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    for (int64_t thread_299 = 0; thread_299 < 32; thread_299 += 1) {
      const int64_t v300 = thread_299 * 4;
      const f32x4 v301 = *(f32x4_memory *)(local20 + v300);
      const u32x4 v302 = (u32x4)v301;
      const u32x4 v303 = v302 + 4096u;
      const u32x4 v304 = v303 & 4294959104u;
      const i32x4 v305 = (i32x4)(v301 == v301);
      const f32x4 v306 = (f32x4)v304;
      const f32x4 v307 = (f32x4)((v305 & (i32x4)v306) | (~v305 & (i32x4)v301));
      const int64_t v308 = thread_299 * 4;
      const f32x4 v309 = *(f32x4_memory *)(local21 + v308);
      const u32x4 v310 = (u32x4)v309;
      const u32x4 v311 = v310 + 4096u;
      const u32x4 v312 = v311 & 4294959104u;
      const i32x4 v313 = (i32x4)(v309 == v309);
      const f32x4 v314 = (f32x4)v312;
      const f32x4 v315 = (f32x4)((v313 & (i32x4)v314) | (~v313 & (i32x4)v309));
      const int64_t v316 = thread_299 & 31;
      const int64_t v317 = v316 & 3;
      const int64_t v318 = v317 * 16;
      const int64_t v319 = v316 >> 2;
      const int64_t v320 = v318 + v319;
      const i64x4 v321 = v320 - (i64x4){};
      const i64x4 v322 = v321 + (i64x4){0, 8, 64, 72};
      const int64_t v323 = thread_299 >> 5;
      const int64_t v324 = v323 * 256;
      const i64x4 v325 = v324 - (i64x4){};
      const i64x4 v326 = v325 + v322;
      local12[v326[0]] = v307[0]; local12[v326[1]] = v307[1]; local12[v326[2]] = v307[2]; local12[v326[3]] = v307[3];
      const i64x4 v327 = v321 + (i64x4){128, 136, 192, 200};
      const int64_t v328 = thread_299 >> 5;
      const int64_t v329 = v328 * 256;
      const i64x4 v330 = v329 - (i64x4){};
      const i64x4 v331 = v330 + v327;
      local12[v331[0]] = v315[0]; local12[v331[1]] = v315[1]; local12[v331[2]] = v315[2]; local12[v331[3]] = v315[3];
      const int64_t v332 = thread_299 * 2;
      const f32x2 v333 = *(f32x2_memory *)(local24 + v332);
      const u32x2 v334 = (u32x2)v333;
      const u32x2 v335 = v334 + 4096u;
      const u32x2 v336 = v335 & 4294959104u;
      const i32x2 v337 = (i32x2)(v333 == v333);
      const f32x2 v338 = (f32x2)v336;
      const f32x2 v339 = (f32x2)((v337 & (i32x2)v338) | (~v337 & (i32x2)v333));
      const int64_t v340 = thread_299 * 2;
      const f32x2 v341 = *(f32x2_memory *)(local25 + v340);
      const u32x2 v342 = (u32x2)v341;
      const u32x2 v343 = v342 + 4096u;
      const u32x2 v344 = v343 & 4294959104u;
      const i32x2 v345 = (i32x2)(v341 == v341);
      const f32x2 v346 = (f32x2)v344;
      const f32x2 v347 = (f32x2)((v345 & (i32x2)v346) | (~v345 & (i32x2)v341));
      const int64_t v348 = thread_299 * 2;
      const f32x2 v349 = *(f32x2_memory *)(local26 + v348);
      const u32x2 v350 = (u32x2)v349;
      const u32x2 v351 = v350 + 4096u;
      const u32x2 v352 = v351 & 4294959104u;
      const i32x2 v353 = (i32x2)(v349 == v349);
      const f32x2 v354 = (f32x2)v352;
      const f32x2 v355 = (f32x2)((v353 & (i32x2)v354) | (~v353 & (i32x2)v349));
      const int64_t v356 = thread_299 * 2;
      const f32x2 v357 = *(f32x2_memory *)(local27 + v356);
      const u32x2 v358 = (u32x2)v357;
      const u32x2 v359 = v358 + 4096u;
      const u32x2 v360 = v359 & 4294959104u;
      const i32x2 v361 = (i32x2)(v357 == v357);
      const f32x2 v362 = (f32x2)v360;
      const f32x2 v363 = (f32x2)((v361 & (i32x2)v362) | (~v361 & (i32x2)v357));
      const i64x2 v364 = v320 - (i64x2){};
      const i64x2 v365 = v364 + (i64x2){0, 64};
      const int64_t v366 = thread_299 >> 5;
      const int64_t v367 = v366 * 256;
      const i64x2 v368 = v367 - (i64x2){};
      const i64x2 v369 = v368 + v365;
      local13[v369[0]] = v339[0]; local13[v369[1]] = v339[1];
      const i64x2 v370 = v364 + (i64x2){128, 192};
      const int64_t v371 = thread_299 >> 5;
      const int64_t v372 = v371 * 256;
      const i64x2 v373 = v372 - (i64x2){};
      const i64x2 v374 = v373 + v370;
      local13[v374[0]] = v347[0]; local13[v374[1]] = v347[1];
      const i64x2 v375 = v364 + (i64x2){8, 72};
      const int64_t v376 = thread_299 >> 5;
      const int64_t v377 = v376 * 256;
      const i64x2 v378 = v377 - (i64x2){};
      const i64x2 v379 = v378 + v375;
      local13[v379[0]] = v355[0]; local13[v379[1]] = v355[1];
      const i64x2 v380 = v364 + (i64x2){136, 200};
      const int64_t v381 = thread_299 >> 5;
      const int64_t v382 = v381 * 256;
      const i64x2 v383 = v382 - (i64x2){};
      const i64x2 v384 = v383 + v380;
      local13[v384[0]] = v363[0]; local13[v384[1]] = v363[1];
    }
    for (int64_t thread_385 = 0; thread_385 < 32; thread_385 += 1) {
      const int64_t v386 = thread_385 * 4;
      const f32x4 v387 = *(f32x4_memory *)(local22 + v386);
      const int64_t v388 = thread_385 * 4;
      const f32x4 v389 = *(f32x4_memory *)(local23 + v388);
      f32x4 totals_390 = v387;
      f32x4 value2_391 = v389;
      for (int64_t k_392 = 0; k_392 < 16; k_392 += 1) {
        const int64_t v393 = k_392 * 16;
        const i64x2 v394 = v393 - (i64x2){};
        const int64_t v395 = thread_385 & 31;
        const int64_t v396 = v395 >> 2;
        const i64x2 v397 = v396 - (i64x2){};
        const i64x2 v398 = v397 + (i64x2){0, 8};
        const i64x2 v399 = v398 + v394;
        const int64_t v400 = thread_385 >> 5;
        const int64_t v401 = v400 * 256;
        const i64x2 v402 = v401 - (i64x2){};
        const i64x2 v403 = v402 + v399;
        const f32x2 v404 = (f32x2){local12[v403[0]], local12[v403[1]]};
        const f32x4 v405 = __builtin_shufflevector(v404, v404, 0, 0, 1, 1);
        const int64_t v406 = v395 & 3;
        const int64_t v407 = v406 * 2;
        const i64x2 v408 = v407 - (i64x2){};
        const i64x2 v409 = v408 + (i64x2){0, 1};
        const i64x2 v410 = v409 + v394;
        const int64_t v411 = thread_385 >> 5;
        const int64_t v412 = v411 * 256;
        const i64x2 v413 = v412 - (i64x2){};
        const i64x2 v414 = v413 + v410;
        const f32x2 v415 = (f32x2){local13[v414[0]], local13[v414[1]]};
        const int64_t v416 = v393 + 8;
        const i64x2 v417 = v416 - (i64x2){};
        const i64x2 v418 = v409 + v417;
        const int64_t v419 = thread_385 >> 5;
        const int64_t v420 = v419 * 256;
        const i64x2 v421 = v420 - (i64x2){};
        const i64x2 v422 = v421 + v418;
        const f32x2 v423 = (f32x2){local13[v422[0]], local13[v422[1]]};
        const f32x4 v424 = __builtin_shufflevector(v415, v415, 0, 1, 0, 1);
        const f32x4 v425 = __builtin_shufflevector(v423, v423, 0, 1, 0, 1);
        const f32x4 v426 = tl_fma_f32x4(v405, v424, totals_390);
        const f32x4 v427 = tl_fma_f32x4(v405, v425, value2_391);
        totals_390 = v426;
        value2_391 = v427;
      }
      const int64_t v428 = thread_385 * 4;
      *(f32x4_memory *)(local21 + v428) = totals_390;
      const int64_t v429 = thread_385 * 4;
      *(f32x4_memory *)(local20 + v429) = value2_391;
    }
    // fragment_matmul.py  c.store(row, column, acc_frag)
    for (int64_t thread_430 = 0; thread_430 < 32; thread_430 += 1) {
      const int64_t v431 = v7 * 16;
      const int64_t v432 = v431 * c_stride0_;
      const int64_t v433 = v9 * 16;
      const int64_t v434 = v432 + v433;
      const int64_t v435 = thread_430 & 31;
      const int64_t v436 = v435 & 3;
      const int64_t v437 = v436 * 2;
      const int64_t v438 = v435 >> 2;
      const int64_t v439 = v438 * c_stride0_;
      const int64_t v440 = v437 + v439;
      const int64_t v441 = v434 + v440;
      const i64x4 v442 = v441 - (i64x4){};
      const int64_t v443 = c_stride0_ * 8;
      const i64x4 v444 = v443 - (i64x4){};
      const i64x4 v445 = (i64x4){0, 0, 1, 1} * v444;
      const i64x4 v446 = (i64x4){0, 1, 0, 1} + v445;
      const i64x4 v447 = v442 + v446;
      const int64_t v448 = thread_430 * 4;
      const f32x4 v449 = *(f32x4_memory *)(local21 + v448);
      c_[v447[0]] = v449[0]; c_[v447[1]] = v449[1]; c_[v447[2]] = v449[2]; c_[v447[3]] = v449[3];
      const i64x4 v450 = v447 + 8;
      const int64_t v451 = thread_430 * 4;
      const f32x4 v452 = *(f32x4_memory *)(local20 + v451);
      c_[v450[0]] = v452[0]; c_[v450[1]] = v452[1]; c_[v450[2]] = v452[2]; c_[v450[3]] = v452[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
