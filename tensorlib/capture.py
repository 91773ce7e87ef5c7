"""`tl.compile`: a function of tensors is recorded once and then runs as one plan."""

from __future__ import annotations

import functools
import inspect
import operator
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast, overload

from tensorlib.backend import Backend, Device, KernelBackend
from tensorlib.errors import BackendError, DTypeError, ShapeError, TensorlibError
from tensorlib.graph.compile import BoundPlan
from tensorlib.graph.hoist import hoisted
from tensorlib.graph.host import contiguous_strides
from tensorlib.graph.node import CAPTURING, Node, Storage, data_node, input_node, topological
from tensorlib.graph.plan import PlanningBackend
from tensorlib.graph.realise import realise
from tensorlib.graph.schedule import Externals, scheduled
from tensorlib.layouts.dim import Dim, Size, compiled
from tensorlib.registry import REGISTRY
from tensorlib.tensor import Tensor

__all__ = ["CompiledFunction", "compile"]

Dynamic = Mapping[str, "str | Mapping[int, str]"]


@overload
def compile(fn: Callable[..., Any], /, *, dynamic: Dynamic | None = None) -> CompiledFunction: ...
@overload
def compile(
    *, dynamic: Dynamic | None = None
) -> Callable[[Callable[..., Any]], CompiledFunction]: ...
def compile(fn: Callable[..., Any] | None = None, /, *, dynamic: Dynamic | None = None) -> Any:
    """Return `fn` as a function that is recorded once and then runs as one plan of kernels.

    `dynamic` names what changes from call to call: `{"tokens": {0: "T"}, "position": "P"}` makes
    axis 0 of the argument `tokens` the symbolic size T and the int argument `position` the symbol
    P. All else about the arguments is fixed: each other shape, dtype, number or object gets a plan
    of its own. Tensors that `fn` finds elsewhere (closures, modules) are constants, and states
    (`tl.state`) are updated in place. The result of a call may be a tensor, a size, or tuples, lists
    and dicts of them. Raises TensorlibError, ShapeError or DTypeError for arguments that don't fit.

    >>> import tensorlib as tl
    >>> @compile(dynamic={"x": {0: "N"}})
    ... def scaled(x):
    ...     return x * 2 + x.shape[0]
    >>> scaled(tl.asarray([1.0, 2.0])), scaled(tl.asarray([1.0, 2.0, 3.0])), scaled.plans
    (tensor([4., 6.], dtype=float64), tensor([5., 7., 9.], dtype=float64), 1)
    """
    if fn is None:
        return functools.partial(compile, dynamic=dynamic)
    return CompiledFunction(fn, dynamic or {})


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One argument: its name, the symbol of an int, or the symbols of a tensor's axes."""

    name: str
    symbol: str | None
    axes: tuple[tuple[int, str], ...]


class CompiledFunction:
    """A function behind `tl.compile`; call it like the function itself."""

    def __init__(self, fn: Callable[..., Any], dynamic: Dynamic) -> None:
        functools.update_wrapper(self, fn)
        self._fn = fn
        self._name = getattr(fn, "__name__", type(fn).__name__)
        self._signature = inspect.signature(fn)
        self._parameters = self._described(dynamic)
        self._plain = all(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in self._signature.parameters.values()
        )
        self._captured: dict[Any, _Captured] = {}
        self._lock = threading.RLock()

    @property
    def plans(self) -> int:
        """How many plans were made so far; calls that differ in dynamic sizes only share one."""
        return len(self._captured)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or not self._plain or len(args) != len(self._parameters):
            args = self._bound(args, kwargs)
        key: list[Any] = []
        values: dict[str, int] = {}
        tensors: list[Tensor] = []
        for parameter, value in zip(self._parameters, args, strict=True):
            if value.__class__ is Tensor:
                key.append(self._tensor_key(parameter, value, values))
                tensors.append(value)
            elif parameter.symbol is not None:
                self._note(values, parameter.symbol, self._integer(parameter, value), parameter.name)
            else:
                key.append(self._value_key(parameter, value, values, tensors))
        found = self._captured.get(tuple(key))
        if found is None:
            found = self._capture(tuple(key), args)
        return found(tensors, values)

    # --- arguments ---

    def _described(self, dynamic: Dynamic) -> list[_Parameter]:
        names = list(self._signature.parameters)
        for name, spec in dynamic.items():
            if name not in names:
                raise TensorlibError(
                    f"compile: got dynamic {name!r}, which is no parameter of {self._name}; "
                    f"it has {', '.join(names) or 'none'}"
                )
            if not isinstance(spec, str) and not isinstance(spec, Mapping):
                raise TensorlibError(
                    f"compile: got dynamic {spec!r} for {name!r}, needed the name of a symbol "
                    'for an int, such as "P", or a mapping from axes, such as {0: "T"}'
                )
        return [_parameter(name, dynamic.get(name, {})) for name in names]

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in self._signature.parameters)

    def _tensor_key(self, parameter: _Parameter, value: Tensor, values: dict[str, int]) -> Any:
        node = value.node
        if node.states:
            return _Identity(node)  # a state, or what still reads one: part of the plan
        if parameter.symbol is not None:
            raise DTypeError(
                f"{self._name}: got a tensor as {parameter.name}, needed an int for the symbol "
                f"{parameter.symbol}"
            )
        if not parameter.axes:
            return node.shape, node.dtype, node.device
        shape: list[Any] = list(node.shape)
        for axis, symbol in parameter.axes:
            if axis >= len(shape):
                raise ShapeError(
                    f"{self._name}: got {parameter.name} with {len(shape)} axes, "
                    f"needed an axis {axis} for the symbol {symbol}"
                )
            self._note(values, symbol, shape[axis], parameter.name)
            shape[axis] = None
        return tuple(shape), node.dtype, node.device

    def _note(self, values: dict[str, int], symbol: str, value: int, name: str) -> None:
        known = values.setdefault(symbol, value)
        if known != value:
            raise ShapeError(
                f"{self._name}: got {symbol} = {value} from {name} and {symbol} = {known} from an "
                "argument before it; one symbol has one value"
            )

    def _integer(self, parameter: _Parameter, value: Any) -> int:
        try:
            number = operator.index(value)
        except TypeError:
            number = -1
        if number < 0 or isinstance(value, bool):
            raise DTypeError(
                f"{self._name}: got {value!r} as {parameter.name}, "
                f"needed an int from 0 on for the symbol {parameter.symbol}"
            )
        return number

    def _value_key(
        self, parameter: _Parameter, value: Any, values: dict[str, int], tensors: list[Tensor]
    ) -> Any:
        if parameter.axes:
            raise DTypeError(
                f"{self._name}: got {type(value).__name__} as {parameter.name}, "
                "needed a tensor; try tl.asarray"
            )
        if isinstance(value, tuple | list):
            parts = [self._item_key(parameter, v, values, tensors) for v in value]
            return type(value), tuple(parts)
        if isinstance(value, dict):
            items = value.items()
            return dict, tuple((k, self._item_key(parameter, v, values, tensors)) for k, v in items)
        try:
            hash(value)
        except TypeError:
            raise DTypeError(
                f"{self._name}: got {type(value).__name__} as {parameter.name}, needed a tensor, "
                "a hashable value, or tuples, lists and dicts of them; try tl.asarray"
            ) from None
        return type(value), value

    def _item_key(
        self, parameter: _Parameter, value: Any, values: dict[str, int], tensors: list[Tensor]
    ) -> Any:
        if value.__class__ is Tensor:
            tensors.append(value)
            return self._tensor_key(parameter, value, values)
        return self._value_key(parameter, value, values, tensors)

    # --- recording ---

    def _capture(self, key: tuple[Any, ...], args: tuple[Any, ...]) -> _Captured:
        with self._lock:
            if key not in self._captured:
                self._captured[key] = _captured(self._fn, self._name, self._parameters, args)
            return self._captured[key]


class _Identity:
    """A key that is one node, by identity."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __hash__(self) -> int:
        return id(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.node is self.node


def _parameter(name: str, spec: str | Mapping[int, str]) -> _Parameter:
    if isinstance(spec, str):
        return _Parameter(name, spec, ())
    return _Parameter(name, None, tuple(spec.items()))


class Recording:
    """What a function does besides its result while it is recorded: updates of states."""

    def __init__(self) -> None:
        self.updates: list[Node] = []


def _captured(
    fn: Callable[..., Any], name: str, parameters: Sequence[_Parameter], args: tuple[Any, ...]
) -> _Captured:
    """Run `fn` once on placeholders, and compile what it did."""
    inputs: list[Node | None] = []
    given = [_placeholder(p, a, inputs) for p, a in zip(parameters, args, strict=True)]
    recording = Recording()
    token = CAPTURING.set(recording)  # type: ignore[arg-type]
    try:
        result = fn(*given) if True else None
    finally:
        CAPTURING.reset(token)
    return _Captured(name, result, recording, inputs, given)


def _placeholder(parameter: _Parameter, value: Any, inputs: list[Node | None]) -> Any:
    """Replace tensors by placeholders and dynamic ints by symbols."""
    if value.__class__ is Tensor:
        node = value.node
        if node.states:
            inputs.append(None)
            return value
        shape = list(node.shape)
        for axis, symbol in parameter.axes:
            shape[axis] = Dim(symbol)
        made = input_node(f"{parameter.name}{len(inputs)}", tuple(shape), node.dtype, node.device)
        inputs.append(made)
        return Tensor(made)
    if parameter.symbol is not None:
        return Dim(parameter.symbol)
    if isinstance(value, tuple | list):
        return type(value)([_placeholder(parameter, v, inputs) for v in value])
    if isinstance(value, dict):
        return {k: _placeholder(parameter, v, inputs) for k, v in value.items()}
    return value
