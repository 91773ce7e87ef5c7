"""The grid interpreter: what kernels of blocks mean, and each defect that it must find."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tensorlib.errors import KernelError, VerifyError
from tensorlib.ir import interpret, parse, text, verify
from tensorlib.ir.grid_interpreter import interpret_grid

F32 = np.float32
NAMES = {"x": "x", "y": "y", "s": "shared"}  # how errors name the values %x, %y and %s


def kernel(body: str, parameters: str = "%x: pointer<float32>", block: tuple[int, ...] = (4, 1, 1)):
    """Return a verified kernel of blocks; its text form is what `text` prints."""
    source = "\n".join([f"kernel test({parameters}) block={block} {{", *body.split("\n"), "}"])
    source = re.sub(r"%([xys])\b", lambda m: f"%{m[1]}.{NAMES[m[1]]}", source)
    lines = filter(str.strip, source.split("\n"))
    found = parse("\n".join(lines))
    verify(found)
    assert text(parse(text(found))) == text(found)
    return found


THREAD = "%t: int64 = thread_id {axis=0}"
ONE = "%one: int64 = const {type=int64, value=1}"
ZERO = "%zero: int64 = const {type=int64, value=0}"
SHARED = "%s: pointer<float32, shared> = alloc {dtype=float32, placement=@shared, size=64}"


def test_every_thread_of_every_block_runs() -> None:
    body = """
    %b: int64 = block_id {axis=0}
    %t: int64 = thread_id {axis=0}
    %g: int64 = grid_dim {axis=0}
    %n: int64 = const {type=int64, value=4}
    %f: int64 = multiply %b %n
    %i: int64 = add %f %t
    %v: float32 = cast %i {dtype=float32}
    store %x %i %v
    """
    x = np.full(12, -1, F32)
    interpret_grid(kernel(body), [x], 3)
    assert x.tolist() == list(range(12))
    interpret_grid(kernel(body), [x], 0)


def test_blocks_and_threads_have_three_axes() -> None:
    body = """
    %z: int64 = thread_id {axis=2}
    %y: int64 = thread_id {axis=1}
    %u: int64 = thread_id {axis=0}
    %b: int64 = block_id {axis=1}
    %ten: int64 = const {type=int64, value=10}
    %hundred: int64 = const {type=int64, value=100}
    %two: int64 = const {type=int64, value=2}
    %four: int64 = const {type=int64, value=4}
    %eight: int64 = const {type=int64, value=8}
    %zi: int64 = multiply %z %four
    %yi: int64 = multiply %y %two
    %bi: int64 = multiply %b %eight
    %i0: int64 = add %u %yi
    %i1: int64 = add %i0 %zi
    %i: int64 = add %i1 %bi
    %v0: int64 = multiply %z %hundred
    %v1: int64 = multiply %y %ten
    %v2: int64 = add %v0 %v1
    %v3: int64 = add %v2 %u
    store %x %i %v3
    """
    x = np.zeros(16, np.int64)
    interpret_grid(kernel(body, "%x: pointer<int64>", (2, 2, 2)), [x], (1, 2))
    assert x.tolist() == [0, 1, 10, 11, 100, 101, 110, 111] * 2


REVERSE = f"""
{THREAD}
{SHARED}
%v: float32 = load %x %t {{type=float32}}
store %s %t %v
BARRIER
%three: int64 = const {{type=int64, value=3}}
%r: int64 = subtract %three %t
%w: float32 = load %s %r {{type=float32}}
store %x %t %w
"""


def test_a_barrier_lets_threads_read_what_others_wrote() -> None:
    x = np.arange(4, dtype=F32)
    for seed in (None, 1, 2):
        interpret_grid(
            kernel(REVERSE.replace("BARRIER", "barrier {scope='block'}")), [x], 1, seed=seed
        )
    assert x.tolist() == [3, 2, 1, 0]


def test_a_warp_barrier_orders_the_threads_of_one_warp_only() -> None:
    x = np.arange(4, dtype=F32)
    interpret_grid(kernel(REVERSE.replace("BARRIER", "barrier {scope='warp'}")), [x], 1)
    assert x.tolist() == [3, 2, 1, 0]
    wide = REVERSE.replace("BARRIER", "barrier {scope='warp'}").replace("value=3", "value=63")
    x = np.arange(64, dtype=F32)
    with pytest.raises(KernelError, match=r"shared: race at \[\d+\]"):
        interpret_grid(kernel(wide, block=(64, 1, 1)), [x], 1, seed=0)


def test_a_missing_barrier_is_a_race_whatever_the_order() -> None:
    # Thread 0 reads what nobody wrote yet, or a later one finds the unordered write.
    body = (
        f"{SHARED}\n{THREAD}\n{ZERO}\n%v: float32 = load %x %t {{type=float32}}\nstore %s %zero %v"
    )
    for seed in range(3):
        with pytest.raises(
            KernelError, match=r"shared: race at \[0\]: written by thread \d of block 0"
        ):
            interpret_grid(kernel(body), [np.zeros(4, F32)], 1, seed=seed)


def test_a_write_after_two_readers_is_a_race() -> None:
    body = f"""
    {THREAD}
    {ZERO}
    %three: int64 = const {{type=int64, value=3}}
    %v: float32 = load %x %zero {{type=float32}}
    %last: bool = equal %t %three
    if %last {{types=[]}} () {{
      store %x %zero %v
      yield
    }} and () {{
      yield
    }} -> ()
    """
    with pytest.raises(
        KernelError, match=r"x: race at \[0\]: read by thread 0 of block 0, written by"
    ):
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)


def test_blocks_are_never_ordered() -> None:
    body = f"{ZERO}\n%v: float32 = const {{type=float32, value=1.0}}\nstore %x %zero %v"
    with pytest.raises(
        KernelError, match="written by thread 0 of block 0, written by thread 0 of block 1"
    ):
        interpret_grid(kernel(body, block=(1, 1, 1)), [np.zeros(1, F32)], 2)


def test_a_barrier_that_some_threads_miss_is_found() -> None:
    body = f"""
    {THREAD}
    {ONE}
    %c: bool = less_equal %t %one
    if %c {{types=[]}} () {{
      barrier {{scope='block'}}
      yield
    }} and () {{
      yield
    }} -> ()
    """
    with pytest.raises(KernelError) as error:
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)
    assert "barrier: not all threads of the block reach it in block (0, 0, 0)" in str(error.value)
    assert "threads 2, 3 have ended" in str(error.value)
    assert "threads 0, 1 wait at barrier" in str(error.value)


def test_two_different_barriers_do_not_meet() -> None:
    body = f"""
    {THREAD}
    {ONE}
    %c: bool = less_equal %t %one
    if %c {{types=[]}} () {{
      barrier {{scope='block'}}
      yield
    }} and () {{
      barrier {{scope='block'}}
      yield
    }} -> ()
    """
    with pytest.raises(KernelError, match="not all threads of the block reach it"):
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)


@pytest.mark.parametrize(
    ("mode", "offset", "expected"),
    [
        ("down", 1, [1, 2, 3, 3]),
        ("up", 1, [0, 0, 1, 2]),
        ("xor", 1, [1, 0, 3, 2]),
        ("index", 2, [2, 2, 2, 2]),
        ("index", 9, [0, 1, 2, 3]),
        ("index", -1, [0, 1, 2, 3]),
    ],
)
def test_shuffles_hand_values_between_lanes(mode: str, offset: int, expected: list[float]) -> None:
    body = f"""
    {THREAD}
    %n: int32 = const {{type=int32, value={offset}}}
    %v: float32 = load %x %t {{type=float32}}
    %w: float32 = warp_shuffle %v %n {{mode='{mode}'}}
    store %x %t %w
    """
    x = np.arange(4, dtype=F32)
    interpret_grid(kernel(body), [x], 1)
    assert x.tolist() == expected


def test_a_shuffle_that_some_lanes_miss_is_found() -> None:
    body = f"""
    {THREAD}
    {ONE}
    %n: int32 = const {{type=int32, value=1}}
    %v: float32 = load %x %t {{type=float32}}
    %c: bool = less_equal %t %one
    if %c {{types=[]}} () {{
      %w: float32 = warp_shuffle %v %n {{mode='down'}}
      store %x %t %w
      yield
    }} and () {{
      yield
    }} -> ()
    """
    with pytest.raises(KernelError, match="warp_shuffle: not all threads of the warp reach it"):
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)


def test_a_whole_warp_may_shuffle_where_others_do_not() -> None:
    body = f"""
    {THREAD}
    %w32: int64 = const {{type=int64, value=32}}
    %n: int32 = const {{type=int32, value=1}}
    %v: float32 = load %x %t {{type=float32}}
    %c: bool = less %t %w32
    if %c {{types=[]}} () {{
      %w: float32 = warp_shuffle %v %n {{mode='down'}}
      store %x %t %w
      yield
    }} and () {{
      yield
    }} -> ()
    barrier {{scope='block'}}
    """
    x = np.arange(40, dtype=F32)
    interpret_grid(kernel(body, block=(40, 1, 1)), [x], 1)
    assert x.tolist() == [*range(1, 32), 31, *range(32, 40)]


@pytest.mark.parametrize(("mode", "expected"), [("any", 1), ("all", 0), ("ballot", 0b0110)])
def test_votes_ask_all_lanes(mode: str, expected: int) -> None:
    kind = "uint32" if mode == "ballot" else "bool"
    body = f"""
    {THREAD}
    {ZERO}
    %v: int32 = load %x %t {{type=int32}}
    %z: int32 = const {{type=int32, value=0}}
    %c: bool = not_equal %v %z
    %w: {kind} = warp_vote %c {{mode='{mode}'}}
    %r: int32 = cast %w {{dtype=int32}}
    store %x %t %r
    """
    x = np.array([0, 1, 1, 0], np.int32)
    interpret_grid(kernel(body, "%x: pointer<int32>"), [x], 1)
    assert x.tolist() == [expected] * 4


@pytest.mark.parametrize(
    ("operator", "expected"),
    [("add", 6), ("minimum", 0), ("maximum", 3), ("and", 0), ("or", 3), ("xor", 0)],
)
def test_atomics_of_many_threads_and_blocks_are_no_race(operator: str, expected: int) -> None:
    body = f"""
    {THREAD}
    {ZERO}
    %v: int32 = cast %t {{dtype=int32}}
    %old: int32 = atomic %x %zero %v {{operator='{operator}'}}
    """
    x = np.zeros(1, np.int32)
    interpret_grid(kernel(body, "%x: pointer<int32>"), [x], 1)
    assert x.tolist() == [expected]


def test_exchange_and_compare_exchange_give_the_old_element() -> None:
    body = f"""
    {THREAD}
    {ZERO}
    %v: int32 = cast %t {{dtype=int32}}
    %old: int32 = atomic %x %zero %v {{operator='exchange'}}
    store %y %t %old
    """
    x, y = np.full(1, 9, np.int32), np.zeros(4, np.int32)
    parameters = "%x: pointer<int32>, %y: pointer<int32>"
    interpret_grid(kernel(body, parameters), [x, y], 1)
    assert (x.tolist(), y.tolist()) == ([3], [9, 0, 1, 2])
    body = body.replace(
        "atomic %x %zero %v {operator='exchange'}", "atomic_compare_exchange %x %zero %v %v9"
    )
    body = body.replace("%old", "%v9: int32 = const {type=int32, value=9}\n    %old", 1)
    x[:] = 2
    interpret_grid(kernel(body, parameters), [x, y], 1)
    assert (x.tolist(), y.tolist()) == ([9], [2, 2, 2, 9])


def test_plain_and_atomic_accesses_race() -> None:
    body = f"""
    {THREAD}
    {ZERO}
    %v: float32 = load %x %zero {{type=float32}}
    %old: float32 = atomic %x %zero %v {{operator='add'}}
    """
    with pytest.raises(KernelError, match=r"x: race at \[0\].*"):
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)


COPY = f"""
{THREAD}
{SHARED}
%token: int64 = copy_async %s %t %x %t {{count=1}}
AWAIT
%v: float32 = load %s %t {{type=float32}}
%w: float32 = add %v %v
store %x %t %w
"""


def test_a_copy_lands_when_it_is_awaited() -> None:
    x = np.arange(4, dtype=F32)
    interpret_grid(kernel(COPY.replace("AWAIT", "await_copy %token\nawait_copy %token")), [x], 1)
    assert x.tolist() == [0, 2, 4, 6]


def test_a_copy_that_is_not_awaited_is_in_flight() -> None:
    with pytest.raises(KernelError, match=r"shared: read of \[0\] while an asynchronous copy"):
        interpret_grid(kernel(COPY.replace("AWAIT", "")), [np.zeros(4, F32)], 1)


def test_an_awaited_copy_of_another_thread_still_needs_a_barrier() -> None:
    body = COPY.replace("AWAIT", "await_copy %token").replace(
        "%v: float32 = load %s %t",
        "%three: int64 = const {type=int64, value=3}\n"
        "%r: int64 = subtract %three %t\n%v: float32 = load %s %r",
    )
    for seed in range(3):
        with pytest.raises(KernelError, match=r"race at|before anything was written|in flight"):
            interpret_grid(kernel(body), [np.zeros(4, F32)], 1, seed=seed)


def test_a_token_is_the_threads_own() -> None:
    with pytest.raises(
        KernelError, match="await: got token 7, which no copy of this thread has given"
    ):
        seven = "%seven: int64 = const {type=int64, value=7}\nawait_copy %seven"
        interpret_grid(kernel(seven), [np.zeros(4, F32)], 1)


def test_shared_memory_starts_unwritten() -> None:
    body = f"{THREAD}\n{SHARED}\n%v: float32 = load %s %t {{type=float32}}\nstore %x %t %v"
    with pytest.raises(
        KernelError, match=r"shared: read of \[0\] before anything was written there"
    ):
        interpret_grid(kernel(body), [np.zeros(4, F32)], 1)


def test_each_block_has_its_own_shared_memory_and_each_thread_its_registers() -> None:
    body = f"""
    {THREAD}
    %r: pointer<float32> = alloc {{dtype=float32, placement=@register, size=1}}
    {ZERO}
    %v: float32 = load %x %t {{type=float32}}
    store %r %zero %v
    barrier {{scope='block'}}
    %w: float32 = load %r %zero {{type=float32}}
    %u: float32 = add %w %w
    store %x %t %u
    """.replace("pointer<float32> = alloc", "pointer<float32, register> = alloc")
    x = np.arange(4, dtype=F32)
    interpret_grid(kernel(body), [x], 1)
    assert x.tolist() == [0, 2, 4, 6]


def test_vectors_must_be_aligned() -> None:
    body = f"{ONE}\n{ZERO}\n%v: float32x4 = load %x %one {{type=float32x4}}\nstore %y %zero %v"
    found = kernel(body, "%x: pointer<float32>, %y: pointer<float32>", (1, 1, 1))
    with pytest.raises(KernelError, match=r"x: read of 4 elements at \[1\] is misaligned: byte 4"):
        interpret_grid(found, [np.zeros(8, F32), np.zeros(8, F32)], 1)


def test_accesses_out_of_bounds_are_found() -> None:
    body = f"{THREAD}\n%v: float32 = load %x %t {{type=float32}}\nstore %x %t %v"
    with pytest.raises(
        KernelError, match=r"x: access to elements \[3, 4\) is outside its 3 elements"
    ):
        interpret_grid(kernel(body), [np.zeros(3, F32)], 1)


def test_barriers_in_uniform_loops_and_whiles() -> None:
    body = f"""
    {THREAD}
    {SHARED}
    {ZERO}
    {ONE}
    %four: int64 = const {{type=int64, value=4}}
    %v: float32 = load %x %t {{type=float32}}
    for %zero %four %one %v (%i: int64, %a: float32) {{
      store %s %t %a
      barrier {{scope='block'}}
      %t1: int64 = add %t %one
      %n: int64 = floor_modulo %t1 %four
      %b: float32 = load %s %n {{type=float32}}
      barrier {{scope='block'}}
      yield %b
    }} -> (%r: float32)
    while %zero (%k: int64) {{
      %c: bool = less %k %four
      yield %c
    }} and (%m: int64) {{
      barrier {{scope='block'}}
      %m1: int64 = add %m %one
      yield %m1
    }} -> (%q: int64)
    %qf: float32 = cast %q {{dtype=float32}}
    %o: float32 = add %r %qf
    store %x %t %o
    """
    x = np.arange(4, dtype=F32)
    interpret_grid(kernel(body), [x], 1)
    assert x.tolist() == [4, 5, 6, 7]


def test_a_kernel_and_its_interpreter_must_match() -> None:
    grid = kernel(THREAD)
    with pytest.raises(KernelError, match="test: got no grid for a kernel of blocks"):
        interpret(grid, [np.zeros(1, F32)])
    plain = parse("kernel plain() {\n}")
    with pytest.raises(KernelError, match="plain: got a grid for a kernel without blocks"):
        interpret_grid(plain, [], 1)
    for wrong in (-1, (1, 2, 3, 4), 1.5, ()):
        with pytest.raises(KernelError, match=r"grid: got .*, needed 1 to 3 sizes from 0"):
            interpret_grid(grid, [np.zeros(1, F32)], wrong)


def test_threads_need_a_kernel_of_blocks() -> None:
    with pytest.raises(
        VerifyError, match="thread_id stands in a kernel without a block of threads"
    ):
        verify(parse(f"kernel plain() {{\n{THREAD}\n}}"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%a: int64 = thread_id {axis=3}", "axis 0, 1 or 2, not 3"),
        ("barrier {scope='grid'}", "scope block or warp, not grid"),
        (f"{ZERO}\n%v: int64 = warp_shuffle %zero %zero {{mode='down'}}", "int32 scalar"),
        (f"{ZERO}\n%v: bool = warp_vote %zero {{mode='any'}}", "a scalar bool, one of"),
        (f"{ZERO}\n%v: int64 = atomic %x %zero %zero {{operator='add'}}", "index, float32"),
        (f"{ZERO}\n%v: int64 = copy_async %x %zero %x %zero {{count=0}}", "a count >= 1"),
    ],
)
def test_rows_check_their_operands(line: str, message: str) -> None:
    with pytest.raises(VerifyError, match=message):
        kernel(line)
