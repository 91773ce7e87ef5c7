"""Printers of kernels: C now; CUDA C and OpenCL C stand beside it."""

from tensorlib.printers.c import PRELUDE, print_c

__all__ = ["PRELUDE", "print_c"]
