"""`tensorlib layout`: facts, tables, pictures, code, and every operation by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tensorlib import layouts
from tensorlib.cli import main
from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    ComposedLayout,
    Layout,
    Swizzle,
    mma_latex,
    mma_svg,
    swizzle_svg,
    to_latex,
    to_svg,
    tv_svg,
)
from tensorlib.layouts.hardware import mma
from tensorlib.tools.layout_operations import KINDS, OPERATIONS, applied, read_layout, read_tiler

Captured = pytest.CaptureFixture[str]
TV = "((4,8),(2,2)):((16,1),(8,64))"
SMEM = "Sw<3,0,3> o (8,8):(8,1)"
SHOWN = """\
layout     (2,4):(4,1)
shape      (2,4)
stride     (4,1)
size       8
cosize     8
rank       2
depth      1
injective  yes
compact    yes

      0   1   2   3
    +---+---+---+---+
 0  | 0 | 1 | 2 | 3 |
    +---+---+---+---+
 1  | 4 | 5 | 6 | 7 |
    +---+---+---+---+
"""


def shown(words: list[str], capsys: Captured) -> str:
    """Run a command line that must succeed and return what it prints."""
    assert main(["layout", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def as_json(words: list[str], capsys: Captured) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown([*words, "--json"], capsys))
    return found


def refused(words: list[str], capsys: Captured) -> str:
    """Run a command line that must fail with status 2 and one line on stderr."""
    assert main(["layout", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    return err


# facts and table


def test_facts_and_table(capsys: Captured) -> None:
    assert shown(["(2,4):(4,1)"], capsys) == SHOWN


def test_a_large_table_is_shown_when_asked_for(capsys: Captured) -> None:
    assert "| " not in shown(["(64,32)"], capsys)
    assert shown(["(64,32)", "--table"], capsys).count("|") == 64 * 33


def test_threads_and_values_as_text(capsys: Captured) -> None:
    out = shown([TV, "--tv", "16x8"], capsys)
    assert " 0  |  T0 V0 |  T1 V0 |  T2 V0 |  T3 V0 |  T0 V2 |  T1 V2 |" in out


def test_facts_as_json(capsys: Captured) -> None:
    assert as_json([TV], capsys) == {
        "layout": TV,
        "shape": "((4,8),(2,2))",
        "stride": "((16,1),(8,64))",
        "size": 128,
        "cosize": 128,
        "rank": 2,
        "depth": 2,
        "injective": True,
        "compact": True,
    }
    assert as_json(["(2,2):(3,1)", "--table"], capsys)["table"] == [0, 3, 1, 4]


def test_what_symbols_leave_open_is_unknown(capsys: Captured) -> None:
    out = shown(["(n,8)"], capsys)
    assert "injective  yes\n" in out
    assert "cosize     8*n\n" in out
    assert "compact    unknown\n" in shown(["(n,8):(8,n)"], capsys)
    assert as_json(["(n,8):(m,n)"], capsys)["injective"] is None
    assert "needed sizes and strides without symbols" in refused(["(n,8)", "--table"], capsys)


def test_a_swizzle_over_a_layout(capsys: Captured) -> None:
    found = as_json([SMEM, "--table"], capsys)
    smem = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
    assert found["layout"] == str(smem)
    assert found["table"] == smem.table().tolist()
    assert found["injective"] is found["compact"] is True


# code


def test_index_code(capsys: Captured) -> None:
    assert "expr       (i << 3) + j\n" in shown(["(4,8):(8,1)", "--expr", "c"], capsys)
    named = as_json(["(4,8):(8,1)", "--expr", "opencl", "--names", "row, column"], capsys)
    assert named["expr"] == "(row << 3) + column"
    assert as_json(["8:3", "--expr", "cuda"], capsys)["expr"] == "i * 3"
    vector = as_json(["(4,8):(8,1)", "--expr", "c", "--names", "n"], capsys)
    assert vector["expr"] == "((n & 3) << 3) + (n >> 2)"
    many = as_json([f"({','.join('2' * 16)})", "--expr", "c"], capsys)
    assert "(i15 << 15)" in many["expr"]


# operations


def test_operations_apply_from_left_to_right(capsys: Captured) -> None:
    words = ["24", "--op", "logical_divide", "4:2", "--op", "coalesce"]
    found = as_json(words, capsys)
    assert found["from"] == "24:1"
    assert found["layout"] == "(4,2,3):(2,1,8)"
    assert found["steps"] == [
        {"op": "logical_divide", "operands": ["4:2"], "result": "(4,(2,3)):(2,(1,8))"},
        {"op": "coalesce", "operands": [], "result": "(4,2,3):(2,1,8)"},
    ]
    assert shown(words, capsys).splitlines()[:3] == [
        "24:1",
        "  logical_divide 4:2 -> (4,(2,3)):(2,(1,8))",
        "  coalesce -> (4,2,3):(2,1,8)",
    ]


def test_what_comes_with_a_layout_is_told(capsys: Captured) -> None:
    tile = as_json(["(8,8)", "--op", "local_tile", "(4,4)", "(1,_)"], capsys)
    assert tile["layout"] == "((4,4),2):((1,8),32)"
    assert tile["steps"][0]["note"] == "offset 4"
    made = shown(["(4,8):(8,1)", "--op", "make_layout_tv", "(2,2)"], capsys)
    assert "-> ((8,4),(2,2)):((16,2),(1,8))  (tile 8x16)\n" in made


EXAMPLES = {
    "append": ("4", "2:4"),
    "blocked_product": ("(2,2)", "(3,4)"),
    "coalesce": ("(2,(1,6)):(1,(6,2))",),
    "complement": ("4", "24"),
    "composition": ("(6,2):(8,2)", "(4,3):(3,1)"),
    "dice": ("(4,8)", "(_,3)"),
    "domain_offset": ("(4,8)", "(1,2)"),
    "downcast": ("(4,8):(8,1)", "2"),
    "filter": ("(4,2,8):(0,1,2)",),
    "filter_zeros": ("(4,8):(0,1)",),
    "flat_divide": ("(8,6)", "(4,2)"),
    "flat_product": ("(2,2)", "(3,4)"),
    "flatten": ("((4,8),2)",),
    "group_modes": ("(2,3,5)", "0", "2"),
    "left_inverse": ("(4,8):(8,1)",),
    "local_partition": ("(4,6)", "(2,3)", "4"),
    "local_tile": ("(8,6)", "(4,2)", "(1,2)"),
    "logical_divide": ("24", "4:2"),
    "logical_product": ("4:2", "4"),
    "make_layout": ("4", "(2,2):(8,4)", "2:64"),
    "make_layout_tv": ("(4,8):(8,1)", "(2,2)"),
    "max_common_layout": ("(4,8):(8,1)", "(4,8):(8,1)"),
    "max_common_vector": ("(8,4):(1,16)", "(8,4):(1,8)"),
    "nullspace": ("(4,8):(0,1)",),
    "prepend": ("4", "2:4"),
    "raked_product": ("(2,2)", "(3,4)"),
    "recast_layout": ("(4,8):(8,1)", "16", "32"),
    "replace": ("(2,3)", "1", "4:8"),
    "right_inverse": ("(4,8):(8,1)",),
    "select": ("(2,3,5)", "(2,0)"),
    "slice_and_offset": ("(4,8)", "(_,3)"),
    "take": ("(2,3,5)", "1", "3"),
    "tile_to_shape": ("(2,2)", "(4,6)", "(1,0)"),
    "tiled_divide": ("(8,6)", "(4,2)"),
    "tiled_product": ("(2,2)", "(3,4)"),
    "unflatten": ("(2,3,5)", "((2,3),5)"),
    "upcast": ("(4,8):(8,1)", "2"),
    "zipped_divide": ("(8,6)", "(4,2)"),
    "zipped_product": ("(2,2)", "(3,4)"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_by_name(name: str) -> None:
    layout, *operands = EXAMPLES[name]
    step = applied(read_layout(layout), [name, *operands])
    assert isinstance(step.result, (Layout, int))
    assert callable(getattr(layouts, name))
    assert all(kind.rstrip("?.") in KINDS for kind in OPERATIONS[name].split())


def test_every_operation_on_layouts_has_its_row() -> None:
    from tensorlib.layouts import (
        algebra,
        common,
        divide,
        inverse,
        modes,
        partition,
        recast,
        slicing,
    )

    modules = (algebra, common, divide, inverse, modes, partition, recast, slicing)
    names = {name for module in modules for name in module.__all__ if name[0].islower()}
    questions = {"is_injective", "is_bijective"}
    assert names - questions - OPERATIONS.keys() == set()


def test_operations_agree_with_the_library() -> None:
    smem = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
    step = applied(smem, ["zipped_divide", "(4,_)"])
    assert step.result == layouts.zipped_divide(smem, (4, None))
    assert applied(Layout((4, 8)), ["composition", "<2:1,4:2>"]).result == layouts.composition(
        Layout((4, 8)), (Layout(2), Layout(4, 2))
    )


def test_tilers_are_read() -> None:
    assert read_tiler("4") == 4
    assert read_tiler("(4,(2,_))") == (4, (2, None))
    assert read_tiler("(4,8):(8,1)") is Layout((4, 8), (8, 1))
    assert read_tiler("((4,8):(8,1),2:1)") == (Layout((4, 8), (8, 1)), Layout(2))
    assert read_tiler("<4:1>") == (Layout(4),)


def test_a_number_ends_the_chain(capsys: Captured) -> None:
    words = ["(8,4):(1,16)", "--op", "max_common_vector", "(8,4):(1,8)"]
    assert shown(words, capsys).splitlines()[-1] == "  max_common_vector (8,4):(1,8) -> 8"
    assert as_json(words, capsys)["steps"][-1]["result"] == 8
    assert "got coalesce of 8, needed a layout" in refused([*words, "--op", "coalesce"], capsys)
    assert "needed a layout for a picture or code" in refused([*words, "--expr", "c"], capsys)


# pictures


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], to_svg),
        (["--color", "thread"], lambda layout: to_svg(layout, "thread")),
        (["--label", "index"], lambda layout: to_svg(layout, label="index")),
        (
            ["--color", "bank", "--label", "bank", "--element-bytes", "2"],
            lambda layout: to_svg(layout, "bank", label="bank", element_bytes=2),
        ),
        (["--tv", "16x8"], lambda layout: tv_svg(layout, (16, 8))),
        (["--tv", "16x8", "--color", "value"], lambda layout: tv_svg(layout, (16, 8), "value")),
    ],
)
def test_pictures(options: list[str], expected: Any, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "picture.svg"
    shown([TV, "--svg", str(file), *options], capsys)
    got = file.read_text(encoding="utf-8")
    assert got == expected(Layout.parse(TV))
    ElementTree.fromstring(got)


def test_the_picture_is_of_the_last_result(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "picture.tex"
    shown(["(4,4)", "--op", "composition", "(2,2)", "--latex", str(file)], capsys)
    assert file.read_text(encoding="utf-8") == to_latex(Layout((2, 2), (1, 4)))


def test_a_swizzle_before_and_after(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "picture.svg"
    shown([SMEM, "--svg", str(file), "--swizzle"], capsys)
    smem = ComposedLayout(Swizzle(3, 0, 3), 0, Layout((8, 8), (8, 1)))
    assert file.read_text(encoding="utf-8") == swizzle_svg(smem)


# instructions


def test_a_matrix_instruction(tmp_path: Path, capsys: Captured) -> None:
    svg, latex = tmp_path / "picture.svg", tmp_path / "picture.tex"
    out = shown(["m16n8k8.tf32", "--svg", str(svg), "--latex", str(latex)], capsys)
    assert "shape        16 x 8 x 8\n" in out
    assert f"a            {TV}\n" in out
    assert svg.read_text(encoding="utf-8") == mma_svg(mma("m16n8k8.tf32"))
    assert latex.read_text(encoding="utf-8") == mma_latex(mma("m16n8k8.tf32"))
    found = as_json(["m16n8k16.f16"], capsys)
    assert (found["shape"], found["threads"]) == ([16, 8, 16], 32)
    assert found["types"] == ["f16", "f16", "f32"]


# errors


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["(4,8"], "Layout.parse: got the end at position 4 of '(4,8', needed ',' or ')'"),
        (["4", "--op", "coalesc"], "got operation 'coalesc'; try coalesce; known are coalesce"),
        (["4", "--op", "fold"], "got operation 'fold'; known are coalesce, filter"),
        (
            ["4", "--op", "composition"],
            "got 0 operands for composition, needed 'composition TILER'",
        ),
        (["4", "--op", "filter", "2"], "got 1 operands for filter, needed 'filter'"),
        (["4", "--op", "tile_to_shape"], "needed 'tile_to_shape SHAPE ORDER?'"),
        (["4", "--op", "local_partition", "2", "x"], "layout: got 'x', needed a whole number"),
        (["4", "--op", "dice", "4:1"], "got 4:1, needed a coordinate such as (_,3)"),
        (["4", "--op", "complement", "4:1"], "got 4:1, needed a shape without strides"),
        (["(4,3):(1,10)", "--op", "composition", "6:1"], "composition: got (4,3):(1,10) and 6:1"),
        (["Sw<3,4,3>"], "got the swizzle Sw<3,4,3> alone, needed a layout under it"),
        ([TV, "--tv", "16", "--svg", "x"], "got --tv '16', needed ROWSxCOLS such as 16x8"),
        ([TV, "--tv", "4x4", "--svg", "x"], "needed offsets inside the tile"),
        (["m16n8k8.tf32", "--table"], "got m16n8k8.tf32, an instruction; only pictures take one"),
        (["m16n8k8.tf32", "--color", "bank", "--svg", "x"], "needed thread or value"),
        (["4", "--swizzle", "--svg", "x"], "needed a Swizzle, or one over a layout"),
        (["(1000,1000)", "--svg", "x"], "to_svg: got 1000 x 1000 cells, needed at most 16384"),
        (["4", "--color", "blue"], "argument --color: invalid choice: 'blue'"),
        (["4", "--expr", "rust"], "argument --expr: invalid choice: 'rust'"),
        (["4", "--svg", "/no/such/folder/x.svg"], "No such file or directory"),
        (["4", "--tv", "2x2", "--swizzle"], "not allowed with argument"),
    ],
)
def test_errors_are_one_line(words: list[str], told: str, capsys: Captured) -> None:
    assert told in refused(words, capsys)


def test_what_is_no_layout_is_refused() -> None:
    with pytest.raises(LayoutError, match=r"ComposedLayout\.parse: got"):
        read_layout("Sw<1,0,1> o 4 o 2 o 8")
    with pytest.raises(LayoutError, match=r"Layout\.parse: got ':' at position 3 of '4:1:2'"):
        read_tiler("4:1:2")
