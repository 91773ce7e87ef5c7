"""Prints a kernel as C: one function over 8-byte argument words, with GNU vector types.

    void NAME(const uint64_t *args, int64_t worker, int64_t workers)

Every worker calls it; the outermost parallel loop is shared out among them, a kernel without one is worker 0's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tensorlib.dtypes import DType
from tensorlib.ir.core import Block, Kernel, Operation, Value, walk
from tensorlib.ir.ops import ROWS
from tensorlib.ir.types import PointerType, VectorType
from tensorlib.printers.c_helpers import helper
from tensorlib.printers.c_types import (
    SCALAR,
    SHORT,
    literal,
    mask_name,
    scalar_memory,
    typedef,
    vector_name,
)

__all__ = ["PRELUDE", "print_c"]

PRELUDE = "#include <stdint.h>\n"


def print_c(kernel: Kernel, name: str = "") -> str:
    """Return the C text of `kernel`, complete but for PRELUDE, its function called `name`."""
    printer = _Printer(kernel)
    body = printer.function(name or kernel.name)
    return "".join([*printer.declarations.values(), body])


def _vector(value: Value) -> VectorType:
    assert isinstance(value.type, VectorType)
    return value.type


def _is_mask(kind: Any) -> bool:
    return isinstance(kind, VectorType) and kind.dtype is DType.bool and kind.width > 1


class _Printer:
    """Walks the blocks, naming each value; masks remember the bits of their lanes."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.declarations: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.mask_bits: dict[int, int] = {}
        self.lines: list[str] = []
        self.indent = 1
        self.count = 0

    # text
    def function(self, name: str) -> str:
        """Return the function's text."""
        head = f"void {name}(const uint64_t *args, int64_t worker, int64_t workers) {{"
        for position, parameter in enumerate(self.kernel.parameters):
            self._parameter(position, parameter)
        if not any(o.attributes.get("parallel") for o in walk(self.kernel.body)):
            self.line("if (worker) return;")
        self.block(self.kernel.body)
        return "\n".join([head, *self.lines, "  (void)args; (void)worker; (void)workers;", "}", ""])

    def line(self, text: str) -> None:
        self.lines.append("  " * self.indent + text)

    def fresh(self, stem: str = "v") -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def _parameter(self, position: int, parameter: Value) -> None:
        self.names[id(parameter)] = name = f"{parameter.name or 'a'}_"
        kind = parameter.type
        if isinstance(kind, PointerType):
            element = SCALAR[SHORT[kind.dtype]]
            self.line(f"{element} *{name} = ({element} *)(uintptr_t)args[{position}];")
            return
        element = SCALAR[SHORT[kind.dtype]]
        if kind.dtype.kind == "float":
            self.line(
                f"{element} {name}; __builtin_memcpy(&{name}, args + {position}, sizeof {name});"
            )
        else:
            self.line(f"const {element} {name} = ({element})args[{position}];")

    # types
    def type(self, kind: VectorType) -> str:
        """Return the C type of a value that is no mask, declaring it."""
        return self.declared(vector_name(SHORT[kind.dtype], kind.width))

    def declared(self, name: str) -> str:
        if "x" in name and name not in self.declarations:
            self.declarations[name] = typedef(name)
        return name

    def mask_type(self, bits: int, width: int) -> str:
        return self.declared(mask_name(bits, width))

    def call(self, name: str, kind: VectorType, *operands: str, extra: str = "") -> str:
        """Return a call of a helper function, declaring it and its types."""
        function, text, needs = helper(name, SHORT[kind.dtype], kind.width, extra)
        for need in needs:
            if "x" in need:
                self.declared(need)
        self.declarations.setdefault(function, text)
        return f"{function}({', '.join(operands)})"

    # values
    def use(self, value: Value) -> str:
        """Return the C expression of a value: its name, or a constant's literal."""
        operation = value.operation
        if operation is None or operation.name != "const":
            return self.names[id(value)]
        kind: VectorType = operation.attributes["type"]
        data = operation.attributes["value"]
        if kind.width == 1:
            return literal(data, kind)
        lanes = data if isinstance(data, tuple) else (data,) * kind.width
        scalar = VectorType(kind.dtype)
        return f"({self.type(kind)}){{{', '.join(literal(x, scalar) for x in lanes)}}}"

    def mask(self, value: Value, bits: int) -> str:
        """Return a mask with lanes of `bits`, converted if it has others."""
        kind = _vector(value)
        operation = value.operation
        if operation is not None and operation.name == "const":
            data = operation.attributes["value"]
            lanes = data if isinstance(data, tuple) else (data,) * kind.width
            text = ", ".join("-1" if x else "0" for x in lanes)
            return f"({self.mask_type(bits, kind.width)}){{{text}}}"
        name = self.names[id(value)]
        if self.mask_bits.get(id(value)) == bits:
            return name
        return f"__builtin_convertvector({name}, {self.mask_type(bits, kind.width)})"

    def bits_of(self, value: Value) -> int:
        """Return the lane bits of a mask, 32 for constants."""
        return self.mask_bits.get(id(value), 32)

    def define(self, result: Value, text: str, bits: int = 0) -> None:
        """Declare `result` as a new constant of C; `bits` are the lanes of a mask."""
        kind = _vector(result)
        name = self.names[id(result)] = self.fresh()
        if _is_mask(kind):
            self.mask_bits[id(result)] = bits
            self.line(f"const {self.mask_type(bits, kind.width)} {name} = {text};")
        else:
            self.line(f"const {self.type(kind)} {name} = {text};")

    # operations
    def block(self, block: Block) -> None:
        for operation in block.operations:
            self.operation(operation)

    def operation(self, operation: Operation) -> None:
        name = operation.name
        if name in ("const", "yield"):
            return
        special: Callable[[Operation], None] | None = getattr(self, f"op_{name}", None)
        if special is not None:
            special(operation)
        elif ROWS[name].spelling:
            self._spelled(operation)
        elif name.startswith("reduce_"):
            self._reduce(operation)
        else:
            kind = _vector(operation.operands[0])
            operands = map(self.use, operation.operands)
            self.define(operation.results[0], self.call(name, kind, *operands))

    def _spelled(self, operation: Operation) -> None:
        kind = _vector(operation.operands[0])
        spelling = ROWS[operation.name].spelling
        result = operation.results[0]
        if _is_mask(kind):
            bits = self.bits_of(operation.operands[0])
            text = spelling.format(*(self.mask(o, bits) for o in operation.operands))
            self.define(result, text, bits)
            return
        text = spelling.format(*map(self.use, operation.operands))
        if _is_mask(result.type):  # a comparison: lanes as wide as what is compared
            bits = kind.dtype.bits
            self.define(result, f"({self.mask_type(bits, kind.width)})({text})", bits)
        elif kind.width == 1 and _vector(result).dtype.is_integer:
            self.define(result, f"({SCALAR[SHORT[kind.dtype]]})({text})")
        else:
            self.define(result, text)

    def op_not(self, operation: Operation) -> None:
        (operand,), (result,) = operation.operands, operation.results
        kind = _vector(operand)
        if _is_mask(kind):
            bits = self.bits_of(operand)
            self.define(result, f"~{self.mask(operand, bits)}", bits)
        else:
            sign = "!" if kind.dtype is DType.bool else "~"
            self.define(result, f"{sign}{self.use(operand)}")

    def op_absolute(self, operation: Operation) -> None:
        (operand,) = operation.operands
        kind, a = _vector(operand), self.use(operand)
        if kind.dtype.kind == "float" and kind.width > 1:
            integer = self.declared(vector_name(f"i{kind.dtype.bits}", kind.width))
            rest = f"({integer}){a} & INT64_C({2 ** (kind.dtype.bits - 1) - 1})"
            if kind.dtype.bits == 32:
                rest = f"({integer}){a} & {2**31 - 1}"
            self.define(operation.results[0], f"({self.type(kind)})({rest})")
        elif kind.dtype.kind == "float":
            suffix = "f" if kind.dtype is DType.float32 else ""
            self.define(operation.results[0], f"__builtin_fabs{suffix}({a})")
        else:
            zero = VectorType(kind.dtype, kind.width)
            self.define(operation.results[0], self._choose(f"{a} < 0", f"-{a}", a, zero))

    def op_minimum(self, operation: Operation) -> None:
        self._extreme(operation, "<")

    def op_maximum(self, operation: Operation) -> None:
        self._extreme(operation, ">")

    def _extreme(self, operation: Operation, sign: str) -> None:
        a, b = map(self.use, operation.operands)
        kind = _vector(operation.operands[0])
        self.define(operation.results[0], self._extreme_text(kind, sign, a, b))

    def _extreme_text(self, kind: VectorType, sign: str, a: str, b: str) -> str:
        is_float = kind.dtype.kind == "float"
        test = f"({a} {sign} {b}) | ({a} != {a})" if is_float else f"{a} {sign} {b}"
        return self._choose(test, a, b, kind)

    def _choose(self, test: str, a: str, b: str, kind: VectorType) -> str:
        """`test ? a : b` by lane; C has no vector ?:, so vectors blend bits."""
        if kind.width == 1:
            return f"({test}) ? {a} : {b}"
        mask = self.mask_type(kind.dtype.bits, kind.width)
        return f"({self.type(kind)})((({mask})({test}) & ({mask}){a}) | (~({mask})({test}) & ({mask}){b}))"

    def op_select(self, operation: Operation) -> None:
        mask, a, b = operation.operands
        kind = _vector(a)
        if kind.width == 1:
            self.define(operation.results[0], f"{self.use(mask)} ? {self.use(a)} : {self.use(b)}")
        elif kind.dtype is DType.bool:
            bits = self.bits_of(mask)
            m, x, y = (self.mask(o, bits) for o in operation.operands)
            self.define(operation.results[0], f"({m} & {x}) | (~{m} & {y})", bits)
        else:
            test = self.mask(mask, kind.dtype.bits)
            text = self._choose(test, self.use(a), self.use(b), kind)
            self.define(operation.results[0], text)

    def op_shift_left(self, operation: Operation) -> None:
        self._shift(operation, "<<")

    def op_shift_right(self, operation: Operation) -> None:
        self._shift(operation, ">>")

    def _shift(self, operation: Operation, sign: str) -> None:
        value, count = operation.operands
        kind = _vector(value)
        constant = count.operation and count.operation.attributes.get("value")
        is_known = count.operation is not None and count.operation.name == "const"
        if is_known and isinstance(constant, int) and 0 <= constant < kind.dtype.bits:
            result = self.type(kind)
            text = f"{self.use(value)} {sign} {constant}"
            if sign == "<<" and kind.dtype.kind == "signed":
                unsigned = self.declared(vector_name(f"u{kind.dtype.bits}", kind.width))
                text = f"({unsigned}){text}"
            self.define(operation.results[0], f"({result})({text})")
        else:
            call = self.call(operation.name, kind, *map(self.use, operation.operands))
            self.define(operation.results[0], call)

    def op_library(self, operation: Operation) -> None:
        kind = _vector(operation.operands[0])
        extra = f"{operation.attributes['function']}{len(operation.operands)}"
        text = self.call("library", kind, *map(self.use, operation.operands), extra=extra)
        self.define(operation.results[0], text)

    def op_splat(self, operation: Operation) -> None:
        (operand,), (result,) = operation.operands, operation.results
        kind, scalar = _vector(result), self.use(operand)
        if kind.width == 1:
            self.define(result, scalar)
        elif _is_mask(kind):
            self.define(result, f"({self.mask_type(32, kind.width)}){{}} - {scalar}", 32)
        else:
            # x - 0 folds to one broadcast, x + 0 does not (-0.0 + 0.0 is 0.0).
            self.define(result, f"{scalar} - ({self.type(kind)}){{}}")

    def op_shuffle(self, operation: Operation) -> None:
        indices: Sequence[int] = operation.attributes["indices"]
        result, operands = operation.results[0], operation.operands
        kind = _vector(operands[0])
        bits = self.bits_of(operands[0]) if kind.dtype is DType.bool else 0
        lanes = [(o, i) for o in operands for i in range(_vector(o).width)]
        same_width = len({_vector(o).width for o in operands}) == 1 and kind.width > 1
        if len(indices) > 1 and len(operands) <= 2 and same_width:
            names = [self.mask(o, bits) if bits else self.use(o) for o in operands]
            picks = ", ".join(map(str, indices))
            text = f"__builtin_shufflevector({names[0]}, {names[-1]}, {picks})"
            self.define(result, text, bits)
            return
        texts = [self._lane(*lanes[i], bits) for i in indices]
        if len(texts) == 1:
            self.define(result, texts[0])
        elif bits:
            signed = ", ".join(f"-({t} != 0)" for t in texts)
            self.define(result, f"({self.mask_type(bits, len(texts))}){{{signed}}}", bits)
        else:
            self.define(result, f"({self.type(_vector(result))}){{{', '.join(texts)}}}")

    def _lane(self, value: Value, lane: int, bits: int) -> str:
        kind = _vector(value)
        if kind.width == 1:
            return self.use(value)
        return (
            f"({self.mask(value, bits)}[{lane}] != 0)" if bits else f"({self.use(value)})[{lane}]"
        )

    def _reduce(self, operation: Operation) -> None:
        """Fold by halves, in the order that `ir.meaning.reduce_tree` gives."""
        (operand,), (result,) = operation.operands, operation.results
        kind = _vector(operand)
        bits = self.bits_of(operand) if kind.dtype is DType.bool else 0
        name = self.mask(operand, bits) if bits else self.use(operand)
        width = kind.width
        while width > 1:
            half = width // 2
            parts = []
            for start in (0, half):
                lanes = ", ".join(map(str, range(start, start + half)))
                picked = f"{name}[{start}]"
                if half > 1:
                    picked = f"__builtin_shufflevector({name}, {name}, {lanes})"
                parts.append(self._temporary(picked, kind, half, bits))
            text = self._fold(operation.name, VectorType(kind.dtype, half), *parts)
            name, width = self._temporary(text, kind, half, bits), half
        self.define(result, f"{name} != 0" if bits else name)

    def _temporary(self, text: str, kind: VectorType, width: int, bits: int) -> str:
        name = self.fresh("t")
        of = VectorType(kind.dtype, width)
        type_name = self.mask_type(bits, width) if bits else self.type(of)
        self.line(f"const {type_name} {name} = {text};")
        return name

    def _fold(self, name: str, kind: VectorType, a: str, b: str) -> str:
        signs = {"add": "+", "multiply": "*", "and": "&", "or": "|", "xor": "^"}
        which = name.removeprefix("reduce_")
        if which in signs:
            return f"{a} {signs[which]} {b}"
        return self._extreme_text(kind, "<" if which == "minimum" else ">", a, b)

    # conversion
    def op_bitcast(self, operation: Operation) -> None:
        (operand,), (result,) = operation.operands, operation.results
        source, target = _vector(operand), _vector(result)
        if (source.width > 1 and target.width > 1) or SHORT[source.dtype] == SHORT[target.dtype]:
            self.define(result, f"({self.type(target)}){self.use(operand)}")
            return
        union = f"union {{ {self.type(source)} a; {self.type(target)} b; }}"
        self.define(result, f"(({union}){{ .a = {self.use(operand)} }}).b")

    def op_cast(self, operation: Operation) -> None:
        (operand,), (result,) = operation.operands, operation.results
        source, target = _vector(operand), _vector(result)
        if _is_mask(source):
            bits = target.dtype.bits if target.dtype.is_integer else 32
            one = VectorType(DType.by_name[f"int{bits}"], source.width)
            self.define(result, self.convert(f"({self.mask(operand, bits)} & 1)", one, target))
        elif _is_mask(target):
            zero = f"({self.type(source)}){{}}"
            if source.dtype.bits == 16 and source.dtype.kind == "float":
                text = f"({self.use(operand)} & 0x7fff) != 0"  # any bit but the sign
            else:
                text = f"{self.use(operand)} != {zero}"
            bits = source.dtype.bits
            self.define(result, f"({self.mask_type(bits, source.width)})({text})", bits)
        else:
            self.define(result, self.convert(self.use(operand), source, target))

    def convert(self, text: str, source: VectorType, target: VectorType) -> str:
        """Return the C expression that converts `text` (no masks)."""
        a, b = source.dtype, target.dtype
        if a.kind == "float" and a.bits == 16:
            if b is DType.bool:
                return f"({text} & 0x7fff) != 0"
            single = source.of(DType.float32)
            return self.convert(self._from_half(text, source), single, target)
        if b.kind == "float" and b.bits == 16:
            return self._to_half(text, source, target)
        if a.kind == "float" and b.is_integer:
            return self.call("saturate", source, text, extra=SHORT[b])
        if b is DType.bool:
            return f"{text} != 0"
        if source.width == 1:
            return f"({SCALAR[SHORT[b]]}){text}"
        return self._convert_lanes(text, source, target)

    def _convert_lanes(self, text: str, source: VectorType, target: VectorType) -> str:
        """Convert by lanes. gcc takes integers apart when their size changes by more than two."""
        a, b = source.dtype, target.dtype
        if a.is_integer and a.bits == 8 and (b.bits >= 32 or not b.is_integer):
            wide = source.of(DType.int32)
            text, source = self.call("widen", source, text), wide
            return text if b is DType.int32 else self._convert_lanes(text, wide, target)
        if a.is_integer and a.bits < 32 and not b.is_integer:
            wide = source.of(DType.int32)
            return self._convert_lanes(self._convert_lanes(text, source, wide), wide, target)
        steps = [source.of(DType.by_name[f"{_sign(a)}int{n}"]) for n in _between(a, b)]
        for kind in [*steps, target]:
            text = f"__builtin_convertvector({text}, {self.type(kind)})"
        return text

    def _from_half(self, text: str, source: VectorType) -> str:
        if source.dtype is DType.float16:
            return self.call("float16_to_float32", source, text)
        wide = VectorType(DType.uint32, source.width)
        bits = f"({self.convert(text, source.of(DType.uint16), wide)} << 16)"
        single = self.type(source.of(DType.float32))
        if source.width > 1:
            return f"({single}){bits}"
        return f"((union {{ uint32_t a; float b; }}){{ .a = {bits} }}).b"

    def _to_half(self, text: str, source: VectorType, target: VectorType) -> str:
        single = source.of(DType.float32)
        if source.dtype.kind != "float" and source.dtype.bits >= 32:
            double = source.of(DType.float64)
            return self._to_half(self.convert(text, source, double), double, target)
        if source.dtype is DType.float64 and target.dtype is DType.float16:
            text = self.call("float64_to_odd", source, text)
        else:
            text = self.convert(text, source, single)
        return self.call(f"float32_to_{target.dtype.name}", single, text)

    # memory
    def _place(self, operation: Operation, kind: VectorType) -> str:
        """Return the lvalue of a vector or scalar in memory."""
        pointer, index = operation.operands[:2]
        base, at = self.use(pointer), self.use(index)
        assert isinstance(pointer.type, PointerType)
        name = self.type(kind)
        if kind.width == 1 and kind.dtype is pointer.type.dtype:
            return f"{base}[{at}]"
        if kind.width == 1:
            short = SHORT[kind.dtype]
            self.declarations.setdefault(f"{short}_memory", scalar_memory(short))
            return f"*({short}_memory *)({base} + {at})"
        return f"*({name}_memory *)({base} + {at})"

    def op_load(self, operation: Operation) -> None:
        kind = _vector(operation.results[0])
        if kind.dtype is DType.bool:
            place = self._place(operation, kind)
            text = f"{place} != 0" if kind.width == 1 else f"(({self.type(kind)}){place} != 0)"
            self.define(operation.results[0], text, 8)
        else:
            self.define(operation.results[0], self._place(operation, kind))

    def _as_memory(self, value: Value) -> str:
        """Return a value as it is kept in memory: masks as bytes 0 and 1."""
        kind = _vector(value)
        if _is_mask(kind):
            return f"({self.type(kind)})({self.mask(value, 8)} & 1)"
        return self.use(value)

    def op_store(self, operation: Operation) -> None:
        value = operation.operands[2]
        place = self._place(operation, _vector(value))
        self.line(f"{place} = {self._as_memory(value)};")

    def _each_lane(self, width: int, statement: str) -> None:
        self.line(f"for (int l = 0; l < {width}; ++l) {statement}")

    def _mutable(self, result: Value, initial: str) -> str:
        """Declare a variable for a result that is filled lane by lane; masks as bytes."""
        kind = _vector(result)
        name = self.fresh("t")
        self.line(f"{self.type(kind)} {name} = {initial};")
        return name

    def _filled(self, result: Value, name: str) -> None:
        if _is_mask(result.type):
            self.define(result, f"({name} != 0)", 8)
        else:
            self.define(result, name)

    def op_masked_load(self, operation: Operation) -> None:
        pointer, index, mask, other = operation.operands
        result, kind = operation.results[0], _vector(operation.results[0])
        name = self._mutable(result, self._as_memory(other))
        element = f"{self.use(pointer)}[{self.use(index)} + l]"
        if kind.width == 1:
            self.line(f"if ({self.use(mask)}) {name} = {element.replace(' + l', '')};")
        else:
            test = self._temporary(self.mask(mask, 32), VectorType(DType.int32), kind.width, 32)
            self._each_lane(kind.width, f"if ({test}[l]) {name}[l] = {element};")
        self._filled(result, name)

    def op_masked_store(self, operation: Operation) -> None:
        pointer, index, value, mask = operation.operands
        kind = _vector(value)
        element = f"{self.use(pointer)}[{self.use(index)} + l]"
        if kind.width == 1:
            place = element.replace(" + l", "")
            self.line(f"if ({self.use(mask)}) {place} = {self.use(value)};")
            return
        test = self._temporary(self.mask(mask, 32), VectorType(DType.int32), kind.width, 32)
        data = self._temporary(self._as_memory(value), kind, kind.width, 0)
        self._each_lane(kind.width, f"if ({test}[l]) {element} = {data}[l];")

    def op_gather(self, operation: Operation) -> None:
        pointer, indices = operation.operands
        result, kind = operation.results[0], _vector(operation.results[0])
        if kind.width == 1:
            self.define(result, f"{self.use(pointer)}[{self.use(indices)}]")
            return
        name = self._mutable(result, "{}")
        at = self._temporary(self.use(indices), _vector(indices), kind.width, 0)
        self._each_lane(kind.width, f"{name}[l] = {self.use(pointer)}[{at}[l]];")
        self._filled(result, name)

    def op_scatter(self, operation: Operation) -> None:
        pointer, indices, value = operation.operands
        kind = _vector(value)
        if kind.width == 1:
            self.line(f"{self.use(pointer)}[{self.use(indices)}] = {self.use(value)};")
            return
        at = self._temporary(self.use(indices), _vector(indices), kind.width, 0)
        data = self._temporary(self._as_memory(value), kind, kind.width, 0)
        self._each_lane(kind.width, f"{self.use(pointer)}[{at}[l]] = {data}[l];")

    def op_prefetch(self, operation: Operation) -> None:
        pointer, index = map(self.use, operation.operands)
        self.line(f"__builtin_prefetch({pointer} + {index});")

    def op_alloc(self, operation: Operation) -> None:
        name = self.names[id(operation.results[0])] = self.fresh("local")
        element = SCALAR[SHORT[operation.attributes["dtype"]]]
        size = max(1, operation.attributes["size"])
        self.line(f"{element} {name}[{size}] __attribute__((aligned(64)));")

    # control
    def _variables(self, results: list[Value], initial: list[Value]) -> list[str]:
        """Declare the variables that a loop carries."""
        made = []
        for result, value in zip(results, initial, strict=True):
            kind, name = _vector(result), self.fresh("c")
            if _is_mask(kind):
                bits = self.mask_bits[id(result)] = self.bits_of(value)
                self.line(f"{self.mask_type(bits, kind.width)} {name} = {self.mask(value, bits)};")
            else:
                self.line(f"{self.type(kind)} {name} = {self.use(value)};")
            self.names[id(result)] = name
            made.append(name)
        return made

    def _bind(self, parameters: list[Value], results: list[Value]) -> None:
        for parameter, result in zip(parameters, results, strict=True):
            self.names[id(parameter)] = self.names[id(result)]
            if id(result) in self.mask_bits:
                self.mask_bits[id(parameter)] = self.mask_bits[id(result)]

    def _assign(self, block: Block, results: list[Value]) -> None:
        """Assign what a block yields; through temporaries where it reads other variables."""
        yielded = block.operations[-1].operands
        texts = []
        for result, value in zip(results, yielded, strict=True):
            bits = self.mask_bits.get(id(result), 0)
            text = self.mask(value, bits) if bits else self.use(value)
            if text in [self.names[id(r)] for r in results] and text != self.names[id(result)]:
                text = self._temporary(text, _vector(result), _vector(result).width, bits)
            texts.append(text)
        for result, text in zip(results, texts, strict=True):
            name = self.names[id(result)]
            if name != text:
                self.line(f"{name} = {text};")

    def op_for(self, operation: Operation) -> None:
        start, stop, step = map(self.use, operation.operands[:3])
        block, results = operation.blocks[0], operation.results
        self._variables(results, operation.operands[3:])
        self._bind(block.parameters[1:], results)
        i = self.names[id(block.parameters[0])] = self.fresh("i")
        if operation.attributes.get("parallel"):
            start, stop = self._share(start, stop, step)
        self.line(f"for (int64_t {i} = {start}; {i} < {stop}; {i} += {step}) {{")
        self._nested(block, results)
        self.line("}")

    def _share(self, start: str, stop: str, step: str) -> tuple[str, str]:
        """Declare this worker's share of a parallel loop's iterations."""
        trips, first, last = self.fresh("trips"), self.fresh("first"), self.fresh("last")
        count = f"({stop} - {start} + {step} - 1) / {step}"
        self.line(f"const int64_t {trips} = {stop} > {start} ? {count} : 0;")
        self.line(f"const int64_t {first} = {start} + {trips} * worker / workers * {step};")
        self.line(f"const int64_t {last} = {start} + {trips} * (worker + 1) / workers * {step};")
        end = self.fresh("end")
        self.line(f"const int64_t {end} = {last} < {stop} ? {last} : {stop};")
        return first, end

    def _nested(self, block: Block, results: list[Value]) -> None:
        self.indent += 1
        self.block(block)
        self._assign(block, results)
        self.indent -= 1

    def op_while(self, operation: Operation) -> None:
        head, body = operation.blocks
        self._variables(operation.results, operation.operands)
        self._bind(head.parameters, operation.results)
        self._bind(body.parameters, operation.results)
        self.line("for (;;) {")
        self.indent += 1
        self.block(head)
        self.line(f"if (!{self.use(head.operations[-1].operands[0])}) break;")
        self.indent -= 1
        self._nested(body, operation.results)
        self.line("}")

    def op_if(self, operation: Operation) -> None:
        for result in operation.results:
            kind, name = _vector(result), self.fresh("c")
            if _is_mask(kind):
                self.mask_bits[id(result)] = 32
            mask = self.mask_type(32, kind.width) if _is_mask(kind) else self.type(kind)
            self.line(f"{mask} {name};")
            self.names[id(result)] = name
        self.line(f"if ({self.use(operation.operands[0])}) {{")
        self._nested(operation.blocks[0], operation.results)
        self.line("} else {")
        self._nested(operation.blocks[1], operation.results)
        self.line("}")


def _sign(dtype: DType) -> str:
    return "u" if dtype.kind == "unsigned" else ""


def _between(a: DType, b: DType) -> list[int]:
    """Return the integer sizes to pass through, so that none is more than twice another."""
    if not (a.is_integer and b.is_integer):
        return []
    sizes = [8, 16, 32, 64]
    first, last = sizes.index(a.bits), sizes.index(b.bits)
    return sizes[first + 1 : last] if first < last else sizes[last + 1 : first][::-1]
