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
    const int64_t v3 = i_2 - 5;
    local1[v3] = i_2;
  }
  // fill.py  for i in range(0, out.size, count):
  for (int64_t i_4 = 0; i_4 < out_n0_; i_4 += 16) {
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const i64x4 v5 = *(i64x4_memory *)(x_ + i_4);
    const i64x4 v0_6 = v5 + (i64x4){5, 6, 7, 8};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const i64x4 v7 = *(i64x4_memory *)(local1 + 0);
    const i64x4 v8 = v0_6 + v7;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const int64_t v9 = i_4 + 4;
    const i64x4 v10 = *(i64x4_memory *)(x_ + v9);
    const i64x4 v1_11 = v10 + (i64x4){9, 10, 11, 12};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v12 = 0 + 4;
    const i64x4 v13 = *(i64x4_memory *)(local1 + v12);
    const i64x4 v14 = v1_11 + v13;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const int64_t v15 = i_4 + 8;
    const i64x4 v16 = *(i64x4_memory *)(x_ + v15);
    const i64x4 v2_17 = v16 + (i64x4){13, 14, 15, 16};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v18 = 0 + 8;
    const i64x4 v19 = *(i64x4_memory *)(local1 + v18);
    const i64x4 v20 = v2_17 + v19;
    // fill.py  v = x.load[count](i) + SIMD[DType.int64, count](*known)
    const int64_t v21 = i_4 + 12;
    const i64x4 v22 = *(i64x4_memory *)(x_ + v21);
    const i64x4 v3_23 = v22 + (i64x4){17, 18, 19, 20};
    // fill.py  out.store[count](i, v + made.load[count](0))
    const int64_t v24 = 0 + 12;
    const i64x4 v25 = *(i64x4_memory *)(local1 + v24);
    const i64x4 v26 = v3_23 + v25;
    *(i64x4_memory *)(out_ + i_4) = v8;
    const int64_t v27 = i_4 + 4;
    *(i64x4_memory *)(out_ + v27) = v14;
    const int64_t v28 = i_4 + 8;
    *(i64x4_memory *)(out_ + v28) = v20;
    const int64_t v29 = i_4 + 12;
    *(i64x4_memory *)(out_ + v29) = v26;
  }
  (void)args; (void)worker; (void)workers;
}
