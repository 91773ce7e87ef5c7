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
    const int64_t whole_5 = (A_n1_ >> 3) * 8;
    // operands.py  for i in range(start, whole, lanes):
    for (int64_t i_6 = 0; i_6 < whole_5; i_6 += 8) {
      // swish.py  vec = A.load[width](*coords)
      const f32x8 vec_7 = *(f32x8_memory *)(A_ + (row_1 * A_stride0_ + i_6));
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const f32x8 v8 = -vec_7;
      const i32x8 v9 = (i32x8)(v8 < (-104.0f));
      const f32x8 v10 = (f32x8)((v9 & (i32x8)(f32x8){}) | (~v9 & (i32x8)v8));
      const i32x8 t11 = (i32x8)((v10 < 89.0f) | (v10 != v10));
      const f32x8 v12 = (f32x8)((t11 & (i32x8)v10) | (~t11 & (i32x8)(89.0f - (f32x8){})));
      const f32x8 v13 = tl_fma_f32x8(v12, (1.442695f - (f32x8){}), (1.2582912e+07f - (f32x8){}));
      const f32x8 v14 = v13 - 1.2582912e+07f;
      const f32x8 v15 = tl_fma_f32x8(v14, ((-0.69314575f) - (f32x8){}), v12);
      const f32x8 v16 = tl_fma_f32x8(v14, ((-1.4286068e-06f) - (f32x8){}), v15);
      const f32x8 v17 = tl_fma_f32x8((0.0001984127f - (f32x8){}), v16, (0.0013888889f - (f32x8){}));
      const f32x8 v18 = tl_fma_f32x8(v17, v16, (0.008333334f - (f32x8){}));
      const f32x8 v19 = tl_fma_f32x8(v18, v16, (0.041666668f - (f32x8){}));
      const f32x8 v20 = tl_fma_f32x8(v19, v16, (0.16666667f - (f32x8){}));
      const f32x8 v21 = tl_fma_f32x8(v20, v16, (0.5f - (f32x8){}));
      const f32x8 v22 = tl_fma_f32x8(v21, v16, (1.0f - (f32x8){}));
      const f32x8 v23 = tl_fma_f32x8(v22, v16, (1.0f - (f32x8){}));
      const i32x8 v24 = (i32x8)v13;
      const i32x8 v25 = v24 - 1262485504;
      const i32x8 v26 = (i32x8)(v25 >> 1);
      const i32x8 v27 = v26 + 127;
      const i32x8 v28 = (i32x8)((u32x8)v27 << 23);
      const f32x8 v29 = (f32x8)v28;
      const i32x8 v30 = v25 - v26;
      const i32x8 v31 = v30 + 127;
      const i32x8 v32 = (i32x8)((u32x8)v31 << 23);
      const f32x8 v33 = (f32x8)v32;
      const f32x8 v34 = v23 * v29;
      const f32x8 v35 = v34 * v33;
      const f32x8 v36 = (f32x8)((v9 & (i32x8)(f32x8){}) | (~v9 & (i32x8)v35));
      const f32x8 v37 = 1.0f + v36;
      const f32x8 v38 = vec_7 / v37;
      *(f32x8_memory *)(C_ + (row_1 * C_stride0_ + i_6)) = v38;
    }
    // operands.py  for i in range(whole, stop):
    for (int64_t i_39 = whole_5; i_39 < A_n1_; i_39 += 1) {
      // swish.py  vec = A.load[width](*coords)
      const float vec_40 = A_[row_1 * A_stride0_ + i_39];
      // swish.py  C.store[width](*coords, vec / (1 + exp(-vec)))
      const float v41 = -vec_40;
      const uint8_t v42 = v41 < (-104.0f);
      const float v43 = v42 ? 0.0f : v41;
      const float v44 = ((v43 < 89.0f) | (v43 != v43)) ? v43 : 89.0f;
      const float v45 = tl_fma_f32x1(v44, 1.442695f, 1.2582912e+07f);
      const float v46 = v45 - 1.2582912e+07f;
      const float v47 = tl_fma_f32x1(v46, (-0.69314575f), v44);
      const float v48 = tl_fma_f32x1(v46, (-1.4286068e-06f), v47);
      const float v49 = tl_fma_f32x1(0.0001984127f, v48, 0.0013888889f);
      const float v50 = tl_fma_f32x1(v49, v48, 0.008333334f);
      const float v51 = tl_fma_f32x1(v50, v48, 0.041666668f);
      const float v52 = tl_fma_f32x1(v51, v48, 0.16666667f);
      const float v53 = tl_fma_f32x1(v52, v48, 0.5f);
      const float v54 = tl_fma_f32x1(v53, v48, 1.0f);
      const float v55 = tl_fma_f32x1(v54, v48, 1.0f);
      const int32_t v56 = ((union { float a; int32_t b; }){ .a = v45 }).b;
      const int32_t v57 = v56 - 1262485504;
      const int32_t v58 = (int32_t)(v57 >> 1);
      const int32_t v59 = v58 + 127;
      const int32_t v60 = (int32_t)((uint32_t)v59 << 23);
      const float v61 = ((union { int32_t a; float b; }){ .a = v60 }).b;
      const int32_t v62 = v57 - v58;
      const int32_t v63 = v62 + 127;
      const int32_t v64 = (int32_t)((uint32_t)v63 << 23);
      const float v65 = ((union { int32_t a; float b; }){ .a = v64 }).b;
      const float v66 = v55 * v61;
      const float v67 = v66 * v65;
      const float v68 = v42 ? 0.0f : v67;
      const float v69 = 1.0f + v68;
      const float v70 = vec_40 / v69;
      C_[row_1 * C_stride0_ + i_39] = v70;
    }
  }
  (void)args; (void)worker; (void)workers;
}
