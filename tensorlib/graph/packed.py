"""Decoding of whole packed tensors: a cast of blocks takes all their rows, which decodes them."""

from __future__ import annotations

from collections.abc import Iterable

from tensorlib.dtypes import DType
from tensorlib.graph.vertex import Vertex, sorted_vertices

__all__ = ["decode_rows"]


def decode_rows(outputs: Iterable[Vertex]) -> None:
    """Turn every cast(packed) into cast(take(packed, arange(rows))), whose kernel reads blocks."""
    for vertex in sorted_vertices(outputs):
        if vertex.op == "cast" and vertex.inputs[0].dtype.is_packed:
            vertex.inputs[0] = _all_rows(vertex.inputs[0])


def _all_rows(packed: Vertex) -> Vertex:
    shape = packed.shape
    if len(shape) == 1:
        taken = _all_rows(_as_one_row(packed))
        return Vertex("reshape", (taken,), {"shape": shape}, shape, DType.float32)
    numbers = {"start": 0, "step": 1, "n": shape[0], "dtype": DType.int64}
    rows = Vertex("arange", (), numbers, shape[:1], DType.int64)
    return Vertex("take", (packed, rows), {"axis": 0}, shape, DType.float32)


def _as_one_row(packed: Vertex) -> Vertex:
    storage, (n,) = packed.storage, packed.shape
    if storage is not None:
        assert isinstance(n, int), packed
        storage = storage.view(storage.buffer, storage.offset, (n, 1))
    attributes = packed.attributes
    return Vertex(packed.op, packed.inputs, attributes, (1, n), packed.dtype, storage)
