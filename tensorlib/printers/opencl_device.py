"""What an OpenCL device offers, and whether that is enough for a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tensorlib.dtypes import DType
from tensorlib.errors import KernelError
from tensorlib.ir.core import Kernel
from tensorlib.ir.grid_ops import WARP_SIZE
from tensorlib.ir.types import Placement, PointerType
from tensorlib.printers.gpu_grid import operations_of
from tensorlib.printers.opencl_subgroups import EXTENSIONS

__all__ = ["OpenCLDevice", "check_device"]

# Atomic operators that devices have by another extension than the rest.
_EXTENDED = ("minimum", "maximum", "and", "or", "xor")


@dataclass(frozen=True, slots=True)
class OpenCLDevice:
    """A device by what `clGetDeviceInfo` says: CL_DEVICE_EXTENSIONS, CL_DEVICE_LOCAL_MEM_SIZE.

    `is_rounded` says that divisions and square roots of float32 are rounded correctly where asked
    (CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT), `lanes` of how many consecutive threads a sub-group
    consists, whatever the kernel; 0 where that is not known.

    >>> OpenCLDevice(frozenset({"cl_khr_fp64"}), 32768).has("cl_khr_fp64")
    True
    """

    extensions: frozenset[str]
    local_bytes: int = 32768
    is_rounded: bool = True
    lanes: int = 0

    @property
    def has_warps(self) -> bool:
        """Whether sub-groups are warps: of 32 lanes, which exchange values and vote."""
        return self.lanes == WARP_SIZE and all(map(self.has, EXTENSIONS))

    @property
    def options(self) -> tuple[str, ...]:
        """What to build programs with: OPENCL_OPTIONS, in the version that has sub-groups."""
        version = "-cl-std=CL3.0" if self.has_warps else "-cl-std=CL1.2"
        return (version, "-cl-fp32-correctly-rounded-divide-sqrt")

    def has(self, extension: str) -> bool:
        """Return whether the device has an extension."""
        return extension in self.extensions


def check_device(kernel: Kernel, device: OpenCLDevice, has_doubles: bool, shared: int) -> None:
    """Raise KernelError for the first thing that a kernel needs and `device` lacks.

    `has_doubles` is whether its text computes in float64, `shared` how many bytes a block shares.
    """
    where = f"print_opencl: {kernel.name}"
    for extension, what, instead in _needed(kernel, has_doubles):
        if not device.has(extension):
            raise KernelError(
                f"{where}: got {what}, needed {extension}, which the device lacks; try {instead}"
            )
    if not device.is_rounded and operations_of(kernel, "divide", "sqrt"):
        raise KernelError(
            f"{where}: got a division or square root, needed CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT, "
            "which the device lacks; try another device"
        )
    if shared > device.local_bytes:
        raise KernelError(
            f"{where}: got {shared} bytes that the threads of a block share, needed at most "
            f"{device.local_bytes}; try smaller tiles or fewer threads"
        )


def _needed(kernel: Kernel, has_doubles: bool) -> Iterator[tuple[str, str, str]]:
    """Yield extensions: what each is needed for, and what could be tried without it."""
    if has_doubles:
        yield "cl_khr_fp64", "computation in float64", "float32"
    for operation in operations_of(kernel, "atomic", "atomic_compare_exchange"):
        kind = operation.operands[0].type
        assert isinstance(kind, PointerType)
        dtype: DType = kind.dtype
        if dtype.bits == 64 and kind.placement is not Placement.REGISTER:
            what = f"an atomic of {dtype.name}"
            yield "cl_khr_int64_base_atomics", what, "a dtype of 32 bits"
            if dtype.is_integer and operation.attributes.get("operator") in _EXTENDED:
                yield "cl_khr_int64_extended_atomics", what, "a dtype of 32 bits"
