"""Takes vectors apart that are wider than a target's: into parts of as many lanes as it has.

    %2: float32x32 = add %0 %1
becomes, for 16 lanes,
    %4: float32x16 = add %0 %2
    %5: float32x16 = add %1 %3
"""

from __future__ import annotations

from tensorlib.ir.core import Kernel
from tensorlib.passes.legalise import in_parts

__all__ = ["split"]


def split(kernel: Kernel, lanes: int) -> Kernel:
    """Return `kernel` with no value wider than `lanes`; the kernel itself where there is none.

    `lanes` is a power of two from 8: a value of 8 bytes may be seen as so many.

    >>> from tensorlib.ir import parse, text
    >>> kernel = parse("kernel copy(%0: pointer<int8>, %1: int64) {\\n"
    ...                "  %2: int8x16 = load %0 %1 {type=int8x16}\\n  store %0 %1 %2\\n}")
    >>> print(text(split(kernel, 8)).count("int8x8 = load"))
    2
    """
    return in_parts(kernel, lambda dtype: lanes)
