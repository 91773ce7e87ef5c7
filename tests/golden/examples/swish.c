#include <stdint.h>
#ifndef TL_f32x8
#define TL_f32x8
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_i32x8
#define TL_i32x8
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef TL_f32x4
#define TL_f32x4
typedef float f32x4 __attribute__((vector_size(16)));
typedef float f32x4_memory __attribute__((vector_size(16), aligned(1), may_alias));
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
#ifndef tl_fma_f32x8_
#define tl_fma_f32x8_
#if defined(__FMA__)
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) { return __builtin_ia32_vfmaddps256(a, b, c); }
#elif defined(__clang__) && __has_builtin(__builtin_elementwise_fma)
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) { return __builtin_elementwise_fma(a, b, c); }
#else
static inline __attribute__((always_inline)) f32x8 tl_fma_f32x8(f32x8 a, f32x8 b, f32x8 c) {
  return __builtin_shufflevector(tl_fma_f32x4(__builtin_shufflevector(a, a, 0, 1, 2, 3), __builtin_shufflevector(b, b, 0, 1, 2, 3), __builtin_shufflevector(c, c, 0, 1, 2, 3)),
    tl_fma_f32x4(__builtin_shufflevector(a, a, 4, 5, 6, 7), __builtin_shufflevector(b, b, 4, 5, 6, 7), __builtin_shufflevector(c, c, 4, 5, 6, 7)), 0, 1, 2, 3, 4, 5, 6, 7);
}
#endif
#endif
#ifndef TL_u32x8
#define TL_u32x8
typedef uint32_t u32x8 __attribute__((vector_size(32)));
typedef uint32_t u32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
#ifndef tl_fma_f32x1_
#define tl_fma_f32x1_
static inline __attribute__((always_inline)) float tl_fma_f32x1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#endif
void swish_into(const uint64_t *args, int64_t worker, int64_t workers) {
  float *C_ = (float *)(uintptr_t)args[0];
  const int64_t C_n0_ = (int64_t)args[1];
  const int64_t C_n1_ = (int64_t)args[2];
  const int64_t C_stride0_ = (int64_t)args[3];
  float *A_ = (float *)(uintptr_t)args[4];
  const int64_t A_n0_ = (int64_t)args[5];
  const int64_t A_n1_ = (int64_t)args[6];
  const int64_t A_stride0_ = (int64_t)args[7];
  // generate.py  for row in parallel(range(product(shape[:-1]))):
  const int64_t trips2 = A_n0_ > 0 ? (A_n0_ - 0 + 1 - 1) / 1 : 0;
  const int64_t first3 = 0 + trips2 * worker / workers * 1;
  const int64_t last4 = 0 + trips2 * (worker + 1) / workers * 1;
  const int64_t end5 = last4 < A_n0_ ? last4 : A_n0_;
  for (int64_t row_1 = first3; row_1 < end5; row_1 += 1) {
    // operands.py  whole = start + (stop - start) // lanes * lanes
    const int64_t v6 = A_n1_ >> 3;
    const int64_t whole_7 = v6 * 8;
    // operands.py  for i in range(start, whole, lanes):
    for (int64_t i_8 = 0; i_8 < whole_7; i_8 += 8) {
      // swish.py  vec = A.load[width](*coords)
      const int64_t v9 = row_1 * A_stride0_;
      const int64_t v10 = v9 + i_8;
      const f32x8 vec_11 = *(f32x8_memory *)(A_ + v10);
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const f32x8 v12 = -vec_11;
      const i32x8 v13 = (i32x8)(v12 < (-104.0f));
      const f32x8 v14 = (f32x8)((v13 & (i32x8)(0.0f - (f32x8){})) | (~v13 & (i32x8)v12));
      const i32x8 t15 = (i32x8)((v14 < 89.0f) | (v14 != v14));
      const f32x8 v16 = (f32x8)((t15 & (i32x8)v14) | (~t15 & (i32x8)(89.0f - (f32x8){})));
      const f32x8 v17 = tl_fma_f32x8(v16, (1.442695f - (f32x8){}), (1.2582912e+07f - (f32x8){}));
      const f32x8 v18 = v17 - 1.2582912e+07f;
      const f32x8 v19 = tl_fma_f32x8(v18, ((-0.69314575f) - (f32x8){}), v16);
      const f32x8 v20 = tl_fma_f32x8(v18, ((-1.4286068e-06f) - (f32x8){}), v19);
      const f32x8 v21 = tl_fma_f32x8((0.0001984127f - (f32x8){}), v20, (0.0013888889f - (f32x8){}));
      const f32x8 v22 = tl_fma_f32x8(v21, v20, (0.008333334f - (f32x8){}));
      const f32x8 v23 = tl_fma_f32x8(v22, v20, (0.041666668f - (f32x8){}));
      const f32x8 v24 = tl_fma_f32x8(v23, v20, (0.16666667f - (f32x8){}));
      const f32x8 v25 = tl_fma_f32x8(v24, v20, (0.5f - (f32x8){}));
      const f32x8 v26 = tl_fma_f32x8(v25, v20, (1.0f - (f32x8){}));
      const f32x8 v27 = tl_fma_f32x8(v26, v20, (1.0f - (f32x8){}));
      const i32x8 v28 = (i32x8)v17;
      const i32x8 v29 = v28 - 1262485504;
      const i32x8 v30 = (i32x8)(v29 >> 1);
      const i32x8 v31 = v30 + 127;
      const i32x8 v32 = (i32x8)((u32x8)v31 << 23);
      const f32x8 v33 = (f32x8)v32;
      const i32x8 v34 = v29 - v30;
      const i32x8 v35 = v34 + 127;
      const i32x8 v36 = (i32x8)((u32x8)v35 << 23);
      const f32x8 v37 = (f32x8)v36;
      const f32x8 v38 = v27 * v33;
      const f32x8 v39 = v38 * v37;
      const f32x8 v40 = (f32x8)((v13 & (i32x8)(0.0f - (f32x8){})) | (~v13 & (i32x8)v39));
      const f32x8 v41 = 1.0f + v40;
      const f32x8 v42 = vec_11 / v41;
      const int64_t v43 = row_1 * C_stride0_;
      const int64_t v44 = v43 + i_8;
      *(f32x8_memory *)(C_ + v44) = v42;
    }
    // operands.py  for i in range(whole, stop):
    for (int64_t i_45 = whole_7; i_45 < A_n1_; i_45 += 1) {
      // swish.py  vec = A.load[width](*coords)
      const int64_t v46 = row_1 * A_stride0_;
      const int64_t v47 = v46 + i_45;
      const float vec_48 = A_[v47];
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const float v49 = -vec_48;
      const uint8_t v50 = v49 < (-104.0f);
      const float v51 = v50 ? 0.0f : v49;
      const float v52 = ((v51 < 89.0f) | (v51 != v51)) ? v51 : 89.0f;
      const float v53 = tl_fma_f32x1(v52, 1.442695f, 1.2582912e+07f);
      const float v54 = v53 - 1.2582912e+07f;
      const float v55 = tl_fma_f32x1(v54, (-0.69314575f), v52);
      const float v56 = tl_fma_f32x1(v54, (-1.4286068e-06f), v55);
      const float v57 = tl_fma_f32x1(0.0001984127f, v56, 0.0013888889f);
      const float v58 = tl_fma_f32x1(v57, v56, 0.008333334f);
      const float v59 = tl_fma_f32x1(v58, v56, 0.041666668f);
      const float v60 = tl_fma_f32x1(v59, v56, 0.16666667f);
      const float v61 = tl_fma_f32x1(v60, v56, 0.5f);
      const float v62 = tl_fma_f32x1(v61, v56, 1.0f);
      const float v63 = tl_fma_f32x1(v62, v56, 1.0f);
      const int32_t v64 = ((union { float a; int32_t b; }){ .a = v53 }).b;
      const int32_t v65 = v64 - 1262485504;
      const int32_t v66 = (int32_t)(v65 >> 1);
      const int32_t v67 = v66 + 127;
      const int32_t v68 = (int32_t)((uint32_t)v67 << 23);
      const float v69 = ((union { int32_t a; float b; }){ .a = v68 }).b;
      const int32_t v70 = v65 - v66;
      const int32_t v71 = v70 + 127;
      const int32_t v72 = (int32_t)((uint32_t)v71 << 23);
      const float v73 = ((union { int32_t a; float b; }){ .a = v72 }).b;
      const float v74 = v63 * v69;
      const float v75 = v74 * v73;
      const float v76 = v50 ? 0.0f : v75;
      const float v77 = 1.0f + v76;
      const float v78 = vec_48 / v77;
      const int64_t v79 = row_1 * C_stride0_;
      const int64_t v80 = v79 + i_45;
      C_[v80] = v78;
    }
  }
  (void)args; (void)worker; (void)workers;
}
