"""One name for an operation on layouts and on composed layouts, as CuTe overloads it."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

from tensorlib.errors import LayoutError
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.layout import Layout
from tensorlib.layouts.swizzle import Swizzle

__all__ = ["Overloaded", "over_inner", "overloaded"]

First = TypeVar("First")
Result = TypeVar("Result")
First_contra = TypeVar("First_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
P = ParamSpec("P")
_COMPOSED = (Swizzle, ComposedLayout)
_PLAIN = frozenset((Layout, int, tuple, type(None)))  # the usual operands, told apart first


class Overloaded(Protocol[First_contra, P, Result_co]):
    """A function of layouts that takes swizzles and composed layouts as operands too."""

    @overload
    def __call__(self, first: First_contra, /, *args: P.args, **kwargs: P.kwargs) -> Result_co: ...

    @overload
    def __call__(self, first: Swizzle | ComposedLayout, /, *args: Any, **kwargs: Any) -> Any: ...

    @overload
    def __call__(self, first: Any, second: Swizzle | ComposedLayout, /) -> Any: ...


class Decorator(Protocol):
    """What makes an overloaded function of a function of layouts."""

    def __call__(
        self, function: Callable[Concatenate[First, P], Result], /
    ) -> Overloaded[First, P, Result]: ...


def overloaded(home: str) -> Decorator:
    """Decorate a function of layouts: for composed operands its namesake in `home` is called.

    Stands below `memoised`, so that a repeated call doesn't ask.
    """

    def decorate(
        function: Callable[Concatenate[First, P], Result],
    ) -> Overloaded[First, P, Result]:
        @functools.wraps(function)
        def chosen(*operands: Any, **options: Any) -> Any:
            for operand in (*operands, *options.values()) if options else operands:
                if operand.__class__ in _PLAIN:
                    continue
                if isinstance(operand, _COMPOSED):
                    module = importlib.import_module(f"tensorlib.layouts.{home}")
                    return getattr(module, function.__name__)(*operands, **options)
            return function(*operands, **options)

        return cast("Overloaded[First, P, Result]", chosen)

    return decorate


def over_inner(
    function: Callable[Concatenate[First, P], Result],
) -> Overloaded[First, P, Result]:
    """Decorate a function f of layouts: f(outer o offset o L) is outer o offset o f(L).

    >>> from tensorlib.layouts import Layout, coalesce
    >>> coalesce(ComposedLayout(Swizzle(1, 0, 2), 3, Layout((2, 4))))
    Sw<1,0,2> o 3 o 8:1
    """

    @functools.wraps(function)
    def chosen(first: Any, *operands: Any, **options: Any) -> Any:
        if isinstance(first, ComposedLayout):
            return first.over(chosen(first.inner, *operands, **options))
        if isinstance(first, Swizzle):
            raise LayoutError(
                f"{function.__name__}: got {first}, needed a layout; try composition with one"
            )
        return function(first, *operands, **options)

    return cast("Overloaded[First, P, Result]", chosen)
