"""Passes over the IR: one a file, their order in `pipeline.py`."""

from tensorlib.passes.pipeline import PASSES, for_workers, run_passes

__all__ = ["PASSES", "for_workers", "run_passes"]
