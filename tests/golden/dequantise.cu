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
#ifndef TL_float16_to_float32_
#define TL_float16_to_float32_
__device__ __forceinline__ float float16_to_float32(uint16_t a) {
#ifdef __CUDA_ARCH__
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(a));
  return f;
#else
  const uint32_t sign = (uint32_t)(a & 0x8000) << 16, rest = a & 0x7fff;
  if (rest >= 0x7c00) {
    const uint32_t quiet = rest > 0x7c00 ? 0x400000 : 0;
    return bitcast<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13 | quiet);
  }
  return bitcast<float>(bitcast<uint32_t>(bitcast<float>(rest << 13) * 0x1p112f) | sign);
#endif
}
template <typename T, int N>
__device__ __forceinline__ simd<float, N> float16_to_float32(simd<T, N> a) {
  simd<float, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = float16_to_float32(a[i]);
  return r;
}
#endif
using u8x8 = simd<uint8_t, 8>;
using i32x8 = simd<int32_t, 8>;
#ifndef TL_convert_
#define TL_convert_
template <typename V, typename T, int N> __device__ __forceinline__ V convert(simd<T, N> a) {
  V r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = (typename V::element)a[i];
  return r;
}
#endif
#ifndef TL_AND_
#define TL_AND_
template <typename T, int N>
__device__ __forceinline__ simd<T, N> operator&(simd<T, N> a, simd<T, N> b) {
  simd<T, N> r;
#pragma unroll
  for (int i = 0; i < N; i++) r[i] = a[i] & b[i];
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
using f32x8 = simd<float, 8>;
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
extern "C" __global__ void dequantise(float *out_, const int64_t out_size_, uint8_t *data_, const int64_t data_size_) {
  if (blockIdx.x || threadIdx.x) return;
  const int64_t v1 = out_size_ >> 5;
  for (int64_t block_2 = 0; block_2 < v1; block_2 += 1) {
    const int64_t at_3 = (uint64_t)block_2 * 18;
    const uint16_t v4 = load<uint16_t>(data_ + at_3);
    const float scale_5 = float16_to_float32(v4);
    const int64_t v6 = (uint64_t)at_3 + 2;
    const u8x8 v7 = load<u8x8>(data_ + v6);
    const i32x8 q_8 = convert<i32x8>(v7);
    const int64_t v9 = (uint64_t)block_2 * 32;
    const i32x8 v10 = q_8 & splat<i32x8>(15);
    const i32x8 v11 = v10 - splat<i32x8>(8);
    const f32x8 v12 = convert<f32x8>(v11);
    const f32x8 v13 = splat<f32x8>(scale_5);
    const f32x8 v14 = v12 * v13;
    store<f32x8>(out_ + v9, v14);
    const int64_t v15 = (uint64_t)v9 + 16;
    const i32x8 v16 = q_8 >> 4;
    const i32x8 v17 = v16 - splat<i32x8>(8);
    const f32x8 v18 = convert<f32x8>(v17);
    const f32x8 v19 = v18 * v13;
    store<f32x8>(out_ + v15, v19);
    const u8x8 v20 = load<u8x8>(data_ + ((uint64_t)v6 + 8));
    const i32x8 q_21 = convert<i32x8>(v20);
    const i32x8 v22 = q_21 & splat<i32x8>(15);
    const i32x8 v23 = v22 - splat<i32x8>(8);
    const f32x8 v24 = convert<f32x8>(v23);
    const f32x8 v25 = v24 * v13;
    store<f32x8>(out_ + ((uint64_t)v9 + 8), v25);
    const i32x8 v26 = q_21 >> 4;
    const i32x8 v27 = v26 - splat<i32x8>(8);
    const f32x8 v28 = convert<f32x8>(v27);
    const f32x8 v29 = v28 * v13;
    store<f32x8>(out_ + ((uint64_t)v15 + 8), v29);
  }
}
