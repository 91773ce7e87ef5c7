"""Pictures of layouts: the text is CuTe's, the SVG is well formed and shows every offset."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from tensorlib.errors import LayoutError
from tensorlib.layouts import Dim, Layout, layout_svg, layout_text, print_layout, tv_svg
from tensorlib.testing.layouts import layouts

NAMESPACE = {"s": "http://www.w3.org/2000/svg"}
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


def test_text_is_what_cute_prints(capsys: pytest.CaptureFixture[str]) -> None:
    print_layout(Layout(((2, 2), 3), ((1, 6), 2)))
    assert capsys.readouterr().out == TEXT


@given(layouts(max_depth=2, min_stride=-5))
@settings(max_examples=50)
def test_pictures_show_every_offset(layout: Layout) -> None:
    if layout.rank > 2:
        return
    offsets = sorted(layout.table().tolist())
    rows = [line for line in layout_text(layout).splitlines() if line[4:5] == "|"]
    assert sorted(int(x) for row in rows for x in re.findall(r"-?\d+", row[4:])) == offsets
    root = ElementTree.fromstring(layout_svg(layout))
    labels = [element.text or "" for element in root.findall("s:text", NAMESPACE)]
    headings = len(labels) - len(offsets)
    assert sorted(map(int, labels[headings:])) == offsets
    assert len(root.findall("s:rect", NAMESPACE)) == len(offsets)


def test_thread_value_picture_names_every_owner() -> None:
    tv = Layout.parse("((4,8),(2,2)):((16,1),(8,64))")
    root = ElementTree.fromstring(tv_svg(tv, (16, 8)))
    spans = [[span.text for span in text] for text in root.findall("s:text", NAMESPACE)]
    owners = sorted(tuple(span) for span in spans if span)
    assert owners == sorted((f"T{t}", f"V{v}") for t in range(32) for v in range(4))
    assert "T0</tspan>" in tv_svg(Layout((2, 2), (1, 0)), (2, 1))


def test_what_cannot_be_drawn_is_named() -> None:
    with pytest.raises(LayoutError, match=r"print_layout: got .* of rank 3, needed rank 1 or 2"):
        layout_text(Layout((2, 2, 2)))
    with pytest.raises(LayoutError, match=r"layout_svg: got 1000 x 1000 cells, needed at most"):
        layout_svg(Layout((1000, 1000)))
    with pytest.raises(LayoutError, match=r"layout_svg: got n:1, needed sizes and strides"):
        layout_svg(Layout(Dim("n")))
    with pytest.raises(LayoutError, match=r"tv_svg: got \(2,2\):\(1,2\) over 4, needed modes"):
        tv_svg(Layout((2, 2)), 4)
    with pytest.raises(LayoutError, match=r"tv_svg: got .* over \(2, 1\), needed offsets inside"):
        tv_svg(Layout((2, 2)), (2, 1))
