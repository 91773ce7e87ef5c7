"""Printers of kernels: C, OpenCL C and CUDA C."""

from tensorlib.printers.c import PRELUDE, print_c
from tensorlib.printers.cuda import CUDA_OPTIONS, print_cuda
from tensorlib.printers.cuda_grid import dynamic_shared_bytes
from tensorlib.printers.opencl import OPENCL_OPTIONS, print_opencl
from tensorlib.printers.opencl_device import OpenCLDevice
from tensorlib.printers.opencl_warps import for_opencl

__all__ = [
    "CUDA_OPTIONS",
    "OPENCL_OPTIONS",
    "PRELUDE",
    "OpenCLDevice",
    "dynamic_shared_bytes",
    "for_opencl",
    "print_c",
    "print_cuda",
    "print_opencl",
]
