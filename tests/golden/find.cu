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
  int64_t c1 = 0;
  bool __broken_1_2 = false;
  for (;;) {
    const bool v3 = !__broken_1_2;
    const bool v4 = c1 < x_size_;
    const bool v5 = v4 & v3;
    if (!v5) break;
    const int64_t v6 = x_[c1];
    const bool v7 = v6 == wanted_;
    bool c8;
    if (v7) {
      out_[0] = c1;
      c8 = true;
    } else {
      c8 = __broken_1_2;
    }
    const int64_t v9 = (uint64_t)c1 + 1;
    c1 = v9;
    __broken_1_2 = c8;
  }
  const bool v10 = !__broken_1_2;
  if (v10) {
    out_[0] = (-1);
  }
}
