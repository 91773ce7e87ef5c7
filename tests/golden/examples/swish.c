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
  const int64_t C_stride0_ = (int64_t)args[3];
  float *A_ = (float *)(uintptr_t)args[4];
  const int64_t A_n0_ = (int64_t)args[5];
  const int64_t A_n1_ = (int64_t)args[6];
  const int64_t A_stride0_ = (int64_t)args[7];
  // generate.py  for row in parallel(range(product(shape[:-1]))):
  const int64_t trips2 = A_n0_ > 0 ? A_n0_ : 0;
  const int64_t first3 = trips2 * worker / workers;
  const int64_t last4 = trips2 * (worker + 1) / workers;
  for (int64_t row_1 = first3; row_1 < last4; row_1 += 1) {
    // operands.py  whole = start + (stop - start) // lanes * lanes
    const int64_t v5 = A_n1_ >> 3;
    const int64_t whole_6 = v5 * 8;
    // operands.py  for i in range(start, whole, lanes):
    for (int64_t i_7 = 0; i_7 < whole_6; i_7 += 8) {
      // swish.py  vec = A.load[width](*coords)
      const int64_t v8 = row_1 * A_stride0_;
      const int64_t v9 = v8 + i_7;
      const f32x8 vec_10 = *(f32x8_memory *)(A_ + v9);
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const f32x8 v11 = -vec_10;
      const i32x8 v12 = (i32x8)(v11 < (-104.0f));
      const f32x8 v13 = (f32x8)((v12 & (i32x8)(f32x8){}) | (~v12 & (i32x8)v11));
      const i32x8 t14 = (i32x8)((v13 < 89.0f) | (v13 != v13));
      const f32x8 v15 = (f32x8)((t14 & (i32x8)v13) | (~t14 & (i32x8)(89.0f - (f32x8){})));
      const f32x8 v16 = tl_fma_f32x8(v15, (1.442695f - (f32x8){}), (1.2582912e+07f - (f32x8){}));
      const f32x8 v17 = v16 - 1.2582912e+07f;
      const f32x8 v18 = tl_fma_f32x8(v17, ((-0.69314575f) - (f32x8){}), v15);
      const f32x8 v19 = tl_fma_f32x8(v17, ((-1.4286068e-06f) - (f32x8){}), v18);
      const f32x8 v20 = tl_fma_f32x8((0.0001984127f - (f32x8){}), v19, (0.0013888889f - (f32x8){}));
      const f32x8 v21 = tl_fma_f32x8(v20, v19, (0.008333334f - (f32x8){}));
      const f32x8 v22 = tl_fma_f32x8(v21, v19, (0.041666668f - (f32x8){}));
      const f32x8 v23 = tl_fma_f32x8(v22, v19, (0.16666667f - (f32x8){}));
      const f32x8 v24 = tl_fma_f32x8(v23, v19, (0.5f - (f32x8){}));
      const f32x8 v25 = tl_fma_f32x8(v24, v19, (1.0f - (f32x8){}));
      const f32x8 v26 = tl_fma_f32x8(v25, v19, (1.0f - (f32x8){}));
      const i32x8 v27 = (i32x8)v16;
      const i32x8 v28 = v27 - 1262485504;
      const i32x8 v29 = (i32x8)(v28 >> 1);
      const i32x8 v30 = v29 + 127;
      const i32x8 v31 = (i32x8)((u32x8)v30 << 23);
      const f32x8 v32 = (f32x8)v31;
      const i32x8 v33 = v28 - v29;
      const i32x8 v34 = v33 + 127;
      const i32x8 v35 = (i32x8)((u32x8)v34 << 23);
      const f32x8 v36 = (f32x8)v35;
      const f32x8 v37 = v26 * v32;
      const f32x8 v38 = v37 * v36;
      const f32x8 v39 = (f32x8)((v12 & (i32x8)(f32x8){}) | (~v12 & (i32x8)v38));
      const f32x8 v40 = 1.0f + v39;
      const f32x8 v41 = vec_10 / v40;
      const int64_t v42 = row_1 * C_stride0_;
      const int64_t v43 = v42 + i_7;
      *(f32x8_memory *)(C_ + v43) = v41;
    }
    // operands.py  for i in range(whole, stop):
    for (int64_t i_44 = whole_6; i_44 < A_n1_; i_44 += 1) {
      // swish.py  vec = A.load[width](*coords)
      const int64_t v45 = row_1 * A_stride0_;
      const int64_t v46 = v45 + i_44;
      const float vec_47 = A_[v46];
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const float v48 = -vec_47;
      const uint8_t v49 = v48 < (-104.0f);
      const float v50 = v49 ? 0.0f : v48;
      const float v51 = ((v50 < 89.0f) | (v50 != v50)) ? v50 : 89.0f;
      const float v52 = tl_fma_f32x1(v51, 1.442695f, 1.2582912e+07f);
      const float v53 = v52 - 1.2582912e+07f;
      const float v54 = tl_fma_f32x1(v53, (-0.69314575f), v51);
      const float v55 = tl_fma_f32x1(v53, (-1.4286068e-06f), v54);
      const float v56 = tl_fma_f32x1(0.0001984127f, v55, 0.0013888889f);
      const float v57 = tl_fma_f32x1(v56, v55, 0.008333334f);
      const float v58 = tl_fma_f32x1(v57, v55, 0.041666668f);
      const float v59 = tl_fma_f32x1(v58, v55, 0.16666667f);
      const float v60 = tl_fma_f32x1(v59, v55, 0.5f);
      const float v61 = tl_fma_f32x1(v60, v55, 1.0f);
      const float v62 = tl_fma_f32x1(v61, v55, 1.0f);
      const int32_t v63 = ((union { float a; int32_t b; }){ .a = v52 }).b;
      const int32_t v64 = v63 - 1262485504;
      const int32_t v65 = (int32_t)(v64 >> 1);
      const int32_t v66 = v65 + 127;
      const int32_t v67 = (int32_t)((uint32_t)v66 << 23);
      const float v68 = ((union { int32_t a; float b; }){ .a = v67 }).b;
      const int32_t v69 = v64 - v65;
      const int32_t v70 = v69 + 127;
      const int32_t v71 = (int32_t)((uint32_t)v70 << 23);
      const float v72 = ((union { int32_t a; float b; }){ .a = v71 }).b;
      const float v73 = v62 * v68;
      const float v74 = v73 * v72;
      const float v75 = v49 ? 0.0f : v74;
      const float v76 = 1.0f + v75;
      const float v77 = vec_47 / v76;
      const int64_t v78 = row_1 * C_stride0_;
      const int64_t v79 = v78 + i_44;
      C_[v79] = v77;
    }
  }
  (void)args; (void)worker; (void)workers;
}
