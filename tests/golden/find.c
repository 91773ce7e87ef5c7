#include <stdint.h>
void find(const uint64_t *args, int64_t worker, int64_t workers) {
  int64_t *out_ = (int64_t *)(uintptr_t)args[0];
  const int64_t out_size_ = (int64_t)args[1];
  int64_t *x_ = (int64_t *)(uintptr_t)args[2];
  const int64_t x_size_ = (int64_t)args[3];
  const int64_t wanted_ = (int64_t)args[4];
  if (worker) return;
  int64_t c1 = 0;
  uint8_t __broken_1_2 = 0;
  for (;;) {
    const uint8_t v3 = !__broken_1_2;
    const uint8_t v4 = c1 < x_size_;
    const uint8_t v5 = v4 & v3;
    if (!v5) break;
    const int64_t v6 = x_[c1];
    const uint8_t v7 = v6 == wanted_;
    uint8_t c8;
    if (v7) {
      out_[0] = c1;
      c8 = 1;
    } else {
      c8 = __broken_1_2;
    }
    const int64_t v9 = c1 + 1;
    c1 = v9;
    __broken_1_2 = c8;
  }
  const uint8_t v10 = !__broken_1_2;
  if (v10) {
    out_[0] = (-1);
  }
  (void)args; (void)worker; (void)workers;
}
