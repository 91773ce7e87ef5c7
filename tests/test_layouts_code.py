"""Index text and compiled functions agree with the layout they were made from."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tensorlib.errors import LayoutError
from tensorlib.layouts import (
    ComposedLayout,
    Dim,
    Layout,
    Swizzle,
    compiled_layout,
    dim_max,
    layout_expr,
    make_identity_layout,
    make_layout,
    product,
    row_major,
)
from tensorlib.testing.layouts import layouts
from tensorlib.tests.c_expressions import Number, Undefined, read

C_LIKE = ("c", "cuda", "opencl")
any_layouts = layouts(min_stride=-9)


def test_the_oracle_reads_as_c_does() -> None:
    assert read("-7 / 2 * 2 - 7 % 4") == -9
    assert read("(1 << 4) - 7 / 2") == 13
    assert read("i - 7 / 2 ^ 1", i=(0, 32)) == -3 ^ 1
    assert read("(i - 7) / 2", i=(0, 32)) == -3
    assert read("(i - 7) % 4", i=(0, 32)) == -3
    with pytest.raises(Undefined):
        read("i * 65536", i=(65536, 32))
    assert read("i * 65536LL", i=(65536, 32)) == 1 << 32


# Names for a coarsening of the shape, and values for them.


@st.composite
def calls(draw: st.DrawFn, shape: Any, ready: list[str] | None = None) -> tuple[Any, Any]:
    """Draw (names, coordinate) for a shape: one name, or one for some coarser shape."""
    used = [] if ready is None else ready
    if isinstance(shape, tuple) and shape and draw(st.booleans()):
        pairs = [draw(calls(part, used)) for part in shape]
        return tuple(n for n, _ in pairs), tuple(c for _, c in pairs)
    used.append(f"x{len(used)}")
    past = draw(st.sampled_from([0, 0, 0, 7]))
    return used[-1], draw(st.integers(0, max(int(product(shape)) - 1, 0) + past))


def bound(names: Any, coordinate: Any) -> dict[str, int]:
    """The value of every name."""
    if not isinstance(names, tuple):
        return {names: coordinate}
    pairs = zip(names, coordinate, strict=True)
    return {name: value for pair in pairs for name, value in bound(*pair).items()}


def narrow(values: dict[str, int]) -> dict[str, Number]:
    return {name: (value, 32 if value < 1 << 31 else 64) for name, value in values.items()}


@st.composite
def called_layouts(draw: st.DrawFn, source: Any = any_layouts) -> tuple[Any, Any, Any]:
    layout = draw(source)
    return layout, *draw(calls(layout.shape))


@given(called_layouts(), st.sampled_from(C_LIKE))
@settings(max_examples=600)
def test_text_means_the_layout(case: tuple[Any, Any, Any], target: str) -> None:
    layout, names, coordinate = case
    text = layout_expr(layout, names, target)
    assert read(text, target, **narrow(bound(names, coordinate))) == layout(coordinate)


@given(any_layouts, st.data())
@settings(max_examples=200)
def test_text_for_values_below_the_size_means_the_table(layout: Layout, data: Any) -> None:
    text = layout_expr(layout, extended=False)
    index = data.draw(st.integers(0, layout.size - 1))
    assert read(text, i=(index, 32)) == layout.table()[index]
    assert len(text) <= len(layout_expr(layout))


SIZES = st.sampled_from([1, 2, 3, 5, 8, 1 << 10, 1000, 1 << 20, 999_999, 1 << 31])
STRIDES = st.sampled_from([0, 1, 3, 8, 1 << 12, 5000, 1 << 20, 1 << 31, 1 << 40, 6_000_000_000])


@st.composite
def vast_layouts(draw: st.DrawFn) -> Layout:
    """Layouts whose indices or offsets pass 32 bits."""
    modes = draw(st.lists(st.tuples(SIZES, STRIDES, st.sampled_from([1, 1, -1])), max_size=4))
    layout = make_layout(*(Layout(size, stride * sign) for size, stride, sign in modes))
    reach = sum(abs(d) * s for s, d in zip(layout.flat_shape, layout.flat_stride, strict=True))
    assume(reach < 1 << 62 and layout.size < 1 << 62)
    return layout


@given(vast_layouts(), st.sampled_from(C_LIKE), st.data())
@settings(max_examples=600)
def test_no_sum_passes_its_width(layout: Layout, target: str, data: Any) -> None:
    names = tuple(f"x{place}" for place in range(layout.rank))
    last = tuple(size - 1 for size in layout.shape)
    some = tuple(data.draw(st.integers(0, size)) for size in last)
    for coordinate in (last, some):
        text = layout_expr(layout, names, target)
        wanted = layout(coordinate)
        assert read(text, target, **narrow(bound(names, coordinate))) == wanted
        wide = {name: (value, 64) for name, value in bound(names, coordinate).items()}
        assert read(layout_expr(layout, names, target, bits=64), target, **wide) == wanted
    index = data.draw(st.integers(0, layout.size - 1) | st.just(layout.size - 1))
    bits = 32 if layout.size <= 1 << 31 else 64
    assert read(layout_expr(layout, "i", target), target, i=(index, bits)) == layout(index)


swizzles = st.builds(
    lambda bits, base, more, sign: Swizzle(bits, base, sign * (bits + more)),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from([1, -1]),
)
composed = st.builds(ComposedLayout, swizzles, st.integers(0, 9), layouts())
moved = st.builds(ComposedLayout, any_layouts, st.integers(-9, 9), any_layouts)
twice = st.builds(ComposedLayout, swizzles, st.integers(0, 9), composed)


@given(called_layouts(composed | moved | twice), st.sampled_from(C_LIKE))
@settings(max_examples=600)
def test_text_means_the_composed_layout(case: tuple[Any, Any, Any], target: str) -> None:
    layout, names, coordinate = case
    text = layout_expr(layout, names, target)
    assert read(text, target, **narrow(bound(names, coordinate))) == layout(coordinate)


def test_past_the_end_a_composed_layout_may_go_below_zero() -> None:
    layout = ComposedLayout(Layout((6, 2), (1, 8)), 0, Layout(1, -3))
    assert [read(layout_expr(layout), i=(k, 32)) for k in range(9)] == list(map(layout, range(9)))


@given(moved, st.data())
def test_text_of_composed_layouts_for_values_below_the_size(layout: Any, data: Any) -> None:
    index = data.draw(st.integers(0, layout.size - 1))
    assert read(layout_expr(layout, extended=False), i=(index, 32)) == layout(index)


@given(swizzles, st.integers(0, 1 << 20))
def test_text_means_the_swizzle(swizzle: Swizzle, offset: int) -> None:
    assert read(layout_expr(swizzle), i=(offset, 32)) == swizzle(offset)


N, M = Dim("n"), Dim("m", divisible_by=8)
SYMBOLIC = st.sampled_from([N, M, 1, 2, 3, 8, N * 4, M + 1, M // 4, dim_max(N, 3)])
TWICE = st.sampled_from([N, M, -M, N - M, N * M, 0, 1, 3, 8, -2, 2 * N + 3])


@given(st.lists(st.tuples(SYMBOLIC, TWICE), min_size=1, max_size=4), st.data())
@settings(max_examples=400)
def test_text_of_symbolic_sizes(modes: list[tuple[Any, Any]], data: Any) -> None:
    layout = make_layout(*(Layout(size, stride) for size, stride in modes))
    values = {"n": data.draw(st.integers(1, 20)), "m": 8 * data.draw(st.integers(1, 4))}
    mapped = {"n": "args.n", "m": "s[1]"}
    numbers = {name: (value, 64) for name, value in values.items()}

    def worth(size: Any) -> int:
        return int(size.evaluate(values)) if isinstance(size, Dim) else size

    plain = Layout(tuple(map(worth, layout.shape)), tuple(map(worth, layout.stride)))
    index = data.draw(st.integers(0, plain.size - 1))
    assert read(layout_expr(layout), i=(index, 64), **numbers) == plain(index)
    through = layout_expr(layout, symbols=mapped).replace("args.n", "n").replace("s[1]", "m")
    assert read(through, i=(index, 64), **numbers) == plain(index)
    dims = [leaf for leaf in (*layout.shape, *layout.stride) if isinstance(leaf, Dim)]
    used = {name: values[name] for leaf in dims for name in leaf.symbols}
    assert compiled_layout(layout)(index, **used) == plain(index)
    if len(modes) > 1:
        corner = tuple(size - 1 for size in plain.shape)
        assert compiled_layout(layout)(*corner, **used) == plain(*corner)


# The same texts through real compilers.


def statements(cases: list[tuple[Any, Any, Any]], target: str) -> Iterator[tuple[str, int]]:
    """One statement a case, storing the offset at its place, and what it should store."""
    for place, (layout, names, coordinate) in enumerate(cases):
        values = bound(names, coordinate)
        arguments = "; ".join(f"int {name} = in[{v}]" for name, v in values.items())
        unused = "".join(f" (void){name};" for name in values)
        text = layout_expr(layout, names, target)
        yield f"{{ {arguments};{unused} out[{place}] = {text}; }}", layout(coordinate)


any_cases = st.lists(called_layouts(any_layouts | composed | moved), min_size=40, max_size=40)


def run_program(compiler: list[str], suffix: str, body: list[str]) -> list[int]:
    source = "#include <stdio.h>\nstatic long long out[64];\nint main(void) {\n"
    source += "static int in[4096]; for (int k = 0; k < 4096; k++) in[k] = k;\n"
    source += "\n".join(body) + f"\nfor (int k = 0; k < {len(body)}; k++)"
    source += ' printf("%lld\\n", out[k]);\nreturn 0; }\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"t{suffix}")
        path.write_text(source)
        flags = ["-Wall", "-Wextra", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
        program = str(Path(folder, "t"))
        subprocess.run([*compiler, *flags, "-o", program, str(path)], check=True)
        run = subprocess.run([program], capture_output=True, text=True, check=True)
    return [int(line) for line in run.stdout.split()]


@pytest.mark.parametrize(
    ("target", "compiler", "suffix"), [("c", "gcc", ".c"), ("cuda", "g++", ".cpp")]
)
def test_a_compiler_agrees(target: str, compiler: str, suffix: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"needs {compiler}")

    @settings(max_examples=4, deadline=None, phases=[Phase.generate])
    @given(any_cases)
    def agree(cases: list[tuple[Any, Any, Any]]) -> None:
        body, wanted = zip(*statements(cases, target), strict=True)
        found = zip(body, run_program([compiler], suffix, list(body)), strict=True)
        assert [row for row, value in zip(found, wanted, strict=True) if row[1] != value] == []

    agree()


def test_an_opencl_compiler_agrees() -> None:
    opencl = pytest.importorskip("pyopencl")
    try:
        devices = [d for p in opencl.get_platforms() for d in p.get_devices()]
    except opencl.Error:
        devices = []
    if not devices:
        pytest.skip("needs an OpenCL device")
    context = opencl.Context(devices[:1])

    @settings(max_examples=2, deadline=None, phases=[Phase.generate])
    @given(any_cases)
    def agree(cases: list[tuple[Any, Any, Any]]) -> None:
        body, wanted = zip(*statements(cases, "opencl"), strict=True)
        head = "__kernel void f(__global const int *in, __global long *out) {\n"
        program = opencl.Program(context, head + "\n".join(body) + "\n}\n").build()
        queue = opencl.CommandQueue(context)
        flags = opencl.mem_flags.COPY_HOST_PTR
        numbers = opencl.Buffer(context, flags, hostbuf=np.arange(4096, dtype=np.int32))
        out = np.zeros(len(wanted), np.int64)
        result = opencl.Buffer(context, flags, hostbuf=out)
        program.f(queue, (1,), None, numbers, result)
        opencl.enqueue_copy(queue, out, result)
        assert out.tolist() == list(wanted)

    agree()


# Texts.


@pytest.mark.parametrize(
    ("layout", "names", "text"),
    [
        ("(4,8):(1,4)", "i", "i"),
        ("(4,8):(8,1)", "i", "((i & 3) << 3) + (i >> 2)"),
        ("(4,8):(8,1)", ("i", "j"), "(i << 3) + j"),
        ("(4,8):(9,1)", ("i", "j"), "i * 9 + j"),
        ("(3,5,7):(1,100,9)", "i", "i % 3 + i / 3 % 5 * 100 + i / 15 * 9"),
        ("(4,6):(0,0)", "i", "0"),
        ("(4,6):(0,1)", "i", "i >> 2"),
        ("(4,6):(1,0)", ("i", "j"), "i"),
        ("(4,8):(-1,4)", "i", "(i & ~3) - (i & 3)"),
        ("(4,2,8):(1,64,8)", "i", "(i & 3) + (((i >> 2) & 1) << 6) + (i & ~7)"),
        ("(4,8):(-1,-3)", ("i", "j"), "-i - j * 3"),
        ("(2,3):(-5,1)", ("i", "j"), "j - i * 5"),
        ("(4,1):(1,100)", "i", "(i & 3) + (i >> 2) * 100"),
        ("((4,8),(2,2)):((16,1),(8,64))", ("t", ("a", "b")), "((t & 3) << 4) + (t >> 2) + "
         "(a << 3) + (b << 6)"),
        ("(m,n):(n,1)", ("y", "x"), "y * n + x"),
        ("(n,m):(m,1)", "i", "i % n * m + i / n"),
        ("(n,n*m):(1,n)", "i", "i"),
        ("(4,n):(1,8*n)", "i", "(i & 3) + (i >> 2) * (8*n)"),
        ("(4,5):(1,3000000000)", ("i", "j"), "i + j * 3000000000LL"),
        ("(65536,65536):(65536,1)", ("i", "j"), "((long long)i << 16) + j"),
        ("(2000000000,2):(1,2000000000)", ("i", "j"), "i + (long long)(j * 2000000000)"),
        ("(1500000000,1500000000):(1,1)", ("i", "j"), "i + (long long)j"),
    ],
)  # fmt: skip
def test_texts(layout: str, names: Any, text: str) -> None:
    assert layout_expr(Layout.parse(layout), names) == text


def test_texts_differ_between_targets_only_where_they_must() -> None:
    layout = Layout((65536, 65536, 2), (65536, 1, 5_000_000_000))
    names = ("i", "j", "k")
    c = layout_expr(layout, names, "c")
    assert layout_expr(layout, names, "cuda") == c
    assert layout_expr(layout, names, "opencl") == c.replace("LL", "L").replace("long long", "long")
    assert layout_expr(layout, names, bits=64) == "(i << 16) + j + k * 5000000000LL"
    for target in C_LIKE:
        assert layout_expr(row_major(3, 4, 5), None, target) == layout_expr(row_major(3, 4, 5))


def test_names_are_enclosed_where_they_must_be() -> None:
    layout = Layout((4, 6), (3, 1))
    assert layout_expr(layout, ("x + 1", "y")) == "(x + 1) * 3 + y"
    assert layout_expr(layout, ("threadIdx.x", "a[i]")) == "threadIdx.x * 3 + a[i]"
    assert layout_expr(layout, "get_global_id(0)", "opencl").startswith("(get_global_id(0) & 3)")


def test_the_text_of_a_swizzled_tile() -> None:
    tile = ComposedLayout(Swizzle(2, 0, 2), 0, Layout((4, 4), (4, 1)))
    assert layout_expr(tile, "i") == (
        "(((i & 3) << 2) + (i >> 2)) ^ (((((i & 3) << 2) + (i >> 2)) & 12) >> 2)"
    )
    assert layout_expr(Swizzle(3, 4, 3), "x") == "x ^ ((x & 896) >> 3)"
    assert layout_expr(Swizzle(3, 4, -3), "x") == "x ^ ((x & 112) << 3)"
    assert layout_expr(Swizzle(0, 4, 3), "x") == "x"


# Compiled functions.


@given(called_layouts(any_layouts | composed | moved))
@settings(max_examples=400)
def test_a_compiled_layout_is_the_layout(case: tuple[Any, Any, Any]) -> None:
    layout, _, coordinate = case
    function = compiled_layout(layout)
    assert function(coordinate) == layout(coordinate)
    if isinstance(coordinate, tuple) and len(coordinate) > 1:
        assert function(*coordinate) == layout(*coordinate)
    assert compiled_layout(layout) is function


@given(any_layouts | composed)
def test_a_compiled_layout_takes_arrays(layout: Any) -> None:
    indices = np.arange(int(layout.size))
    found = np.broadcast_to(compiled_layout(layout)(indices), indices.shape)
    assert found.tolist() == layout.table().tolist()
    halves = indices[: len(indices) // 2 * 2].reshape(2, -1)
    assert np.array_equal(
        np.broadcast_to(compiled_layout(layout)(halves), halves.shape), layout.table()[halves]
    )


@given(any_layouts, st.integers(-40, 200))
def test_a_compiled_layout_goes_on_past_both_ends(layout: Layout, index: int) -> None:
    assert compiled_layout(layout)(index) == layout(index)


def test_compiled_coordinates_by_mode_may_be_arrays() -> None:
    layout = Layout((3, 4), (5, -2))
    rows, columns = np.arange(3)[:, None], np.arange(4)
    assert np.array_equal(compiled_layout(layout)(rows, columns), layout(rows, columns))


def test_a_compiled_symbolic_layout_takes_its_symbols_as_keywords() -> None:
    n = Dim("c0", divisible_by=8)  # a name that the generated text might use
    function = compiled_layout(Layout((4, n), (n, 1)))
    assert function(2, 3, c0=16) == 35
    assert function(2, 3) == 2 * n + 3
    assert function((2, 3), c0=16) == 35
    assert function(n) == n // 4


def test_a_swizzle_compiles_too() -> None:
    swizzle = Swizzle(3, 0, 3)
    assert [compiled_layout(swizzle)(i) for i in range(64)] == [swizzle(i) for i in range(64)]


def test_a_compiled_layout_raises_what_the_layout_raises() -> None:
    with pytest.raises(LayoutError, match=r"Layout: got an index into \(0,4\):\(1,0\)"):
        compiled_layout(Layout((0, 4)))(1)
    with pytest.raises(LayoutError, match=r"crd2idx: got coordinate \(1, 2, 3\) for shape \(4, 8"):
        compiled_layout(Layout((4, 8)))(1, 2, 3)
    with pytest.raises(LayoutError, match=r"crd2idx: got coordinate \(1, 2\) for shape 4"):
        compiled_layout(Layout(4))(1, 2)
    with pytest.raises(LayoutError, match=r"compiled_layout: got lambda:1, needed symbols that ar"):
        compiled_layout(Layout(Dim("lambda"), 1))


def test_errors_say_what_was_needed() -> None:
    layout = Layout((4, 8))
    with pytest.raises(LayoutError, match=r"layout_expr: got target 'metal', needed one of \['c'"):
        layout_expr(layout, "i", "metal")
    with pytest.raises(LayoutError, match=r"layout_expr: got bits=16, needed 32 or 64"):
        layout_expr(layout, bits=16)
    with pytest.raises(LayoutError, match=r"got names \('i',\) for \(4,8\):\(1,4\), needed one"):
        layout_expr(layout, ("i",))
    with pytest.raises(LayoutError, match=r"layout_expr: got the name 3, needed text such as 'i'"):
        layout_expr(layout, (3, "j"))
    with pytest.raises(LayoutError, match=r"layout_expr: got \(0,4\):\(1,0\), which is empty"):
        layout_expr(Layout((0, 4)))
    with pytest.raises(LayoutError, match=r"layout_expr: got 5, needed a Layout, a Swizzle or a C"):
        layout_expr(5)
    with pytest.raises(LayoutError, match=r"got Sw<1,0,1> of offsets below 0, needed offsets >= 0"):
        layout_expr(ComposedLayout(Swizzle(1, 0, 1), 0, Layout(4, -1)))
    with pytest.raises(LayoutError, match=r"got Sw<1,0,1> o 1.5 o 4:1, needed an offset that is a"):
        layout_expr(ComposedLayout(Swizzle(1, 0, 1), 1.5, Layout(4)))
    with pytest.raises(LayoutError, match=r"layout_expr: got the number 18446744073709551616, nee"):
        layout_expr(Layout((2, 2), (1 << 64, 3)))
    with pytest.raises(LayoutError, match=r"got \(4,8\):\(1@0,1@1\), needed strides that are ints"):
        layout_expr(make_identity_layout((4, 8)))
    with pytest.raises(LayoutError, match=r"c: got names for \['m'\], needed one for 'n'"):
        layout_expr(Layout((4, Dim("n")), (0, Dim("n"))), symbols={"m": "x"})
