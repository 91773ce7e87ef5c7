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
    const long v20 = (ulong)v6 + 8;
    const uchar8 v21 = vload8(0, data_ + v20);
    const int8 q_22 = convert_int8(v21);
    const long v23 = (ulong)v9 + 8;
    const int8 v24 = q_22 & (int8)(15);
    const int8 v25 = as_int8(as_uint8(v24) - (uint8)(8));
    const float8 v26 = convert_float8(v25);
    const float8 v27 = v26 * v13;
    vstore8(v27, 0, out_ + v23);
    const long v28 = (ulong)v15 + 8;
    const int8 v29 = q_22 >> (int8)(4);
    const int8 v30 = as_int8(as_uint8(v29) - (uint8)(8));
    const float8 v31 = convert_float8(v30);
    const float8 v32 = v31 * v13;
    vstore8(v32, 0, out_ + v28);
  }
}
