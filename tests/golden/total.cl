#pragma OPENCL FP_CONTRACT OFF
__kernel void total(__global float *out_, const long out_size_, __global float *x_, const long x_size_) {
  if (get_global_id(0)) return;
  float4 acc_0_1 = (float4)(0.0f);
  float4 acc_1_2 = (float4)(0.0f);
  for (long i_3 = 0; i_3 < x_size_; i_3 += 8) {
    const long4 v4 = (long4)(i_3);
    const long4 v5 = as_long4((ulong4)(0, 1, 2, 3) + as_ulong4(v4));
    const long4 v6 = (long4)(x_size_);
    const long4 v7 = v5 < v6;
    const long4 t8 = v7;
    float4 t9 = (float4)(0.0f);
    if (t8.s0) t9.s0 = x_[i_3]; if (t8.s1) t9.s1 = x_[i_3 + 1]; if (t8.s2) t9.s2 = x_[i_3 + 2]; if (t8.s3) t9.s3 = x_[i_3 + 3];
    const float4 v_10 = t9;
    const float4 v11 = fma(v_10, v_10, acc_0_1);
    const long v12 = (ulong)i_3 + 4;
    const long4 v13 = as_long4(as_ulong4(v5) + (ulong4)(4));
    const long4 v14 = v13 < v6;
    const long4 t15 = v14;
    float4 t16 = (float4)(0.0f);
    if (t15.s0) t16.s0 = x_[v12]; if (t15.s1) t16.s1 = x_[v12 + 1]; if (t15.s2) t16.s2 = x_[v12 + 2]; if (t15.s3) t16.s3 = x_[v12 + 3];
    const float4 v_17 = t16;
    const float4 v18 = fma(v_17, v_17, acc_1_2);
    acc_0_1 = v11;
    acc_1_2 = v18;
  }
  const float4 v19 = acc_0_1 + acc_1_2;
  const float2 t20 = v19.lo + v19.hi;
  const float v21 = t20.lo + t20.hi;
  out_[0] = v21;
}
