"""C of bounds checks: one compare and a branch that is not taken."""

from __future__ import annotations

from tensorlib.ir.core import Operation
from tensorlib.printers.walker import Emit, Walker, vector

__all__ = ["OPERATIONS"]

_FAULT = """\
#ifndef tl_fault_
#define tl_fault_
static __attribute__((noinline, cold, unused)) void tl_fault(
    int64_t *faults, int64_t site, int64_t index) {
  int64_t none = 0;
  if (__atomic_compare_exchange_n(faults, &none, site, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    faults[1] = index;
}
#endif
"""


def _check(walker: Walker, operation: Operation) -> None:
    """Leave the function at an index that is not below the limit, or, as unsigned, below 0."""
    walker.declarations.setdefault("tl_fault", _FAULT)
    faults, indices, limit = operation.operands[:3]
    mask = operation.operands[3] if len(operation.operands) > 3 else None
    site, step = operation.attributes["site"], operation.attributes["step"]
    width = max(vector(v).width for v in (indices, *([mask] if mask else [])))
    top = walker.use(limit)

    def test(index: str, condition: str = "") -> None:
        walker.line(
            f"if ({condition}__builtin_expect((uint64_t)({index}) >= (uint64_t){top}, 0)) "
            f"{{ tl_fault({walker.use(faults)}, {site}, {index}); return; }}"
        )

    if mask is None and width == 1:
        test(walker.use(indices))
        return
    names = walker.use(indices)
    conditions = [""] * width
    if mask is not None and vector(mask).width == 1:
        conditions = [f"{walker.use(mask)} && "] * width
    elif mask is not None:
        bits = walker.bits_of(mask)
        masked = walker.named(walker.mask(mask, bits), vector(mask), bits)
        conditions = [f"{masked}[{lane}] && " for lane in range(width)]
    if vector(indices).width > 1:
        names = walker.named(names, vector(indices))
    for lane, condition in enumerate(conditions):
        each = f"{names}[{lane}]" if vector(indices).width > 1 else f"{names} + {lane * step}"
        test(each, condition)


OPERATIONS: dict[str, Emit] = {"check": _check}
