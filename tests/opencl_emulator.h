/* Runs OpenCL C of scalars on the host, as C++ over `cuda_emulator.h`: warps are sub-groups. */
#include <limits.h>

typedef unsigned char uchar;

#define __kernel
#define __global
#define __local static
#define reqd_work_group_size(x, y, z)
#define CLK_LOCAL_MEM_FENCE 1
#define CLK_GLOBAL_MEM_FENCE 2

#define AXIS(a, i) ((i) == 0 ? a.x : (i) == 1 ? a.y : a.z)
static inline size_t get_local_id(unsigned i) { return AXIS(threadIdx, i); }
static inline size_t get_group_id(unsigned i) { return AXIS(blockIdx, i); }
static inline size_t get_num_groups(unsigned i) { return AXIS(gridDim, i); }
static inline int convert_int_sat(float a) {
  return a >= 2147483648.0f ? INT_MAX : a <= -2147483648.0f ? INT_MIN : (int)a;
}

static inline void barrier(int) { __syncthreads(); }
static inline void sub_group_barrier(int) { __syncwarp(); }
template <typename T> static T sub_group_shuffle(T a, unsigned lane) {
  return __shfl_sync(0xffffffff, a, lane);
}
static inline int sub_group_any(int test) { return __any_sync(0xffffffff, test); }
static inline int sub_group_all(int test) { return __all_sync(0xffffffff, test); }
struct uint4 {
  unsigned x;
};
static inline uint4 sub_group_ballot(int test) { return {__ballot_sync(0xffffffff, test)}; }

static inline int atomic_add(int *p, int a) { return atomicAdd(p, a); }
static inline int atomic_min(int *p, int a) { return atomicMin(p, a); }
static inline int atomic_max(int *p, int a) { return atomicMax(p, a); }
static inline int atomic_or(int *p, int a) { return atomicOr(p, a); }
static inline int atomic_xor(int *p, int a) { return atomicXor(p, a); }
static inline unsigned atomic_or(unsigned *p, unsigned a) { return atomicOr(p, a); }
