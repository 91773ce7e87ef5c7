"""CPU features and the C compiler: found by asking, forced by knobs, failing in words."""

from __future__ import annotations

import dataclasses
import platform
import re
import shutil
import stat
import time
from pathlib import Path

import pytest

from tensorlib.backends.c.features import (
    CpuFeatures,
    cpu_features,
    parse_cpuinfo,
    parse_sysctl,
    thread_count,
)
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.errors import BackendError, CompileError, TensorlibError

GOOD = "int answer(void) { return 42; }\n"
X86 = platform.machine().lower() in ("x86_64", "amd64")


@pytest.fixture
def toolchain() -> Toolchain:
    try:
        return Toolchain.find()
    except BackendError as error:
        pytest.skip(str(error))


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(stat.S_IRWXU)
    return str(path)


def x86(*names: str, forced: bool = True) -> CpuFeatures:
    return CpuFeatures("x86_64", "model", frozenset(names), forced)


# ---- features -----------------------------------------------------------------------------------


def test_cpuinfo_of_x86_is_read() -> None:
    text = "processor : 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 fma\n\nflags : other\n"
    assert parse_cpuinfo(text) == ("AMD EPYC", frozenset({"fpu", "avx2", "fma"}))


def test_cpuinfo_of_arm_is_read() -> None:
    text = "Features : asimd asimddp i8mm\nCPU implementer : 0x41\nCPU part : 0xd0c\n"
    assert parse_cpuinfo(text) == ("0x41 0xd0c", frozenset({"asimd", "asimddp", "i8mm"}))


def test_cpuinfo_without_features_is_read() -> None:
    assert parse_cpuinfo("") == ("", frozenset())


def test_sysctl_of_macos_is_read_into_linux_names() -> None:
    text = (
        "machdep.cpu.brand_string: Apple M1\nhw.optional.arm.FEAT_DotProd: 1\n"
        "hw.optional.arm.FEAT_BF16: 0\nmachdep.cpu.features: SSE4.2 AVX1.0\n"
    )
    assert parse_sysctl(text) == ("Apple M1", frozenset({"asimddp", "sse4_2", "avx"}))


@pytest.mark.parametrize(
    ("features", "width"),
    [
        (x86(), 16),
        (x86("avx"), 16),
        (x86("avx", "avx2"), 32),
        (x86("avx2", "avx512f"), 64),
        (CpuFeatures("arm64", "", frozenset({"asimd"})), 16),
        (CpuFeatures("riscv64", "", frozenset()), 16),
    ],
)
def test_vector_bytes(features: CpuFeatures, width: int) -> None:
    assert features.vector_bytes == width


@pytest.mark.parametrize(
    ("features", "flags"),
    [
        (x86("avx2", forced=False), "-march=native"),
        (x86("avx512f", forced=False), "-march=native -mprefer-vector-width=512"),
        (x86(), "-march=x86-64"),
        (x86("fma", "avx2", "f16c"), "-march=x86-64 -mf16c -mfma -mavx2"),
        (x86("avx512f"), "-march=x86-64 -mavx512f -mprefer-vector-width=512"),
        (CpuFeatures("arm64", "", frozenset({"asimddp"})), "-mcpu=native"),
        (CpuFeatures("arm64", "", frozenset(), True), "-march=armv8-a"),
        (CpuFeatures("arm64", "", frozenset({"i8mm", "asimddp"}), True),
         "-march=armv8-a+dotprod+i8mm"),
        (CpuFeatures("riscv64", "", frozenset()), ""),
    ],
)  # fmt: skip
def test_flags(features: CpuFeatures, flags: str) -> None:
    assert " ".join(features.flags) == flags


def test_identity_tells_cpus_apart_but_forced_features_only_by_name() -> None:
    assert x86("avx2").identity == dataclasses.replace(x86("avx2"), model="other").identity
    native = x86("avx2", forced=False)
    assert native.identity != dataclasses.replace(native, model="other").identity
    assert native.identity != x86("avx2", "fma", forced=False).identity


def test_baseline_forces_no_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLIB_CPU_FEATURES", "baseline")
    forced = cpu_features()
    assert (forced.names, forced.forced, forced.vector_bytes) == (frozenset(), True, 16)


@pytest.mark.skipif(not X86 or "avx2" not in cpu_features().names, reason="needs AVX2")
def test_forced_features_bring_what_they_imply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLIB_CPU_FEATURES", "avx2, FMA")
    forced = cpu_features()
    assert {"avx2", "fma", "avx", "sse4_2", "popcnt"} <= forced.names
    assert "f16c" not in forced.names
    assert forced.vector_bytes == 32


@pytest.mark.parametrize("text", ["nonsense", "amx_fp16", "baseline,never"])
def test_forcing_what_the_cpu_lacks_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TENSORLIB_CPU_FEATURES", text)
    wanted = r"TENSORLIB_CPU_FEATURES: got '\w+', needed features of this CPU: baseline"
    with pytest.raises(BackendError, match=wanted):
        cpu_features()


def test_thread_count_is_the_knob_or_the_affinity_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORLIB_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.delenv("TENSORLIB_NUM_THREADS")
    assert thread_count() >= 1
    monkeypatch.setenv("TENSORLIB_NUM_THREADS", "0")
    with pytest.raises(TensorlibError, match="TENSORLIB_NUM_THREADS: got '0'"):
        thread_count()


# ---- finding a compiler -------------------------------------------------------------------------


def test_a_found_compiler_describes_itself(toolchain: Toolchain) -> None:
    assert toolchain.kind in ("gcc", "clang")
    assert Path(toolchain.path).is_absolute()
    for part in (
        toolchain.path,
        toolchain.version,
        "-ffp-contract=off",
        toolchain.features.machine,
    ):
        assert part in toolchain.identity
    assert not {"-ffast-math", "-Ofast", "-funsafe-math-optimizations"} & set(toolchain.flags)


def test_no_compiler_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    wanted = r"C compiler: found none of cc, gcc, clang that works; try `apt install gcc`"
    with pytest.raises(BackendError, match=wanted):
        Toolchain.find()


def test_a_missing_cc_is_an_error_and_no_other_compiler_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    wanted = r"CC: got 'no-such-compiler', which is not a program; try `apt install gcc` .*CC unset"
    with pytest.raises(BackendError, match=wanted):
        Toolchain.find()


@pytest.mark.parametrize("text", ["exit 1", "echo tcc version 0.9", "exec /nowhere/compiler", ""])
def test_a_cc_that_is_no_c_compiler_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    monkeypatch.setenv("CC", program(tmp_path / "mycc", text))
    wanted = r"CC: got '.*mycc', needed gcc or clang; asked for --version it said '.*'; try `apt"
    with pytest.raises(BackendError, match=wanted):
        Toolchain.find()


def test_cc_may_carry_options(toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"{shutil.which('cc') or toolchain.path} -DANSWER=42")
    chosen = Toolchain.find()
    assert chosen.command[1:] == ("-DANSWER=42",)
    assert chosen.identity != toolchain.identity


def test_cc_with_an_open_quote_is_not_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc 'open")
    with pytest.raises(BackendError, match='CC: got "gcc \'open", which is not a program'):
        Toolchain.find()


# ---- compiling ----------------------------------------------------------------------------------


def test_compile_makes_the_shared_object(toolchain: Toolchain, tmp_path: Path) -> None:
    toolchain.compile(GOOD, tmp_path / "good.so")
    assert (tmp_path / "good.so").stat().st_size > 0


@pytest.mark.skipif(not X86, reason="x86 features")
def test_forced_features_reach_the_compiler(toolchain: Toolchain, tmp_path: Path) -> None:
    source = "#ifdef __AVX__\n#error wide\n#endif\n"
    baseline = dataclasses.replace(toolchain, features=x86())
    baseline.compile(source, tmp_path / "narrow.so")
    with pytest.raises(CompileError, match="wide"):
        dataclasses.replace(baseline, features=x86("avx")).compile(source, tmp_path / "wide.so")


def test_a_compile_error_shows_the_output_and_keeps_the_source(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(
        CompileError, match=r"exit status 1; its source is kept in .*\.c\n"
    ) as caught:
        toolchain.compile("int broken(void) { return nothing; }", tmp_path / "bad.so")
    message = str(caught.value)
    assert "nothing" in message
    kept = re.search(r"kept in (\S+)", message)
    assert kept is not None
    assert Path(kept[1]).read_text() == "int broken(void) { return nothing; }"
    assert stat.S_IMODE(Path(kept[1]).stat().st_mode) == 0o600
    assert not (tmp_path / "bad.so").exists()


def test_long_output_is_cut(toolchain: Toolchain, tmp_path: Path) -> None:
    script = program(tmp_path / "loud", "for i in $(seq 100); do echo line$i; done; exit 3")
    loud = dataclasses.replace(toolchain, command=(script,))
    with pytest.raises(CompileError, match="exit status 3") as caught:
        loud.compile(GOOD, tmp_path / "out.so")
    assert "line30" in str(caught.value)
    assert "line31" not in str(caught.value)
    silent = dataclasses.replace(toolchain, command=(program(tmp_path / "mute", "exit 3"),))
    with pytest.raises(CompileError, match=r"\(no output\)"):
        silent.compile(GOOD, tmp_path / "out.so")


def test_source_that_can_not_be_kept_is_said(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(CompileError, match=r"its source could not be kept \(No such file"):
        toolchain.compile("broken", tmp_path / "bad.so")


def test_a_stuck_compiler_ends_with_its_children(toolchain: Toolchain, tmp_path: Path) -> None:
    script = program(tmp_path / "stuck", "sleep 60 | cat")
    stuck = dataclasses.replace(toolchain, command=(script,), timeout=0.2)
    start = time.monotonic()
    with pytest.raises(CompileError, match=r": no result after 0\.2 s; its source is kept"):
        stuck.compile(GOOD, tmp_path / "out.so")
    assert time.monotonic() - start < 30  # the sleeping grandchild held the pipe open


def test_a_compiler_that_vanished_is_said(toolchain: Toolchain, tmp_path: Path) -> None:
    gone = dataclasses.replace(toolchain, command=(str(tmp_path / "gone"),))
    with pytest.raises(CompileError, match="can't be run: No such file or directory"):
        gone.compile(GOOD, tmp_path / "out.so")


def test_a_full_disk_is_not_blamed_on_the_source(toolchain: Toolchain, tmp_path: Path) -> None:
    text = "echo 'ld: final link failed: No space left on device'; exit 1"
    full = dataclasses.replace(toolchain, command=(program(tmp_path / "full", text),))
    with pytest.raises(OSError, match="the compiler found no space left on the disk"):
        full.compile(GOOD, tmp_path / "out.so")
