"""A process that opens GGUF files under a limit on its memory and tells what came of each."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorlib.errors import GGUFError, ModelError
from tensorlib.llama.config import LlamaConfig
from tensorlib.llama.gguf import GGUF

__all__ = ["Probe", "explore"]

SPARE = 64 * 2**20  # bytes beyond twice the file's size: the interpreter's own coming and going
PATIENCE = 30.0  # seconds after which a probe counts as hanging


def explore(path: str) -> list[str]:
    """Open the file, ask for every value, tensor and the configuration; return the errors."""
    errors: list[str] = []

    def attempt(action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except (GGUFError, ModelError) as error:
            errors.append(f"{type(error).__name__}: {error}")

    file = attempt(GGUF.open, path)
    if file is not None:
        for key in file.metadata:
            attempt(file.metadata.__getitem__, key)
        for name in file.tensors:
            data = attempt(file.data, name)
            _ = data is None or data.tobytes()
        attempt(LlamaConfig.from_gguf, file)
    return errors


def limit_memory(file_size: int) -> None:
    """Let this process grow by twice the size of the file and a spare; Linux only."""
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft = pages * os.sysconf("SC_PAGE_SIZE") + 2 * file_size + SPARE
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.getrlimit(resource.RLIMIT_AS)[1]))


def answer() -> None:
    """Read a path a line from standard input, write the outcome of each as a line of JSON."""
    for line in sys.stdin:
        path = line.rstrip("\n")
        limit_memory(os.path.getsize(path))
        try:
            outcome: Any = explore(path)
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        print(json.dumps(outcome), flush=True)


class Probe:
    """The other end: hands bytes to the process, returns the errors it met, or fails."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "probe.gguf"
        command = [sys.executable, "-c", "from tensorlib.tests.gguf_probe import answer; answer()"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.selector = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def __call__(self, data: bytes) -> list[str]:
        """Return the GGUFErrors and ModelErrors met; AssertionError on anything else."""
        __tracebackhide__ = True
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.path.write_bytes(data)
        self.process.stdin.write(f"{self.path}\n")
        self.process.stdin.flush()
        assert self.selector.select(PATIENCE), "the probe hangs"
        line = self.process.stdout.readline()
        assert line, f"the probe died with {self.process.wait()}"
        outcome = json.loads(line)
        assert isinstance(outcome, list), outcome
        return outcome

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.selector.close()
