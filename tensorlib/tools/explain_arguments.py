"""What `tensorlib explain` is given: a function by file or module, and the types of a call."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tensorlib.dtypes import DType, as_dtype
from tensorlib.errors import DTypeError, TensorlibError
from tensorlib.launch import LaunchedKernel, kernel

__all__ = ["axes", "bindings", "call_arguments", "found_kernel"]

_NEEDED = 'needed such as "float32(1024), int32(8, 64), float32[2.0], 3"'


def found_kernel(name: str) -> LaunchedKernel:
    """Return the kernel that `FILE:FUNCTION` or `module:function` names.

    A plain function is taken as a kernel. Raises TensorlibError where there is none.
    """
    place, separator, path = name.rpartition(":")
    if not separator or not place or not path:
        raise TensorlibError(
            f"explain: got {name!r}, needed FILE:FUNCTION, such as kernels.py:scale_add"
        )
    found: Any = _module(place)
    for part in path.split("."):
        if not hasattr(found, part):
            raise TensorlibError(f"explain: {place} has no {path!r}; it has {_kernels(found)}")
        found = getattr(found, part)
    if isinstance(found, LaunchedKernel):
        return found
    if not hasattr(found, "__code__"):
        raise TensorlibError(
            f"explain: {path} is a {type(found).__name__}, needed a kernel or a function"
        )
    return kernel(found)


def _kernels(module: Any) -> str:
    names = [name for name, value in vars(module).items() if isinstance(value, LaunchedKernel)]
    return f"the kernels {', '.join(sorted(names))}" if names else "no kernels"


def _module(place: str) -> Any:
    path = Path(place)
    is_file = place.endswith(".py") or path.exists()
    if is_file and not path.is_file():
        raise TensorlibError(f"explain: {place} is no file")
    try:
        return _loaded(path) if is_file else importlib.import_module(place)
    except TensorlibError:
        raise
    except ModuleNotFoundError as error:
        raise TensorlibError(f"explain: {error}; it is needed by {place!r}") from error
    except Exception as error:
        raise TensorlibError(
            f"explain: {place} can't be imported: {type(error).__name__}: {error}"
        ) from error


def _loaded(path: Path) -> Any:
    """Run a file as a module; what lies beside it can be imported, as when it runs by itself."""
    name = f"explained_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TensorlibError(f"explain: {path} is no file of Python")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module


def call_arguments(text: str) -> list[Any]:
    """Return arrays of random numbers and scalars for `float32(4, 8), int32[3], 2.0`.

    >>> [getattr(a, "shape", a) for a in call_arguments("float32(4, 8), 2.0")]
    [(4, 8), 2.0]
    """
    try:
        tree = ast.parse(f"({text},)", mode="eval").body if text.strip() else ast.Tuple([])
    except SyntaxError:
        raise TensorlibError(f"explain: got arguments {text!r}, {_NEEDED}") from None
    assert isinstance(tree, ast.Tuple)
    random = np.random.default_rng(0)
    return [_argument(item, random) for item in tree.elts]


def _argument(item: ast.expr, random: np.random.Generator) -> Any:
    try:
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and not item.keywords:
            return _array(item.func.id, [ast.literal_eval(size) for size in item.args], random)
        if isinstance(item, ast.Subscript) and isinstance(item.value, ast.Name):
            return as_dtype(item.value.id).numpy.type(ast.literal_eval(item.slice))
        value = ast.literal_eval(item)
    except (DTypeError, ValueError, TypeError, SyntaxError, OverflowError) as error:
        shown = f"{ast.unparse(item)} ({error})"
        raise TensorlibError(f"explain: got argument {shown}; {_NEEDED}") from None
    if not isinstance(value, (bool, int, float)):
        raise TensorlibError(f"explain: got argument {ast.unparse(item)}; {_NEEDED}")
    return value


def _array(name: str, shape: Sequence[Any], random: np.random.Generator) -> Any:
    dtype = as_dtype(name)
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("sizes are whole numbers from 0")
    if dtype.is_float:
        return random.standard_normal(shape).astype(dtype.numpy)
    if dtype is DType.bool:
        return random.integers(0, 2, shape).astype(np.bool_)
    return random.integers(0, 100, shape).astype(dtype.numpy)


def bindings(words: Sequence[str]) -> dict[str, Any]:
    """Return compile-time parameters from `width=8`, `dtype=float32`, `name=text`.

    >>> bindings(["width=8", "kind=float32"])
    {'width': 8, 'kind': tensorlib.float32}
    """
    found = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name.isidentifier():
            raise TensorlibError(f"explain: got --bind {word!r}, needed NAME=VALUE")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    if text in DType.by_name:
        return DType.by_name[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def axes(text: str | None) -> tuple[int, ...] | None:
    """Return the sizes along the axes of a grid or block: `8` or `8,4`.

    >>> axes("8,4"), axes(None)
    ((8, 4), None)
    """
    if text is None:
        return None
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise TensorlibError(f"explain: got {text!r}, needed sizes such as 8 or 8,4") from None
