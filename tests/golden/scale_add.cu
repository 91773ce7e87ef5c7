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
using f32x8 = simd<float, 8>;
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
#ifndef TL_splat_
#define TL_splat_
template <typename V> __device__ __forceinline__ V splat(typename V::element a) {
  V r;
#pragma unroll
  for (int i = 0; i < (int)(sizeof r / sizeof a); i++) r[i] = a;
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
extern "C" __global__ void scale_add(float *out_, const int64_t size_, float *x_, float *y_, const float a_) {
  const int64_t thread = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, threads = (int64_t)gridDim.x * blockDim.x;
  const int64_t whole_1 = (uint64_t)(size_ >> 3) * 8;
  for (int64_t i_2 = thread * 8; i_2 < whole_1; i_2 += threads * 8) {
    const f32x8 v3 = load<f32x8>(x_ + i_2);
    const f32x8 v4 = splat<f32x8>(a_);
    const f32x8 v5 = v4 * v3;
    const f32x8 v6 = load<f32x8>(y_ + i_2);
    const f32x8 v7 = v5 + v6;
    store<f32x8>(out_ + i_2, v7);
  }
  if (thread == 0) {
    for (int64_t i_8 = whole_1; i_8 < size_; i_8 += 1) {
      const float v9 = x_[i_8];
      const float v10 = a_ * v9;
      const float v11 = y_[i_8];
      const float v12 = v10 + v11;
      out_[i_8] = v12;
    }
  }
}
