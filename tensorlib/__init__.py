"""tensorlib: one language from the tokenizer to the register tile.

>>> import tensorlib as tl
>>> tl.sqrt(tl.asarray([1.0, 4.0])) + 1
tensor([2., 3.], dtype=float64)
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tensorlib.backend import Device as Device
    from tensorlib.capture import compile as compile
    from tensorlib.creation import *  # noqa: F403
    from tensorlib.cumulative import cumulative_prod as cumulative_prod
    from tensorlib.cumulative import cumulative_sum as cumulative_sum
    from tensorlib.dtypes import DType as DType
    from tensorlib.dtypes import register_dtype as register_dtype
    from tensorlib.functions import *  # noqa: F403
    from tensorlib.graph.rules import graph_rule as graph_rule
    from tensorlib.ir.types import Placement as Placement
    from tensorlib.kernels.row import Row as Row
    from tensorlib.lang.atomic import Atomic as Atomic
    from tensorlib.lang.complex import ComplexSIMD as ComplexSIMD
    from tensorlib.lang.control import parallel as parallel
    from tensorlib.lang.control import unroll as unroll
    from tensorlib.lang.copying import copy_async as copy_async
    from tensorlib.lang.explicit import alias as alias
    from tensorlib.lang.explicit import cond as cond
    from tensorlib.lang.explicit import loop as loop
    from tensorlib.lang.gathering import compressed_load as compressed_load
    from tensorlib.lang.gathering import compressed_store as compressed_store
    from tensorlib.lang.gathering import gather as gather
    from tensorlib.lang.gathering import scatter as scatter
    from tensorlib.lang.grid import CLUSTER as CLUSTER
    from tensorlib.lang.grid import GLOBAL as GLOBAL
    from tensorlib.lang.grid import REGISTER as REGISTER
    from tensorlib.lang.grid import SHARED as SHARED
    from tensorlib.lang.grid import WARP as WARP
    from tensorlib.lang.grid import barrier as barrier
    from tensorlib.lang.grid import block_dim as block_dim
    from tensorlib.lang.grid import block_id as block_id
    from tensorlib.lang.grid import grid_dim as grid_dim
    from tensorlib.lang.grid import lane_id as lane_id
    from tensorlib.lang.grid import thread_id as thread_id
    from tensorlib.lang.grid import warp_barrier as warp_barrier
    from tensorlib.lang.grid import warp_id as warp_id
    from tensorlib.lang.instruction import instruction as instruction
    from tensorlib.lang.packed import float4_block as float4_block
    from tensorlib.lang.packed import float4_codes as float4_codes
    from tensorlib.lang.packed import pack_halves as pack_halves
    from tensorlib.lang.packed import unpack_halves as unpack_halves
    from tensorlib.lang.target import simdwidthof as simdwidthof
    from tensorlib.lang.target import target_has as target_has
    from tensorlib.lang.vectorize import vectorize as vectorize
    from tensorlib.lang.warp import *  # noqa: F403
    from tensorlib.launch import kernel as kernel
    from tensorlib.layouts.dim import Dim as Dim
    from tensorlib.passes.registration import ir_pass as ir_pass
    from tensorlib.simd import SIMD as SIMD
    from tensorlib.simd import Scalar as Scalar
    from tensorlib.tensor import Tensor as Tensor
    from tensorlib.tile import Tile as Tile
    from tensorlib.tile import stack_allocation as stack_allocation
    from tensorlib.tiles.fragments import fragment as fragment
    from tensorlib.user_functions import elementwise as elementwise
    from tensorlib.user_kernels import op as op
    from tensorlib.user_ops import reduce as reduce
    from tensorlib.user_ops import rowwise as rowwise
    from tensorlib.user_ops import scan as scan

_ROOT = Path(__file__).resolve().parent.parent
if (_ROOT / "setup.cfg").is_file() and (_ROOT / "layouts" / "__init__.py").is_file():
    # Run from a checkout beside a regular install: the rooms (layouts, nn, ...) lie at its root.
    __path__.append(str(_ROOT))  # noqa: F405

__version__ = "0.1.0"

# Every public name and the module it comes from, imported when the name is first used.
_NAMES = {
    "tensorlib.functions": """
        abs add all any argmax argmin astype bitwise_and bitwise_invert bitwise_left_shift
        bitwise_or bitwise_right_shift bitwise_xor broadcast_to ceil concat cos divide equal
        exp expand_dims flip floor floor_divide greater greater_equal isfinite isinf isnan
        less less_equal log logical_and logical_not logical_or logical_xor matmul
        matrix_transpose max maximum mean min minimum multiply negative not_equal
        permute_dims positive pow prod reciprocal remainder reshape result_type round rsqrt
        sigmoid sign silu sin softmax sqrt square squeeze stack subtract sum take tanh trunc
        update where
    """,
    "tensorlib.creation": """
        arange asarray empty empty_like eye from_packed full full_like linspace ones
        ones_like state zeros zeros_like
    """,
    "tensorlib.tensor": "Tensor",
    "tensorlib.backend": "Device",
    "tensorlib.dtypes": "DType register_dtype",
    "tensorlib.layouts.dim": "Dim",
    "tensorlib.capture": "compile",
    "tensorlib.simd": "SIMD Scalar",
    "tensorlib.launch": "kernel",
    "tensorlib.user_functions": "elementwise",
    "tensorlib.cumulative": "cumulative_prod cumulative_sum",
    "tensorlib.user_kernels": "op",
    "tensorlib.user_ops": "reduce rowwise scan",
    "tensorlib.graph.rules": "graph_rule",
    "tensorlib.kernels.row": "Row",
    "tensorlib.passes.registration": "ir_pass",
    "tensorlib.lang.control": "parallel unroll",
    "tensorlib.lang.target": "simdwidthof target_has",
    "tensorlib.lang.instruction": "instruction",
    "tensorlib.lang.complex": "ComplexSIMD",
    "tensorlib.lang.explicit": "alias cond loop",
    "tensorlib.lang.vectorize": "vectorize",
    "tensorlib.tile": "Tile stack_allocation",
    "tensorlib.tiles.fragments": "fragment",
    "tensorlib.lang.grid": """
        CLUSTER GLOBAL REGISTER SHARED WARP barrier block_dim block_id grid_dim lane_id thread_id
        warp_barrier warp_id
    """,
    "tensorlib.lang.warp": """
        WARP_SIZE all_lanes any_lane ballot shuffle_down shuffle_index shuffle_up shuffle_xor
        warp_max warp_min warp_reduce warp_sum
    """,
    "tensorlib.lang.atomic": "Atomic",
    "tensorlib.lang.gathering": "compressed_load compressed_store gather scatter",
    "tensorlib.lang.packed": "float4_block float4_codes pack_halves unpack_halves",
    "tensorlib.lang.copying": "copy_async",
    "tensorlib.ir.types": "Placement",
}
_MODULE = {name: module for module, names in _NAMES.items() for name in names.split()}
_DTYPES = """
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32 float64
    float8_e4m3fn float8_e5m2 float8_e8m0fnu float4_e2m1fn complex64 complex128 q4_0 q4_1 q8_0
"""
_ROOMS = "backends errors layouts llama nn ops"
_CONSTANTS = {
    "e": 2.718281828459045,
    "inf": float("inf"),
    "nan": float("nan"),
    "newaxis": None,
    "pi": 3.141592653589793,
}


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        value = getattr(import_module(_MODULE[name]), name)
    elif name in _DTYPES.split():
        value = getattr(import_module("tensorlib.dtypes").DType, name)
    elif name in _CONSTANTS:
        value = _CONSTANTS[name]
    elif name in _ROOMS.split():
        return import_module(f"tensorlib.{name}")
    else:
        raise AttributeError(f"module 'tensorlib' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_MODULE, *_DTYPES.split(), *_ROOMS.split(), *_CONSTANTS, "__version__"])
