"""What the reference backend can do, without importing it."""

from __future__ import annotations

from tensorlib.backend import BackendInfo
from tensorlib.dtypes import DType

__all__ = ["INFO"]

INFO = BackendInfo("reference", ("cpu",), tuple(DType.by_name.values()), priority=0, needs="numpy")
