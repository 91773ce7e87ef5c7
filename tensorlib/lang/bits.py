"""What SIMD's lanes say about their bits: counts, orders, kinds of floats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tensorlib.ir.builder import fail

if TYPE_CHECKING:
    from tensorlib.dtypes import DType

__all__ = ["Bits"]


class Bits:
    """The methods of SIMD that ask for bits, or answer with a mask."""

    __slots__ = ()

    if TYPE_CHECKING:
        dtype: DType
        width: int

        def bitcast(self, dtype: Any) -> Self: ...
        def cast(self, dtype: Any) -> Self: ...
        def select(self, a: Any, b: Any) -> Self: ...
        def shuffle(self, *indices: int) -> Self: ...
        def reduce_add(self) -> Self: ...
        def to_bits(self) -> Self: ...
        def __abs__(self) -> Self: ...
        def __invert__(self) -> Self: ...
        def __and__(self, other: Any) -> Self: ...
        def __or__(self, other: Any) -> Self: ...
        def __lshift__(self, other: Any) -> Self: ...
        def __rshift__(self, other: Any) -> Self: ...
        def __lt__(self, other: Any) -> Self: ...
        def __gt__(self, other: Any) -> Self: ...

    # integers
    def popcount(self) -> Self:
        """Return how many bits of each integer are set."""
        return _popcount(self)  # type: ignore[no-any-return]

    def clz(self) -> Self:
        """Return how many zeros are above the highest set bit; the number of bits for 0."""
        return _leading_zeros(self)  # type: ignore[no-any-return]

    def ctz(self) -> Self:
        """Return how many zeros are below the lowest set bit; the number of bits for 0."""
        return _trailing_zeros(self)  # type: ignore[no-any-return]

    def byte_swap(self) -> Self:
        """Return each integer with its bytes in the other order.

        >>> from tensorlib.simd import SIMD
        >>> SIMD["uint16", 2](0x0102, 0xFF00).byte_swap()
        SIMD[uint16, 2](513, 255)
        """
        size = _whole_bits("byte_swap", self).dtype.bits // 8
        if size == 1:
            return self
        lanes = range(self.width)
        order = (lane * size + byte for lane in lanes for byte in reversed(range(size)))
        return self.bitcast("uint8").shuffle(*order).bitcast(self.dtype)

    def bit_reverse(self) -> Self:
        """Return each integer with its bits in the other order.

        >>> from tensorlib.simd import SIMD
        >>> SIMD["uint8", 2](1, 0b1100).bit_reverse()
        SIMD[uint8, 2](128, 48)
        """
        n = _whole_bits("bit_reverse", self)
        every = (1 << n.dtype.bits) - 1
        for by, part in ((1, 3), (2, 5), (4, 17)):  # pairs, then nibbles, then halves of bytes
            low = every // part
            n = ((n >> by) & low) | ((n & low) << by)
        made: Self = n.byte_swap().bitcast(self.dtype)
        return made

    def rotate_bits_left(self, by: int) -> Self:
        """Rotate the bits of each integer; those that leave at the top come in below.

        >>> from tensorlib.simd import SIMD
        >>> SIMD["uint8", 2](0x81, 3).rotate_bits_left(1)
        SIMD[uint8, 2](3, 6)
        """
        n = _whole_bits("rotate_bits", self)
        by %= n.dtype.bits
        turned = (n << by) | (n >> (n.dtype.bits - by)) if by else n
        made: Self = turned.bitcast(self.dtype)
        return made

    def rotate_bits_right(self, by: int) -> Self:
        """Rotate the bits of each integer the other way."""
        return self.rotate_bits_left(-by)

    def reduce_bit_count(self) -> Self:
        """Return how many bits of all lanes are set; of a mask, how many lanes are true (int64).

        >>> from tensorlib.simd import SIMD
        >>> SIMD["bool", 4](True, False, True, True).reduce_bit_count()
        SIMD[int64, 1](3)
        """
        if self.dtype.kind == "bool":
            return self.cast("int64").reduce_add()
        return self.popcount().cast("int64").reduce_add()

    # floats
    def isnan(self) -> Self:
        """Return the mask of lanes that are NaN; of integers none is."""
        return self != self  # type: ignore[return-value]

    def isinf(self) -> Self:
        """Return the mask of lanes that are infinite."""
        if not self.dtype.is_float:
            return self.isnan()
        return abs(self) == float("inf")  # type: ignore[comparison-overlap, return-value]

    def isfinite(self) -> Self:
        """Return the mask of lanes that are neither infinite nor NaN."""
        if not self.dtype.is_float:
            return self == self  # type: ignore[return-value]
        return abs(self) < float("inf")  # type: ignore[return-value]

    def sign(self) -> Self:
        """Return -1, 0 or 1 by the sign of each lane; zeros and NaN stay what they are.

        >>> from tensorlib.simd import SIMD
        >>> SIMD["float32", 4](-2.5, 0.0, -0.0, 7.0).sign()
        SIMD[float32, 4](-1.0, 0.0, -0.0, 1.0)
        """
        if self.dtype.kind == "bool":
            raise fail("sign: got a mask, needed numbers; try .cast")
        up = (self > 0).select(1, self)
        return up if self.dtype.kind == "unsigned" else (self < 0).select(-1, up)


def _whole_bits(where: str, x: Any) -> Any:
    """Return integers as unsigned ones of the same bits."""
    if not x.dtype.is_integer:
        raise fail(f"{where}: got {x.dtype.name} values, needed integers; try .to_bits()")
    return x.to_bits()


def _popcount(x: Any) -> Any:
    """Count set bits: sums of neighbouring pairs, nibbles, bytes; a product adds the bytes."""
    n, size = _whole_bits("popcount", x), x.dtype.bits
    every = (1 << size) - 1
    n = n - ((n >> 1) & (every // 3))
    n = (n & (every // 5)) + ((n >> 2) & (every // 5))
    n = (n + (n >> 4)) & (every // 17)
    n = n if size == 8 else (n * (every // 255)) >> (size - 8)
    return n.bitcast(x.dtype)


def _leading_zeros(x: Any) -> Any:
    """Count the zeros above the highest set bit, which is handed down to all bits below it."""
    n, by = _whole_bits("clz", x), 1
    while by < x.dtype.bits:
        n, by = n | (n >> by), 2 * by
    return (x.dtype.bits - _popcount(n)).bitcast(x.dtype)


def _trailing_zeros(x: Any) -> Any:
    """Count the bits below the lowest set one."""
    n = _whole_bits("ctz", x)
    return _popcount((n & (0 - n)) - 1).bitcast(x.dtype)
