"""Passes of users: they stand in the same list as the library's, between those."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, overload

from tensorlib.errors import KernelError, VerifyError
from tensorlib.ir.core import Kernel
from tensorlib.ir.verifier import verify
from tensorlib.ops.registered import Registered
from tensorlib.passes import pipeline

__all__ = ["generation", "ir_pass"]

Pass = Callable[[Kernel], bool | None]

_NUMBERS: dict[tuple[Pass, ...], int] = {(): 0}
_added: list[Pass] = []
_generation = 0


def generation() -> int:
    """Return a number for the users' passes in use: kernels are kept for each by itself."""
    return _generation


@overload
def ir_pass(*, before: str = "dead") -> Callable[[Pass], Registered]: ...
@overload
def ir_pass(function: Pass, /, *, before: str = "dead") -> Registered: ...
def ir_pass(function: Pass | None = None, /, *, before: str = "dead") -> Any:
    """Add `function(kernel)` to the passes; use as a decorator.

    It rewrites the kernel in place, and may return whether it changed anything. It runs after the
    library's other passes and in front of the one named `before`, maybe more than once on a kernel.
    The kernel is verified afterwards; VerifyError names the pass. Kernels that are compiled from
    now on go through it. Returns the pass with `remove()` and `add()`; in a `with` it is there
    inside only. Raises KernelError for another `before` than the name of a pass.

    >>> import tensorlib as tl
    >>> @tl.ir_pass
    ... def counted(kernel):
    ...     counts.append(len(kernel.body.operations))
    >>> counts = []
    >>> counted.remove()
    """
    if function is None:
        return functools.partial(ir_pass, before=before)
    names = [p.__name__ for p in pipeline.PASSES]
    if before not in names:
        raise KernelError(
            f"ir_pass {function.__name__}: got before={before!r}, needed one of: {', '.join(names)}"
        )
    checked = _checked(function)

    def add(_: Any) -> None:
        place = [p.__name__ for p in pipeline.PASSES].index(before)
        pipeline.PASSES.insert(place, checked)
        _added.append(checked)
        _count()

    def remove(_: Any) -> None:
        pipeline.PASSES.remove(checked)
        _added.remove(checked)
        _count()

    return Registered(function, add, remove)


def _count() -> None:
    global _generation
    _generation = _NUMBERS.setdefault(tuple(_added), len(_NUMBERS))


def _checked(function: Pass) -> Pass:
    """Return the pass with what a user's needs: its errors say that it is at fault."""

    @functools.wraps(function)
    def run(kernel: Kernel) -> bool | None:
        result = function(kernel)
        if result is not None and not isinstance(result, bool):
            raise KernelError(
                f"ir_pass {function.__name__}: returned {type(result).__name__}, needed None, or "
                "whether it changed the kernel; a pass changes it in place"
            )
        try:
            verify(kernel)
        except VerifyError as error:
            raise VerifyError(f"ir_pass {function.__name__}: {error}") from None
        return result

    return run
