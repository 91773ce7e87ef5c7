"""Counts what a kernel's instructions do: loads, stores, fused multiply-adds, branches, calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["counts", "inner_loops", "vector_bytes"]

_MEMORY = re.compile(r"\(|\[[a-z]")
_STACK = re.compile(r"%[re][sb]p\b|\[(sp|x29)\b")
_FMA = re.compile(r"v?fn?m(add|sub|la|ls)")
_CALL = re.compile(r"(call|blr?)q?$")
_BRANCH = re.compile(
    r"(j[a-z]+|b(\.?(eq|ne|lt|le|gt|ge|lo|ls|hi|hs|cs|cc|mi|pl|vs|vc|any|none))?|cbn?z|tbn?z)$"
)
_FLOAT = re.compile(
    r"(v?(add|sub|mul|div|sqrt|max|min)([sp][sdh]|sh)|f(add|sub|mul|div|sqrt|max|min)(nm)?p?)$"
)
_NO_ACCESS = re.compile(r"(lea|nop|prefetch|prfm|adr)")
_LABEL = re.compile(r"^([.\w$]+):")


def counts(lines: Sequence[str]) -> dict[str, int]:
    """Return how many instructions of each kind there are among lines of assembly.

    >>> counts(["vmovups (%rax), %ymm0", "vmulps %ymm0, %ymm1, %ymm0", "ret"])["loads"]
    1
    """
    found = dict.fromkeys(
        ("instructions", "loads", "stores", "stack", "fma", "float", "branches", "calls"), 0
    )
    for name, operands in map(_split, _code(lines)):
        found["instructions"] += 1
        for kind in _kinds(name, operands):
            found[kind] += 1
    return found


def _kinds(name: str, operands: str) -> list[str]:
    kinds = _access(name, operands)
    if _FMA.match(name):
        kinds.append("fma")
    elif _FLOAT.match(name):
        kinds.append("float")
    elif _CALL.match(name):
        kinds.append("calls")
    elif _BRANCH.match(name):
        kinds.append("branches")
    return kinds


def _access(name: str, operands: str) -> list[str]:
    """Return what an instruction does to memory; the stack, mostly spills, counts by itself."""
    if not _MEMORY.search(operands) or _NO_ACCESS.match(name) or _CALL.match(name):
        return []
    if _STACK.search(operands):
        return ["stack"]
    if "(" not in operands:  # arm64 says it in the name
        return ["stores" if name.startswith("st") else "loads"]
    if not operands.endswith(")"):  # AT&T: the last operand is the target
        return ["loads"]
    if name.startswith(("cmp", "test", "vucomi", "vcomi")):
        return ["loads"]
    is_only_written = re.match(r"v?(p?mov|extract|pextr|compress|set)", name)
    return ["stores"] if is_only_written else ["loads", "stores"]


def _code(lines: Sequence[str]) -> list[str]:
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and line[0] != "#" and not _LABEL.match(line)]


def _split(line: str) -> tuple[str, str]:
    name, _, operands = line.partition(" ")
    return name, operands.strip()


def vector_bytes(lines: Sequence[str]) -> int:
    """Return the bytes of the widest vectors that are computed with; 0 for none.

    >>> vector_bytes(["vaddps %ymm0, %ymm1, %ymm2"]), vector_bytes(["addss %xmm0, %xmm1"])
    (32, 0)
    """
    widest = 0
    for name, operands in map(_split, _code(lines)):
        is_scalar = re.search(r"(ss|sd|sh|ss2sd|sd2ss|mov[dq])$", name) or name.startswith("vcvts")
        for pattern, size in ((r"%zmm", 64), (r"%ymm", 32), (r"%xmm", 16), (r"\bv\d+\.", 16)):
            if re.search(pattern, operands) and (size > 16 or not is_scalar):
                widest = max(widest, size)
    return widest


def inner_loops(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Return the innermost loops: label, the counts of their instructions, bytes of vectors."""
    labels = {m[1]: n for n, line in enumerate(lines) if (m := _LABEL.match(line))}
    spans = []
    for n, line in enumerate(lines):
        name, operands = _split(line.strip())
        target = operands.split(",")[-1].strip()
        if _BRANCH.match(name) and target in labels and labels[target] < n:
            spans.append((labels[target], n))
    inner = [s for s in spans if not any(s != t and s[0] <= t[0] and t[1] <= s[1] for t in spans)]
    return [
        {
            "label": lines[first].rstrip(":"),
            "vector_bytes": vector_bytes(lines[first : last + 1]),
            **counts(lines[first : last + 1]),
        }
        for first, last in inner
    ]
