"""`ComplexSIMD`: a pair of SIMD values as complex numbers, written as any user could."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tensorlib.dtypes import as_dtype
from tensorlib.simd import SIMD, SIMDType

__all__ = ["ComplexSIMD"]


class _Bracketed(type):
    """Gives the class its brackets: `ComplexSIMD[dtype, width](re, im)`."""

    def __getitem__(cls, parameters: Any) -> Callable[..., ComplexSIMD]:
        dtype, width = parameters if isinstance(parameters, tuple) else (parameters, 1)
        part = SIMDType(as_dtype(dtype), width)
        return lambda re, im=0: ComplexSIMD(part(re), part(im))


@dataclass(frozen=True, slots=True)
class ComplexSIMD(metaclass=_Bracketed):
    """Lanes of complex numbers re + im * i; parts have one float dtype and width.

    Multiplications are the plain formula, with fused multiply-adds: no extra care is taken where
    parts are infinite or NaN (C's annex G), as in Mojo.

    >>> z = ComplexSIMD["float32", 2](1, 2)
    >>> (z * z).re, z.squared_norm()
    (SIMD[float32, 2](-3.0, -3.0), SIMD[float32, 2](5.0, 5.0))
    """

    re: SIMD
    im: SIMD

    def __add__(self, other: ComplexSIMD | SIMD | float) -> ComplexSIMD:
        if not isinstance(other, ComplexSIMD):
            return ComplexSIMD(self.re + other, self.im)
        return ComplexSIMD(self.re + other.re, self.im + other.im)

    __radd__ = __add__

    def __sub__(self, other: ComplexSIMD | SIMD | float) -> ComplexSIMD:
        if not isinstance(other, ComplexSIMD):
            return ComplexSIMD(self.re - other, self.im)
        return ComplexSIMD(self.re - other.re, self.im - other.im)

    def __mul__(self, other: ComplexSIMD | SIMD | float) -> ComplexSIMD:
        """(a + bi)(c + di) = (ac - bd) + (ad + bc)i."""
        if not isinstance(other, ComplexSIMD):
            return ComplexSIMD(self.re * other, self.im * other)
        re = self.re.fma(other.re, -(self.im * other.im))
        return ComplexSIMD(re, self.re.fma(other.im, self.im * other.re))

    __rmul__ = __mul__

    def __neg__(self) -> ComplexSIMD:
        return ComplexSIMD(-self.re, -self.im)

    def conj(self) -> ComplexSIMD:
        """Return re - im * i."""
        return ComplexSIMD(self.re, -self.im)

    def squared_norm(self) -> SIMD:
        """Return re ** 2 + im ** 2."""
        return self.re.fma(self.re, self.im * self.im)

    def norm(self) -> SIMD:
        """Return the absolute value; its square must not overflow."""
        return self.squared_norm().sqrt()

    def squared_add(self, addend: ComplexSIMD) -> ComplexSIMD:
        """Return self * self + addend; no operation of it waits for more than one other."""
        re = self.re.fma(self.re, addend.re) - self.im * self.im
        return ComplexSIMD(re, self.re.fma(self.im + self.im, addend.im))

    def __getitem__(self, lane: int) -> ComplexSIMD:
        return ComplexSIMD(self.re[lane], self.im[lane])
