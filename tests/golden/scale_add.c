#include <stdint.h>
#ifndef TL_f32x8
#define TL_f32x8
typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x8_memory __attribute__((vector_size(32), aligned(1), may_alias));
#endif
void scale_add(const uint64_t *args, int64_t worker, int64_t workers) {
  float *out_ = (float *)(uintptr_t)args[0];
  const int64_t size_ = (int64_t)args[1];
  float *x_ = (float *)(uintptr_t)args[2];
  float *y_ = (float *)(uintptr_t)args[3];
  float a_;
  __builtin_memcpy(&a_, args + 4, sizeof a_);
  const int64_t v1 = size_ >> 3;
  const int64_t whole_2 = v1 * 8;
  const int64_t trips4 = whole_2 > 0 ? (whole_2 + 8 - 1) / 8 : 0;
  const int64_t first5 = trips4 * worker / workers * 8;
  const int64_t last6 = trips4 * (worker + 1) / workers * 8;
  const int64_t end7 = last6 < whole_2 ? last6 : whole_2;
  for (int64_t i_3 = first5; i_3 < end7; i_3 += 8) {
    const f32x8 v8 = *(f32x8_memory *)(x_ + i_3);
    const f32x8 v9 = a_ - (f32x8){};
    const f32x8 v10 = v9 * v8;
    const f32x8 v11 = *(f32x8_memory *)(y_ + i_3);
    const f32x8 v12 = v10 + v11;
    *(f32x8_memory *)(out_ + i_3) = v12;
  }
  if (worker == 0) {
    for (int64_t i_13 = whole_2; i_13 < size_; i_13 += 1) {
      const float v14 = x_[i_13];
      const float v15 = a_ * v14;
      const float v16 = y_[i_13];
      const float v17 = v15 + v16;
      out_[i_13] = v17;
    }
  }
  (void)args; (void)worker; (void)workers;
}
