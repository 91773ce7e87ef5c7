"""The disk cache: what it returns is what was put, whoever else writes, dies or meddles."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tensorlib.cache import DiskCache
from tensorlib.errors import CacheError


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache")


def put_text(cache: DiskCache, key: str, text: str) -> Path:
    return cache.put(key, ".txt", lambda path: path.write_text(text))


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_what_was_put_is_found_by_another_object(cache: DiskCache) -> None:
    key = cache.key("a", b"b", 3)
    assert cache.get(key, ".txt") is None
    path = put_text(cache, key, "content")
    assert path == cache.path(key, ".txt")
    assert DiskCache(cache.folder).get(key, ".txt") == path
    assert path.read_text() == "content"
    assert cache.get(key, ".other") is None


def test_an_empty_entry_is_an_entry(cache: DiskCache) -> None:
    assert put_text(cache, "empty", "") == cache.get("empty", ".txt")


def test_keys_depend_on_every_part_and_on_where_it_ends() -> None:
    keys = [("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"), ("a", b"c"), (1, 2), (12,)]
    assert len({DiskCache.key(*parts) for parts in keys}) == len(keys)
    assert DiskCache.key("a", "b") == DiskCache.key("a", b"b")
    assert len(DiskCache.key()) == 64


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b", "a\n"])
def test_names_that_are_no_names_are_refused(cache: DiskCache, name: str) -> None:
    with pytest.raises(CacheError, match=r"cache: got the name .*, needed letters and digits"):
        cache.path(name, ".txt")


def test_the_default_folder_is_the_knob(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TENSORLIB_CACHE", str(tmp_path / "chosen"))
    assert DiskCache().folder == (tmp_path / "chosen").resolve()


# ---- entries that are not as recorded -----------------------------------------------------------


def truncate(path: Path) -> None:
    os.truncate(path, 3)


def alter(path: Path) -> None:
    path.write_text("c0ntent")


def swap_for_symlink(path: Path) -> None:
    other = path.with_name("elsewhere")
    other.write_text("content")  # even the right content
    path.unlink()
    path.symlink_to(other)


def swap_for_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def remove_record(path: Path) -> None:
    path.with_name(path.name + ".sha256").unlink()


def spoil_record(path: Path) -> None:
    path.with_name(path.name + ".sha256").write_bytes(b"\xff\x00not a digest")


def symlink_record(path: Path) -> None:
    record = path.with_name(path.name + ".sha256")
    record.rename(path.with_name("record"))
    record.symlink_to(path.with_name("record"))


DAMAGE = [truncate, alter, swap_for_symlink, remove_record, spoil_record, symlink_record]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_missing_and_is_rebuilt(cache: DiskCache, damage: object) -> None:
    path = put_text(cache, "key", "content")
    assert callable(damage)
    damage(path)
    assert cache.get("key", ".txt") is None
    put_text(cache, "key", "content")
    assert cache.get("key", ".txt") == path
    assert not path.is_symlink()
    assert path.read_text() == "content"


def test_a_folder_in_the_place_of_an_entry_is_an_error_not_a_crash(cache: DiskCache) -> None:
    swap_for_folder(put_text(cache, "key", "content"))
    assert cache.get("key", ".txt") is None
    with pytest.raises(CacheError, match="Is a directory"):
        put_text(cache, "key", "content")


def test_a_planted_file_without_a_record_is_not_used(cache: DiskCache) -> None:
    cache.path("planted", ".so").write_bytes(b"\x7fELF")
    assert cache.get("planted", ".so") is None


def test_an_entry_of_another_user_is_not_used(
    cache: DiskCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_text(cache, "key", "content")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert cache.get("key", ".txt") is None


def test_a_writer_that_fails_leaves_nothing(cache: DiskCache) -> None:
    def write(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        cache.put("key", ".txt", write)
    assert list(cache.folder.iterdir()) == []


def test_a_later_put_replaces_and_both_contents_had_their_time(cache: DiskCache) -> None:
    for text in ("first", "second", "first", "third"):
        path = put_text(cache, "key", text)
        assert cache.get("key", ".txt") == path
        assert path.read_text() == text


# ---- the folder ---------------------------------------------------------------------------------


def test_the_folder_and_its_entries_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        cache = DiskCache(tmp_path / "a" / "b")
        path = put_text(cache, "key", "content")
    finally:
        os.umask(before)
    for folder in (cache.folder, cache.folder.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722, 0o1777])
def test_a_folder_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(CacheError, match=r"can be written by others; try chmod go-w /"):
        DiskCache(tmp_path)


def test_a_folder_opened_up_later_is_refused_by_the_next_put(cache: DiskCache) -> None:
    cache.folder.chmod(0o777)
    with pytest.raises(CacheError, match="can be written by others"):
        put_text(cache, "key", "content")


def test_a_parent_that_others_can_write_is_refused_unless_sticky(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(CacheError, match=r"lies in /.*, which can be written by others; try TENS"):
        DiskCache(tmp_path / "cache")
    tmp_path.chmod(0o1777)
    assert DiskCache(tmp_path / "cache").folder.is_dir()


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(CacheError, match=r"belongs to user \d+, not to you \(\d+\); try TENSORLIB"):
        DiskCache(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CacheError, match="is not a folder; try TENSORLIB_CACHE=a folder of your"):
        DiskCache(file)
    with pytest.raises(CacheError, match=r"can't write to .*Not a directory; try TENSORLIB_CACHE"):
        DiskCache(file / "cache")


def test_a_folder_that_was_removed_is_made_again(cache: DiskCache) -> None:
    cache.folder.rmdir()
    assert cache.get("key", ".txt") is None
    assert put_text(cache, "key", "content") == cache.get("key", ".txt")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_in_words(cache: DiskCache) -> None:
    def write(_: Path) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            file.write(b"x")

    with pytest.raises(CacheError, match=r"the disk is full; try freeing space, or TENSORLIB_CACH"):
        cache.put("key", ".txt", write)
    assert list(cache.folder.iterdir()) == []


def test_leftovers_of_killed_processes_are_swept_after_a_day(cache: DiskCache) -> None:
    old, young = cache.folder / ".old.so", cache.folder / ".young.so"
    for file in (old, young):
        file.write_text("half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    put_text(cache, "key", "content")
    assert not old.exists()
    assert young.exists()


# ---- many processes -----------------------------------------------------------------------------

WRITER = """
    import sys
    from tensorlib.cache import DiskCache
    cache, who, rounds = DiskCache(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for i in range(rounds):
        key = f"key{i % 8}"
        text = f"{key} " * 20000 + (who if i % 2 else "")
        found = cache.get(key, ".txt")
        assert found is None or found.read_text().startswith(key), found
        path = cache.put(key, ".txt", lambda path: path.write_text(text))
        assert path.read_text().startswith(key)
        if i == 0:
            print("ready", flush=True)
"""


def test_sixteen_processes_share_a_folder(tmp_path: Path) -> None:
    writers = [python(WRITER, tmp_path / "cache", who, 24) for who in range(16)]
    for writer in writers:
        output, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0, output
    cache = DiskCache(tmp_path / "cache")
    names = {path.name for path in cache.folder.iterdir()}
    assert names == {f"key{i}.txt{end}" for i in range(8) for end in ("", ".sha256")}
    for i in range(0, 8, 2):  # all wrote the same content here
        found = cache.get(f"key{i}", ".txt")
        assert found is not None
        assert found.read_text() == f"key{i} " * 20000


def test_a_process_killed_at_any_moment_leaves_only_whole_entries(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "cache")
    for delay in (0.0, 0.001, 0.003, 0.007, 0.012, 0.02):
        writer = python(WRITER, cache.folder, "x", 10**9)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        for i in range(8):
            found = cache.get(f"key{i}", ".txt")
            assert found is None or found.read_text() in (
                f"key{i} " * 20000,
                f"key{i} " * 20000 + "x",
            )
    assert put_text(cache, "key0", "after") == cache.get("key0", ".txt")
