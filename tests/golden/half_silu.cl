#pragma OPENCL FP_CONTRACT OFF
#ifndef tl_bfloat16_to_float32_ushort8_
#define tl_bfloat16_to_float32_ushort8_
static float8 tl_bfloat16_to_float32_ushort8(ushort8 a) { return as_float8(convert_uint8(a) << (uint8)(16)); }
#endif
#ifndef tl_float32_to_bfloat16_float8_
#define tl_float32_to_bfloat16_float8_
static ushort8 tl_float32_to_bfloat16_float8(float8 a) {
  const uint8 x = as_uint8(a), one = (uint8)(1);
  const uint8 rounded = x + (uint8)(0x7fff) + (x >> (uint8)(16) & one);
  const uint8 quiet = (x & (uint8)(0x80000000u)) | (uint8)(0x7fc00000);
  return convert_ushort8((a != a ? quiet : rounded) >> (uint8)(16));
}
#endif
__kernel void half_silu_(__global ushort *out_, const long out_size_, __global ushort *x_, const long x_size_) {
  if (get_global_id(0)) return;
  for (long i_1 = 0; i_1 < x_size_; i_1 += 8) {
    const ushort8 v2 = vload8(0, x_ + i_1);
    const float8 v3 = tl_bfloat16_to_float32_ushort8(v2);
    const float8 v4 = fabs(v3);
    const float8 v5 = -v4;
    const int8 v6 = v5 < (float8)(-104.0f);
    const float8 v7 = v6 ? (float8)(0.0f) : v5;
    const float8 v8 = ((v7 < (float8)(89.0f)) | (v7 != v7)) ? v7 : (float8)(89.0f);
    const float8 v9 = fma(v8, (float8)(1.442695f), (float8)(1.2582912e+07f));
    const float8 v10 = v9 - (float8)(1.2582912e+07f);
    const float8 v11 = fma(v10, (float8)(-0.69314575f), v8);
    const float8 v12 = fma(v10, (float8)(-1.4286068e-06f), v11);
    const float8 v13 = fma((float8)(0.0001984127f), v12, (float8)(0.0013888889f));
    const float8 v14 = fma(v13, v12, (float8)(0.008333334f));
    const float8 v15 = fma(v14, v12, (float8)(0.041666668f));
    const float8 v16 = fma(v15, v12, (float8)(0.16666667f));
    const float8 v17 = fma(v16, v12, (float8)(0.5f));
    const float8 v18 = fma(v17, v12, (float8)(1.0f));
    const float8 v19 = fma(v18, v12, (float8)(1.0f));
    const int8 v20 = as_int8(v9);
    const int8 v21 = as_int8(as_uint8(v20) - (uint8)(1262485504));
    const int8 v22 = v21 >> (int8)(1);
    const int8 v23 = as_int8(as_uint8(v22) + (uint8)(127));
    const int8 v24 = as_int8(as_uint8(v23) << (uint8)(23u));
    const float8 v25 = as_float8(v24);
    const int8 v26 = as_int8(as_uint8(v21) - as_uint8(v22));
    const int8 v27 = as_int8(as_uint8(v26) + (uint8)(127));
    const int8 v28 = as_int8(as_uint8(v27) << (uint8)(23u));
    const float8 v29 = as_float8(v28);
    const float8 v30 = v19 * v25;
    const float8 v31 = v30 * v29;
    const float8 v32 = v6 ? (float8)(0.0f) : v31;
    const int8 v33 = v3 < (float8)(0.0f);
    const float8 v34 = v3 * v32;
    const float8 v35 = v33 ? v34 : v3;
    const float8 v36 = v32 + (float8)(1.0f);
    const float8 v37 = v35 / v36;
    const ushort8 v38 = tl_float32_to_bfloat16_float8(v37);
    const float8 v39 = tl_bfloat16_to_float32_ushort8(v38);
    const float8 v40 = v39 + (float8)(1.0f);
    const ushort8 v41 = tl_float32_to_bfloat16_float8(v40);
    vstore8(v41, 0, out_ + i_1);
  }
}
