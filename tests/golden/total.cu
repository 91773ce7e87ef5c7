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
#ifndef TL_splat_
#define TL_splat_
template <typename V> __device__ __forceinline__ V splat(typename V::element a) {
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof r / sizeof a); i++) r[i] = a;
  return r;
}
#endif
using f32x4 = simd<float, 4>;
using i64x4 = simd<int64_t, 4>;
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
using boolx4 = simd<bool, 4>;
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
#ifndef TL_low_
#define TL_low_
template <typename T, int N>
__device__ __forceinline__ simd<T, N / 2> low(simd<T, N> a) {
  simd<T, N / 2> r;
#pragma unroll
  for (int i = 0; i < N / 2; i++) r[i] = a[i];
  return r;
}
#endif
#ifndef TL_high_
#define TL_high_
template <typename T, int N>
__device__ __forceinline__ simd<T, N / 2> high(simd<T, N> a) {
  simd<T, N / 2> r;
#pragma unroll
  for (int i = 0; i < N / 2; i++) r[i] = a[i + N / 2];
  return r;
}
#endif
using f32x2 = simd<float, 2>;
extern "C" __global__ void total(float *out_, const int64_t out_size_, float *x_, const int64_t x_size_) {
  if (blockIdx.x || threadIdx.x) return;
  f32x4 acc_0_1 = splat<f32x4>(0.0f);
  f32x4 acc_1_2 = splat<f32x4>(0.0f);
  for (int64_t i_3 = 0; i_3 < x_size_; i_3 += 8) {
    const i64x4 v4 = splat<i64x4>(i_3);
    const i64x4 v5 = i64x4{{0, 1, 2, 3}} + v4;
    const i64x4 v6 = splat<i64x4>(x_size_);
    const boolx4 v7 = v5 < v6;
    const boolx4 t8 = v7;
    f32x4 t9 = splat<f32x4>(0.0f);
    if (t8[0]) t9[0] = x_[i_3]; if (t8[1]) t9[1] = x_[i_3 + 1]; if (t8[2]) t9[2] = x_[i_3 + 2]; if (t8[3]) t9[3] = x_[i_3 + 3];
    const f32x4 v_10 = t9;
    const f32x4 v11 = fma(v_10, v_10, acc_0_1);
    const int64_t v12 = (uint64_t)i_3 + 4;
    const i64x4 v13 = v5 + splat<i64x4>(4);
    const boolx4 v14 = v13 < v6;
    const boolx4 t15 = v14;
    f32x4 t16 = splat<f32x4>(0.0f);
    if (t15[0]) t16[0] = x_[v12]; if (t15[1]) t16[1] = x_[v12 + 1]; if (t15[2]) t16[2] = x_[v12 + 2]; if (t15[3]) t16[3] = x_[v12 + 3];
    const f32x4 v_17 = t16;
    const f32x4 v18 = fma(v_17, v_17, acc_1_2);
    acc_0_1 = v11;
    acc_1_2 = v18;
  }
  const f32x4 v19 = acc_0_1 + acc_1_2;
  const f32x2 t20 = low(v19) + high(v19);
  const float v21 = t20[0] + t20[1];
  out_[0] = v21;
}
