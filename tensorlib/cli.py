"""The `tensorlib` command: a table of sub-commands, each imported when it is the one asked for."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from tensorlib.errors import TensorlibError

__all__ = ["COMMANDS", "Command", "main"]

OK, BUG, REFUSED, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command: `module` holds a function `configure` that adds its arguments to a parser.

    `configure` sets the default `run` of the parser to a function of the parsed arguments.
    """

    name: str
    module: str
    configure: str
    summary: str


COMMANDS: dict[str, Command] = {
    c.name: c
    for c in (
        Command(
            name="generate",
            module="tensorlib.llama.command",
            configure="configure_generate",
            summary="continue a prompt with a language model",
        ),
        Command(
            name="tokenize",
            module="tensorlib.llama.command",
            configure="configure_tokenize",
            summary="show the tokens of a text",
        ),
        Command(
            name="doctor",
            module="tensorlib.tools.doctor",
            configure="configure",
            summary="report backends, processor, compilers, cache and settings",
        ),
        Command(
            name="explain",
            module="tensorlib.tools.explain",
            configure="configure",
            summary="show a kernel: IR, passes, source, assembly, cost, time",
        ),
        Command(
            name="layout",
            module="tensorlib.tools.layout",
            configure="configure",
            summary="show a layout: facts, table, pictures, index code, operations",
        ),
    )
}

# Packages of extras, and the extra that brings each.
EXTRAS: dict[str, str] = {"jinja2": "llama", "markupsafe": "llama", "regex": "llama"}


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line on stderr and exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{self.prog}: {message}; see `{self.prog} --help`\n")


class ShowVersion(argparse.Action):
    """`--version`, which looks the version up only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> NoReturn:
        from importlib.metadata import version

        print(f"tensorlib {version('tensorlib')}")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0: done; 2: a wrong argument or any `TensorlibError`, told in one line on stderr; 130: Ctrl-C;
    141: the reader of stdout went away; 1: a defect of tensorlib itself. With TENSORLIB_DEBUG set
    an error shows its traceback as well.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _never_fail_to_print()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            return _run(words)
    except SystemExit as request:  # argparse: --help, --version, wrong arguments
        return request.code if isinstance(request.code, int) else REFUSED
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _settle_stdout()
        return PIPE_CLOSED
    except Exception as error:
        return _told(error)


def _run(words: list[str]) -> int:
    chosen = next((word for word in words if not word.startswith("-")), "")
    parsed = _parser(chosen).parse_args(words)
    if not hasattr(parsed, "run"):
        _parser("").print_help()
        return REFUSED
    status: int = parsed.run(parsed)
    sys.stdout.flush()
    return status


def _parser(chosen: str) -> argparse.ArgumentParser:
    """Return the root parser; of the sub-commands only `chosen` gets its arguments."""
    root = OneLineParser(
        prog="tensorlib", description="A tensor library of plain Python files.", allow_abbrev=False
    )
    root.add_argument("--version", action=ShowVersion, nargs=0, help="print the version and stop")
    commands = root.add_subparsers(title="commands", metavar="COMMAND")
    for row in COMMANDS.values():
        parser = commands.add_parser(
            row.name, help=row.summary, description=row.summary, allow_abbrev=False
        )
        if row.name == chosen:
            getattr(importlib.import_module(row.module), row.configure)(parser)
    return root


def _warn(message: Warning | str, *where: object, **more: object) -> None:
    print(f"tensorlib: warning: {message}", file=sys.stderr)


def _told(error: Exception) -> int:
    """Tell of `error` in one line on stderr and return the exit status."""
    _settle_stdout()
    if _debugging():
        traceback.print_exc()
    line, status = _sentence(error)
    print(f"tensorlib: {line}", file=sys.stderr)
    return status


def _debugging() -> bool:
    from tensorlib.knobs import knob

    try:
        return bool(knob("TENSORLIB_DEBUG"))
    except TensorlibError:  # set to something that is no level: the user wants to see more
        return True


def _sentence(error: Exception) -> tuple[str, int]:
    if isinstance(error, ImportError) and (extra := EXTRAS.get((error.name or "").split(".")[0])):
        return f"needs the package {error.name}; try pip install 'tensorlib[{extra}]'", REFUSED
    if isinstance(error, MemoryError):
        return f"out of memory; {error}".removesuffix("; "), REFUSED
    if isinstance(error, (TensorlibError, OSError)):
        return str(error), REFUSED
    return f"defect: {type(error).__name__}: {error}; TENSORLIB_DEBUG=1 shows where", BUG


def _never_fail_to_print() -> None:
    """Show characters that the terminal's encoding lacks as `?` instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _settle_stdout() -> None:
    """Print what is pending, or drop it, so that Python's own flush at exit does not fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
