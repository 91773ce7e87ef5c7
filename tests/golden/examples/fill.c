#include <stdint.h>
#ifndef TL_i64x16
#define TL_i64x16
typedef int64_t i64x16 __attribute__((vector_size(128)));
typedef int64_t i64x16_memory __attribute__((vector_size(128), aligned(1), may_alias));
#endif
void add_tables(const uint64_t *args, int64_t worker, int64_t workers) {
  int64_t *out_ = (int64_t *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  int64_t *x_ = (int64_t *)(uintptr_t)args[2];
  const int64_t x_n0_ = (int64_t)args[3];
  if (worker) return;
  // fill.py  made = fill(tl.stack_allocation[DType.int64](count), 5, 5 + count)  # a loop that runs
  int64_t local1[16] __attribute__((aligned(64)));
  // fill.py  for i in range(lower, upper):
  for (int64_t i_2 = 5; i_2 < 21; i_2 += 1) {
    // fill.py  values[i - lower] = i
    const int64_t v3 = i_2 - 5;
    local1[v3] = i_2;
  }
  // fill.py  for i in range(0, out.size, count):
  for (int64_t i_4 = 0; i_4 < out_n0_; i_4 += 16) {
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x16 v5 = *(i64x16_memory *)(x_ + i_4);
    const i64x16 v_6 = v5 + (i64x16){5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const i64x16 v7 = *(i64x16_memory *)(local1 + 0);
    const i64x16 v8 = v_6 + v7;
    *(i64x16_memory *)(out_ + i_4) = v8;
  }
  (void)args; (void)worker; (void)workers;
}
