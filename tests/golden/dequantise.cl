#pragma OPENCL FP_CONTRACT OFF
#ifndef tl_float16_to_float32_ushort_
#define tl_float16_to_float32_ushort_
static float tl_float16_to_float32_ushort(ushort a) { return vload_half(0, (const half *)&a); }
#endif
__kernel void dequantise(__global float *out_, const long out_size_, __global uchar *data_, const long data_size_) {
  if (get_global_id(0)) return;
  const long v1 = out_size_ >> 5;
  for (long block_2 = 0; block_2 < v1; block_2 += 1) {
    const long at_3 = (ulong)block_2 * 18;
    const ushort v4 = as_ushort(vload2(0, data_ + at_3));
    const float scale_5 = tl_float16_to_float32_ushort(v4);
    const long v6 = (ulong)at_3 + 2;
    const uchar8 v7 = vload8(0, data_ + v6);
    const int8 q_8 = convert_int8(v7);
    const long v9 = (ulong)block_2 * 32;
    const int8 v10 = q_8 & (int8)(15);
    const int8 v11 = as_int8(as_uint8(v10) - (uint8)(8));
    const float8 v12 = convert_float8(v11);
    const float8 v13 = (float8)(scale_5);
    const float8 v14 = v12 * v13;
    vstore8(v14, 0, out_ + v9);
    const long v15 = (ulong)v9 + 16;
    const int8 v16 = q_8 >> (int8)(4);
    const int8 v17 = as_int8(as_uint8(v16) - (uint8)(8));
    const float8 v18 = convert_float8(v17);
    const float8 v19 = v18 * v13;
    vstore8(v19, 0, out_ + v15);
    const uchar8 v20 = vload8(0, data_ + ((ulong)v6 + 8));
    const int8 q_21 = convert_int8(v20);
    const int8 v22 = q_21 & (int8)(15);
    const int8 v23 = as_int8(as_uint8(v22) - (uint8)(8));
    const float8 v24 = convert_float8(v23);
    const float8 v25 = v24 * v13;
    vstore8(v25, 0, out_ + ((ulong)v9 + 8));
    const int8 v26 = q_21 >> (int8)(4);
    const int8 v27 = as_int8(as_uint8(v26) - (uint8)(8));
    const float8 v28 = convert_float8(v27);
    const float8 v29 = v28 * v13;
    vstore8(v29, 0, out_ + ((ulong)v15 + 8));
  }
}
