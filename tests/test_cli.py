"""The `tensorlib` command: arguments, what goes to stdout and stderr, exit status, errors."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from tensorlib import cli
from tensorlib.cli import main
from tensorlib.llama import command
from tensorlib.llama.command import statistics
from tensorlib.tests.fake_model import ROLE, FakeLlama, FakeTokenizer

Captured = pytest.CaptureFixture[str]
FAKE = (
    "from tensorlib.tests.fake_model import install; install();"
    "from tensorlib.cli import main; raise SystemExit(main())"
)
STATISTICS = "load 0.25 s, compile 0.50 s, prefill 100.0 tok/s, decode 50.0 tok/s, memory 123 MB\n"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a model file, with the stand-in where the command looks for `Llama`."""
    module = ModuleType("tensorlib.llama.model")
    monkeypatch.setattr(module, "Llama", FakeLlama, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(command, "read_tokenizer", lambda path: FakeTokenizer())
    monkeypatch.delenv("TENSORLIB_DEBUG", raising=False)
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF")
    return str(file)


def fake(*words: str) -> list[str]:
    """The command line of a process that runs the command over the stand-in."""
    return [sys.executable, "-c", FAKE, *words]


def refused(words: list[str], capsys: Captured) -> str:
    """Run a command line that must fail with status 2, one line on stderr and nothing on stdout."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    return err.rstrip("\n")


# generate


def test_stdout_holds_the_continuation_and_stderr_the_statistics(
    weights: str, capsys: Captured
) -> None:
    assert main(["generate", "hello", "--raw", "--model", weights]) == 0
    assert capsys.readouterr() == ("hello", STATISTICS)


def test_chat_is_the_default(weights: str, capsys: Captured) -> None:
    assert main(["generate", "<|role|>", "--model", weights, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["prompt_tokens"] == [ROLE, *b"<|role|>", ROLE]


def test_raw_recognises_special_tokens(weights: str, capsys: Captured) -> None:
    assert main(["generate", "<|role|>a", "--raw", "--model", weights, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt_tokens"] == [ROLE, ord("a")]


def test_json_is_one_object_and_nothing_else(weights: str, capsys: Captured) -> None:
    words = ["generate", "hello", "--raw", "--json", "--max-tokens", "3", "--model", weights]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "prompt_tokens": list(b"hello"),
        "tokens": list(b"hel"),
        "text": "hel",
        "finish_reason": "length",
        "timings": {
            "load_s": 0.25,
            "compile_s": 0.5,
            "prefill_tok_s": 100.0,
            "decode_tok_s": 50.0,
            "peak_rss_mb": 123.4,
        },
    }


def test_figures_that_were_not_measured_are_null(weights: str, capsys: Captured) -> None:
    assert main(["generate", "x", "--raw", "--json", "--model", weights]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["timings"]["decode_tok_s"] is None
    assert shown["finish_reason"] == "stop"
    assert main(["generate", "x", "--raw", "--model", weights]) == 0
    assert "decode -, memory 123 MB" in capsys.readouterr().err


def test_no_tokens_asked_for(weights: str, capsys: Captured) -> None:
    assert main(["generate", "x", "--raw", "--max-tokens", "0", "--model", weights]) == 0
    assert capsys.readouterr().out == ""


def test_options_reach_the_model(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}
    original = FakeLlama.generate

    def spy(self: FakeLlama, prompt: str | list[int], **asked: object) -> object:
        seen.update(asked, **self.options)
        return original(self, prompt, **asked)

    monkeypatch.setattr(FakeLlama, "generate", spy)
    assert main(["generate", "x", "--model", weights]) == 0
    assert seen == {
        "backend": None,
        "threads": None,
        "precision": "fast",
        "progress": None,
        "max_tokens": 128,
        "temperature": 0.0,
        "top_k": 0,
        "top_p": 1.0,
        "seed": None,
    }
    words = "--max-tokens 5 --temperature 0.5 --top-k 40 --top-p 0.9 --seed 7 --threads 2"
    words += " --backend reference --precision f32"
    assert main(["generate", "x", "--model", weights, *words.split()]) == 0
    assert seen == {
        "backend": "reference",
        "threads": 2,
        "precision": "f32",
        "progress": None,
        "max_tokens": 5,
        "temperature": 0.5,
        "top_k": 40,
        "top_p": 0.9,
        "seed": 7,
    }


def test_text_comes_as_it_is_made(weights: str) -> None:
    run = subprocess.Popen(
        fake("generate", "ab~", "--raw", "--model", weights), stdout=subprocess.PIPE
    )
    assert run.stdout is not None
    assert run.stdout.read(2) == b"ab"  # the third token never comes
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130


def test_a_terminal_gets_a_closing_newline(weights: str) -> None:
    leader, follower = pty.openpty()
    run = subprocess.Popen(
        fake("generate", "hi", "--raw", "--model", weights), stdout=follower, stderr=subprocess.PIPE
    )
    assert run.communicate(timeout=60)[1] == STATISTICS.encode()
    assert os.read(leader, 100) == b"hi\r\n"
    os.close(follower)
    os.close(leader)


def test_ctrl_c_is_quiet(weights: str) -> None:
    run = subprocess.Popen(
        fake("generate", "a~", "--raw", "--model", weights),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout is not None
    assert run.stdout.read(1) == b"a"
    time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out, err) == (130, b"", b"\n")


def test_a_reader_that_goes_away_is_no_error(weights: str) -> None:
    run = subprocess.Popen(
        fake("generate", "abc" * 20, "--raw", "--model", weights),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout is not None
    assert run.stderr is not None
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait(timeout=60) == 141
    run.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_stdout_is_one_line(weights: str) -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            fake("tokenize", "x", "--model", weights),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr == "tensorlib: [Errno 28] No space left on device\n"


def test_an_encoding_without_the_character(weights: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = fake("generate", "é", "--raw", "--model", weights)
    run = subprocess.run(words, capture_output=True, env=environment, check=True)
    assert run.stdout == b"?"


def test_compiling_shows_one_line_on_a_terminal(capsys: Captured) -> None:
    for done in range(3):
        command.show_progress(done, 2)
    lines = ["tensorlib: compiling kernels, 0 of 2", "tensorlib: compiling kernels, 1 of 2"]
    assert capsys.readouterr() == ("", "\r" + "\r".join(lines) + "\r\x1b[K")


def test_only_a_terminal_is_told_of_compiles(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def load(path: Path, **options: object) -> FakeLlama:
        seen.append(options["progress"])
        return FakeLlama(path, options)

    monkeypatch.setattr(FakeLlama, "load", load)
    assert main(["generate", "hi", "--model", weights]) == 0
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["generate", "hi", "--model", weights]) == 0
    assert seen == [None, command.show_progress]


# tokenize


def test_tokenize_prints_ids_and_pieces(weights: str, capsys: Captured) -> None:
    assert main(["tokenize", "--model", weights, "a\n"]) == 0
    assert capsys.readouterr() == ("     97  'a'\n     10  '\\n'\n", "")


def test_tokenize_json_shows_bytes_that_are_no_character(weights: str, capsys: Captured) -> None:
    assert main(["tokenize", "--model", weights, "--json", "é<|role|>"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"ids": [0xC3, 0xA9, ROLE], "pieces": ["\\xc3", "\\xa9", "<|role|>"]}


def test_tokenize_no_special(weights: str, capsys: Captured) -> None:
    assert main(["tokenize", "--model", weights, "--no-special", "--json", "<|role|>"]) == 0
    assert json.loads(capsys.readouterr().out)["ids"] == list(b"<|role|>")


def test_tokenize_nothing(weights: str, capsys: Captured) -> None:
    assert main(["tokenize", "--model", weights, "--json", ""]) == 0
    assert json.loads(capsys.readouterr().out) == {"ids": [], "pieces": []}


def test_tokenize_with_the_default_model(default_model: Path, capsys: Captured) -> None:
    text = "Hi 𓀀<|im_end|>"
    assert main(["tokenize", "--model", str(default_model), "--json", text]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["pieces"][0] == "Hi"
    assert shown["pieces"][-1] == "<|im_end|>"
    assert shown["ids"][-1] == 2
    assert "\\xf0" in "".join(shown["pieces"])  # a character that several tokens make up


def test_a_file_that_is_no_model(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "weights.pt"
    file.write_bytes(b"PK\x03\x04 and so on")
    line = refused(["tokenize", "x", "--model", str(file)], capsys)
    assert line.startswith(f"tensorlib: {file}: ")


# the root


def test_version(capsys: Captured) -> None:
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tensorlib {version('tensorlib')}\n"


def test_help_names_every_command(capsys: Captured) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out and row.summary in out for name, row in cli.COMMANDS.items())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(name: str, capsys: Captured) -> None:
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: tensorlib {name} ")


def test_no_command_shows_the_help_and_fails(capsys: Captured) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out.startswith("usage: tensorlib ")


def test_the_package_runs_as_a_module() -> None:
    words = [sys.executable, "-m", "tensorlib", "generate"]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("tensorlib generate: the following arguments are required")


def test_the_root_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); from tensorlib.cli import main; main(['--help']);"
        "print(*sorted(m for m in set(sys.modules) - before if m.startswith('tensorlib')),"
        " 'numpy' in sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == "tensorlib tensorlib.cli tensorlib.errors False\n"


# refusals: status 2, one line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["generate", "x", "--threads", "0"],
            "tensorlib generate: argument --threads: got '0', needed a whole number from 1; "
            "see `tensorlib generate --help`",
        ),
        (
            ["generate", "x", "--max-tokens", "-1"],
            "tensorlib generate: argument --max-tokens: got '-1', needed a whole number from 0; "
            "see `tensorlib generate --help`",
        ),
        (
            ["generate", "x", "--max-tokens", "many"],
            "tensorlib generate: argument --max-tokens: got 'many', needed a whole number from 0; "
            "see `tensorlib generate --help`",
        ),
        (
            ["generate", "x", "--temperature", "hot"],
            "tensorlib generate: argument --temperature: invalid float value: 'hot'; "
            "see `tensorlib generate --help`",
        ),
        (
            ["generate"],
            "tensorlib generate: the following arguments are required: PROMPT; "
            "see `tensorlib generate --help`",
        ),
        (
            ["tokenize", "caf\udce9"],
            "tensorlib tokenize: argument TEXT: got bytes that are not UTF-8; "
            "see `tensorlib tokenize --help`",
        ),
        (
            ["generate", "x", "--model", "nothing"],
            "tensorlib: model: got 'nothing'; known names: smollm2-135m-instruct; "
            "try one of them, or the path of a .gguf file",
        ),
        (
            ["tokenize", "x", "--model", "no/such.gguf"],
            "tensorlib: model: no file 'no/such.gguf'; needed the path of a .gguf file",
        ),
    ],
)
def test_wrong_arguments(words: list[str], line: str, weights: str, capsys: Captured) -> None:
    assert refused(words, capsys) == line


def test_unknown_command_and_option(capsys: Captured) -> None:
    assert refused(["sing"], capsys).startswith("tensorlib: argument COMMAND: invalid choice")
    assert "unrecognized arguments: --loud" in refused(["doctor", "--loud"], capsys)
    assert "--precision: invalid choice: 'f64'" in refused(
        ["generate", "x", "--precision", "f64"], capsys
    )


def test_errors_of_the_model_are_one_line(weights: str, capsys: Captured) -> None:
    words = ["generate", "x" * 65, "--raw", "--model", weights]
    line = "tensorlib: generate: got 65 prompt tokens, needed at most 64"
    assert refused(words, capsys) == line
    words = ["generate", "x", "--top-p", "1.5", "--model", weights]
    line = "tensorlib: generate: got top_p=1.5, needed 0 < top_p <= 1"
    assert refused(words, capsys) == line


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (
            ModuleNotFoundError("No module named 'jinja2'", name="jinja2"),
            "tensorlib: needs the package jinja2; try pip install 'tensorlib[llama]'",
            2,
        ),
        (MemoryError(), "tensorlib: out of memory", 2),
        (MemoryError("needs 5 GB"), "tensorlib: out of memory; needs 5 GB", 2),
        (PermissionError(13, "Permission denied", "x"), "[Errno 13] Permission denied: 'x'", 2),
        (
            KeyError("lost"),
            "tensorlib: defect: KeyError: 'lost'; TENSORLIB_DEBUG=1 shows where",
            1,
        ),
    ],
)
def test_other_errors_are_one_line_too(
    error: Exception,
    line: str,
    status: int,
    weights: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
) -> None:
    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FakeLlama, "load", load)
    assert main(["generate", "x", "--model", weights]) == status
    err = capsys.readouterr().err
    assert line in err
    assert err.count("\n") == 1


def test_a_warning_is_one_line(
    weights: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def load(path: Path, **options: object) -> FakeLlama:
        warnings.warn("backend c is unavailable", RuntimeWarning, stacklevel=1)
        return FakeLlama(path, options)

    monkeypatch.setattr(FakeLlama, "load", load)
    assert main(["generate", "hello", "--raw", "--model", weights]) == 0
    line = "tensorlib: warning: backend c is unavailable\n"
    assert capsys.readouterr() == ("hello", line + STATISTICS)


def test_debug_adds_the_traceback(
    weights: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("TENSORLIB_DEBUG", "1")
    assert main(["generate", "x", "--model", "nothing"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback (most recent call last):")
    assert err.splitlines()[-1].startswith("tensorlib: model: got 'nothing'")


def test_without_the_extra_the_command_names_it(weights: str) -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None;"
        "from tensorlib.tests.fake_model import FakeLlama, install; install();"
        "\ndef load(*_, **__): import jinja2\n"
        "FakeLlama.load = load; from tensorlib.cli import main; raise SystemExit(main())"
    )
    words = [sys.executable, "-c", code, "generate", "x", "--model", weights]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    line = "tensorlib: needs the package jinja2; try pip install 'tensorlib[llama]'\n"
    assert (run.returncode, run.stdout, run.stderr) == (2, "", line)


def test_statistics_line() -> None:
    timings = {"load_s": 0.25, "decode_tok_s": 51.26, "peak_rss_mb": 301.4}
    line = "load 0.25 s, compile -, prefill -, decode 51.3 tok/s, memory 301 MB"
    assert statistics(timings) == line
