#pragma OPENCL FP_CONTRACT OFF
__kernel void scale_add(__global float *out_, const long size_, __global float *x_, __global float *y_, const float a_) {
  const long thread = get_global_id(0), threads = get_global_size(0);
  const long v1 = size_ >> 3;
  const long whole_2 = (ulong)v1 * 8;
  for (long i_3 = thread * 8; i_3 < whole_2; i_3 += threads * 8) {
    const float8 v4 = vload8(0, x_ + i_3);
    const float8 v5 = (float8)(a_);
    const float8 v6 = v5 * v4;
    const float8 v7 = vload8(0, y_ + i_3);
    const float8 v8 = v6 + v7;
    vstore8(v8, 0, out_ + i_3);
  }
  if (thread == 0) {
    for (long i_9 = whole_2; i_9 < size_; i_9 += 1) {
      const float v10 = x_[i_9];
      const float v11 = a_ * v10;
      const float v12 = y_[i_9];
      const float v13 = v11 + v12;
      out_[i_9] = v13;
    }
  }
}
