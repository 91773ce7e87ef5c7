"""What C reads out of Python's objects is what Python says of them, and nothing unsound is read."""

from __future__ import annotations

import gc
import struct
import sys
import sysconfig
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tensorlib.backends.c import objects
from tensorlib.backends.c.library import KernelLibrary
from tensorlib.backends.c.objects import (
    ObjectCalls,
    array_rule,
    disproved,
    missing,
    object_calls,
)
from tensorlib.backends.c.runtime import has_python_header, load_runtime, runtime
from tensorlib.backends.c.toolchain import Toolchain
from tensorlib.cache import DiskCache
from tensorlib.errors import BackendError
from tensorlib.tests.c_kernels import PRELUDE, found_toolchain

NO_BLOCK = (0, 0, 0)
Rule = tuple[str, object, int, int, int]


@pytest.fixture(scope="module")
def module() -> Any:
    """The extension's second module."""
    found_toolchain()
    if not has_python_header() or missing():
        pytest.skip(missing() or "Python.h is not installed")
    calls = runtime().objects
    assert calls is not None, runtime().without_objects
    return calls._module


def heard(
    module: Any, rules: list[Rule], arguments: list[Any], words: list[tuple[str, int, int]]
) -> list[int] | bool:
    """Return the words that a kernel is given; False where the call is refused."""
    out = np.zeros(1 + len(words), np.uint64)
    given = [("d", len(rules), 0), ("c", len(rules), 0), *words]
    every = [*rules, array_rule(out, True)]
    quick = ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, every, given)
    return out[1:].tolist() if quick((*arguments, out), None, None) else False


def unsigned(value: int) -> int:
    return value & (1 << 64) - 1


def test_the_proof_holds_here_and_the_runtime_says_which_way_it_goes(module: Any) -> None:
    assert disproved(module) == ""
    assert runtime().without_objects == ""


@given(st.integers(-(1 << 70), 1 << 70) | st.sampled_from([0, -1, 1 << 30, 1 << 60, 1 << 62]))
def test_integers_of_64_bits_are_read_and_others_refused(value: int) -> None:
    module = _module()
    fits = -(1 << 63) <= value < 1 << 63
    expected = [unsigned(value)] if fits else False
    assert heard(module, [("i", int, 0, 0, 8)], [value], [("v", 0, 0)]) == expected


@given(st.floats(allow_subnormal=True))
def test_floats_are_given_as_either_width(value: float) -> None:
    module = _module()
    bits = struct.unpack("=Q", struct.pack("=d", value))[0]
    assert heard(module, [("f", float, 0, 0, 8)], [value], [("v", 0, 0)]) == [bits]
    try:
        narrow = [struct.unpack("=I", struct.pack("=f", value))[0]]
    except OverflowError:
        narrow = []
    assert heard(module, [("f", float, 0, 0, 4)], [value], [("v", 0, 0)]) == (narrow or False)


@given(st.data())
def test_arrays_of_any_shape_dtype_and_stride(data: st.DataObject) -> None:
    module = _module()
    shape = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)
    dtypes = hnp.integer_dtypes() | hnp.floating_dtypes() | hnp.boolean_dtypes()
    array = np.zeros(data.draw(shape), data.draw(dtypes))
    if array.ndim:
        indices = hnp.basic_indices(array.shape, allow_ellipsis=False, allow_newaxis=True)
        array = np.asarray(array[data.draw(indices)]).T
    words = [("d", 0, 0), ("c", 0, 0), *((c, 0, axis) for axis in range(array.ndim) for c in "zt")]
    told = [array.__array_interface__["data"][0], array.size]
    for size, stride in zip(array.shape, array.strides, strict=True):
        told += [size, unsigned(stride // array.itemsize)]
    rule = ("a", array.dtype, array.ndim, 0, array.itemsize)
    assert heard(module, [rule], [array], words) == told
    usual = array.flags.c_contiguous and array.flags.aligned
    found = heard(module, [array_rule(array, is_written=True)], [array], words)
    assert found == (told if usual and array.flags.writeable else False)


def test_an_array_unlike_its_rule_is_refused(module: Any) -> None:
    array = np.zeros((2, 3), np.float32)
    fixed = array.copy()
    fixed.flags.writeable = False
    strange = [
        array.astype(np.float64), array.astype(">f4"), array[0], array[None], array.T, fixed,
        array.view(np.matrix), np.ma.masked_array(array), np.zeros(25, np.uint8)[1:].view("f4"),
        None, 0, 1.0, "x", b"x", [array], (array,), array.dtype, np.float32(1), np.ndarray, object,
    ]  # fmt: skip
    rule = array_rule(array, is_written=True)
    assert heard(module, [rule], [array], [("z", 0, 1)]) == [3]
    for argument in strange:
        assert heard(module, [rule], [argument], [("z", 0, 1)]) is False


class Integer(int):
    pass


class Real(float):
    pass


@pytest.mark.parametrize(
    ("rule", "taken", "refused"),
    [
        (("i", int, 0, 0, 8), 3, [True, 3.0, Integer(3), np.int64(3), "3", None, np.zeros(1)]),
        (("f", float, 0, 0, 8), 3.0, [3, True, Real(3), np.float64(3), "3", None]),
        (("b", bool, 0, 0, 1), True, [1, 1.0, np.True_, None]),
        (("n", np.int64, 0, 0, 8), np.int64(3), [3, np.int32(3), np.uint64(3), np.float64(3)]),
        (("r", np.float64, 0, 0, 8), np.float64(3), [3.0, np.float32(3), np.int64(3), Real(3)]),
    ],
)
def test_a_number_of_another_class_is_refused(
    module: Any, rule: Rule, taken: Any, refused: list[Any]
) -> None:
    assert heard(module, [rule], [taken], [("v", 0, 0)]) is not False
    for other in refused:
        assert heard(module, [rule], [other], [("v", 0, 0)]) is False


ARRAY = ("a", np.dtype("f4"), 2, 0, 4)


@pytest.mark.parametrize(
    ("rules", "words", "sentence"),
    [
        ([("x", None, 0, 0, 0)], [], "argument 0 is unsound"),
        ([("a", np.dtype("f4"), -1, 0, 4)], [], "argument 0 is unsound"),
        ([("a", np.dtype("V0"), 1, 0, 0)], [], "argument 0 is unsound"),
        ([("f", float, 0, 0, 2)], [], "argument 0 is unsound"),
        ([("n", np.int64, 0, 0, 16)], [], "argument 0 is unsound"),
        ([("r", np.longdouble, 0, 0, 16)], [], "argument 0 is unsound"),
        ([("n", object, 0, 0, 8)], [], "argument 0 is unsound"),  # it has no room for a value
        ([ARRAY, ("u", np.zeros(1), 0, 0, 8)], [], "argument 1 is unsound"),
        ([ARRAY], [("z", 0, 2)], "word 0 is unsound"),
        ([ARRAY], [("d", 0, 0), ("t", 0, -1)], "word 1 is unsound"),
        ([ARRAY], [("z", 1, 0)], "word 0 is unsound"),
        ([ARRAY], [("d", -1, 0)], "word 0 is unsound"),
        ([ARRAY], [("v", 0, 0)], "word 0 is unsound"),
        ([("i", int, 0, 0, 8)], [("d", 0, 0)], "word 0 is unsound"),
        ([ARRAY], [("g", 0, 0)], "word 0 is unsound"),  # there is no grid
        ([ARRAY], [("y", 0, 0)], "word 0 is unsound"),
        ([ARRAY], [("d", 0, 0)] * 129, "needed at most 128 words"),
        ([ARRAY] * 129, [], "needed at most 128 words"),
    ],
)
def test_rules_that_would_read_outside_an_object_are_refused(
    module: Any, rules: Any, words: Any, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"quick_call: {sentence}"):
        ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, rules, words)


@pytest.mark.parametrize(
    "rules", [[()], [("a",)], [("aa", None, 0, 0, 0)], [("a", None, 0, 0, "")]]
)
def test_rules_of_another_form_are_refused(module: Any, rules: Any) -> None:
    with pytest.raises(TypeError):
        ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, rules, [])


def test_calls_of_another_form_are_refused(module: Any) -> None:
    quick = ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, [], [("!", 0, 0)])
    with pytest.raises(TypeError, match="quick: needed arguments, grid and block"):
        quick(())
    strange: list[Any] = [[], None, (1,), "", np.zeros(1)]
    for arguments in strange:
        assert quick(arguments, None, None) is False
    for launch in ((1, None), (None, 1), (1, 1), ((), ()), ("x", "y")):
        assert quick((), *launch) is False


def test_the_sizes_of_a_grid_are_words(module: Any) -> None:
    out = np.zeros(4, np.uint64)
    words = [("d", 0, 0), ("c", 0, 0), *(("g", 0, axis) for axis in range(3))]
    rules = [array_rule(out, True)]
    quick = ObjectCalls(module).quick(module.echo_address(), 1, (4, 2, 1), rules, words)
    grids = {7: [7, 1, 1], (0,): [0, 1, 1], (5, 6): [5, 6, 1], (1, 2, 3): [1, 2, 3]}
    for grid, sizes in grids.items():
        for block in ((4, 2), (4, 2, 1)):
            assert quick((out,), grid, block) is True
            assert out[1:].tolist() == sizes
    for grid in (-1, (), (1, 2, 3, 4), True, 1.0, None, [1], "1", (1, -1), (1 << 70,), (None,)):
        assert quick((out,), grid, (4, 2)) is False
    for block in (4, (4, 3), (4, 2, 2), (2, 4), None, [4, 2], (4, 2, 1, 1), 8, (4, 2.0)):
        assert quick((out,), 7, block) is False


def test_faults_and_a_failing_pool(module: Any) -> None:
    calls, address = ObjectCalls(module), module.echo_address()
    # echo writes to the address in word 0, the faults, as many words as word 1 says.
    fault = calls.quick(address, 1, NO_BLOCK, [("i", int, 0, 0, 8)] * 2, [
        ("!", 0, 0), ("v", 0, 0), ("v", 1, 0),
    ])  # fmt: skip
    assert fault((2, -5), None, None) == (2, -5)
    assert fault((2, 7), None, None) == (2, 7)
    for workers in (0, -1, 1025):
        broken = calls.quick(address, workers, NO_BLOCK, [], [])
        with pytest.raises(BackendError, match="c runtime: workers: needed a number from 1 to 10"):
            broken((), None, None)
    with pytest.raises(BackendError, match="c runtime: call: its kernel is NULL"):
        calls.quick(0, 1, NO_BLOCK, [], [])((), None, None)


def test_threads_share_a_call(module: Any) -> None:
    words = [("d", 0, 0), ("c", 0, 0), ("v", 1, 0)]
    rules = [array_rule(np.zeros(2, np.uint64), True), ("i", int, 0, 0, 8)]
    quick = ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, rules, words)
    wrong: list[int] = []

    def run(number: int) -> None:
        out = np.zeros(2, np.uint64)
        for k in range(2000):
            if quick((out, number + k), None, None) is not True or out[1] != number + k:
                wrong.append(number)

    threads = [threading.Thread(target=run, args=(n << 40,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_a_call_needs_lives_as_long_as_it(module: Any) -> None:
    class Own(float):
        pass

    held = weakref.ref(Own)
    rules = [("u", Own, 0, 0, 8)]
    quick = ObjectCalls(module).quick(module.echo_address(), 1, NO_BLOCK, rules, [("!", 0, 0)])
    del Own, rules
    gc.collect()
    assert held() is not None
    assert quick((1.0,), None, None) is False
    del quick
    gc.collect()
    assert held() is None


# ---- small work ---------------------------------------------------------------------------------

# Word 0 is where each worker writes the thread that it ran in and counts up behind that.
SPEND = """
#include <pthread.h>
#include <time.h>
static void spend(int64_t ns) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t end = t.tv_sec * 1000000000 + t.tv_nsec + ns;
    while (t.tv_sec * 1000000000 + t.tv_nsec < end) clock_gettime(CLOCK_MONOTONIC, &t);
}
"""
THREADS = """
KERNEL(NAME) {
    uint64_t *marks = (uint64_t *)args[0];
    spend(TIME);
    marks[worker] = (uint64_t)pthread_self();
    marks[workers + worker]++;
}
"""
TIMES = {"quick": "0", "slow": "20000", "uneven": "worker ? 20000 : 0"}


@pytest.fixture(scope="module")
def addresses(module: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    cache = DiskCache(tmp_path_factory.mktemp("threads") / "cache")
    texts = {n: THREADS.replace("NAME", n).replace("TIME", t) for n, t in TIMES.items()}
    return KernelLibrary(runtime(), found_toolchain(), cache, threads=2).load(
        texts, PRELUDE + SPEND
    )


def threads_of(module: Any, address: int, calls: int, sizes: Sequence[int] = (6,)) -> list[int]:
    """Return of each call how many threads it ran in; every share runs once in each."""
    quick = ObjectCalls(module).quick(
        address, 3, NO_BLOCK, [array_rule(np.zeros(6, np.uint64), True)], [("d", 0, 0)]
    )
    found = []
    arrays = {size: np.zeros(size, np.uint64) for size in sizes}
    for k in range(calls):
        marks = arrays[sizes[k % len(sizes)]]
        assert quick((marks,), None, None) is True
        found.append(len(set(marks[:3].tolist())))
    assert sum(marks[3:6].sum() for marks in arrays.values()) == 3 * calls
    return found


def test_small_work_is_done_by_the_caller_alone(module: Any, addresses: dict[str, int]) -> None:
    found = threads_of(module, addresses["quick"], 2000)
    assert found[0] == 3  # nothing is known yet
    assert 1 in found


def test_what_takes_long_is_shared_out_always(module: Any, addresses: dict[str, int]) -> None:
    assert set(threads_of(module, addresses["slow"], 100)) == {3}


def test_tries_that_took_too_long_come_ever_less_often(
    module: Any, addresses: dict[str, int]
) -> None:
    found = threads_of(module, addresses["uneven"], 300)
    assert found[0] == 3
    assert found.count(1) <= 8  # after 2, 4, 8 .. 256 calls


def test_more_work_than_was_ever_small_is_shared_out(
    module: Any, addresses: dict[str, int]
) -> None:
    sizes = range(6, 106)
    assert threads_of(module, addresses["quick"], len(sizes), sizes) == [3] * len(sizes)


# ---- where there are no such calls --------------------------------------------------------------


class Liar:
    """The module, but for one field of arrays that lies elsewhere, or words that are others."""

    def __init__(self, module: Any, field: int | None = None, echo: int | None = None) -> None:
        self.module, self.field, self.echo = module, field, echo

    def fields(self, array: Any) -> tuple[int, ...]:
        found = list(self.module.fields(array))
        if self.field is not None:
            found[self.field] += 1
        return tuple(found)

    def echo_address(self) -> int:
        return int(self.module.echo_address())

    def quick_call(self, *given: Any) -> Any:
        assert self.field is None, "an address was followed that is not proved"
        quick = self.module.quick_call(*given)

        def lying(arguments: tuple[Any, ...], *launch: Any) -> Any:
            ran = quick(arguments, *launch)
            if (len(arguments[0]) == 2) == (self.echo == 2):
                arguments[0][-1] += 1
            return ran

        return lying


@pytest.mark.parametrize("field", range(5))
def test_an_array_laid_out_in_another_way_is_found_out(module: Any, field: int) -> None:
    assert disproved(Liar(module, field=field)) == "NumPy's arrays are laid out in another way"


def test_other_shapes_and_numbers_are_found_out(module: Any) -> None:
    assert disproved(Liar(module, echo=3)) == "NumPy's shapes are laid out in another way"
    assert disproved(Liar(module, echo=2)) == "NumPy's bool_ is laid out in another way"


def test_the_object_must_be_large_enough(module: Any) -> None:
    with pytest.raises(TypeError, match="fields: the object is too small for an array"):
        module.fields(object())


def test_other_pythons_have_none_and_the_reason_is_told(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: name == "Py_GIL_DISABLED")
    assert object_calls(tmp_path) == (None, "Python has no GIL")
    monkeypatch.setattr(sys.implementation, "name", "other")
    assert object_calls(tmp_path) == (None, "Python is other, needed CPython")


def test_a_runtime_that_is_disproved_goes_without(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(objects, "disproved", lambda _: "arrays are strange")
    made = load_runtime(found_toolchain(), DiskCache(tmp_path / "cache"), api=True)
    assert (made.objects, made.without_objects) == (None, "arrays are strange")


def test_libffi_goes_without(tmp_path: Path) -> None:
    made = load_runtime(found_toolchain(), DiskCache(tmp_path / "cache"), api=False)
    assert (made.objects, made.without_objects) == (None, "Python.h is not installed")


def _module() -> Any:
    """The module for tests of hypothesis, which has no use for fixtures of functions."""
    calls = runtime().objects if "c" in _available() else None
    if calls is None:
        pytest.skip("there are no such calls here")
    return calls._module


def _available() -> list[str]:
    try:
        Toolchain.find()
    except BackendError:
        return []
    return ["c"]
