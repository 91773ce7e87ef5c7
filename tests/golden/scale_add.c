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
  const int64_t whole_1 = (size_ >> 3) * 8;
  const int64_t trips3 = whole_1 > 0 ? (whole_1 + 8 - 1) / 8 : 0;
  const int64_t first4 = trips3 * worker / workers * 8;
  const int64_t last5 = trips3 * (worker + 1) / workers * 8;
  const int64_t end6 = last5 < whole_1 ? last5 : whole_1;
  for (int64_t i_2 = first4; i_2 < end6; i_2 += 8) {
    const f32x8 v7 = *(f32x8_memory *)(x_ + i_2);
    const f32x8 v8 = a_ - (f32x8){};
    const f32x8 v9 = v8 * v7;
    const f32x8 v10 = *(f32x8_memory *)(y_ + i_2);
    const f32x8 v11 = v9 + v10;
    *(f32x8_memory *)(out_ + i_2) = v11;
  }
  if (worker == 0) {
    for (int64_t i_12 = whole_1; i_12 < size_; i_12 += 1) {
      const float v13 = x_[i_12];
      const float v14 = a_ * v13;
      const float v15 = y_[i_12];
      const float v16 = v14 + v15;
      out_[i_12] = v16;
    }
  }
  (void)args; (void)worker; (void)workers;
}
