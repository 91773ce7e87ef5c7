"""`tl.compile`: a function of tensors is recorded once and then runs as one plan."""

from __future__ import annotations

import functools
import inspect
import operator
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

from tensorlib.errors import DTypeError, ShapeError, TensorlibError
from tensorlib.graph.node import Node, input_node
from tensorlib.layouts.dim import Dim
from tensorlib.recording import Recorded, recorded
from tensorlib.tensor import Tensor

__all__ = ["CompiledFunction", "compile"]

Dynamic: TypeAlias = "Mapping[str, str | Mapping[int, str]]"


@overload
def compile(fn: Callable[..., Any], /, *, dynamic: Dynamic | None = None) -> CompiledFunction: ...
@overload
def compile(
    *, dynamic: Dynamic | None = None
) -> Callable[[Callable[..., Any]], CompiledFunction]: ...
def compile(fn: Callable[..., Any] | None = None, /, *, dynamic: Dynamic | None = None) -> Any:
    """Return `fn` as a function that is recorded once and then runs as one plan of kernels.

    `dynamic` names what changes from call to call: `{"tokens": {0: "T"}, "position": "P"}` makes
    axis 0 of the argument `tokens` the symbolic size T, and the int argument `position` the symbol
    P. All else about the arguments is fixed: each other shape, dtype, number or object gets a plan
    of its own. Tensors that `fn` finds elsewhere (closures, modules) are constants; states
    (`tl.state`) are updated in place. A call returns a tensor, a size, or tuples, lists and dicts
    of them. Raises TensorlibError, ShapeError or DTypeError for arguments that don't fit.

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
class Parameter:
    """One argument: its name, the symbol of an int, or the symbols of a tensor's axes."""

    name: str
    symbol: str | None
    axes: tuple[tuple[int, str], ...]


class CompiledFunction:
    """A function behind `tl.compile`; call it like the function itself."""

    __name__: str

    def __init__(self, fn: Callable[..., Any], dynamic: Dynamic) -> None:
        functools.update_wrapper(self, fn)
        self._fn = fn
        self._name = getattr(fn, "__name__", type(fn).__name__)
        self._signature = inspect.signature(fn)
        self._parameters = _parameters(self._name, list(self._signature.parameters), dynamic)
        kinds = {p.kind for p in self._signature.parameters.values()}
        named = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self._is_plain = kinds <= {inspect.Parameter.POSITIONAL_ONLY, named}
        self._recorded: dict[Any, Recorded] = {}
        self._lock = threading.RLock()

    @property
    def plans(self) -> int:
        """How many plans there are: calls that differ in nothing but symbols share one."""
        return len(self._recorded)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or not self._is_plain or len(args) != len(self._parameters):
            args = self._bound(args, kwargs)
        reading = _Reading(self._name)
        key = tuple([reading.key(p, a) for p, a in zip(self._parameters, args, strict=True)])
        found = self._recorded.get(key)
        if found is None:
            found = self._record(key, args, reading)
        return found(args, reading.tensors, reading.values)

    def _record(self, key: Any, args: tuple[Any, ...], reading: _Reading) -> Recorded:
        with self._lock:
            if key not in self._recorded:
                symbols = tuple(reading.values)
                given = _Placeholders()
                inside = [given.of(p, a) for p, a in zip(self._parameters, args, strict=True)]
                device = reading.tensors[0].device if reading.tensors else None
                self._recorded[key] = recorded(self._fn, inside, given.inputs, symbols, device)
            return self._recorded[key]

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        kinds = {p.kind for p in self._signature.parameters.values()}
        if inspect.Parameter.VAR_POSITIONAL in kinds or inspect.Parameter.VAR_KEYWORD in kinds:
            raise TensorlibError(
                f"compile: got {self._name} with *args or **kwargs, needed named parameters"
            )
        if bound.kwargs:
            raise TensorlibError(
                f"compile: got {self._name} with keyword-only parameters, needed positional ones"
            )
        return bound.args


def _parameters(function: str, names: list[str], dynamic: Dynamic) -> list[Parameter]:
    for name, spec in dynamic.items():
        if name not in names:
            known = ", ".join(names) or "none"
            raise TensorlibError(
                f"compile: got dynamic {name!r}, which is no parameter of {function}; "
                f"it has {known}"
            )
        if not isinstance(spec, str) and not isinstance(spec, Mapping):
            raise TensorlibError(
                f"compile: got dynamic {spec!r} for {name!r}, needed the name of a symbol for an "
                'int, such as "P", or a mapping from axes, such as {0: "T"}'
            )
    return [_parameter(name, dynamic.get(name, {})) for name in names]


def _parameter(name: str, spec: str | Mapping[int, str]) -> Parameter:
    if isinstance(spec, str):
        return Parameter(name, spec, ())
    return Parameter(name, None, tuple(spec.items()))


class _Reading:
    """What a call's arguments say: the key of their plan, the tensors, and the symbols' values."""

    __slots__ = ("name", "tensors", "values")

    def __init__(self, name: str) -> None:
        self.name = name
        self.tensors: list[Tensor] = []
        self.values: dict[str, int] = {}

    def key(self, parameter: Parameter, value: Any) -> Any:
        """Note what is dynamic about an argument, and return all that is fixed about it."""
        if value.__class__ is Tensor and parameter.symbol is None:
            self.tensors.append(value)
            return self._tensor_key(parameter, value.node)
        if parameter.symbol is not None:
            self._note(parameter.symbol, self._integer(parameter, value), parameter.name)
            return None
        if parameter.axes:
            raise DTypeError(
                f"{self.name}: got {type(value).__name__} as {parameter.name}, needed a tensor "
                f"for the symbol {parameter.axes[0][1]}; try tl.asarray"
            )
        if isinstance(value, tuple | list):
            return type(value), tuple([self.key(parameter, v) for v in value])
        if isinstance(value, dict):
            return dict, tuple([(k, self.key(parameter, v)) for k, v in value.items()])
        return self._value_key(parameter, value)

    def _tensor_key(self, parameter: Parameter, node: Node) -> Any:
        if node.states:
            return node, None  # a state is part of the plan
        if not parameter.axes:
            return node.shape, node.dtype, node.device
        shape: list[Any] = list(node.shape)
        for axis, symbol in parameter.axes:
            if not -len(shape) <= axis < len(shape):
                raise ShapeError(
                    f"{self.name}: got {parameter.name} with {len(shape)} axes, "
                    f"needed an axis {axis} for the symbol {symbol}"
                )
            self._note(symbol, shape[axis], parameter.name)
            shape[axis] = None
        return tuple(shape), node.dtype, node.device

    def _note(self, symbol: str, value: int, name: str) -> None:
        known = self.values.setdefault(symbol, value)
        if known != value:
            raise ShapeError(
                f"{self.name}: got {symbol} = {value} from {name}, but {symbol} = {known} from an "
                "argument before it; one symbol has one value"
            )

    def _integer(self, parameter: Parameter, value: Any) -> int:
        if value.__class__ is int and value >= 0:
            return int(value)
        try:
            number = operator.index(value)
        except TypeError:
            number = -1
        if number < 0 or isinstance(value, bool | Tensor):
            raise DTypeError(
                f"{self.name}: got {value!r} as {parameter.name}, "
                f"needed an int from 0 on for the symbol {parameter.symbol}"
            )
        return number

    def _value_key(self, parameter: Parameter, value: Any) -> Any:
        try:
            hash(value)
        except TypeError:
            raise DTypeError(
                f"{self.name}: got {type(value).__name__} as {parameter.name}, needed a tensor, "
                "a hashable value, or tuples, lists and dicts of them; try tl.asarray"
            ) from None
        return type(value), value


class _Placeholders:
    """What the function sees while it is recorded, and the placeholders in it, in order.

    The order is that of `_Reading.tensors`; None stands for a state, which is seen itself.
    """

    def __init__(self) -> None:
        self.inputs: list[Node | None] = []

    def of(self, parameter: Parameter, value: Any) -> Any:
        """Return the argument with placeholders for its tensors and a Dim for a dynamic int."""
        if parameter.symbol is not None:
            return Dim(parameter.symbol)
        if isinstance(value, tuple | list):
            return type(value)([self.of(parameter, v) for v in value])
        if isinstance(value, dict):
            return {k: self.of(parameter, v) for k, v in value.items()}
        if value.__class__ is not Tensor:
            return value
        node = value.node
        if node.states:
            self.inputs.append(None)
            return value
        shape = list(node.shape)
        for axis, symbol in parameter.axes:
            shape[axis] = Dim(symbol)
        name = f"{parameter.name}.{len(self.inputs)}"
        made = input_node(name, tuple(shape), node.dtype, node.device)
        self.inputs.append(made)
        return Tensor(made)
