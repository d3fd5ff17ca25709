"""Names that kernel text may use beside arithmetic: bit casts, rounding, fixed-width integers.

Each is one LLVM instruction or intrinsic, so that loops around it vectorise. Importing this module
imports Numba; only `lowering` does so, when something must be compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

Generate = Callable[[Any, ir.IRBuilder, Signature, list[ir.Value]], ir.Value]


def _bit_cast(result: types.Type, argument: types.Type) -> Any:
    def bits(typing_context: Any, value: types.Type) -> tuple[Signature, Generate]:
        def generate(
            context: Any, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
        ) -> ir.Value:
            value = context.cast(builder, arguments[0], signature.args[0], argument)
            return builder.bitcast(value, context.get_value_type(result))

        return result(value), generate

    return intrinsic(bits)


def _unary(name: str) -> Any:
    def function(typing_context: Any, value: types.Type) -> tuple[Signature, Generate]:
        def generate(
            context: Any, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
        ) -> ir.Value:
            declared = builder.module.declare_intrinsic(name, [arguments[0].type])
            return builder.call(declared, arguments)

        return value(value), generate

    return intrinsic(function)


def _binary(name: str) -> Any:
    def function(
        typing_context: Any, left: types.Type, right: types.Type
    ) -> tuple[Signature, Generate]:
        def generate(
            context: Any, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
        ) -> ir.Value:
            declared = builder.module.declare_intrinsic(name, [arguments[0].type])
            return builder.call(declared, arguments)

        return left(left, left), generate

    return intrinsic(function)


float_from_bits = _bit_cast(types.float32, types.int32)
bits_from_float = _bit_cast(types.int32, types.float32)
double_from_bits = _bit_cast(types.float64, types.int64)
bits_from_double = _bit_cast(types.int64, types.float64)
nearest = _unary("llvm.rint")
round_down = _unary("llvm.floor")
root = _unary("llvm.sqrt")
magnitude = _unary("llvm.fabs")
copy_sign = _binary("llvm.copysign")

NAMES: dict[str, Any] = {
    "float32": types.float32,
    "float64": types.float64,
    "int32": types.int32,
    "int64": types.int64,
    "uint32": types.uint32,
    "uint64": types.uint64,
    "math": math,
    "float_from_bits": float_from_bits,
    "bits_from_float": bits_from_float,
    "double_from_bits": double_from_bits,
    "bits_from_double": bits_from_double,
    "nearest": nearest,
    "round_down": round_down,
    "root": root,
    "magnitude": magnitude,
    "copy_sign": copy_sign,
}
"""All global names of kernel text."""
