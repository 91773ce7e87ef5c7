#ifndef TL_types_
#define TL_types_
#ifdef __CUDACC_RTC__
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#else
#include <math.h>
#include <stdint.h>
#include <string.h>
#endif
#endif
#ifndef TL_simd_
#define TL_simd_
template <typename T, int N> struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) simd {
  typedef T element;
  T lanes[N];
  __device__ __forceinline__ T &operator[](int i) { return lanes[i]; }
  __device__ __forceinline__ const T &operator[](int i) const { return lanes[i]; }
};
#endif
using u16x8 = simd<uint16_t, 8>;
#ifndef TL_load_
#define TL_load_
template <typename V, typename T> __device__ __forceinline__ V load(const T *p) {
  if ((size_t)p % alignof(V) == 0) return *(const V *)p;
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof(V) / sizeof(T)); i++) ((T *)&r)[i] = p[i];
  return r;
}
#endif
#ifndef TL_bitcast_
#define TL_bitcast_
template <typename To, typename From> __device__ __forceinline__ To bitcast(From a) {
  static_assert(sizeof(To) == sizeof(From), "as many bits");
  To r;
  memcpy(&r, &a, sizeof r);
  return r;
}
#endif
#ifndef TL_bfloat16_to_float32_
#define TL_bfloat16_to_float32_
__device__ __forceinline__ float bfloat16_to_float32(uint16_t a) { return bitcast<float>((uint32_t)a << 16); }
template <typename T, int N>
__device__ __forceinline__ simd<float, N> bfloat16_to_float32(simd<T, N> a) {
  simd<float, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = bfloat16_to_float32(a[i]);
  return r;
}
#endif
using f32x8 = simd<float, 8>;
#ifndef TL_fabs_
#define TL_fabs_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> fabs(simd<T, N> a) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = fabs(a[i]);
  return r;
}
#endif
#ifndef TL_wrapping_
#define TL_wrapping_
/* integers as unsigned ones, whose arithmetic wraps */
__device__ __forceinline__ uint32_t wrapping(int32_t a) { return a; }
__device__ __forceinline__ uint32_t wrapping(uint32_t a) { return a; }
__device__ __forceinline__ uint64_t wrapping(int64_t a) { return a; }
__device__ __forceinline__ uint64_t wrapping(uint64_t a) { return a; }
__device__ __forceinline__ float wrapping(float a) { return a; }
__device__ __forceinline__ double wrapping(double a) { return a; }
#endif
#ifndef TL_MINUS_
#define TL_MINUS_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator-(simd<T, N> a) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = -wrapping(a[i]);
  return r;
}
#endif
#ifndef TL_LESS_
#define TL_LESS_
template <typename T, int N>
__device__ __forceinline__ simd<bool, N> operator<(simd<T, N> a, simd<T, N> b) {
  simd<bool, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = a[i] < b[i];
  return r;
}
#endif
#ifndef TL_splat_
#define TL_splat_
template <typename V> __device__ __forceinline__ V splat(typename V::element a) {
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof r / sizeof a); i++) r[i] = a;
  return r;
}
#endif
using boolx8 = simd<bool, 8>;
#ifndef TL_select_
#define TL_select_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> select(simd<bool, N> test, simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = test[i] ? a[i] : b[i];
  return r;
}
#endif
#ifndef TL_UNEQUAL_
#define TL_UNEQUAL_
template <typename T, int N>
__device__ __forceinline__ simd<bool, N> operator!=(simd<T, N> a, simd<T, N> b) {
  simd<bool, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = a[i] != b[i];
  return r;
}
#endif
#ifndef TL_OR_
#define TL_OR_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator|(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = a[i] | b[i];
  return r;
}
#endif
#ifndef TL_fma_
#define TL_fma_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> fma(simd<T, N> a, simd<T, N> b, simd<T, N> c) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = fma(a[i], b[i], c[i]);
  return r;
}
#endif
#ifndef TL_SUBTRACT_
#define TL_SUBTRACT_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator-(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = wrapping(a[i]) - wrapping(b[i]);
  return r;
}
#endif
using i32x8 = simd<int32_t, 8>;
#ifndef TL_RIGHT_
#define TL_RIGHT_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator>>(simd<T, N> a, int n) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = a[i] >> n;
  return r;
}
#endif
#ifndef TL_ADD_
#define TL_ADD_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator+(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = wrapping(a[i]) + wrapping(b[i]);
  return r;
}
#endif
#ifndef TL_LEFT_
#define TL_LEFT_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator<<(simd<T, N> a, int n) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = wrapping(a[i]) << n;
  return r;
}
#endif
#ifndef TL_MULTIPLY_
#define TL_MULTIPLY_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator*(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = wrapping(a[i]) * wrapping(b[i]);
  return r;
}
#endif
#ifndef TL_DIVIDE_
#define TL_DIVIDE_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator/(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = wrapping(a[i]) / wrapping(b[i]);
  return r;
}
#endif
#ifndef TL_float32_to_bfloat16_
#define TL_float32_to_bfloat16_
__device__ __forceinline__ uint16_t float32_to_bfloat16(float a) {
  const uint32_t x = bitcast<uint32_t>(a);
  if (a != a) return (uint16_t)((x >> 16 & 0x8000) | 0x7fc0);
  return (uint16_t)((x + 0x7fff + (x >> 16 & 1)) >> 16);
}
template <typename T, int N>
__device__ __forceinline__ simd<uint16_t, N> float32_to_bfloat16(simd<T, N> a) {
  simd<uint16_t, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = float32_to_bfloat16(a[i]);
  return r;
}
#endif
#ifndef TL_store_
#define TL_store_
template <typename V, typename T> __device__ __forceinline__ void store(T *p, V a) {
  if ((size_t)p % alignof(V) == 0) {
    *(V *)p = a;
    return;
  }
#pragma unroll
  for (int i = 0; i < (int)(sizeof(V) / sizeof(T)); i++) p[i] = ((const T *)&a)[i];
}
#endif
extern "C" __global__ void half_silu(uint16_t *out_, const int64_t out_size_, uint16_t *x_, const int64_t x_size_) {
  if (blockIdx.x || threadIdx.x) return;
  for (int64_t i_1 = 0; i_1 < x_size_; i_1 += 8) {
    const u16x8 v2 = load<u16x8>(x_ + i_1);
    const f32x8 v3 = bfloat16_to_float32(v2);
    const f32x8 v4 = fabs(v3);
    const f32x8 v5 = -v4;
    const boolx8 v6 = v5 < splat<f32x8>(-104.0f);
    const f32x8 v7 = select(v6, splat<f32x8>(0.0f), v5);
    const f32x8 v8 = select((v7 < splat<f32x8>(89.0f)) | (v7 != v7), v7, splat<f32x8>(89.0f));
    const f32x8 v9 = fma(v8, splat<f32x8>(1.442695f), splat<f32x8>(1.2582912e+07f));
    const f32x8 v10 = v9 - splat<f32x8>(1.2582912e+07f);
    const f32x8 v11 = fma(v10, splat<f32x8>(-0.69314575f), v8);
    const f32x8 v12 = fma(v10, splat<f32x8>(-1.4286068e-06f), v11);
    const f32x8 v13 = fma(splat<f32x8>(0.0001984127f), v12, splat<f32x8>(0.0013888889f));
    const f32x8 v14 = fma(v13, v12, splat<f32x8>(0.008333334f));
    const f32x8 v15 = fma(v14, v12, splat<f32x8>(0.041666668f));
    const f32x8 v16 = fma(v15, v12, splat<f32x8>(0.16666667f));
    const f32x8 v17 = fma(v16, v12, splat<f32x8>(0.5f));
    const f32x8 v18 = fma(v17, v12, splat<f32x8>(1.0f));
    const f32x8 v19 = fma(v18, v12, splat<f32x8>(1.0f));
    const i32x8 v20 = bitcast<i32x8>(v9);
    const i32x8 v21 = v20 - splat<i32x8>(1262485504);
    const i32x8 v22 = v21 >> 1;
    const i32x8 v23 = v22 + splat<i32x8>(127);
    const i32x8 v24 = v23 << 23;
    const f32x8 v25 = bitcast<f32x8>(v24);
    const i32x8 v26 = v21 - v22;
    const i32x8 v27 = v26 + splat<i32x8>(127);
    const i32x8 v28 = v27 << 23;
    const f32x8 v29 = bitcast<f32x8>(v28);
    const f32x8 v30 = v19 * v25;
    const f32x8 v31 = v30 * v29;
    const f32x8 v32 = select(v6, splat<f32x8>(0.0f), v31);
    const boolx8 v33 = v3 < splat<f32x8>(0.0f);
    const f32x8 v34 = v3 * v32;
    const f32x8 v35 = select(v33, v34, v3);
    const f32x8 v36 = v32 + splat<f32x8>(1.0f);
    const f32x8 v37 = v35 / v36;
    const u16x8 v38 = float32_to_bfloat16(v37);
    const f32x8 v39 = bfloat16_to_float32(v38);
    const f32x8 v40 = v39 + splat<f32x8>(1.0f);
    const u16x8 v41 = float32_to_bfloat16(v40);
    store<u16x8>(out_ + i_1, v41);
  }
}
