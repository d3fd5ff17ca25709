"""Names that kernel text may use beside arithmetic: choices, roundings, bits of numbers.

Each becomes a few LLVM instructions without branches, so that loops around it vectorise. They are
declared in registries of their own: Numba's decorator for such functions would set up all of
NumPy first. Importing this module imports Numba; only `lowering` does so, when something must be
compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import imputils, types
from numba.core.typing.templates import AbstractTemplate, Registry, Signature, signature

Values = tuple[ir.Value, ...]
Write = Callable[[Any, ir.IRBuilder, types.Type, Values], ir.Value]
"""Writes the instructions: context, builder, type of the result, operands."""

TYPING = Registry()
LOWERING = imputils.Registry("kernel intrinsics")

_INTEGERS = {types.float32: (types.int32, 23, 127), types.float64: (types.int64, 52, 1023)}
"""Of each floating-point type: the integer type of its bits, width of its fraction, bias."""


def _declare(name: str, write: Write, *, condition: bool = False) -> Callable[..., None]:
    """A function of operands of one type, after a truth if `condition`; its result is of it too."""

    def function(*operands: Any) -> None:
        """Stands for the instructions in kernel text."""

    function.__name__ = name

    class Template(AbstractTemplate):  # type: ignore[misc]
        key = function

        def generic(self, arguments: tuple[types.Type, ...], keywords: object) -> Signature:
            kind = arguments[-1]
            first = (types.boolean,) if condition else ()
            return signature(kind, *first, *[kind] * (len(arguments) - len(first)))

    def lower(
        context: Any, builder: ir.IRBuilder, signature: Signature, operands: Values
    ) -> ir.Value:
        return write(context, builder, signature.return_type, operands)

    TYPING.register_global(function, types.Function(Template))
    LOWERING.lower(function, types.VarArg(types.Any))(lower)  # type: ignore[attr-defined]
    return function


def _llvm(intrinsic: str, *flags: str) -> Write:
    """One of LLVM's own intrinsics, overloaded by the type of its operands."""

    def write(context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values) -> ir.Value:
        shape = ir.FunctionType(operands[0].type, [operand.type for operand in operands])
        function = builder.module.declare_intrinsic(intrinsic, [operands[0].type], shape)
        return builder.call(function, operands, fastmath=flags)

    return write


def _plus(context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values) -> ir.Value:
    """A sum whose place among others of its kind LLVM may choose: a chain becomes vectors.

    The order is fixed when the kernel is compiled; it is the same in every run.
    """
    return builder.fadd(*operands, flags=("reassoc",))


def _where(context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values) -> ir.Value:
    """Both sides are computed, one is chosen."""
    condition, chosen, otherwise = operands
    return builder.select(condition, chosen, otherwise)


def _power_of_two(
    context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values
) -> ir.Value:
    """2**n of a whole number in the normal range, by writing the bits of the exponent."""
    (number,) = operands
    integer_kind, fraction, bias = _INTEGERS[kind]
    integer = context.get_value_type(integer_kind)
    exponent = builder.add(builder.fptosi(number, integer), integer(bias))
    return builder.bitcast(builder.shl(exponent, integer(fraction)), number.type)


def _split(
    context: Any, builder: ir.IRBuilder, kind: types.Type, number: ir.Value
) -> tuple[ir.Value, ir.Value]:
    """The whole number e and the bits of m in x = m * 2**e, sqrt(1/2) <= m < sqrt(2), x normal."""
    integer_kind, fraction, _ = _INTEGERS[kind]
    integer = context.get_value_type(integer_kind)
    root_half = 0x3F3504F3 if kind is types.float32 else 0x3FE6A09E667F3BCD
    bits = builder.bitcast(number, integer)
    exponent = builder.ashr(builder.sub(bits, integer(root_half)), integer(fraction))
    return exponent, builder.sub(bits, builder.shl(exponent, integer(fraction)))


def _exponent(context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values) -> ir.Value:
    exponent, _ = _split(context, builder, kind, operands[0])
    return builder.sitofp(exponent, operands[0].type)


def _mantissa(context: Any, builder: ir.IRBuilder, kind: types.Type, operands: Values) -> ir.Value:
    _, bits = _split(context, builder, kind, operands[0])
    return builder.bitcast(bits, operands[0].type)


NAMES: dict[str, Any] = {
    "float32": types.float32,
    "float64": types.float64,
    "int32": types.int32,
    "int64": types.int64,
    "uint32": types.uint32,
    "uint64": types.uint64,
    "math": math,
    "where": _declare("where", _where, condition=True),
    "plus": _declare("plus", _plus),
    "greater": _declare("greater", _llvm("llvm.maximum")),
    "either_greater": _declare("either_greater", _llvm("llvm.maxnum", "nnan", "nsz")),
    "fma": _declare("fma", _llvm("llvm.fma")),
    "round_even": _declare("round_even", _llvm("llvm.roundeven")),
    "sqrt": _declare("sqrt", _llvm("llvm.sqrt")),
    "absolute": _declare("absolute", _llvm("llvm.fabs")),
    "copysign": _declare("copysign", _llvm("llvm.copysign")),
    "power_of_two": _declare("power_of_two", _power_of_two),
    "exponent": _declare("exponent", _exponent),
    "mantissa": _declare("mantissa", _mantissa),
}
"""All global names of kernel text."""
