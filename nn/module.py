"""`Module`: a layer with parameters; what it holds is found by looking at its attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tensorlib.creation import asarray
from tensorlib.errors import ModelError, ShapeError
from tensorlib.ops.shapes import shape_text
from tensorlib.tensor import Tensor

__all__ = ["Module"]


class Module:
    """A layer. Tensors among its attributes are parameters, modules (also in lists) are children.

    Attributes whose name begins with an underscore are neither. A layer computes in `__call__`.

    >>> class Scale(Module):
    ...     def __init__(self, factor):
    ...         self.factor = factor
    ...     def __call__(self, x):
    ...         return x * self.factor
    >>> [name for name, _ in Scale(asarray([2.0])).named_parameters()]
    ['factor']
    """

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the direct children; those in lists are named `name.index`."""
        for name, value in self._public():
            if isinstance(value, Module):
                yield name, value
            elif isinstance(value, list | tuple):
                for index, item in enumerate(value):
                    if isinstance(item, Module):
                        yield f"{name}.{index}", item

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, tensor) of every parameter, children's with their path before the name."""
        for name, value in self._public():
            if isinstance(value, Tensor):
                yield name, value
        for path, child in self.children():
            for name, value in child.named_parameters():
                yield f"{path}.{name}", value

    def parameters(self) -> Iterator[Tensor]:
        """Yield every parameter."""
        return (value for _, value in self.named_parameters())

    def state_dict(self) -> dict[str, Tensor]:
        """Return the parameters by name."""
        return dict(self.named_parameters())

    def load_state_dict(self, tensors: Mapping[str, Any], *, strict: bool = True) -> None:
        """Replace parameters by `tensors` (or arrays) of the same names and shapes.

        Their dtype is kept, so packed weights may replace float ones. Nothing is replaced where a
        shape differs or, if `strict`, where names are missing or left over.
        """
        known = self.state_dict()
        missing, unknown = known.keys() - tensors.keys(), tensors.keys() - known.keys()
        if strict and (missing or unknown):
            raise ModelError(
                f"load_state_dict: missing {sorted(missing) or 'nothing'}, "
                f"left over {sorted(unknown) or 'nothing'}; try strict=False"
            )
        new = {name: asarray(tensors[name]) for name in known if name in tensors}
        for name, value in new.items():
            if value.shape != known[name].shape:
                raise ShapeError(
                    f"load_state_dict: got shape {shape_text(value.shape)} for {name}, "
                    f"needed {shape_text(known[name].shape)}"
                )
        for name, value in new.items():
            self._replace(name, value)

    def _replace(self, path: str, value: Tensor) -> None:
        """Set the parameter at `path`."""
        *parents, name = path.split(".")
        owner: Any = self
        for part in parents:
            owner = owner[int(part)] if isinstance(owner, list | tuple) else getattr(owner, part)
        setattr(owner, name, value)

    def _public(self) -> Iterator[tuple[str, Any]]:
        return ((n, v) for n, v in vars(self).items() if not n.startswith("_"))

    def describe(self) -> str:
        """Return what stands between the brackets of the module's repr."""
        shapes = (f"{n}={_described(v)}" for n, v in self._public() if isinstance(v, Tensor))
        return ", ".join(shapes)

    def __repr__(self) -> str:
        head, children = self.describe(), list(self.children())
        if not children:
            return f"{type(self).__name__}({head})"
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in children]
        inner = [*([head] if head else []), *lines]
        return f"{type(self).__name__}(\n  " + "\n  ".join(inner) + "\n)"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __call__")


def _described(x: Tensor) -> str:
    return f"{x.dtype.name}{shape_text(x.shape)}"
