"""The registry: who is found, who serves, what is said about the others."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Iterable
from importlib.metadata import EntryPoint

import pytest

from tensorlib.backend import Backend, BackendInfo, Device
from tensorlib.backends.reference import ReferenceBackend
from tensorlib.errors import BackendError
from tensorlib.registry import REGISTRY, Registry

GROUPS = {"tensorlib.backends": "", "tensorlib.backend_info": ".info"}


class Plain(ReferenceBackend):
    name = "plain"

    def devices(self) -> tuple[Device, ...]:
        return Device("plain"), Device("plain", "cpu", 1)


class Broken(ReferenceBackend):
    def __init__(self) -> None:
        raise OSError("libfast.so is missing")


class Old(ReferenceBackend):
    api_version = 0


def info(name: str, priority: int, reason: str = "", expected: bool = False) -> BackendInfo:
    return BackendInfo(name, ("cpu",), (), priority, available=lambda: reason, expected=expected)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module for entry points to name; its attributes are the backends."""
    made = types.ModuleType("fake_backends")
    monkeypatch.setitem(sys.modules, "fake_backends", made)
    monkeypatch.delenv("TENSORLIB_BACKEND", raising=False)
    return made


def registry(module: types.ModuleType, **backends: tuple[type[Backend], BackendInfo]) -> Registry:
    points: dict[str, list[EntryPoint]] = {group: [] for group in GROUPS}
    for name, (made, row) in backends.items():
        setattr(module, f"{name}_class", made)
        setattr(module, f"{name}_info", row)
        for group, suffix in zip(GROUPS, ("class", "info"), strict=True):
            points[group].append(EntryPoint(name, f"fake_backends:{name}_{suffix}", group))

    def found(group: str) -> Iterable[EntryPoint]:
        return points[group]

    return Registry(found)


def test_the_highest_priority_serves(module: types.ModuleType) -> None:
    r = registry(module, low=(ReferenceBackend, info("low", 1)), high=(Plain, info("high", 9)))
    assert list(r.infos()) == ["high", "low"]
    assert r.default() == Device("plain")
    assert r.backend("high") is r.backend("high")


def test_the_environment_chooses(module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    r = registry(module, low=(ReferenceBackend, info("low", 1)), high=(Plain, info("high", 9)))
    assert r.default() == Device("plain")
    monkeypatch.setenv("TENSORLIB_BACKEND", "low")
    assert r.default() == Device("reference")
    assert r.device("high") == Device("plain")  # a name given in the call goes first
    monkeypatch.setenv("TENSORLIB_BACKEND", "fast")
    message = "backend: got 'fast', needed one of those installed: low, high"
    with pytest.raises(BackendError, match=message):
        r.default()


def test_an_expected_backend_that_is_unavailable_warns_once(module: types.ModuleType) -> None:
    row = info("c", 9, "no C compiler; try apt install gcc", expected=True)
    r = registry(module, c=(Plain, row), low=(ReferenceBackend, info("low", 1)))
    message = "backend c is unavailable: no C compiler; try apt install gcc"
    with pytest.warns(RuntimeWarning, match=message):
        assert r.default() == Device("reference")
    assert r.unavailable() == {"c": "no C compiler; try apt install gcc"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        r._default = None
        assert r.default() == Device("reference")
    with pytest.raises(BackendError, match=message):
        r.backend("c")


def test_an_absent_accelerator_is_no_news(module: types.ModuleType) -> None:
    gpu = info("gpu", 9, "no GPU found")
    r = registry(module, gpu=(Plain, gpu), low=(ReferenceBackend, info("low", 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert r.default() == Device("reference")


def test_a_broken_backend_is_reported_once_and_left_out(module: types.ModuleType) -> None:
    r = registry(module, bad=(Broken, info("bad", 9)), low=(ReferenceBackend, info("low", 1)))
    message = "backend bad is broken and left out: OSError: libfast.so is missing"
    with pytest.warns(RuntimeWarning, match=message):
        assert r.default() == Device("reference")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        r._default = None
        assert r.default() == Device("reference")
    with pytest.raises(BackendError, match=r"backend bad is broken: OSError: libfast.so is miss"):
        r.backend("bad")


def test_metadata_that_cannot_be_imported_is_reported() -> None:
    point = EntryPoint("odd", "no_such_module:INFO", "tensorlib.backend_info")
    r = Registry(lambda group: [point])
    with pytest.warns(RuntimeWarning, match="backend odd is broken and left out: ModuleNotFound"):
        assert r.infos() == {}
    with pytest.raises(BackendError, match="backend: got none that can run here; try installing"):
        r._best()


def test_a_backend_of_another_version_is_refused(module: types.ModuleType) -> None:
    r = registry(module, old=(Old, info("old", 1)))
    message = "backend old speaks version 0 of the protocol, needed 1; try another version of its p"
    with pytest.raises(BackendError, match=message):
        r.backend("old")


def test_third_parties_can_be_left_out(
    module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORLIB_BACKEND_AUTOLOAD", "0")
    r = registry(module, high=(Plain, info("high", 9)))
    assert r.infos() == {}
    with pytest.raises(BackendError, match="got 'high', needed one of those installed: none"):
        r.backend("high")
    assert "reference" in REGISTRY.infos()


def test_devices_by_text(module: types.ModuleType) -> None:
    r = registry(module, high=(Plain, info("high", 9)))
    assert r.device("high:1") == Device("plain", "cpu", 1)
    assert r.device(Device("plain")) == Device("plain")
    assert r.device(None) == r.default()
    with pytest.raises(BackendError, match="device: got 'high:7', but backend high has no device"):
        r.device("high:7")


def test_entry_points_of_the_package_are_found() -> None:
    assert "reference" in REGISTRY.infos()
    assert REGISTRY.backend("reference").devices() == (Device("reference"),)
    assert importlib.import_module("tensorlib.backends.reference.info").INFO.priority == 0
