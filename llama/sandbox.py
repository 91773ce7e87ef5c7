"""A Jinja environment for templates out of model files: sandboxed, bounded in time and in size.

Jinja's own sandbox keeps a template from Python's internals, not from `'a' * 2000000000` or from
nested loops. Here every value that a template makes is measured as it is made (its characters and
elements), what multiplies is measured before it runs, and each step of a loop looks at the clock.
So a rendering ends soon after SECONDS at the latest, whatever the template says.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import nodes
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import Namespace

from tensorlib.errors import ModelError

__all__ = ["BoundedEnvironment"]

LARGEST = 1 << 22  # characters, digits and elements of one value
MOST = 1 << 25  # and of all values that one rendering makes
SECONDS = 2.0
STEP = 32  # what an operation counts for at least
ELEMENT = 16  # what an element of a list counts for
DEPTH = 64  # of lists within lists
DIGITS = 4096  # bits of an integer


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What templates call on text, lists and mappings; none of it makes much out of little.
METHODS: dict[type, frozenset[str]] = {
    str: _words(
        "strip lstrip rstrip split rsplit splitlines partition rpartition startswith endswith "
        "removeprefix removesuffix upper lower title capitalize find rfind index count replace "
        "join isdigit isalpha isalnum isspace isupper islower"
    ),
    list: _words("index count"),
    tuple: _words("index count"),
    dict: _words("get items keys values"),
}

KEPT_FILTERS = _words(
    "abs attr capitalize count d default dictsort e escape first float int items join last length "
    "list lower map max min reject rejectattr replace reverse safe select selectattr sort "
    "string title trim unique upper"
)


def spent(value: object, depth: int = DEPTH) -> int:
    """Return the size of `value`: characters, and ELEMENT an element; it stops past LARGEST."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, int):
        return 1 if value.bit_length() <= DIGITS else LARGEST + 1
    if not isinstance(value, list | tuple | dict | set | frozenset):
        return 1
    if not depth:
        return LARGEST + 1
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    total = ELEMENT * len(value)
    for part in parts:
        total += spent(part, depth - 1)
        if total > LARGEST:
            break
    return total


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment of one template; `start` begins a rendering."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols"],
            finalize=self.text,
            cache_size=0,
        )
        self.start()
        self.filters = {name: self._measured(FILTERS[name]) for name in KEPT_FILTERS}
        self.filters |= {"join": self.join, "replace": self.replace, "tojson": self.to_json}
        self.filters |= {"_measured": self.measured, "_steps": self.steps}
        self.tests = {name: self._measured(test) for name, test in TESTS.items()}
        self.globals = {"range": self.range, "raise_exception": refuse, "namespace": Namespace}
        self.concat = self.joined  # type: ignore[method-assign]

    def start(self) -> None:
        """Forget what the last rendering spent."""
        self.left = MOST
        self.deadline = time.monotonic() + SECONDS

    def measured(self, value: Any) -> Any:
        """Return `value`, charging its size; ModelError past a bound."""
        self.charge(spent(value))
        return value

    def charge(self, size: int) -> None:
        """Count one operation that makes a value of `size`."""
        if size > LARGEST:
            raise ModelError(f"chat template: got a value above {LARGEST} characters; needed less")
        self.left -= max(size, STEP)
        if self.left < 0 or time.monotonic() > self.deadline:
            raise ModelError(f"chat template: got no end in {SECONDS:g} s of work; needed one")

    def steps(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield `values`, charging each step."""
        for value in values:
            self.charge(STEP)
            yield value

    def joined(self, parts: Iterable[str]) -> str:
        """Return the rendered pieces as one text, measured as they come."""
        pieces, total = [], 0
        for part in parts:
            total += len(part)
            self.charge(total if total > LARGEST else len(part))
            pieces.append(part)
        return "".join(pieces)

    def text(self, value: Any) -> Any:
        """Return `value` as it may be printed."""
        return self.measured(value)

    def range(self, *bounds: int) -> range:
        """Return Python's range, not longer than LARGEST allows."""
        found = range(*bounds)
        self.charge(ELEMENT * len(found))
        return found

    def join(self, values: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
        """Return the filter `join`, its size known before it is made."""
        if attribute is not None:
            values = [self.getitem(value, attribute) for value in values]
        parts = [str(self.measured(value)) for value in values]
        self.charge(sum(map(len, parts)) + len(d) * len(parts))
        return d.join(parts)

    def replace(self, text: Any, old: str, new: str, count: int = -1) -> str:
        """Return the filter `replace`, its size known before it is made."""
        whole = str(self.measured(text))
        self.charge(len(whole) + whole.count(old) * len(new))
        return whole.replace(old, new, -1 if count is None else count)

    def to_json(self, value: Any, indent: int | None = None, **options: Any) -> str:
        """Return `value` as JSON, characters as they are."""
        self.charge(4 * spent(value) * (1 + min(abs(indent or 0), LARGEST)))
        options = {k: v for k, v in options.items() if k in ("separators", "sort_keys")}
        return str(self.measured(json.dumps(value, ensure_ascii=False, indent=indent, **options)))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return `left operator right`, refused where the result could be vast."""
        if operator == "**" or (operator == "%" and isinstance(left, str | bytes)):
            raise ModelError(
                f"chat template: got the operator {operator} on {left!r:.40}; needed another"
            )
        if operator == "*":
            many = [v for v in (left, right) if not isinstance(v, int | float)]
            times = [v for v in (left, right) if isinstance(v, int)]
            if many and times:
                self.charge(spent(many[0]) * max(0, times[0]))
        return self.measured(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `function` for a template and measure what it gives."""
        self.charge(STEP)
        owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(owner, str) and name in ("replace", "join"):
            text_method: Callable[..., str] = self.replace if name == "replace" else self.join
            ordered = (owner, *args) if name == "replace" else (*args, owner)
            return text_method(*ordered, **kwargs)
        return self.measured(super().call(context, function, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> None:
        """Leave `str.format` to `is_safe_attribute`, which refuses it."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may read `obj.attr`."""
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return bool(super().is_safe_attribute(obj, attr, value))

    def _measured(self, function: Any) -> Callable[..., Any]:
        """Return the filter or test `function` with its result measured."""

        def measured(*args: Any, **kwargs: Any) -> Any:
            return self.measured(function(*args, **kwargs))

        measured.__dict__.update(
            getattr(function, "__dict__", {})
        )  # what Jinja has to pass as first argument
        return measured

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return self.with_measures(super()._parse(source, name, filename))

    def with_measures(self, template: nodes.Template) -> nodes.Template:
        """Return `template` with loops that count and literals and slices that are measured."""
        for loop in list(template.find_all(nodes.For)):
            loop.iter = _filtered(loop.iter, "_steps")
        wanted = (nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Getitem)
        for parent in [template, *template.find_all(nodes.Node)]:
            for field, value in list(parent.iter_fields()):
                if isinstance(value, list):
                    setattr(parent, field, [_measured(item, wanted) for item in value])
                else:
                    setattr(parent, field, _measured(value, wanted))
        return template


def _measured(node: Any, wanted: tuple[type[nodes.Node], ...]) -> Any:
    """Return `node`, wrapped in the filter that measures where it makes a value."""
    if not isinstance(node, wanted) or getattr(node, "ctx", "load") != "load":
        return node
    if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Slice):
        return node
    return _filtered(node, "_measured")


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def refuse(message: object) -> None:
    """What templates call to refuse a conversation."""
    raise ModelError(f"chat template: refuses these messages: {str(message)[:200]}")
