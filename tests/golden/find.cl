#pragma OPENCL FP_CONTRACT OFF
__kernel void find(__global long *out_, const long out_size_, __global long *x_, const long x_size_, const long wanted_) {
  if (get_global_id(0)) return;
  long c1 = 0;
  bool __broken_1_2 = 0;
  for (;;) {
    const bool v3 = !__broken_1_2;
    const bool v4 = c1 < x_size_;
    const bool v5 = v4 & v3;
    if (!v5) break;
    const long v6 = x_[c1];
    const bool v7 = v6 == wanted_;
    bool c8;
    if (v7) {
      out_[0] = c1;
      c8 = 1;
    } else {
      c8 = __broken_1_2;
    }
    const long v9 = (ulong)c1 + 1;
    c1 = v9;
    __broken_1_2 = c8;
  }
  const bool v10 = !__broken_1_2;
  if (v10) {
    out_[0] = (-1);
  }
}
