"""Which backends there are and which one serves: found by entry point, loaded when first used."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

from tensorlib.backend import API_VERSION, Backend, BackendInfo, Device
from tensorlib.errors import BackendError
from tensorlib.knobs import knob

__all__ = ["REGISTRY", "Registry"]

EntryPoints = Callable[[str], Iterable[metadata.EntryPoint]]


def _installed(group: str) -> Iterable[metadata.EntryPoint]:
    return metadata.entry_points(group=group)


class Registry:
    """The backends that `entry_points` finds, by name; each is imported once, when first asked for.

    A backend that fails to import is reported once, with its cause, and left out.
    """

    def __init__(self, entry_points: EntryPoints = _installed) -> None:
        self._entry_points = entry_points
        self._infos: dict[str, BackendInfo] | None = None
        self._backends: dict[str, Backend] = {}
        self._reported: set[str] = set()
        self._default: tuple[str | None, Device] | None = None

    def infos(self) -> dict[str, BackendInfo]:
        """Return the metadata of every backend, the highest priority first."""
        if self._infos is None:
            loaded = self._load_all("tensorlib.backend_info")
            rows = sorted(loaded.values(), key=lambda info: (-info.priority, info.name))
            self._infos = {info.name: info for info in rows}
        return self._infos

    def unavailable(self) -> dict[str, str]:
        """Return the reason for every backend that can't run here."""
        reasons = {name: info.available() for name, info in self.infos().items()}
        return {name: reason for name, reason in reasons.items() if reason}

    def backend(self, name: str) -> Backend:
        """Return the backend `name`, or raise BackendError that says why there is none."""
        found = self._backends.get(name)
        return found if found is not None else self._made(name)

    def default(self) -> Device:
        """Return the first device of TENSORLIB_BACKEND, or of the best backend that can run
        here.
        """
        wanted = os.environ.get("TENSORLIB_BACKEND")
        if self._default is None or self._default[0] != wanted:
            name = knob("TENSORLIB_BACKEND")
            backend = self.backend(name) if name else self._best()
            self._default = wanted, backend.devices()[0]
        return self._default[1]

    def device(self, value: Device | str | None) -> Device:
        """Return the device for None (the default), a Device, `"c"` or `"c:0"`."""
        if value is None:
            return self.default()
        if isinstance(value, Device):
            return value
        name, _, index = value.partition(":")
        for device in self.backend(name).devices():
            if str(device.index) == (index or "0"):
                return device
        raise BackendError(f"device: got {value!r}, but backend {name} has no device {index}")

    def _best(self) -> Backend:
        for name, info in self.infos().items():
            reason = info.available()
            if not reason:
                try:
                    return self.backend(name)
                except BackendError as error:
                    reason = str(error)
            if info.expected:
                self._report(name, f"backend {name} is unavailable: {reason}")
        raise BackendError("backend: got none that can run here; try installing tensorlib again")

    def _made(self, name: str) -> Backend:
        points = self._points("tensorlib.backends")
        if name not in points:
            known = ", ".join(points) or "none"
            raise BackendError(f"backend: got {name!r}, needed one of those installed: {known}")
        info = self.infos().get(name)
        if info is not None and (reason := info.available()):
            raise BackendError(f"backend {name} is unavailable: {reason}")
        try:
            backend: Backend = points[name].load()()
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            self._report(name, f"backend {name} is broken and left out: {cause}")
            raise BackendError(f"backend {name} is broken: {cause}") from error
        if backend.api_version != API_VERSION:
            raise BackendError(
                f"backend {name} speaks version {backend.api_version} of the protocol, "
                f"needed {API_VERSION}; try another version of its package"
            )
        self._backends[name] = backend
        return backend

    def _points(self, group: str) -> dict[str, metadata.EntryPoint]:
        points = {point.name: point for point in self._entry_points(group)}
        if knob("TENSORLIB_BACKEND_AUTOLOAD"):
            return points
        return {n: p for n, p in points.items() if p.value.startswith("tensorlib.")}

    def _load_all(self, group: str) -> dict[str, Any]:
        loaded = {}
        for name, point in self._points(group).items():
            try:
                loaded[name] = point.load()
            except Exception as error:
                cause = f"{type(error).__name__}: {error}"
                self._report(name, f"backend {name} is broken and left out: {cause}")
        return loaded

    def _report(self, name: str, message: str) -> None:
        if name not in self._reported:
            self._reported.add(name)
            warnings.warn(message, RuntimeWarning, stacklevel=2)


REGISTRY = Registry()
