#pragma OPENCL FP_CONTRACT OFF
__kernel void find(__global long *out_, const long out_size_, __global long *x_, const long x_size_, const long wanted_) {
  if (get_global_id(0)) return;
  bool broken_1_1 = 0;
  for (long i_2 = 0; i_2 < x_size_; i_2 += 1) {
    const long v3 = x_[i_2];
    if (v3 == wanted_) {
      out_[0] = i_2;
      broken_1_1 = 1;
      break;
    }
  }
  if (!broken_1_1) {
    out_[0] = (-1);
  }
}
