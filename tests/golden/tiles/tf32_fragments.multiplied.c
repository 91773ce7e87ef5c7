#include <stdint.h>
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
void multiplied(const uint64_t *args, int64_t worker, int64_t workers) {
  float *c_ = (float *)(uintptr_t)args[0];
  const int64_t c_stride0_ = (int64_t)args[3];
  float *a_ = (float *)(uintptr_t)args[4];
  const int64_t a_stride0_ = (int64_t)args[7];
  float *b_ = (float *)(uintptr_t)args[8];
  const int64_t b_stride0_ = (int64_t)args[11];
  const int64_t grid_x_ = (int64_t)args[12];
  const int64_t grid_y_ = (int64_t)args[13];
  const int64_t grid_z_ = (int64_t)args[14];
  const int64_t v1 = grid_x_ * grid_y_;
  const int64_t v2 = v1 * grid_z_;
  // tf32_fragments.py  c.store(0, 0, a_frag @ b_frag)
  const int64_t trips4 = v2 > 0 ? v2 : 0;
  const int64_t first5 = trips4 * worker / workers;
  const int64_t last6 = trips4 * (worker + 1) / workers;
  for (int64_t block_3 = first5; block_3 < last6; block_3 += 1) {
    float local7[128] __attribute__((aligned(64)));
    float local8[64] __attribute__((aligned(64)));
    float local9[128] __attribute__((aligned(64)));
    for (int64_t thread_10 = 0; thread_10 < 32; thread_10 += 1) {
      // tf32_fragments.py  a_frag = a.tile[16, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "a"))
      const int64_t v11 = thread_10 & 31;
      const int64_t v12 = v11 & 3;
      const int64_t v13 = v11 >> 2;
      const int64_t v14 = v13 * a_stride0_;
      const int64_t v15 = v12 + v14;
      const i64x4 v16 = v15 - (i64x4){};
      const int64_t v17 = a_stride0_ * 8;
      const i64x4 v18 = v17 - (i64x4){};
      const i64x4 v19 = (i64x4){0, 1, 0, 1} * v18;
      const i64x4 v20 = v19 + (i64x4){0, 0, 4, 4};
      const i64x4 v21 = v16 + v20;
      const f32x4 v22 = (f32x4){a_[v21[0]], a_[v21[1]], a_[v21[2]], a_[v21[3]]};
      // tf32_fragments.py  b_frag = b.tile[8, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "b"))
      const int64_t v23 = v12 * b_stride0_;
      const int64_t v24 = v23 + v13;
      const i64x2 v25 = v24 - (i64x2){};
      const int64_t v26 = b_stride0_ * 4;
      const i64x2 v27 = v26 - (i64x2){};
      const i64x2 v28 = (i64x2){0, 1} * v27;
      const i64x2 v29 = v25 + v28;
      const f32x2 v30 = (f32x2){b_[v29[0]], b_[v29[1]]};
      // tf32_fragments.py  c.store(0, 0, a_frag @ b_frag)
      const u32x4 v31 = (u32x4)v22;
      const u32x4 v32 = v31 + 4096u;
      const u32x4 v33 = v32 & 4294959104u;
      const i32x4 v34 = (i32x4)(v22 == v22);
      const f32x4 v35 = (f32x4)v33;
      const f32x4 v36 = (f32x4)((v34 & (i32x4)v35) | (~v34 & (i32x4)v22));
      const int64_t v37 = v12 * 16;
      const int64_t v38 = v37 + v13;
      const i64x4 v39 = v38 - (i64x4){};
      const i64x4 v40 = v39 + (i64x4){0, 8, 64, 72};
      const int64_t v41 = thread_10 >> 5;
      const int64_t v42 = v41 * 128;
      const i64x4 v43 = v42 - (i64x4){};
      const i64x4 v44 = v43 + v40;
      local7[v44[0]] = v36[0]; local7[v44[1]] = v36[1]; local7[v44[2]] = v36[2]; local7[v44[3]] = v36[3];
      const u32x2 v45 = (u32x2)v30;
      const u32x2 v46 = v45 + 4096u;
      const u32x2 v47 = v46 & 4294959104u;
      const i32x2 v48 = (i32x2)(v30 == v30);
      const f32x2 v49 = (f32x2)v47;
      const f32x2 v50 = (f32x2)((v48 & (i32x2)v49) | (~v48 & (i32x2)v30));
      const int64_t v51 = v12 * 8;
      const int64_t v52 = v51 + v13;
      const i64x2 v53 = v52 - (i64x2){};
      const i64x2 v54 = v53 + (i64x2){0, 32};
      const int64_t v55 = thread_10 >> 5;
      const int64_t v56 = v55 * 64;
      const i64x2 v57 = v56 - (i64x2){};
      const i64x2 v58 = v57 + v54;
      local8[v58[0]] = v50[0]; local8[v58[1]] = v50[1];
    }
    for (int64_t thread_59 = 0; thread_59 < 32; thread_59 += 1) {
      f32x4 totals_60 = (f32x4){};
      for (int64_t k_61 = 0; k_61 < 8; k_61 += 1) {
        const int64_t v62 = k_61 * 16;
        const i64x2 v63 = v62 - (i64x2){};
        const int64_t v64 = thread_59 & 31;
        const int64_t v65 = v64 >> 2;
        const i64x2 v66 = v65 - (i64x2){};
        const i64x2 v67 = v66 + (i64x2){0, 8};
        const i64x2 v68 = v67 + v63;
        const int64_t v69 = thread_59 >> 5;
        const int64_t v70 = v69 * 128;
        const i64x2 v71 = v70 - (i64x2){};
        const i64x2 v72 = v71 + v68;
        const f32x2 v73 = (f32x2){local7[v72[0]], local7[v72[1]]};
        const f32x4 v74 = __builtin_shufflevector(v73, v73, 0, 0, 1, 1);
        const int64_t v75 = k_61 * 8;
        const i64x2 v76 = v75 - (i64x2){};
        const int64_t v77 = v64 & 3;
        const int64_t v78 = v77 * 2;
        const i64x2 v79 = v78 - (i64x2){};
        const i64x2 v80 = v79 + (i64x2){0, 1};
        const i64x2 v81 = v80 + v76;
        const int64_t v82 = thread_59 >> 5;
        const int64_t v83 = v82 * 64;
        const i64x2 v84 = v83 - (i64x2){};
        const i64x2 v85 = v84 + v81;
        const f32x2 v86 = (f32x2){local8[v85[0]], local8[v85[1]]};
        const f32x4 v87 = __builtin_shufflevector(v86, v86, 0, 1, 0, 1);
        const f32x4 v88 = tl_fma_f32x4(v74, v87, totals_60);
        totals_60 = v88;
      }
      const int64_t v89 = thread_59 * 4;
      *(f32x4_memory *)(local9 + v89) = totals_60;
    }
    for (int64_t thread_90 = 0; thread_90 < 32; thread_90 += 1) {
      const int64_t v91 = thread_90 & 31;
      const int64_t v92 = v91 & 3;
      const int64_t v93 = v92 * 2;
      const int64_t v94 = v91 >> 2;
      const int64_t v95 = v94 * c_stride0_;
      const int64_t v96 = v93 + v95;
      const i64x4 v97 = v96 - (i64x4){};
      const int64_t v98 = c_stride0_ * 8;
      const i64x4 v99 = v98 - (i64x4){};
      const i64x4 v100 = (i64x4){0, 0, 1, 1} * v99;
      const i64x4 v101 = (i64x4){0, 1, 0, 1} + v100;
      const i64x4 v102 = v97 + v101;
      const int64_t v103 = thread_90 * 4;
      const f32x4 v104 = *(f32x4_memory *)(local9 + v103);
      c_[v102[0]] = v104[0]; c_[v102[1]] = v104[1]; c_[v102[2]] = v104[2]; c_[v102[3]] = v104[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
