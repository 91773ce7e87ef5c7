"""The kernel language: tracing, control flow, mathematics, targets."""
