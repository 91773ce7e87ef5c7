"""`tensorlib explain`: a kernel from its Python to its instructions, and how fast it runs."""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from tensorlib.backend import Readable, readable
from tensorlib.errors import BackendError, KernelError
from tensorlib.ir.core import Block, Kernel, Operation
from tensorlib.ir.text import text
from tensorlib.lang.kernel import PRINTERS
from tensorlib.lang.target import Target, targeting
from tensorlib.launch import LaunchedKernel, default_device
from tensorlib.passes import run_passes
from tensorlib.passes.checked import checked
from tensorlib.passes.trail import Trail
from tensorlib.printers import PRELUDE
from tensorlib.printers.walker import noted
from tensorlib.tools.explain_arguments import axes, bindings, call_arguments, found_kernel
from tensorlib.tools.explain_assembly import counts, inner_loops, vector_bytes
from tensorlib.tools.explain_cost import loops, total
from tensorlib.tools.explain_page import page
from tensorlib.tools.explain_text import shown
from tensorlib.tools.explain_time import measured

__all__ = ["configure", "explained"]

_PLACE = re.compile(r'^  File "(.*)", line (\d+)')
_MODULE = re.compile(r"\btensorlib\.(\w+\.)*(?=[A-Z])")
_QUOTED = re.compile(r"(: |-> )'([^']*)'")
TARGETS = ("c", "opencl", "cuda")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tensorlib explain`."""
    parser.set_defaults(run=_run)
    parser.add_argument("kernel", metavar="FILE:FUNCTION", help="or module:function")
    parser.add_argument(
        "--arguments",
        default="",
        metavar="TYPES",
        help='what it is called with: "float32(1024), int32(8, 64), float32[2.0], 3"',
    )
    parser.add_argument(
        "--bind",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="compile-time parameters",
    )
    parser.add_argument("--grid", metavar="N[,N[,N]]", help="blocks, for a kernel of blocks")
    parser.add_argument("--block", metavar="N[,N[,N]]", help="threads of a block")
    parser.add_argument("--target", choices=TARGETS, default="c", help="whose source is shown")
    parser.add_argument("--unchecked", action="store_true", help="without checks of bounds")
    parser.add_argument("--time", action="store_true", help="run it, and measure")
    parser.add_argument("--html", metavar="FILE", help="write one page that holds everything")
    parser.add_argument("--json", action="store_true", help="print one object")


def _run(arguments: argparse.Namespace) -> int:
    kernel = found_kernel(arguments.kernel).bind(**bindings(arguments.bind))
    try:
        found = explained(
            kernel.unchecked if arguments.unchecked else kernel,
            call_arguments(arguments.arguments),
            target=arguments.target,
            grid=axes(arguments.grid),
            block=axes(arguments.block),
            time=arguments.time,
        )
    except KernelError as error:
        raise KernelError(_in_one_line(str(error))) from error
    except Exception as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        if not notes.startswith("while kernel "):  # not the user's, then
            raise
        told = f"{type(error).__name__}: {error}, {notes.replace('traced:', 'traced', 1)}"
        raise KernelError(_in_one_line(told)) from error
    if arguments.html:
        Path(arguments.html).write_text(page(found), encoding="utf-8")
    if arguments.json:
        print(json.dumps(found))
    elif not arguments.html:
        print(shown(found))
    return 0


def _in_one_line(message: str) -> str:
    """Return a message with its places behind it, without the lines that are shown there."""
    first, *rest = message.split("\n")
    places = [m[1] + ":" + m[2] for line in rest if (m := _PLACE.match(line))]
    return f"{first} (at {', called from '.join(places)})" if places else first


def explained(
    kernel: LaunchedKernel,
    arguments: Sequence[Any],
    *,
    target: str = "c",
    grid: tuple[int, ...] | None = None,
    block: tuple[int, ...] | None = None,
    time: bool = False,
) -> dict[str, Any]:
    """Return everything about a call of `kernel` as plain data, as `--json` prints it.

    Raises KernelError where the kernel can't be traced for these arguments.
    """
    found: dict[str, Any] = {**_identity(kernel), "target": target, "arguments": _types(arguments)}
    backend, device = _device(target)
    with targeting(device):
        recorded = kernel.recorded(*arguments, block=block)
        found["ir"] = _ir(recorded)
        trail = Trail(recorded)
        run_passes(recorded, trail)
        found["cost"] = _cost(kernel, recorded, arguments)
        if target == "c":
            found["source"] = _c_source(kernel, recorded, backend, trail)
        else:
            found["source"] = _numbered(kernel.source(target, *arguments, block=block), "//")
        found["passes"] = [{"name": c.name, "diff": list(c.lines)} for c in trail.changes]
    if backend is not None:
        found["assembly"] = _assembly(kernel.assembly(*arguments, block=block))
    if time:
        found["time"] = measured(kernel, arguments, grid, block, found["cost"]["call"])
    return found


def _identity(kernel: LaunchedKernel) -> dict[str, Any]:
    code = kernel.function.__code__
    try:
        lines, first = inspect.getsourcelines(kernel.function)
    except (OSError, TypeError):
        lines, first = [], code.co_firstlineno
    name = PurePath(code.co_filename).name
    signature = _QUOTED.sub(r"\1\2", str(inspect.signature(kernel.function)))
    signature = _MODULE.sub("tl.", signature)
    return {
        "name": kernel.name,
        "file": code.co_filename,
        "signature": f"{kernel.name}{signature}",
        "parameters": {name: repr(value) for name, value in kernel.parameters.items()},
        "checked": not kernel.is_unchecked,
        "python": [
            {"text": line.rstrip("\n"), "line": f"{name}:{first + n}"}
            for n, line in enumerate(lines)
        ],
    }


def _types(arguments: Sequence[Any]) -> list[str]:
    return [
        f"{a.dtype.name}({', '.join(map(str, a.shape))})" if isinstance(a, np.ndarray) else repr(a)
        for a in arguments
    ]


def _device(target: str) -> tuple[Readable | None, Target]:
    """Return the backend that shows what it compiles, if there is one, and what it may ask of."""
    if target != "c":
        return None, Target(target, 16)
    try:
        _, backend, _, device = default_device()
    except BackendError:  # no compiler: the source can be shown all the same
        return None, Target("c", 32)
    return readable(backend), device


# --- IR and source, line by line ---


def _ir(kernel: Kernel) -> list[dict[str, str]]:
    lines = text(kernel).rstrip("\n").split("\n")
    operations = [None, *_rows(kernel.body), None]
    return [
        {"text": line, "line": _place(operation)}
        for line, operation in zip(lines, operations, strict=True)
    ]


def _rows(block: Block) -> list[Operation | None]:
    """Return the operation of each line of a block's text."""
    found: list[Operation | None] = []
    for operation in block.operations:
        for nested in operation.blocks:
            found += [operation, *_rows(nested)]
        found.append(operation)
    return found


def _place(operation: Operation | None) -> str:
    location = operation.location if operation is not None else None
    return f"{PurePath(location.filename).name}:{location.line}" if location else ""


def _c_source(
    kernel: LaunchedKernel, traced: Kernel, backend: Readable | None, trail: Trail
) -> list[dict[str, str]]:
    """Return the C that is compiled, and note what the backend changes in the IR for it."""
    made = traced if kernel.is_unchecked else checked(traced).kernel
    if made is not traced:
        trail.follow(made)
    with noted():
        source = PRINTERS["c"](made) if backend is None else PRELUDE + backend.source(made)
    trail.after("the backend")
    return _numbered(source, "//")


def _numbered(source: str, mark: str) -> list[dict[str, str]]:
    """Return lines with the place in Python that the comment above them names."""
    found, now = [], ""
    for line in source.rstrip("\n").split("\n"):
        bare = line.strip()
        if bare.startswith(f"{mark} "):
            place = bare.removeprefix(mark).strip().split("  ")[0]
            now = place if place.rpartition(":")[2].isdigit() else ""
        elif line.startswith("}"):
            now = ""
        found.append({"text": line, "line": now})
    return found


def _assembly(written: str) -> dict[str, Any]:
    """Return the instructions and what they are."""
    lines = written.rstrip("\n").split("\n")
    return {
        "lines": _numbered(written, "#"),
        "counts": counts(lines),
        "vector_bytes": vector_bytes(lines),
        "inner_loops": inner_loops(lines),
    }


def _cost(kernel: LaunchedKernel, traced: Kernel, arguments: Sequence[Any]) -> dict[str, Any]:
    whole = total(traced, kernel.values(tuple(arguments)))
    return {
        "loops": [{"line": _place(operation), **_plain(cost)} for operation, cost in loops(traced)],
        "call": _plain(whole) if whole is not None and "block" not in traced.attributes else None,
    }


def _plain(cost: Any) -> dict[str, int]:
    return {"flops": cost.flops, "bytes_read": cost.read, "bytes_written": cost.written}
