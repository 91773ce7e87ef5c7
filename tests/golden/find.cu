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
extern "C" __global__ void find(int64_t *out_, const int64_t out_size_, int64_t *x_, const int64_t x_size_, const int64_t wanted_) {
  if (blockIdx.x || threadIdx.x) return;
  bool broken_1_1 = false;
  for (int64_t i_2 = 0; i_2 < x_size_; i_2 += 1) {
    const int64_t v3 = x_[i_2];
    if (v3 == wanted_) {
      out_[0] = i_2;
      broken_1_1 = true;
      break;
    }
  }
  if (!broken_1_1) {
    out_[0] = (-1);
  }
}
