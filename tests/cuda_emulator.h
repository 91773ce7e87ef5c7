/* Runs CUDA C on the host: each thread of a block is a fiber; blocks run in turn. Fibers run to
   their next meeting (a barrier or an exchange between lanes), which takes place when all who must
   meet are there. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define __device__
#define __global__
#define __forceinline__ inline
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(n)

struct Index {
  unsigned x, y, z;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

static inline float __int_as_float(int32_t a) { float f; memcpy(&f, &a, 4); return f; }
template <typename T> static inline T min(T a, T b) { return a < b ? a : b; }

static const size_t STACK = 1 << 20; /* of a fiber; what is not touched takes no memory */
enum Scope { RUNNING, WARP, BLOCK, DONE };
struct Fiber {
  ucontext_t context;
  char *stack;
  Index index;
  Scope waits;
};
static Fiber fibers[1024];
static unsigned count; /* of fibers: the threads of a block */
static ucontext_t scheduler;
static unsigned current;
static uint64_t exchanged[1024];
static void (*body)(void **);
static void **arguments;

static void meet(Scope scope) {
  Fiber &fiber = fibers[current];
  const Index index = threadIdx;
  fiber.waits = scope;
  swapcontext(&fiber.context, &scheduler);
  threadIdx = index;
}
static inline void __syncthreads() { meet(BLOCK); }
static inline void __syncwarp() { meet(WARP); }

static void run_fiber() {
  body(arguments);
  fibers[current].waits = DONE;
}

/* Let those go on who have all met: a warp, or else the block; false where nobody can. */
static bool release() {
  bool released = false;
  for (unsigned first = 0; first < count; first += 32) {
    const unsigned last = min(first + 32, count);
    bool all = true;
    for (unsigned i = first; i < last; i++) all &= fibers[i].waits == WARP;
    for (unsigned i = first; all && i < last; i++) fibers[i].waits = RUNNING;
    released |= all;
  }
  if (released) return true;
  for (unsigned i = 0; i < count; i++)
    if (fibers[i].waits != BLOCK) return false;
  for (unsigned i = 0; i < count; i++) fibers[i].waits = RUNNING;
  return true;
}

/* Returns 1 where some threads wait for others that do not come. */
static int run_block() {
  count = blockDim.x * blockDim.y * blockDim.z;
  for (unsigned i = 0; i < count; i++) {
    Fiber &fiber = fibers[i];
    if (!fiber.stack) fiber.stack = (char *)malloc(STACK);
    fiber.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / (blockDim.x * blockDim.y)};
    fiber.waits = RUNNING;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = STACK;
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, run_fiber, 0);
  }
  do {
    for (current = 0; current < count; current++) {
      if (fibers[current].waits != RUNNING) continue;
      threadIdx = fibers[current].index;
      swapcontext(&scheduler, &fibers[current].context);
    }
  } while (release());
  for (unsigned i = 0; i < count; i++)
    if (fibers[i].waits != DONE) return 1;
  return 0;
}

static int launch(void (*kernel)(void **), void **given, const unsigned *shape) {
  body = kernel, arguments = given;
  gridDim = {shape[0], shape[1], shape[2]}, blockDim = {shape[3], shape[4], shape[5]};
  for (unsigned z = 0; z < gridDim.z; z++)
    for (unsigned y = 0; y < gridDim.y; y++)
      for (unsigned x = 0; x < gridDim.x; x++) {
        blockIdx = {x, y, z};
        if (run_block()) return 1;
      }
  return 0;
}

/* Exchange between the lanes of a warp; a lane that does not exist gives NaN or a large number. */
template <typename T> static T __shfl_sync(unsigned, T a, unsigned lane) {
  memcpy(&exchanged[current], &a, sizeof a);
  meet(WARP);
  T r;
  memset(&r, 0xff, sizeof r);
  const unsigned source = (current & ~31u) + (lane & 31);
  if (source < count) memcpy(&r, &exchanged[source], sizeof r);
  meet(WARP);
  return r;
}
template <typename T> static T __shfl_down_sync(unsigned warp, T a, unsigned n) {
  const unsigned lane = current & 31;
  return __shfl_sync(warp, a, lane + n < 32 ? lane + n : lane);
}
template <typename T> static T __shfl_up_sync(unsigned warp, T a, unsigned n) {
  const unsigned lane = current & 31;
  return __shfl_sync(warp, a, lane >= n ? lane - n : lane);
}
template <typename T> static T __shfl_xor_sync(unsigned warp, T a, unsigned n) {
  return __shfl_sync(warp, a, (current & 31) ^ n);
}
static uint32_t __ballot_sync(unsigned, int test) {
  exchanged[current] = test != 0;
  meet(WARP);
  uint32_t r = 0;
  for (unsigned i = 0; i < 32 && (current & ~31u) + i < count; i++)
    r |= (uint32_t)exchanged[(current & ~31u) + i] << i;
  meet(WARP);
  return r;
}
static inline int __any_sync(unsigned warp, int test) { return __ballot_sync(warp, test) != 0; }
static inline int __all_sync(unsigned warp, int test) { return __ballot_sync(warp, !test) == 0; }

/* Fibers are never interrupted, so a plain update is an atomic one. */
#define ATOMIC(NAME, NEW)                                      \
  template <typename T, typename U> static T NAME(T *p, U b) { \
    const T a = *p;                                            \
    *p = (T)(NEW);                                             \
    return a;                                                  \
  }
static inline uint32_t bits_of(int32_t a) { return a; }
static inline uint32_t bits_of(uint32_t a) { return a; }
static inline uint64_t bits_of(int64_t a) { return a; }
static inline uint64_t bits_of(uint64_t a) { return a; }
static inline float bits_of(float a) { return a; }
static inline double bits_of(double a) { return a; }
ATOMIC(atomicAdd, bits_of(a) + bits_of((T)b))
ATOMIC(atomicMin, a < (T)b ? a : (T)b)
ATOMIC(atomicMax, a > (T)b ? a : (T)b)
ATOMIC(atomicAnd, a & (T)b)
ATOMIC(atomicOr, a | (T)b)
ATOMIC(atomicXor, a ^ (T)b)
ATOMIC(atomicExch, b)
template <typename T, typename U, typename V> static T atomicCAS(T *p, U expected, V b) {
  const T a = *p;
  if (a == (T)expected) *p = (T)b;
  return a;
}
