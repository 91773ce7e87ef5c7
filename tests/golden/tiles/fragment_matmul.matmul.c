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
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // fragment_matmul.py  c.store(row, column, acc_frag)
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    const int64_t v6 = tl_floor_modulo_i64x1(block_2, grid_x_);
    const int64_t v7 = tl_floor_divide_i64x1(block_2, grid_x_);
    const int64_t v8 = tl_floor_modulo_i64x1(v7, grid_y_);
    float local9[256] __attribute__((aligned(64)));
    float local10[256] __attribute__((aligned(64)));
    float local11[256] __attribute__((aligned(64)));
    float local12[256] __attribute__((aligned(64)));
    // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
    float local13[128] __attribute__((aligned(64)));
    float local14[128] __attribute__((aligned(64)));
    float local15[64] __attribute__((aligned(64)));
    float local16[64] __attribute__((aligned(64)));
    float local17[64] __attribute__((aligned(64)));
    float local18[64] __attribute__((aligned(64)));
    // fragment_matmul.py  for i in range(1, steps):
    float local19[128] __attribute__((aligned(64)));
    float local20[128] __attribute__((aligned(64)));
    float local21[128] __attribute__((aligned(64)));
    float local22[128] __attribute__((aligned(64)));
    float local23[64] __attribute__((aligned(64)));
    float local24[64] __attribute__((aligned(64)));
    float local25[64] __attribute__((aligned(64)));
    float local26[64] __attribute__((aligned(64)));
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    float local27[128] __attribute__((aligned(64)));
    float local28[128] __attribute__((aligned(64)));
    float local29[64] __attribute__((aligned(64)));
    float local30[64] __attribute__((aligned(64)));
    float local31[64] __attribute__((aligned(64)));
    float local32[64] __attribute__((aligned(64)));
    float local33[128] __attribute__((aligned(64)));
    float local34[128] __attribute__((aligned(64)));
    // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
    for (int64_t thread_35 = 0; thread_35 < 32; thread_35 += 1) {
      // fragment_matmul.py  a_frag = a.tile[16, 16](row, 0).copy[tl.REGISTER](layout=a_layout)
      const int64_t v36 = thread_35 & 31;
      const int64_t v37 = v36 & 3;
      const int64_t v38 = v36 >> 2;
      const int64_t v39 = v6 * 16 * a_stride0_ + (v37 + v38 * a_stride0_);
      const i64x4 v40 = v39 - (i64x4){};
      const int64_t v41 = a_stride0_ * 8;
      const i64x4 v42 = v41 - (i64x4){};
      const i64x4 v43 = (i64x4){0, 1, 0, 1} * v42;
      const i64x4 v44 = v43 + (i64x4){0, 0, 4, 4};
      const i64x4 v45 = v40 + v44;
      const f32x4 v46 = (f32x4){a_[v45[0]], a_[v45[1]], a_[v45[2]], a_[v45[3]]};
      const i64x4 v47 = v45 + 8;
      const f32x4 v48 = (f32x4){a_[v47[0]], a_[v47[1]], a_[v47[2]], a_[v47[3]]};
      // fragment_matmul.py  b_frag = b.tile[16, 16](0, column).copy[tl.REGISTER](layout=b_layout)
      const int64_t v49 = v8 * 16 + (v37 * b_stride0_ + v38);
      const i64x2 v50 = v49 - (i64x2){};
      const int64_t v51 = b_stride0_ * 4;
      const i64x2 v52 = v51 - (i64x2){};
      const i64x2 v53 = (i64x2){0, 1} * v52;
      const i64x2 v54 = v50 + v53;
      const f32x2 v55 = (f32x2){b_[v54[0]], b_[v54[1]]};
      const int64_t v56 = b_stride0_ * 8;
      const i64x2 v57 = v56 - (i64x2){};
      const i64x2 v58 = v54 + v57;
      const f32x2 v59 = (f32x2){b_[v58[0]], b_[v58[1]]};
      const i64x2 v60 = v54 + 8;
      const f32x2 v61 = (f32x2){b_[v60[0]], b_[v60[1]]};
      const i64x2 v62 = v60 + v57;
      const f32x2 v63 = (f32x2){b_[v62[0]], b_[v62[1]]};
      *(f32x4_memory *)(local13 + thread_35 * 4) = v46;
      *(f32x4_memory *)(local14 + thread_35 * 4) = v48;
      *(f32x2_memory *)(local15 + thread_35 * 2) = v55;
      *(f32x2_memory *)(local16 + thread_35 * 2) = v59;
      *(f32x2_memory *)(local17 + thread_35 * 2) = v61;
      *(f32x2_memory *)(local18 + thread_35 * 2) = v63;
    }
    // fragment_matmul.py  for i in range(1, steps):
    for (int64_t thread_64 = 0; thread_64 < 32; thread_64 += 1) {
      const f32x4 v65 = *(f32x4_memory *)(local13 + thread_64 * 4);
      const f32x4 v66 = *(f32x4_memory *)(local14 + thread_64 * 4);
      const f32x2 v67 = *(f32x2_memory *)(local15 + thread_64 * 2);
      const f32x2 v68 = *(f32x2_memory *)(local16 + thread_64 * 2);
      const f32x2 v69 = *(f32x2_memory *)(local17 + thread_64 * 2);
      const f32x2 v70 = *(f32x2_memory *)(local18 + thread_64 * 2);
      *(f32x4_memory *)(local19 + thread_64 * 4) = v65;
      *(f32x4_memory *)(local20 + thread_64 * 4) = v66;
      *(f32x4_memory *)(local21 + thread_64 * 4) = (f32x4){};
      *(f32x4_memory *)(local22 + thread_64 * 4) = (f32x4){};
      *(f32x2_memory *)(local23 + thread_64 * 2) = v67;
      *(f32x2_memory *)(local24 + thread_64 * 2) = v68;
      *(f32x2_memory *)(local25 + thread_64 * 2) = v69;
      *(f32x2_memory *)(local26 + thread_64 * 2) = v70;
    }
    const int64_t steps_71 = a_n1_ >> 4;
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    for (int64_t i_72 = 1; i_72 < steps_71; i_72 += 1) {
      for (int64_t thread_73 = 0; thread_73 < 32; thread_73 += 1) {
        // fragment_matmul.py  next_a_frag = a.tile[16, 16](row, i).copy[tl.REGISTER](layout=a_layout)
        const int64_t v74 = i_72 * 16;
        const int64_t v75 = thread_73 & 31;
        const int64_t v76 = v75 & 3;
        const int64_t v77 = v75 >> 2;
        const int64_t v78 = v6 * 16 * a_stride0_ + v74 + (v76 + v77 * a_stride0_);
        const i64x4 v79 = v78 - (i64x4){};
        const int64_t v80 = a_stride0_ * 8;
        const i64x4 v81 = v80 - (i64x4){};
        const i64x4 v82 = (i64x4){0, 1, 0, 1} * v81;
        const i64x4 v83 = v82 + (i64x4){0, 0, 4, 4};
        const i64x4 v84 = v79 + v83;
        const f32x4 v85 = (f32x4){a_[v84[0]], a_[v84[1]], a_[v84[2]], a_[v84[3]]};
        const i64x4 v86 = v84 + 8;
        const f32x4 v87 = (f32x4){a_[v86[0]], a_[v86[1]], a_[v86[2]], a_[v86[3]]};
        // fragment_matmul.py  next_b_frag = b.tile[16, 16](i, column).copy[tl.REGISTER](layout=b_layout)
        const int64_t v88 = v74 * b_stride0_ + v8 * 16 + (v76 * b_stride0_ + v77);
        const i64x2 v89 = v88 - (i64x2){};
        const int64_t v90 = b_stride0_ * 4;
        const i64x2 v91 = v90 - (i64x2){};
        const i64x2 v92 = (i64x2){0, 1} * v91;
        const i64x2 v93 = v89 + v92;
        const f32x2 v94 = (f32x2){b_[v93[0]], b_[v93[1]]};
        const int64_t v95 = b_stride0_ * 8;
        const i64x2 v96 = v95 - (i64x2){};
        const i64x2 v97 = v93 + v96;
        const f32x2 v98 = (f32x2){b_[v97[0]], b_[v97[1]]};
        const i64x2 v99 = v93 + 8;
        const f32x2 v100 = (f32x2){b_[v99[0]], b_[v99[1]]};
        const i64x2 v101 = v99 + v96;
        const f32x2 v102 = (f32x2){b_[v101[0]], b_[v101[1]]};
        // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
        const f32x4 v103 = *(f32x4_memory *)(local19 + thread_73 * 4);
        const u32x4 v104 = (u32x4)v103;
        const u32x4 v105 = v104 + 4096u;
        const u32x4 v106 = v105 & 4294959104u;
        const i32x4 v107 = (i32x4)(v103 == v103);
        const f32x4 v108 = (f32x4)v106;
        const f32x4 v109 = (f32x4)((v107 & (i32x4)v108) | (~v107 & (i32x4)v103));
        const f32x4 v110 = *(f32x4_memory *)(local20 + thread_73 * 4);
        const u32x4 v111 = (u32x4)v110;
        const u32x4 v112 = v111 + 4096u;
        const u32x4 v113 = v112 & 4294959104u;
        const i32x4 v114 = (i32x4)(v110 == v110);
        const f32x4 v115 = (f32x4)v113;
        const f32x4 v116 = (f32x4)((v114 & (i32x4)v115) | (~v114 & (i32x4)v110));
        const int64_t v117 = v76 * 16 + v77;
        const i64x4 v118 = v117 - (i64x4){};
        const i64x4 v119 = v118 + (i64x4){0, 8, 64, 72};
        const int64_t v120 = (thread_73 >> 5) * 256;
        const i64x4 v121 = v120 - (i64x4){};
        const i64x4 v122 = v121 + v119;
        local9[v122[0]] = v109[0]; local9[v122[1]] = v109[1]; local9[v122[2]] = v109[2]; local9[v122[3]] = v109[3];
        const i64x4 v123 = v118 + (i64x4){128, 136, 192, 200};
        const int64_t v124 = (thread_73 >> 5) * 256;
        const i64x4 v125 = v124 - (i64x4){};
        const i64x4 v126 = v125 + v123;
        local9[v126[0]] = v116[0]; local9[v126[1]] = v116[1]; local9[v126[2]] = v116[2]; local9[v126[3]] = v116[3];
        const f32x2 v127 = *(f32x2_memory *)(local23 + thread_73 * 2);
        const u32x2 v128 = (u32x2)v127;
        const u32x2 v129 = v128 + 4096u;
        const u32x2 v130 = v129 & 4294959104u;
        const i32x2 v131 = (i32x2)(v127 == v127);
        const f32x2 v132 = (f32x2)v130;
        const f32x2 v133 = (f32x2)((v131 & (i32x2)v132) | (~v131 & (i32x2)v127));
        const f32x2 v134 = *(f32x2_memory *)(local24 + thread_73 * 2);
        const u32x2 v135 = (u32x2)v134;
        const u32x2 v136 = v135 + 4096u;
        const u32x2 v137 = v136 & 4294959104u;
        const i32x2 v138 = (i32x2)(v134 == v134);
        const f32x2 v139 = (f32x2)v137;
        const f32x2 v140 = (f32x2)((v138 & (i32x2)v139) | (~v138 & (i32x2)v134));
        const f32x2 v141 = *(f32x2_memory *)(local25 + thread_73 * 2);
        const u32x2 v142 = (u32x2)v141;
        const u32x2 v143 = v142 + 4096u;
        const u32x2 v144 = v143 & 4294959104u;
        const i32x2 v145 = (i32x2)(v141 == v141);
        const f32x2 v146 = (f32x2)v144;
        const f32x2 v147 = (f32x2)((v145 & (i32x2)v146) | (~v145 & (i32x2)v141));
        const f32x2 v148 = *(f32x2_memory *)(local26 + thread_73 * 2);
        const u32x2 v149 = (u32x2)v148;
        const u32x2 v150 = v149 + 4096u;
        const u32x2 v151 = v150 & 4294959104u;
        const i32x2 v152 = (i32x2)(v148 == v148);
        const f32x2 v153 = (f32x2)v151;
        const f32x2 v154 = (f32x2)((v152 & (i32x2)v153) | (~v152 & (i32x2)v148));
        const i64x2 v155 = v117 - (i64x2){};
        const i64x2 v156 = v155 + (i64x2){0, 64};
        const int64_t v157 = (thread_73 >> 5) * 256;
        const i64x2 v158 = v157 - (i64x2){};
        const i64x2 v159 = v158 + v156;
        local10[v159[0]] = v133[0]; local10[v159[1]] = v133[1];
        const i64x2 v160 = v155 + (i64x2){128, 192};
        const int64_t v161 = (thread_73 >> 5) * 256;
        const i64x2 v162 = v161 - (i64x2){};
        const i64x2 v163 = v162 + v160;
        local10[v163[0]] = v140[0]; local10[v163[1]] = v140[1];
        const i64x2 v164 = v155 + (i64x2){8, 72};
        const int64_t v165 = (thread_73 >> 5) * 256;
        const i64x2 v166 = v165 - (i64x2){};
        const i64x2 v167 = v166 + v164;
        local10[v167[0]] = v147[0]; local10[v167[1]] = v147[1];
        const i64x2 v168 = v155 + (i64x2){136, 200};
        const int64_t v169 = (thread_73 >> 5) * 256;
        const i64x2 v170 = v169 - (i64x2){};
        const i64x2 v171 = v170 + v168;
        local10[v171[0]] = v154[0]; local10[v171[1]] = v154[1];
        *(f32x4_memory *)(local27 + thread_73 * 4) = v85;
        *(f32x4_memory *)(local28 + thread_73 * 4) = v87;
        *(f32x2_memory *)(local29 + thread_73 * 2) = v94;
        *(f32x2_memory *)(local30 + thread_73 * 2) = v98;
        *(f32x2_memory *)(local31 + thread_73 * 2) = v100;
        *(f32x2_memory *)(local32 + thread_73 * 2) = v102;
      }
      for (int64_t thread_172 = 0; thread_172 < 32; thread_172 += 1) {
        const f32x4 v173 = *(f32x4_memory *)(local21 + thread_172 * 4);
        const f32x4 v174 = *(f32x4_memory *)(local22 + thread_172 * 4);
        f32x4 totals_175 = v173;
        f32x4 value2_176 = v174;
        for (int64_t k_177 = 0; k_177 < 16; k_177 += 1) {
          const int64_t v178 = k_177 * 16;
          const i64x2 v179 = v178 - (i64x2){};
          const int64_t v180 = thread_172 & 31;
          const int64_t v181 = v180 >> 2;
          const i64x2 v182 = v181 - (i64x2){};
          const i64x2 v183 = v182 + (i64x2){0, 8};
          const i64x2 v184 = v183 + v179;
          const int64_t v185 = (thread_172 >> 5) * 256;
          const i64x2 v186 = v185 - (i64x2){};
          const i64x2 v187 = v186 + v184;
          const f32x2 v188 = (f32x2){local9[v187[0]], local9[v187[1]]};
          const f32x4 v189 = __builtin_shufflevector(v188, v188, 0, 0, 1, 1);
          const int64_t v190 = (v180 & 3) * 2;
          const i64x2 v191 = v190 - (i64x2){};
          const i64x2 v192 = v191 + (i64x2){0, 1};
          const i64x2 v193 = v192 + v179;
          const int64_t v194 = (thread_172 >> 5) * 256;
          const i64x2 v195 = v194 - (i64x2){};
          const i64x2 v196 = v195 + v193;
          const f32x2 v197 = (f32x2){local10[v196[0]], local10[v196[1]]};
          const int64_t v198 = v178 + 8;
          const i64x2 v199 = v198 - (i64x2){};
          const i64x2 v200 = v192 + v199;
          const int64_t v201 = (thread_172 >> 5) * 256;
          const i64x2 v202 = v201 - (i64x2){};
          const i64x2 v203 = v202 + v200;
          const f32x2 v204 = (f32x2){local10[v203[0]], local10[v203[1]]};
          const f32x4 v205 = __builtin_shufflevector(v197, v197, 0, 1, 0, 1);
          const f32x4 v206 = __builtin_shufflevector(v204, v204, 0, 1, 0, 1);
          const f32x4 v207 = tl_fma_f32x4(v189, v205, totals_175);
          const f32x4 v208 = tl_fma_f32x4(v189, v206, value2_176);
          totals_175 = v207;
          value2_176 = v208;
        }
        *(f32x4_memory *)(local33 + thread_172 * 4) = totals_175;
        *(f32x4_memory *)(local34 + thread_172 * 4) = value2_176;
      }
      for (int64_t thread_209 = 0; thread_209 < 32; thread_209 += 1) {
        const f32x4 v210 = *(f32x4_memory *)(local27 + thread_209 * 4);
        const f32x4 v211 = *(f32x4_memory *)(local28 + thread_209 * 4);
        const f32x4 v212 = *(f32x4_memory *)(local33 + thread_209 * 4);
        const f32x4 v213 = *(f32x4_memory *)(local34 + thread_209 * 4);
        const f32x2 v214 = *(f32x2_memory *)(local29 + thread_209 * 2);
        const f32x2 v215 = *(f32x2_memory *)(local30 + thread_209 * 2);
        const f32x2 v216 = *(f32x2_memory *)(local31 + thread_209 * 2);
        const f32x2 v217 = *(f32x2_memory *)(local32 + thread_209 * 2);
        *(f32x4_memory *)(local19 + thread_209 * 4) = v210;
        *(f32x4_memory *)(local20 + thread_209 * 4) = v211;
        *(f32x4_memory *)(local21 + thread_209 * 4) = v212;
        *(f32x4_memory *)(local22 + thread_209 * 4) = v213;
        *(f32x2_memory *)(local23 + thread_209 * 2) = v214;
        *(f32x2_memory *)(local24 + thread_209 * 2) = v215;
        *(f32x2_memory *)(local25 + thread_209 * 2) = v216;
        *(f32x2_memory *)(local26 + thread_209 * 2) = v217;
      }
    }
    // fragment_matmul.py  acc_frag += (await a_frag) @ (await b_frag)
    for (int64_t thread_218 = 0; thread_218 < 32; thread_218 += 1) {
      const f32x4 v219 = *(f32x4_memory *)(local19 + thread_218 * 4);
      const u32x4 v220 = (u32x4)v219;
      const u32x4 v221 = v220 + 4096u;
      const u32x4 v222 = v221 & 4294959104u;
      const i32x4 v223 = (i32x4)(v219 == v219);
      const f32x4 v224 = (f32x4)v222;
      const f32x4 v225 = (f32x4)((v223 & (i32x4)v224) | (~v223 & (i32x4)v219));
      const f32x4 v226 = *(f32x4_memory *)(local20 + thread_218 * 4);
      const u32x4 v227 = (u32x4)v226;
      const u32x4 v228 = v227 + 4096u;
      const u32x4 v229 = v228 & 4294959104u;
      const i32x4 v230 = (i32x4)(v226 == v226);
      const f32x4 v231 = (f32x4)v229;
      const f32x4 v232 = (f32x4)((v230 & (i32x4)v231) | (~v230 & (i32x4)v226));
      const int64_t v233 = thread_218 & 31;
      const int64_t v234 = (v233 & 3) * 16 + (v233 >> 2);
      const i64x4 v235 = v234 - (i64x4){};
      const i64x4 v236 = v235 + (i64x4){0, 8, 64, 72};
      const int64_t v237 = (thread_218 >> 5) * 256;
      const i64x4 v238 = v237 - (i64x4){};
      const i64x4 v239 = v238 + v236;
      local11[v239[0]] = v225[0]; local11[v239[1]] = v225[1]; local11[v239[2]] = v225[2]; local11[v239[3]] = v225[3];
      const i64x4 v240 = v235 + (i64x4){128, 136, 192, 200};
      const int64_t v241 = (thread_218 >> 5) * 256;
      const i64x4 v242 = v241 - (i64x4){};
      const i64x4 v243 = v242 + v240;
      local11[v243[0]] = v232[0]; local11[v243[1]] = v232[1]; local11[v243[2]] = v232[2]; local11[v243[3]] = v232[3];
      const f32x2 v244 = *(f32x2_memory *)(local23 + thread_218 * 2);
      const u32x2 v245 = (u32x2)v244;
      const u32x2 v246 = v245 + 4096u;
      const u32x2 v247 = v246 & 4294959104u;
      const i32x2 v248 = (i32x2)(v244 == v244);
      const f32x2 v249 = (f32x2)v247;
      const f32x2 v250 = (f32x2)((v248 & (i32x2)v249) | (~v248 & (i32x2)v244));
      const f32x2 v251 = *(f32x2_memory *)(local24 + thread_218 * 2);
      const u32x2 v252 = (u32x2)v251;
      const u32x2 v253 = v252 + 4096u;
      const u32x2 v254 = v253 & 4294959104u;
      const i32x2 v255 = (i32x2)(v251 == v251);
      const f32x2 v256 = (f32x2)v254;
      const f32x2 v257 = (f32x2)((v255 & (i32x2)v256) | (~v255 & (i32x2)v251));
      const f32x2 v258 = *(f32x2_memory *)(local25 + thread_218 * 2);
      const u32x2 v259 = (u32x2)v258;
      const u32x2 v260 = v259 + 4096u;
      const u32x2 v261 = v260 & 4294959104u;
      const i32x2 v262 = (i32x2)(v258 == v258);
      const f32x2 v263 = (f32x2)v261;
      const f32x2 v264 = (f32x2)((v262 & (i32x2)v263) | (~v262 & (i32x2)v258));
      const f32x2 v265 = *(f32x2_memory *)(local26 + thread_218 * 2);
      const u32x2 v266 = (u32x2)v265;
      const u32x2 v267 = v266 + 4096u;
      const u32x2 v268 = v267 & 4294959104u;
      const i32x2 v269 = (i32x2)(v265 == v265);
      const f32x2 v270 = (f32x2)v268;
      const f32x2 v271 = (f32x2)((v269 & (i32x2)v270) | (~v269 & (i32x2)v265));
      const i64x2 v272 = v234 - (i64x2){};
      const i64x2 v273 = v272 + (i64x2){0, 64};
      const int64_t v274 = (thread_218 >> 5) * 256;
      const i64x2 v275 = v274 - (i64x2){};
      const i64x2 v276 = v275 + v273;
      local12[v276[0]] = v250[0]; local12[v276[1]] = v250[1];
      const i64x2 v277 = v272 + (i64x2){128, 192};
      const int64_t v278 = (thread_218 >> 5) * 256;
      const i64x2 v279 = v278 - (i64x2){};
      const i64x2 v280 = v279 + v277;
      local12[v280[0]] = v257[0]; local12[v280[1]] = v257[1];
      const i64x2 v281 = v272 + (i64x2){8, 72};
      const int64_t v282 = (thread_218 >> 5) * 256;
      const i64x2 v283 = v282 - (i64x2){};
      const i64x2 v284 = v283 + v281;
      local12[v284[0]] = v264[0]; local12[v284[1]] = v264[1];
      const i64x2 v285 = v272 + (i64x2){136, 200};
      const int64_t v286 = (thread_218 >> 5) * 256;
      const i64x2 v287 = v286 - (i64x2){};
      const i64x2 v288 = v287 + v285;
      local12[v288[0]] = v271[0]; local12[v288[1]] = v271[1];
    }
    for (int64_t thread_289 = 0; thread_289 < 32; thread_289 += 1) {
      const f32x4 v290 = *(f32x4_memory *)(local21 + thread_289 * 4);
      const f32x4 v291 = *(f32x4_memory *)(local22 + thread_289 * 4);
      f32x4 totals_292 = v290;
      f32x4 value2_293 = v291;
      for (int64_t k_294 = 0; k_294 < 16; k_294 += 1) {
        const int64_t v295 = k_294 * 16;
        const i64x2 v296 = v295 - (i64x2){};
        const int64_t v297 = thread_289 & 31;
        const int64_t v298 = v297 >> 2;
        const i64x2 v299 = v298 - (i64x2){};
        const i64x2 v300 = v299 + (i64x2){0, 8};
        const i64x2 v301 = v300 + v296;
        const int64_t v302 = (thread_289 >> 5) * 256;
        const i64x2 v303 = v302 - (i64x2){};
        const i64x2 v304 = v303 + v301;
        const f32x2 v305 = (f32x2){local11[v304[0]], local11[v304[1]]};
        const f32x4 v306 = __builtin_shufflevector(v305, v305, 0, 0, 1, 1);
        const int64_t v307 = (v297 & 3) * 2;
        const i64x2 v308 = v307 - (i64x2){};
        const i64x2 v309 = v308 + (i64x2){0, 1};
        const i64x2 v310 = v309 + v296;
        const int64_t v311 = (thread_289 >> 5) * 256;
        const i64x2 v312 = v311 - (i64x2){};
        const i64x2 v313 = v312 + v310;
        const f32x2 v314 = (f32x2){local12[v313[0]], local12[v313[1]]};
        const int64_t v315 = v295 + 8;
        const i64x2 v316 = v315 - (i64x2){};
        const i64x2 v317 = v309 + v316;
        const int64_t v318 = (thread_289 >> 5) * 256;
        const i64x2 v319 = v318 - (i64x2){};
        const i64x2 v320 = v319 + v317;
        const f32x2 v321 = (f32x2){local12[v320[0]], local12[v320[1]]};
        const f32x4 v322 = __builtin_shufflevector(v314, v314, 0, 1, 0, 1);
        const f32x4 v323 = __builtin_shufflevector(v321, v321, 0, 1, 0, 1);
        const f32x4 v324 = tl_fma_f32x4(v306, v322, totals_292);
        const f32x4 v325 = tl_fma_f32x4(v306, v323, value2_293);
        totals_292 = v324;
        value2_293 = v325;
      }
      *(f32x4_memory *)(local20 + thread_289 * 4) = totals_292;
      *(f32x4_memory *)(local19 + thread_289 * 4) = value2_293;
    }
    // fragment_matmul.py  c.store(row, column, acc_frag)
    for (int64_t thread_326 = 0; thread_326 < 32; thread_326 += 1) {
      const int64_t v327 = thread_326 & 31;
      const int64_t v328 = (v327 & 3) * 2 + (v327 >> 2) * c_stride0_;
      const int64_t v329 = v6 * 16 * c_stride0_ + v8 * 16 + v328;
      const i64x4 v330 = v329 - (i64x4){};
      const int64_t v331 = c_stride0_ * 8;
      const i64x4 v332 = v331 - (i64x4){};
      const i64x4 v333 = (i64x4){0, 0, 1, 1} * v332;
      const i64x4 v334 = (i64x4){0, 1, 0, 1} + v333;
      const i64x4 v335 = v330 + v334;
      const f32x4 v336 = *(f32x4_memory *)(local20 + thread_326 * 4);
      c_[v335[0]] = v336[0]; c_[v335[1]] = v336[1]; c_[v335[2]] = v336[2]; c_[v335[3]] = v336[3];
      const i64x4 v337 = v335 + 8;
      const f32x4 v338 = *(f32x4_memory *)(local19 + thread_326 * 4);
      c_[v337[0]] = v338[0]; c_[v337[1]] = v338[1]; c_[v337[2]] = v338[2]; c_[v337[3]] = v338[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
