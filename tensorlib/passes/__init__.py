"""Passes over the IR: one a file, their order in `pipeline.py`."""

from tensorlib.passes.pipeline import PASSES, run_passes

__all__ = ["PASSES", "run_passes"]
