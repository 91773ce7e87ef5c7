"""`tensorlib explain` takes every kernel of the examples: in text, as JSON, as a page."""

from __future__ import annotations

import json

import pytest

from tensorlib.ops.registered import Registered
from tensorlib.registry import REGISTRY
from tensorlib.tests.every_way import EXAMPLES
from tensorlib.tools.explain import explained
from tensorlib.tools.explain_arguments import axes, bindings, call_arguments, found_kernel
from tensorlib.tools.explain_page import page
from tensorlib.tools.explain_text import shown

pytestmark = pytest.mark.skipif("c" in REGISTRY.unavailable(), reason="no C compiler")
SQUARES = "float32(64, 64), float32(64, 64), float32(64, 64)"
# kernel, arguments, bound parameters, grid, block
CALLS = [
    ("fill.py:add_tables", "int64(32), int64(32)", [], None, None),
    ("fragment_matmul.py:matmul", SQUARES, [], "4,8", "32"),
    ("kernel.py:scale_add", "float32(64), float32(64), float32(64), 2.0", [], None, None),
    (
        "mandelbrot.py:mandelbrot",
        "int32(8, 8), float32[-2.0], float32[-1.0], float32[0.5], float32[0.5]",
        ["iterations=9"],
        None,
        None,
    ),
    ("micro_kernel.py:matmul", SQUARES, [], None, None),
    ("recursive_matmul.py:matmul", SQUARES, [], None, None),
    ("shuffle_down.py:warp_sums", "float32(8), float32(64)", [], "1", "32"),
    (
        "simd_parameters.py:sum_of_squares",
        "float64(1), float32(100)",
        ["dtype=float64", "width=4"],
        None,
        None,
    ),
    ("staging.py:smoothed", "float32(64), float32(64)", [], "1", "32"),
    ("staging.py:transposed", "float32(32, 32), float32(32, 32)", [], "3,2", "16"),
    ("sum_reduction.py:sum_reduction", "float32(256), float32(1)", [], "1", "256"),
    ("swish.py:swish_into", "float32(8, 8), float32(8, 8)", [], None, None),
    (
        "tf32_fragments.py:multiplied",
        "float32(16, 8), float32(16, 8), float32(8, 8)",
        [],
        "1",
        "32",
    ),
    ("tile_layout.py:tile_sums", "float32(8, 8), float32(64, 64)", [], None, None),
    ("tiled_matmul.py:matmul", SQUARES, [], "1", "64"),
    ("user_pass.py:eighth", "float32(64), float32(64)", [], None, None),
]


@pytest.mark.parametrize(
    ("name", "arguments", "parameters", "grid", "block"), CALLS, ids=[c[0] for c in CALLS]
)
def test_an_example_is_explained(
    name: str, arguments: str, parameters: list[str], grid: str | None, block: str | None
) -> None:
    kernel = found_kernel(str(EXAMPLES / name)).bind(**bindings(parameters))
    found = explained(kernel, call_arguments(arguments), grid=axes(grid), block=axes(block))
    for value in kernel.function.__globals__.values():
        if isinstance(value, Registered):
            value.remove()  # other tests do without the passes of an example
    assert json.loads(json.dumps(found))["name"] == kernel.name
    text = shown(found)
    for part in ("Python", "IR", "assembly"):
        assert f"== {part}" in text
    assert found["ir"]
    assert found["source"]
    assert len(found["assembly"]["lines"]) > 10
    html = page(found)
    assert html.startswith("<!doctype html>")
    assert kernel.name in html


def test_every_example_with_a_kernel_is_here() -> None:
    files = {path.name for path in EXAMPLES.glob("*.py") if "\n@tl.kernel" in path.read_text()}
    assert files == {call[0].partition(":")[0] for call in CALLS}
