"""The sub-commands `generate` and `tokenize`."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorlib.llama.fetch import DEFAULT_MODEL, MODELS, model_path

if TYPE_CHECKING:
    from tensorlib.llama.generate import Generation
    from tensorlib.llama.model import Llama
    from tensorlib.llama.tokenizer import Tokenizer

__all__ = ["configure_generate", "configure_tokenize", "generate", "tokenize"]

# Statistics in the order of printing: key, what it is called, unit, digits.
TIMINGS: tuple[tuple[str, str, str, int], ...] = (
    ("load_s", "load", "s", 2),
    ("compile_s", "compile", "s", 2),
    ("prefill_tok_s", "prefill", "tok/s", 1),
    ("decode_tok_s", "decode", "tok/s", 1),
    ("peak_rss_mb", "memory", "MB", 0),
)


def configure_generate(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tensorlib generate`."""
    parser.set_defaults(run=generate)
    add = parser.add_argument
    add("prompt", metavar="PROMPT", type=_text, help="text to answer, or with --raw to continue")
    _add_model(parser)
    add("--max-tokens", type=_whole(0), default=128, metavar="N", help="stop after N (default 128)")
    add("--temperature", type=float, default=0.0, metavar="T", help="0 takes the likeliest token")
    add("--top-k", type=int, default=0, metavar="K", help="sample among the K likeliest; 0: all")
    add("--top-p", type=float, default=1.0, metavar="P", help="sample among the likeliest of sum P")
    add("--seed", type=int, metavar="S", help="the same seed gives the same tokens")
    add("--threads", type=_whole(1), metavar="N", help="default: the cores this process may use")
    add("--backend", metavar="NAME", help="default: the best that works; see `tensorlib doctor`")
    add("--precision", choices=("f32", "fast"), default="fast", help="of sums (default fast)")
    add("--raw", action="store_true", help="continue the prompt as it is, without chat template")
    add("--json", action="store_true", help="print one object with tokens, text and timings")


def configure_tokenize(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `tensorlib tokenize`."""
    parser.set_defaults(run=tokenize)
    add = parser.add_argument
    add("text", metavar="TEXT", type=_text)
    _add_model(parser)
    add("--no-special", action="store_true", help="take special tokens in TEXT as plain characters")
    add("--json", action="store_true", help="print one object with ids and pieces")


def generate(arguments: argparse.Namespace) -> int:
    """Print the continuation on stdout as it comes, and statistics on stderr."""
    from tensorlib.llama.model import Llama

    model = Llama.load(
        _model(arguments),
        backend=arguments.backend,
        threads=arguments.threads,
        precision=arguments.precision,
        progress=show_progress if sys.stderr.isatty() else None,
    )
    return print_generation(model, arguments)


def show_progress(done: int, total: int) -> None:
    """Show a line on stderr that the next one overwrites; the last one clears it."""
    line = f"\rtensorlib: compiling kernels, {done} of {total}" if done < total else "\r\x1b[K"
    print(line, end="", file=sys.stderr, flush=True)


def print_generation(model: Llama, arguments: argparse.Namespace) -> int:
    """Run `model` on the prompt of `arguments` and print what they ask for."""
    generation = model.generate(
        _prompt(model, arguments),
        max_tokens=arguments.max_tokens,
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        seed=arguments.seed,
    )
    if arguments.json:
        print(json.dumps(_as_object("".join(generation), generation)))
        return 0
    for piece in generation:
        sys.stdout.write(piece)
        sys.stdout.flush()
    if sys.stdout.isatty():  # elsewhere stdout holds the continuation and nothing else
        print()
    print(statistics(generation.timings), file=sys.stderr)
    return 0


def tokenize(arguments: argparse.Namespace) -> int:
    """Print the ids and pieces of a text."""
    tokenizer = read_tokenizer(_model(arguments))
    ids = tokenizer.encode(arguments.text, special=not arguments.no_special)
    pieces = tokenizer.pieces(ids)
    if arguments.json:
        print(json.dumps({"ids": ids, "pieces": pieces}))
        return 0
    for number, piece in zip(ids, pieces, strict=True):
        print(f"{number:>7}  '{_visible(piece)}'")
    return 0


def read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a model file without loading the model."""
    from tensorlib.llama.gguf import GGUF
    from tensorlib.llama.tokenizer import Tokenizer

    with GGUF.open(path) as file:
        return Tokenizer.from_metadata(file.metadata)


def statistics(timings: dict[str, float]) -> str:
    """Return the figures of a run as one line of text.

    >>> statistics({"load_s": 0.25, "decode_tok_s": 51.26, "peak_rss_mb": 301.4})
    'load 0.25 s, compile -, prefill -, decode 51.3 tok/s, memory 301 MB'
    """
    return ", ".join(
        f"{name} {value:.{digits}f} {unit}" if value is not None else f"{name} -"
        for key, name, unit, digits in TIMINGS
        for value in [_finite(timings.get(key))]
    )


def _as_object(text: str, generation: Generation) -> dict[str, Any]:
    return {
        "prompt_tokens": list(generation.prompt_tokens),
        "tokens": list(generation.tokens),
        "text": text,
        "finish_reason": generation.finish_reason,
        "timings": {key: _finite(generation.timings.get(key)) for key, *_ in TIMINGS},
    }


def _finite(value: float | None) -> float | None:
    """JSON knows no NaN or infinity: a figure that was not measured is null."""
    return value if value is not None and math.isfinite(value) else None


def _prompt(model: Llama, arguments: argparse.Namespace) -> str | list[int]:
    if arguments.raw:
        return str(arguments.prompt)
    return model.chat_ids([{"role": "user", "content": arguments.prompt}])


def _model(arguments: argparse.Namespace) -> Path:
    return model_path(arguments.model, progress=True)


def _add_model(parser: argparse.ArgumentParser) -> None:
    known = ", ".join(MODELS)
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|PATH",
        help=f"a known name ({known}) or the path of a .gguf file (default {DEFAULT_MODEL})",
    )


def _whole(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` for argparse."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            message = f"got {text!r}, needed a whole number from {least}"
            raise argparse.ArgumentTypeError(message)
        return value

    return read


def _text(text: str) -> str:
    """Bytes of the command line that are no UTF-8 reach Python as lone surrogates."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("got bytes that are not UTF-8") from None
    return text


def _visible(piece: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in piece
    )
