"""What users' kernels in a plan report: accesses out of bounds, raised after the run."""

from __future__ import annotations

import numpy as np

from tensorlib.backend import Backend, Device
from tensorlib.graph.plan import Address, KernelPlan
from tensorlib.kernels.custom import Sites, fault, sites
from tensorlib.kernels.specs import CustomSpec
from tensorlib.lang.target import Target, targeting

__all__ = ["Faults"]


class Faults:
    """Two words for each step of a user's kernel in a plan: the site of a fault, and its index."""

    def __init__(self, plan: KernelPlan, backend: Backend, device: Device) -> None:
        values = enumerate(plan.values)
        places = {k: v.index for k, v in values if isinstance(v, Address) and v.role == "fault"}
        self._steps: dict[int, tuple[CustomSpec, Sites]] = {}
        if places:
            with targeting(_target(backend, device)):
                for step in plan.steps:
                    for k in places.keys() & step.arguments:
                        assert isinstance(step.spec, CustomSpec)
                        self._steps[places[k]] = step.spec, sites(step.spec)
        self._words = np.zeros((len(self._steps), 2), np.int64)

    def address(self, number: int) -> int:
        """Return the address of the words of fault `number`."""
        return int(self._words[number].ctypes.data)

    def check(self) -> None:
        """Raise KernelError where a kernel ended early, with the line at fault."""
        if not self._steps or not self._words[:, 0].any():
            return
        number = int(np.flatnonzero(self._words[:, 0])[0])
        site, index = self._words[number].tolist()
        self._words[:] = 0
        raise fault(*self._steps[number], site, index)


def _target(backend: Backend, device: Device) -> Target:
    """Return the target that the backend builds kernels for."""
    features = backend.features(device)
    return Target(backend.name, features.vector_bytes, frozenset(features.instruction_sets))
