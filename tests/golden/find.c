#include <stdint.h>
void find(const uint64_t *args, int64_t worker, int64_t workers) {
  int64_t *out_ = (int64_t *)(uintptr_t)args[0];
  int64_t *x_ = (int64_t *)(uintptr_t)args[2];
  const int64_t x_size_ = (int64_t)args[3];
  const int64_t wanted_ = (int64_t)args[4];
  if (worker) return;
  uint8_t broken_1_1 = 0;
  for (int64_t i_2 = 0; i_2 < x_size_; i_2 += 1) {
    const int64_t v3 = x_[i_2];
    if (v3 == wanted_) {
      out_[0] = i_2;
      broken_1_1 = 1;
      break;
    }
  }
  if (!broken_1_1) {
    out_[0] = (-1);
  }
  (void)args; (void)worker; (void)workers;
}
