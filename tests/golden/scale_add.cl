#pragma OPENCL FP_CONTRACT OFF
__kernel void scale_add(__global float *out_, const long size_, __global float *x_, __global float *y_, const float a_) {
  const long thread = get_global_id(0), threads = get_global_size(0);
  const long whole_1 = (ulong)(size_ >> 3) * 8;
  for (long i_2 = thread * 8; i_2 < whole_1; i_2 += threads * 8) {
    const float8 v3 = vload8(0, x_ + i_2);
    const float8 v4 = (float8)(a_);
    const float8 v5 = v4 * v3;
    const float8 v6 = vload8(0, y_ + i_2);
    const float8 v7 = v5 + v6;
    vstore8(v7, 0, out_ + i_2);
  }
  if (thread == 0) {
    for (long i_8 = whole_1; i_8 < size_; i_8 += 1) {
      const float v9 = x_[i_8];
      const float v10 = a_ * v9;
      const float v11 = y_[i_8];
      const float v12 = v10 + v11;
      out_[i_8] = v12;
    }
  }
}
