#include <stdint.h>
#ifndef TL_i64x4
#define TL_i64x4
typedef int64_t i64x4 __attribute__((vector_size(32)));
typedef int64_t i64x4_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
void add_tables(const uint64_t *args, int64_t worker, int64_t workers) {
  int64_t *out_ = (int64_t *)(uintptr_t)args[0];
  const int64_t out_n0_ = (int64_t)args[1];
  int64_t *x_ = (int64_t *)(uintptr_t)args[2];
  if (worker) return;
  // fill.py  made = fill(tl.stack_allocation[DType.int64](count), 5, 5 + count)  # a loop that runs
  int64_t local1[16] __attribute__((aligned(64)));
  // fill.py  for i in range(lower, upper):
  for (int64_t i_2 = 5; i_2 < 21; i_2 += 1) {
    // fill.py  values[i - lower] = i
    local1[i_2 - 5] = i_2;
  }
  // fill.py  for i in range(0, out.size, count):
  for (int64_t i_3 = 0; i_3 < out_n0_; i_3 += 16) {
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x4 v4 = *(i64x4_memory *)(x_ + i_3);
    const i64x4 v0_5 = v4 + (i64x4){5, 6, 7, 8};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const i64x4 v6 = *(i64x4_memory *)(local1 + 0);
    const i64x4 v7 = v0_5 + v6;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x4 v8 = *(i64x4_memory *)(x_ + (i_3 + 4));
    const i64x4 v1_9 = v8 + (i64x4){9, 10, 11, 12};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v10 = 0 + 4;
    const i64x4 v11 = *(i64x4_memory *)(local1 + v10);
    const i64x4 v12 = v1_9 + v11;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x4 v13 = *(i64x4_memory *)(x_ + (i_3 + 8));
    const i64x4 v2_14 = v13 + (i64x4){13, 14, 15, 16};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v15 = 0 + 8;
    const i64x4 v16 = *(i64x4_memory *)(local1 + v15);
    const i64x4 v17 = v2_14 + v16;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x4 v18 = *(i64x4_memory *)(x_ + (i_3 + 12));
    const i64x4 v3_19 = v18 + (i64x4){17, 18, 19, 20};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v20 = 0 + 12;
    const i64x4 v21 = *(i64x4_memory *)(local1 + v20);
    const i64x4 v22 = v3_19 + v21;
    *(i64x4_memory *)(out_ + i_3) = v7;
    *(i64x4_memory *)(out_ + (i_3 + 4)) = v12;
    *(i64x4_memory *)(out_ + (i_3 + 8)) = v17;
    *(i64x4_memory *)(out_ + (i_3 + 12)) = v22;
  }
  (void)args; (void)worker; (void)workers;
}
