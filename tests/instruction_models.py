"""Matrix instructions as their manuals define them: plain arithmetic over registers, no layouts.

PTX: the formulas of row and column of "Matrix Fragments for mma...", PTX ISA 9.2, section 9.7.14.5,
https://docs.nvidia.com/cuda/parallel-thread-execution/. x86: the operation sections of Intel's
manual, volume 2, https://www.felixcloutier.com/x86/. Arm: the pseudo-code of the A64 instruction
set, https://developer.arm.com/documentation/ddi0602/latest/.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Place = Callable[[int, int], tuple[int, int]]  # (lane, i) -> (row, column) in the manual's words


# --- PTX: where lane `lane` keeps element i; of B the row is k and the column n ---


def a_m16n8k4(lane, i):
    group, place = lane >> 2, lane % 4
    return (group if i == 0 else group + 8), place


def b_m16n8k4(lane, i):
    return lane % 4, lane >> 2


def a_m16n8k8_tf32(lane, i):
    group, place = lane >> 2, lane % 4
    return (group if i in (0, 2) else group + 8), (place if i in (0, 1) else place + 4)


def b_m16n8k8_tf32(lane, i):
    return (lane % 4 if i == 0 else lane % 4 + 4), lane >> 2


def a_m16n8k8_f16(lane, i):
    group, place = lane >> 2, lane % 4
    return (group if i in (0, 1) else group + 8), place * 2 + (i & 1)


def b_m16n8k8_f16(lane, i):
    return (lane % 4) * 2 + i, lane >> 2


def a_m16n8k16_f16(lane, i):
    group, place = lane >> 2, lane % 4
    row = group if 0 <= i < 2 or 4 <= i < 6 else group + 8
    return row, place * 2 + (i & 1) + (0 if i < 4 else 8)


def b_m16n8k16_f16(lane, i):
    return (lane % 4) * 2 + (i & 1) + (0 if i < 2 else 8), lane >> 2


def a_m16n8k16_f64(lane, i):
    group, place = lane >> 2, lane % 4
    if i % 2 == 0:
        return group, i * 2 + place
    return group + 8, i * 2 - 2 + place


def b_m16n8k16_f64(lane, i):
    return lane % 4 + i * 4, lane >> 2


def a_m16n8k16_s8(lane, i):
    group, place = lane >> 2, lane % 4
    return (group if i < 4 else group + 8), place * 4 + (i & 3)


def b_m16n8k16_s8(lane, i):
    return (lane % 4) * 4 + i, lane >> 2


def a_m16n8k32_s8(lane, i):
    group, place = lane >> 2, lane % 4
    row = group if 0 <= i < 4 or 8 <= i < 12 else group + 8
    return row, place * 4 + (i & 3) + (0 if i < 8 else 16)


def b_m16n8k32_s8(lane, i):
    return (lane % 4) * 4 + (i & 3) + (0 if i < 4 else 16), lane >> 2


def c_m16n8(lane, i):
    group, place = lane >> 2, lane % 4
    return (group if i < 2 else group + 8), place * 2 + (i & 1)


def a_m8n8k16_s8(lane, i):
    return lane >> 2, (lane % 4) * 4 + i


def b_m8n8k16_s8(lane, i):
    return (lane % 4) * 4 + i, lane >> 2


def a_m8n8k4_f64(lane, i):
    return lane >> 2, lane % 4


def b_m8n8k4_f64(lane, i):
    return lane % 4, lane >> 2


def c_m8n8(lane, i):
    return lane >> 2, (lane % 4) * 2 + i


# name of the atom without the type of C -> places of A, B and C
PTX_MMA: dict[str, tuple[Place, Place, Place]] = {
    "m16n8k4.tf32": (a_m16n8k4, b_m16n8k4, c_m16n8),
    "m16n8k8.tf32": (a_m16n8k8_tf32, b_m16n8k8_tf32, c_m16n8),
    "m16n8k8.f16": (a_m16n8k8_f16, b_m16n8k8_f16, c_m16n8),
    "m16n8k8.bf16": (a_m16n8k8_f16, b_m16n8k8_f16, c_m16n8),
    "m16n8k16.f16": (a_m16n8k16_f16, b_m16n8k16_f16, c_m16n8),
    "m16n8k16.bf16": (a_m16n8k16_f16, b_m16n8k16_f16, c_m16n8),
    "m8n8k16.s8": (a_m8n8k16_s8, b_m8n8k16_s8, c_m8n8),
    "m8n8k16.u8": (a_m8n8k16_s8, b_m8n8k16_s8, c_m8n8),
    "m16n8k16.s8": (a_m16n8k16_s8, b_m16n8k16_s8, c_m16n8),
    "m16n8k16.u8": (a_m16n8k16_s8, b_m16n8k16_s8, c_m16n8),
    "m16n8k32.s8": (a_m16n8k32_s8, b_m16n8k32_s8, c_m16n8),
    "m16n8k32.u8": (a_m16n8k32_s8, b_m16n8k32_s8, c_m16n8),
    "m16n8k16.e4m3": (a_m16n8k16_s8, b_m16n8k16_s8, c_m16n8),
    "m16n8k16.e5m2": (a_m16n8k16_s8, b_m16n8k16_s8, c_m16n8),
    "m16n8k32.e4m3": (a_m16n8k32_s8, b_m16n8k32_s8, c_m16n8),
    "m16n8k32.e5m2": (a_m16n8k32_s8, b_m16n8k32_s8, c_m16n8),
    "m8n8k4.f64": (a_m8n8k4_f64, b_m8n8k4_f64, c_m8n8),
    "m16n8k4.f64": (a_m16n8k4, b_m16n8k4, c_m16n8),
    "m16n8k8.f64": (a_m16n8k8_tf32, b_m16n8k8_tf32, c_m16n8),
    "m16n8k16.f64": (a_m16n8k16_f64, b_m16n8k16_f64, c_m16n8),
}


# --- PTX wgmma: section 9.7.15.5.1.1, figures 148 ff.; warp w of the group holds rows 16 w ... ---


def d_wgmma(thread, i):
    warp, lane = thread // 32, thread % 32
    row = 16 * warp + lane // 4 + 8 * ((i // 2) % 2)
    return row, 8 * (i // 4) + 2 * (lane % 4) + i % 2


def a_wgmma(places: Place) -> Place:
    """Every warp holds its 16 rows as mma.m16n8kK holds A."""

    def place(thread, i):
        row, column = places(thread % 32, i)
        return row + 16 * (thread // 32), column

    return place


WGMMA_A = {
    "tf32": a_wgmma(a_m16n8k8_tf32),
    "f16": a_wgmma(a_m16n8k16_f16),
    "bf16": a_wgmma(a_m16n8k16_f16),
    "s8": a_wgmma(a_m16n8k32_s8),
    "u8": a_wgmma(a_m16n8k32_s8),
    "e4m3": a_wgmma(a_m16n8k32_s8),
    "e5m2": a_wgmma(a_m16n8k32_s8),
}


def matrix_product(shape, places, a, b, c):
    """D registers of `places` instructions: a, b, c are registers (thread, value)."""
    m, n, k = shape
    whole_a = _assembled((m, k), places[0], a)
    whole_b = _assembled((k, n), places[1], b)
    whole_d = whole_a @ whole_b + _assembled((m, n), places[2], c)
    return np.array(
        [[whole_d[places[2](t, i)] for i in range(c.shape[1])] for t in range(c.shape[0])]
    )


def _assembled(shape, place, registers):
    matrix = np.zeros(shape, registers.dtype)
    for thread, values in enumerate(registers):
        for i, value in enumerate(values):
            matrix[place(thread, i)] = value
    return matrix


# --- x86 and Arm: how an instruction extends the integers of its first and second source ---

SIGNED = {
    "TDPBSSD": (True, True),
    "TDPBSUD": (True, False),
    "TDPBUSD": (False, True),
    "TDPBUUD": (False, False),
    "vpdpbusd": (False, True),  # ZERO_EXTEND(SRC1.byte) * SIGN_EXTEND(SRC2.byte)
    "vpdpwssd": (True, True),
    "sdot": (True, True),
    "udot": (False, False),
    "smmla": (True, True),
    "ummla": (False, False),
    "usmmla": (False, True),
}


def extended(raw, bits, signed):
    """The integers that registers of raw bits hold."""
    return np.where(signed & (raw >= 1 << (bits - 1)), raw - (1 << bits), raw)


# --- x86: registers and tiles as flat rows of elements ---


def tdp(rows, colsb, destination_colsb, size, destination, src1, src2):
    """TDPBF16PS, TDPFP16PS (size 2), TDPBSSD and its likes (size 1): src2 holds K groups a row."""
    group, elements_src1, elements_dest = 4 // size, colsb // 4, destination_colsb // 4
    result = destination.copy()
    for m in range(rows):
        for k in range(elements_src1):
            for n in range(elements_dest):
                for j in range(group):
                    x = src1[m * (colsb // size) + group * k + j]
                    y = src2[k * (destination_colsb // size) + group * n + j]
                    result[m * elements_dest + n] += x * y
    return result


def vpdpbusd(destination, src1, src2_dword):
    """Bytes of src1 by those of one dword of src2, broadcast (EVEX.b): four products a lane."""
    result = destination.copy()
    for i in range(len(result)):
        p1 = src1[4 * i + 0] * src2_dword[0]
        p2 = src1[4 * i + 1] * src2_dword[1]
        p3 = src1[4 * i + 2] * src2_dword[2]
        p4 = src1[4 * i + 3] * src2_dword[3]
        result[i] = result[i] + p1 + p2 + p3 + p4
    return result


def vdpbf16ps(destination, src1, src2_dword):
    """Pairs of src1 by one pair of src2, broadcast; also VPDPWSSD, of 16-bit integers."""
    result = destination.copy()
    for i in range(len(result)):
        result[i] += src1[2 * i + 1] * src2_dword[1]
        result[i] += src1[2 * i + 0] * src2_dword[0]
    return result


# --- Arm: 128-bit registers as flat rows of elements ---


def arm_dot(destination, operand1, operand2):
    """SDOT, UDOT, BFDOT by element, index 0: 4 bytes or 2 halves of operand2 for every lane."""
    result, group = destination.copy(), len(operand1) // len(destination)
    for e in range(len(result)):
        for i in range(group):
            result[e] += operand1[group * e + i] * operand2[i]
    return result


def arm_matrix(destination, operand1, operand2):
    """SMMLA, UMMLA, USMMLA, BFMMLA: MatMulAdd of 2 x 2, rows of 8 bytes or 4 halves."""
    result, depth = destination.copy(), len(operand1) // 2
    for i in range(2):
        for j in range(2):
            for k in range(depth):
                result[2 * i + j] += operand1[depth * i + k] * operand2[depth * j + k]
    return result


# --- PTX wgmma: operands in shared memory, section 9.7.15.5.1.2 ---


def operand_address(row, k, size, major, swizzle, leading, stride, start):
    """Byte address of an element: core matrices of 8 x 16 bytes, `swizzle` bytes a row or none.

    The swizzle XORs address bits 4.. with bits 7.., as many as the row of chunks has.
    """
    width = swizzle or 16
    if major == "k":
        along = k * size
        chunk = (along // 16) * leading + along % 16 if not swizzle else along
        address = start + (row // 8) * stride + (row % 8) * width + chunk
    else:
        along = row * size
        step, far = (leading, stride) if swizzle else (stride, leading)
        address = start + (along // width) * step + along % width
        address += (k // 8) * far + (k % 8) * width
    mask = width // 16 - 1
    return address ^ (((address >> 7) & mask) << 4)
