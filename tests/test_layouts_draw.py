"""Pictures of layouts: the text is CuTe's, the SVG is well formed and shows every offset.

TENSORLIB_UPDATE_GOLDEN=1 writes the golden files anew; look at them before you keep them.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorlib.layouts
from tensorlib.errors import LayoutError
from tensorlib.layouts import Dim, Layout, draw, layout_svg, layout_text, print_layout, tv_svg
from tensorlib.layouts.composed import ComposedLayout
from tensorlib.layouts.draw import (
    mma_latex,
    mma_svg,
    swizzle_latex,
    swizzle_svg,
    to_latex,
    to_svg,
    tv_latex,
    tv_text,
)
from tensorlib.layouts.draw.colours import COLOURINGS, PALETTE, bank_colour, bank_of
from tensorlib.layouts.draw.picture import Cell, Panel, Picture, edges_of
from tensorlib.layouts.draw.svg import svg_text
from tensorlib.layouts.draw.table import LABELS
from tensorlib.layouts.hardware import MMAAtom, mma, tiled_mma, wgmma
from tensorlib.layouts.swizzle import Swizzle
from tensorlib.testing.layouts import layouts

GOLDEN = Path(__file__).with_name("golden") / "layouts"
SVG = "{http://www.w3.org/2000/svg}"
TEXT = """\
((2,2),3):((1,6),2)
       0    1    2
    +----+----+----+
 0  |  0 |  2 |  4 |
    +----+----+----+
 1  |  1 |  3 |  5 |
    +----+----+----+
 2  |  6 |  8 | 10 |
    +----+----+----+
 3  |  7 |  9 | 11 |
    +----+----+----+
"""
TF32_A = Layout(((4, 8), (2, 2)), ((16, 1), (8, 64)))
SMEM = ComposedLayout(Swizzle(2, 0, 3), 0, Layout((4, 8), (8, 1)))
PICTURES = {
    "layout.svg": lambda: to_svg(Layout(((2, 2), (3, 2)), ((1, 6), (2, 12)))),
    "slices.svg": lambda: to_svg(Layout((2, 3, 2)), color="value", label="coordinate"),
    "bank.svg": lambda: to_svg(Layout((4, 8), (9, 1)), color="bank", label="bank"),
    "thread_value.svg": lambda: tv_svg(TF32_A, ((8, 2), (4, 2))),
    "mma.svg": lambda: mma_svg(mma("m16n8k8.tf32")),
    "swizzle.svg": lambda: swizzle_svg(Swizzle(3, 3, 3), element_bytes=2),
    "composed.svg": lambda: swizzle_svg(SMEM),
    "layout.tex": lambda: to_latex(Layout((2, (2, 2)), (1, (4, 2)))),
    "swizzle.tex": lambda: swizzle_latex(Swizzle(1, 0, 1)),
    "slices.txt": lambda: layout_text(Layout((2, 3, (2, 2)), (1, 2, (12, 6)))) + "\n",
    "thread_value.txt": lambda: tv_text(Layout((2, 4), (4, 1)), (2, 6)) + "\n",
    "swizzle.txt": lambda: layout_text(SMEM) + "\n",
}


def cells(svg: str) -> list[tuple[str, str]]:
    """Return (text, colour) of every cell of a picture, in the order they are drawn."""
    root = ElementTree.fromstring(svg)
    groups = root.findall(f"{SVG}g")
    squares = [r for g in groups for r in g.findall(f"{SVG}rect")]
    texts = [t for g in groups if "font-size" in g.attrib and g.get("fill") == "#111111" for t in g]
    assert len(texts) == len(squares)
    said = ["".join(text.itertext()) for text in texts]
    return list(zip(said, [square.attrib["fill"] for square in squares], strict=True))


def test_pictures_are_loaded_when_first_asked_for() -> None:
    code = (
        "import sys, tensorlib.layouts as l; before = set(sys.modules); assert l.to_svg;"
        "print(sorted(m for m in before if '.draw' in m), 'tensorlib.layouts.draw' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[] True\n"
    assert set(draw.__all__) <= set(tensorlib.layouts.__all__)
    with pytest.raises(AttributeError, match=r"module 'tensorlib.layouts' has no attribute 'to_pn"):
        tensorlib.layouts.to_png  # noqa: B018


# text


def test_text_is_what_cute_prints(capsys: pytest.CaptureFixture[str]) -> None:
    print_layout(Layout(((2, 2), 3), ((1, 6), 2)))
    assert capsys.readouterr().out == TEXT


def test_text_of_a_vector_of_nothing_and_of_many_rows() -> None:
    assert layout_text(Layout(2, 3)).splitlines()[3] == " 0  | 0 | 3 |"
    assert layout_text(Layout(())).splitlines()[3] == " 0  | 0 |"
    assert layout_text(Layout((0, 2))).splitlines()[0] == "(0,2):(1,0)"
    rows = layout_text(Layout((101, 1))).splitlines()
    assert rows[3] == "  0  |   0 |"
    assert rows[-2] == "100  | 100 |"


# every picture


@pytest.mark.parametrize("name", PICTURES)
def test_golden_pictures(name: str) -> None:
    path, got = GOLDEN / name, PICTURES[name]()
    assert got == PICTURES[name]()
    if os.environ.get("TENSORLIB_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(got, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing; set TENSORLIB_UPDATE_GOLDEN=1 to write it"
    assert got == path.read_text(encoding="utf-8"), f"{name}: set TENSORLIB_UPDATE_GOLDEN=1"


@given(layouts(min_stride=-5))
@settings(max_examples=50)
def test_pictures_show_every_offset(layout: Layout) -> None:
    offsets = sorted(layout.table().tolist())
    rows = [line for line in layout_text(layout).splitlines() if line[4:5] == "|"]
    assert sorted(int(x) for row in rows for x in re.findall(r"-?\d+", row[4:])) == offsets
    assert sorted(int(text) for text, _ in cells(layout_svg(layout))) == offsets


@given(layouts(), st.sampled_from(list(COLOURINGS)), st.sampled_from(list(LABELS)))
@settings(max_examples=50)
def test_every_word_lies_on_the_page(layout: Layout, color: str, label: str) -> None:
    root = ElementTree.fromstring(to_svg(layout, color=color, label=label))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for group in root.findall(f"{SVG}g"):
        anchor = {"middle": 0.5, "end": 1.0}.get(group.get("text-anchor", ""), 0.0)
        for text in group.findall(f"{SVG}text"):
            long = 0.6 * float(group.attrib["font-size"]) * len(text.text or "")
            left = float(text.attrib["x"]) - anchor * long
            assert 0 <= left <= left + long <= width
            assert 0 < float(text.attrib["y"]) < height


def test_words_of_a_cell_fit_into_it() -> None:
    svg = to_svg(Layout((4, 4), (100_000, 1_000_000)))
    root = ElementTree.fromstring(svg)
    widths = {float(r.attrib["width"]) for r in root.findall(f"{SVG}g/{SVG}rect")}
    assert min(widths) > 0.6 * 12 * len("3300000")


def test_text_is_escaped() -> None:
    title = "a < b & \"c\" > 'd' \x07"
    root = ElementTree.fromstring(to_svg(Layout(4), title=title))
    assert root.findtext(f"{SVG}title") == title.replace("\x07", "\ufffd")
    assert r"a \textless{} b \& c\_" in to_latex(Layout(4), title="a < b & c_")
    cell = Cell(0, 0, ("<b>", "&"), "#ffffff")
    ElementTree.fromstring(svg_text(Picture("", (Panel(1, 1, (cell,)),))))


def test_edges_close_the_inner_modes() -> None:
    assert edges_of((2, 2, 3)) == ((2, 1), (4, 2), (6, 1), (8, 2), (10, 1))
    assert edges_of((4,)) == edges_of((1, 4, 1)) == edges_of((0, 4)) == ()
    assert edges_of((2, 1, 2)) == ((2, 1),)
    plain, nested = (to_svg(Layout(shape)) for shape in ((4, 4), ((2, 2), 4)))
    assert nested.count("<path") == plain.count("<path") + 1


def test_an_empty_layout_has_a_picture() -> None:
    assert cells(to_svg(Layout((0, 4)))) == []
    assert "tikzpicture" in to_latex(Layout(0))


# colours


def test_colours_follow_what_is_asked_for() -> None:
    layout = Layout((2, 3), (3, 1))
    assert [fill for _, fill in cells(to_svg(layout, color="thread"))] == [
        *[PALETTE[0]] * 3,
        *[PALETTE[1]] * 3,
    ]
    assert [fill for _, fill in cells(to_svg(layout, color="value"))] == [*PALETTE[:3]] * 2
    assert {fill for _, fill in cells(to_svg(layout, color="none"))} == {"#ffffff"}
    ramp = {int(text): luminance(fill) for text, fill in cells(to_svg(layout))}
    assert [ramp[i] for i in range(6)] == sorted(ramp.values(), reverse=True)
    banks = cells(to_svg(Layout((2, 64), (64, 1)), color="bank", label="bank", element_bytes=2))
    assert [text for text, _ in banks] == [str(i // 2) for i in range(64)] * 2
    assert len({fill for _, fill in banks}) == 32


def test_the_mode_of_a_vector_is_its_thread() -> None:
    drawn = cells(to_svg(Layout(3, 2), color="thread", label="coordinate"))
    assert drawn == [("0", PALETTE[0]), ("1", PALETTE[1]), ("2", PALETTE[2])]


def test_banks_are_four_bytes_wide() -> None:
    assert [bank_of(i, 4) for i in (0, 31, 32)] == [0, 31, 0]
    assert [bank_of(i, 2) for i in (0, 1, 2, 63, 64)] == [0, 0, 1, 31, 0]
    assert len({bank_colour(bank) for bank in range(32)}) == 32


def channels(colour: str) -> np.ndarray:
    """Return the light of red, green and blue: linear, 0 to 1."""
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(channels(colour) @ [0.2126, 0.7152, 0.0722])


def test_black_text_reads_on_every_colour() -> None:
    ramp = {fill for _, fill in cells(to_svg(Layout((8, 32))))}
    for fill in {*PALETTE, *map(bank_colour, range(32)), *ramp}:
        assert (luminance(fill) + 0.05) / (luminance("#111111") + 0.05) >= 4.5, fill


# What is left of red, green and blue without the long, middle or short cones (Machado 2009).
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(light: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* of linear red, green and blue."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ light / np.array([0.9505, 1, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_the_eight_colours_stay_apart(sight: str) -> None:
    seen = [lab(np.clip(np.array(SIGHT[sight]) @ channels(c), 0, 1)) for c in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 10


# thread and value


def test_thread_value_picture_names_every_owner() -> None:
    owners = [text for text, _ in cells(tv_svg(TF32_A, (16, 8)))]
    table = TF32_A.table().reshape(4, 32)
    expected = {int(table[v, t]): f"T{t}V{v}" for t in range(32) for v in range(4)}
    rows_first = [i + 16 * j for i in range(16) for j in range(8)]
    assert owners == [expected[at] for at in rows_first]


def test_thread_value_colours() -> None:
    tv = Layout((2, 2))
    assert [fill for _, fill in cells(tv_svg(tv, (2, 2)))] == [PALETTE[0]] * 2 + [PALETTE[1]] * 2
    by_value = cells(tv_svg(tv, (2, 2), color="value"))
    assert [fill for _, fill in by_value] == [PALETTE[0], PALETTE[1]] * 2


def test_cells_with_many_owners_and_with_none() -> None:
    assert [text for text, _ in cells(tv_svg(Layout((2, 2), (0, 1)), (2, 1)))] == ["T*V0", "T*V1"]
    shared = tv_svg(Layout((2, 2), (1, 0)), (2, 1))
    assert [text for text, _ in cells(shared)] == ["T0V0T0V1", "T1V0T1V1"]
    crowd = tv_svg(Layout((1, 9), (0, 0)), (1, 1))
    assert [text for text, _ in cells(crowd)] == ["T0V0T0V1T0V2+6"]
    sparse = ElementTree.fromstring(tv_svg(Layout((1, 2), (0, 2)), (1, 3)))
    assert len(sparse.findall(f".//{SVG}tspan")) == 4
    assert len(sparse.findall(f"{SVG}g/{SVG}rect")) == 3


# matrix instructions


def test_mma_picture_has_b_on_top_of_c_and_a_beside_it() -> None:
    atom = mma("m16n8k8.tf32")
    said = [text for text, _ in cells(mma_svg(atom))]
    a, b, c = said[:128], said[128:192], said[192:]
    for t in range(32):
        group, lane = divmod(t, 4)  # the instruction set's own names for a thread's place
        assert a[8 * group + lane] == f"T{t}V0"
        assert b[8 * lane + group] == f"T{t}V0"
        assert b[8 * (lane + 4) + group] == f"T{t}V1"
        assert c[8 * group + 2 * lane + 1] == f"T{t}V1"
    corners = re.findall(r'<path d="M(\d+) (\d+)h\d+v', mma_svg(atom))
    (ax, ay), (bx, by), (cx, cy) = [(int(x), int(y)) for x, y in corners]
    assert ax < bx == cx
    assert by < ay == cy


def test_mma_picture_of_a_tiled_product() -> None:
    tiled = tiled_mma(mma("m16n8k8.tf32"), (2, 2, 1))
    said = [text for text, _ in cells(mma_svg(tiled))]
    assert len(said) == 32 * 8 + 8 * 16 + 32 * 16
    assert mma_svg(tiled).count("<path") == 3 + 1 + 1 + 2  # frames; edges in A, B, C
    assert said[0] == "T0V0T64V0"  # two groups along N hold the same rows of A
    assert sorted(said[-512:]) == sorted(f"T{t}V{v}" for t in range(128) for v in range(4))


def test_mma_picture_of_operands_in_shared_memory() -> None:
    atom = wgmma(8, "f16")
    said = [text for text, _ in cells(mma_svg(atom))]
    a = {at: v for v, at in enumerate(atom.a[0, None].table().tolist())}
    assert said[: 64 * 16] == [f"T*V{a[i + 64 * j]}" for i in range(64) for j in range(16)]


def test_mma_picture_of_operands_of_different_sizes() -> None:
    atom = MMAAtom(
        name="tiny",
        shape=(2, 3, 1),
        a=Layout((1, 2), (0, 1)),
        b=Layout((1, 3), (0, 1)),
        c=Layout((1, 6), (0, 1)),
        a_dtype="f32",
        b_dtype="f32",
        c_dtype="f32",
        threads=1,
        spec="none",
    )
    assert len(cells(mma_svg(atom, color="value", title="<x>"))) == 2 + 3 + 6
    assert mma_latex(atom).count(r"\fill") == 11


# swizzles


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 1), st.booleans())
@settings(max_examples=30)
def test_swizzle_picture_shows_the_swizzle(bits: int, base: int, more: int, left: bool) -> None:
    swizzle = Swizzle(bits, base, (-1 if left else 1) * (bits + more))
    said = [int(text) for text, _ in cells(swizzle_svg(swizzle))]
    half = len(said) // 2
    assert said[:half] == list(range(half))
    assert said[half:] == [swizzle(i << base) >> base for i in range(half)]


def test_swizzle_picture_of_a_layout() -> None:
    said = [int(text) for text, _ in cells(swizzle_svg(SMEM))]
    expected = [SMEM(i, j) for i in range(4) for j in range(8)]
    assert said == [*range(32), *expected]


def test_a_swizzle_spreads_a_column_over_all_banks() -> None:
    drawn = cells(swizzle_svg(Swizzle(3, 3, 3), element_bytes=2))
    before, after = drawn[:64:8], drawn[64::8]
    assert len({fill for _, fill in before}) == 1
    assert len({fill for _, fill in after}) == 8


# latex


def found_by_latex(*files: str) -> bool:
    """True where LaTeX is installed with these files."""
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return False
    run = subprocess.run(["kpsewhich", *files], check=False, capture_output=True, text=True)
    return len(run.stdout.splitlines()) == len(files)


@pytest.mark.skipif(
    not found_by_latex("standalone.cls", "tikz.sty"), reason="needs pdflatex, standalone and TikZ"
)
@pytest.mark.parametrize(
    "text",
    [
        to_latex(SMEM, title="50% of a_b ^ ~ \\ {} # $ &"),
        tv_latex(TF32_A, (16, 8)),
        mma_latex(mma("m16n8k8.tf32")),
        swizzle_latex(Swizzle(3, 3, 3), element_bytes=2),
    ],
    ids=["layout", "tv", "mma", "swizzle"],
)
def test_latex_compiles(text: str, tmp_path: Path) -> None:
    (tmp_path / "picture.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "picture.tex"]
    run = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    assert (tmp_path / "picture.pdf").stat().st_size > 1000


def test_latex_shows_the_cells_of_the_svg() -> None:
    picture = to_latex(SMEM)
    shown = re.findall(r"align=center\] at \S+ \{(\d+)\}", picture)
    assert [int(x) for x in shown] == [int(text) for text, _ in cells(to_svg(SMEM))]


# errors


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(LayoutError, match=r"print_layout: got n:1, needed sizes and strides"):
        layout_text(Layout(Dim("n")))
    with pytest.raises(LayoutError, match=r"layout_svg: got 1000 x 1000 cells, needed at most"):
        layout_svg(Layout((1000, 1000)))
    with pytest.raises(
        LayoutError, match=r"to_svg: got 20 x 30 x 40 cells, needed .* try one tile"
    ):
        to_svg(Layout((30, 40, 20)))
    with pytest.raises(LayoutError, match=r"layout_svg: got n:1, needed sizes and strides"):
        layout_svg(Layout(Dim("n")))
    with pytest.raises(LayoutError, match=r"to_svg: got Sw<1,0,1>, needed a layout; try swizzle_s"):
        to_svg(Swizzle(1, 0, 1))
    symbolic = ComposedLayout(Swizzle(1, 0, 1), 0, Layout((4, Dim("n"))))
    with pytest.raises(LayoutError, match=r"to_svg: got .* needed sizes without symbols"):
        to_svg(symbolic)
    assert Layout(Dim("n"))._repr_svg_() is None


def test_what_cannot_be_coloured_is_named() -> None:
    with pytest.raises(LayoutError, match=r"to_svg: got color 'banks'; try bank"):
        to_svg(Layout(4), color="banks")
    with pytest.raises(LayoutError, match=r"to_latex: got color 'x'; needed one of offset, thread"):
        to_latex(Layout(4), color="x")
    with pytest.raises(LayoutError, match=r"to_svg: got label 'x', needed one of offset, index"):
        to_svg(Layout(4), label="x")
    with pytest.raises(LayoutError, match=r"to_svg: got element_bytes 0, needed at least 1"):
        to_svg(Layout(4), element_bytes=0)


def test_thread_value_layouts_that_do_not_fit_are_named() -> None:
    with pytest.raises(LayoutError, match=r"tv_svg: got \(2,2\):\(1,2\) over 4, needed modes"):
        tv_svg(Layout((2, 2)), 4)
    with pytest.raises(LayoutError, match=r"tv_svg: got 4:1, needed modes \(thread, value\)"):
        tv_svg(Layout(4), (2, 2))
    with pytest.raises(LayoutError, match=r"tv_svg: got .* over \(2, 1\), needed offsets inside"):
        tv_svg(Layout((2, 2)), (2, 1))
    with pytest.raises(LayoutError, match=r"tv_svg: got color 'bank', needed thread or value"):
        tv_svg(Layout((2, 2)), (2, 2), color="bank")


def test_swizzles_that_have_no_picture_are_named() -> None:
    with pytest.raises(LayoutError, match=r"swizzle_svg: got .*, needed a Swizzle, or one over a"):
        swizzle_svg(ComposedLayout(Layout(4), 0, Layout(2)))
    with pytest.raises(LayoutError, match=r"swizzle_svg: got 2 x 2 x 32768 cells, needed at most"):
        swizzle_svg(Swizzle(1, 0, 15))
