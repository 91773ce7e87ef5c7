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
  const int64_t v1 = grid_x_ * grid_y_ * grid_z_;
  // tf32_fragments.py  c.store(0, 0, a_frag @ b_frag)
  const int64_t trips3 = v1 > 0 ? v1 : 0;
  const int64_t first4 = trips3 * worker / workers;
  const int64_t last5 = trips3 * (worker + 1) / workers;
  for (int64_t block_2 = first4; block_2 < last5; block_2 += 1) {
    float local6[128] __attribute__((aligned(64)));
    float local7[64] __attribute__((aligned(64)));
    float local8[128] __attribute__((aligned(64)));
    for (int64_t thread_9 = 0; thread_9 < 32; thread_9 += 1) {
      // tf32_fragments.py  a_frag = a.tile[16, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "a"))
      const int64_t v10 = thread_9 & 31;
      const int64_t v11 = v10 & 3;
      const int64_t v12 = v10 >> 2;
      const int64_t v13 = v11 + v12 * a_stride0_;
      const i64x4 v14 = v13 - (i64x4){};
      const int64_t v15 = a_stride0_ * 8;
      const i64x4 v16 = v15 - (i64x4){};
      const i64x4 v17 = (i64x4){0, 1, 0, 1} * v16;
      const i64x4 v18 = v17 + (i64x4){0, 0, 4, 4};
      const i64x4 v19 = v14 + v18;
      const f32x4 v20 = (f32x4){a_[v19[0]], a_[v19[1]], a_[v19[2]], a_[v19[3]]};
      // tf32_fragments.py  b_frag = b.tile[8, 8](0, 0).copy[tl.REGISTER](layout=tl.fragment(atom, "b"))
      const int64_t v21 = v11 * b_stride0_ + v12;
      const i64x2 v22 = v21 - (i64x2){};
      const int64_t v23 = b_stride0_ * 4;
      const i64x2 v24 = v23 - (i64x2){};
      const i64x2 v25 = (i64x2){0, 1} * v24;
      const i64x2 v26 = v22 + v25;
      const f32x2 v27 = (f32x2){b_[v26[0]], b_[v26[1]]};
      // tf32_fragments.py  c.store(0, 0, a_frag @ b_frag)
      const u32x4 v28 = (u32x4)v20;
      const u32x4 v29 = v28 + 4096u;
      const u32x4 v30 = v29 & 4294959104u;
      const i32x4 v31 = (i32x4)(v20 == v20);
      const f32x4 v32 = (f32x4)v30;
      const f32x4 v33 = (f32x4)((v31 & (i32x4)v32) | (~v31 & (i32x4)v20));
      const int64_t v34 = v11 * 16 + v12;
      const i64x4 v35 = v34 - (i64x4){};
      const i64x4 v36 = v35 + (i64x4){0, 8, 64, 72};
      const int64_t v37 = (thread_9 >> 5) * 128;
      const i64x4 v38 = v37 - (i64x4){};
      const i64x4 v39 = v38 + v36;
      local6[v39[0]] = v33[0]; local6[v39[1]] = v33[1]; local6[v39[2]] = v33[2]; local6[v39[3]] = v33[3];
      const u32x2 v40 = (u32x2)v27;
      const u32x2 v41 = v40 + 4096u;
      const u32x2 v42 = v41 & 4294959104u;
      const i32x2 v43 = (i32x2)(v27 == v27);
      const f32x2 v44 = (f32x2)v42;
      const f32x2 v45 = (f32x2)((v43 & (i32x2)v44) | (~v43 & (i32x2)v27));
      const int64_t v46 = v11 * 8 + v12;
      const i64x2 v47 = v46 - (i64x2){};
      const i64x2 v48 = v47 + (i64x2){0, 32};
      const int64_t v49 = (thread_9 >> 5) * 64;
      const i64x2 v50 = v49 - (i64x2){};
      const i64x2 v51 = v50 + v48;
      local7[v51[0]] = v45[0]; local7[v51[1]] = v45[1];
    }
    for (int64_t thread_52 = 0; thread_52 < 32; thread_52 += 1) {
      f32x4 totals_53 = (f32x4){};
      for (int64_t k_54 = 0; k_54 < 8; k_54 += 1) {
        const int64_t v55 = k_54 * 16;
        const i64x2 v56 = v55 - (i64x2){};
        const int64_t v57 = thread_52 & 31;
        const int64_t v58 = v57 >> 2;
        const i64x2 v59 = v58 - (i64x2){};
        const i64x2 v60 = v59 + (i64x2){0, 8};
        const i64x2 v61 = v60 + v56;
        const int64_t v62 = (thread_52 >> 5) * 128;
        const i64x2 v63 = v62 - (i64x2){};
        const i64x2 v64 = v63 + v61;
        const f32x2 v65 = (f32x2){local6[v64[0]], local6[v64[1]]};
        const f32x4 v66 = __builtin_shufflevector(v65, v65, 0, 0, 1, 1);
        const int64_t v67 = k_54 * 8;
        const i64x2 v68 = v67 - (i64x2){};
        const int64_t v69 = (v57 & 3) * 2;
        const i64x2 v70 = v69 - (i64x2){};
        const i64x2 v71 = v70 + (i64x2){0, 1};
        const i64x2 v72 = v71 + v68;
        const int64_t v73 = (thread_52 >> 5) * 64;
        const i64x2 v74 = v73 - (i64x2){};
        const i64x2 v75 = v74 + v72;
        const f32x2 v76 = (f32x2){local7[v75[0]], local7[v75[1]]};
        const f32x4 v77 = __builtin_shufflevector(v76, v76, 0, 1, 0, 1);
        const f32x4 v78 = tl_fma_f32x4(v66, v77, totals_53);
        totals_53 = v78;
      }
      *(f32x4_memory *)(local8 + thread_52 * 4) = totals_53;
    }
    for (int64_t thread_79 = 0; thread_79 < 32; thread_79 += 1) {
      const int64_t v80 = thread_79 & 31;
      const int64_t v81 = (v80 & 3) * 2 + (v80 >> 2) * c_stride0_;
      const i64x4 v82 = v81 - (i64x4){};
      const int64_t v83 = c_stride0_ * 8;
      const i64x4 v84 = v83 - (i64x4){};
      const i64x4 v85 = (i64x4){0, 0, 1, 1} * v84;
      const i64x4 v86 = (i64x4){0, 1, 0, 1} + v85;
      const i64x4 v87 = v82 + v86;
      const f32x4 v88 = *(f32x4_memory *)(local8 + thread_79 * 4);
      c_[v87[0]] = v88[0]; c_[v87[1]] = v88[1]; c_[v87[2]] = v88[2]; c_[v87[3]] = v88[3];
    }
  }
  (void)args; (void)worker; (void)workers;
}
