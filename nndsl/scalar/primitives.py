"""The table of primitives: all that is known of each elementary function, in one place.

Three groups. *Elementary*: what formulas are written with. *Composed*: primitives whose stable
form is written in others (`composition`), for printers that know no better. *Machine*: the steps
that kernels expand functions to: fma, round_even, power_of_two, exponent, mantissa, copysign.

Conventions. Truth is 1.0 or 0.0 in the NumPy meaning and a bool in kernels. At a kink the
derivative is that of the branch taken; of |x| and sign(x) at 0 it is 0. Piecewise constant
functions have derivative 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nndsl.records import dataclass
from nndsl.scalar import functions as f
from nndsl.scalar.expression import ONE, ZERO, Expression, build

Partials = tuple[Expression, ...]


@dataclass(frozen=True)
class Primitive:
    """One elementary function of `arity` numbers.

    `derivative(y, *arguments)` gives the partial derivatives, where `y` is the value itself.
    `meaning` works on NumPy arrays. `python` is text for Numba-compiled kernels, with `{0}` for
    the first operand; the names in it are `math` and the intrinsics that the runtime supplies, each
    one instruction: the machine primitives, `where`, `absolute`, `sqrt`. Operands of logical ones
    are conditions there. `llvm` is an instruction (`fadd`, `fcmp olt`) or an intrinsic
    (`llvm.sqrt`) and "" where there is none: then an expansion to machine primitives is needed.
    `cuda` is Python text for CUDA kernels; `onnx` an operator's name or ""; `latex` a template.
    """

    name: str
    arity: int
    derivative: Callable[..., Partials]
    meaning: Callable[..., Any]
    python: str
    llvm: str
    onnx: str
    latex: str
    cuda: str
    composition: Callable[..., Expression] | None = None
    is_condition: bool = False


PRIMITIVES: dict[str, Primitive] = {}


def _define(
    name: str,
    meaning: Callable[..., Any],
    derivative: Callable[..., Partials],
    *,
    python: str,
    llvm: str = "",
    onnx: str = "",
    latex: str,
    cuda: str = "",
    composition: Callable[..., Expression] | None = None,
    is_condition: bool = False,
) -> None:
    arity = 1 + max(int(c) for c in "012" if "{" + c + "}" in python)
    PRIMITIVES[name] = Primitive(
        name=name,
        arity=arity,
        derivative=derivative,
        meaning=meaning,
        python=python,
        llvm=llvm,
        onnx=onnx,
        latex=latex,
        cuda=cuda or python,
        composition=composition,
        is_condition=is_condition,
    )


def _truth(compare: Callable[..., Any]) -> Callable[..., Any]:
    """A comparison that answers 1.0 or 0.0 in the operands' element type."""

    def meaning(*operands: Any) -> Any:
        return compare(*operands).astype(np.result_type(*operands, np.float32(0)))

    return meaning


def _sigmoid(x: Any) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def _softplus(x: Any) -> Any:
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x: Any) -> Any:
    values = np.frompyfunc(math.erf, 1, 1)(x)
    return np.asarray(values, dtype=np.result_type(x, np.float32(0)))


def _fma(a: Any, b: Any, c: Any) -> Any:
    """The sum a * b + c rounded once, as far as the next wider type of NumPy is wide enough."""
    kind = np.result_type(a, b, c, np.float32(0))
    wider = np.float64 if kind == np.float32 else np.longdouble
    return np.asarray(np.asarray(a, wider) * b + c, dtype=kind)


def _where(condition: Any, a: Any, b: Any) -> Any:
    chosen = np.where(np.not_equal(condition, 0), a, b)
    return chosen.astype(np.result_type(condition, a, b, np.float32(0)))


def _mantissa(x: Any) -> Any:
    fraction, _ = np.frexp(x)
    return np.where(fraction < math.sqrt(0.5), 2.0 * fraction, fraction)


def _exponent(x: Any) -> Any:
    fraction, exponent = np.frexp(x)
    lowered = exponent - (fraction < math.sqrt(0.5))
    return lowered.astype(np.asarray(fraction).dtype)


def _power_of_two(n: Any) -> Any:
    kind = np.result_type(n, np.float32(0))
    return np.ldexp(np.ones((), dtype=kind), np.asarray(n).astype(np.int32))


def _floor_by_rounding(x: Expression) -> Expression:
    """math.floor gives an integer in compiled code, which would not vectorise."""
    rounded = build("round_even", x)
    return f.where(rounded > x, rounded - 1, rounded)


# Arithmetic

_define(
    "add",
    np.add,
    lambda y, a, b: (ONE, ONE),
    python="({0} + {1})",
    llvm="fadd",
    onnx="Add",
    latex="{0} + {1}",
)
_define(
    "subtract",
    np.subtract,
    lambda y, a, b: (ONE, -ONE),
    python="({0} - {1})",
    llvm="fsub",
    onnx="Sub",
    latex="{0} - {1}",
)
_define(
    "multiply",
    np.multiply,
    lambda y, a, b: (b, a),
    python="({0} * {1})",
    llvm="fmul",
    onnx="Mul",
    latex=r"{0} \, {1}",
)
_define(
    "divide",
    np.divide,
    lambda y, a, b: (1 / b, -(y / b)),
    python="({0} / {1})",
    llvm="fdiv",
    onnx="Div",
    latex=r"\frac{{{0}}}{{{1}}}",
)
_define(
    "negate",
    np.negative,
    lambda y, a: (-ONE,),
    python="(-{0})",
    llvm="fneg",
    onnx="Neg",
    latex="-{0}",
)
_define(
    "power",
    np.power,
    lambda y, a, b: (b * a ** (b - 1), y * f.log(a)),
    python="({0} ** {1})",
    llvm="llvm.pow",
    onnx="Pow",
    latex="{0}^{{{1}}}",
)

# Functions

_define(
    "exp",
    np.exp,
    lambda y, a: (y,),
    python="math.exp({0})",
    onnx="Exp",
    latex="e^{{{0}}}",
)
_define(
    "expm1",
    np.expm1,
    lambda y, a: (y + 1,),
    python="math.expm1({0})",
    latex="e^{{{0}}} - 1",
)
_define(
    "log",
    np.log,
    lambda y, a: (1 / a,),
    python="math.log({0})",
    onnx="Log",
    latex=r"\log\left({0}\right)",
)
_define(
    "log1p",
    np.log1p,
    lambda y, a: (1 / (1 + a),),
    python="math.log1p({0})",
    latex=r"\log\left(1 + {0}\right)",
)
_define(
    "sqrt",
    np.sqrt,
    lambda y, a: (0.5 / y,),
    python="sqrt({0})",
    llvm="llvm.sqrt",
    onnx="Sqrt",
    latex=r"\sqrt{{{0}}}",
)
_define(
    "tanh",
    np.tanh,
    lambda y, a: (1 - y * y,),
    python="math.tanh({0})",
    onnx="Tanh",
    latex=r"\tanh\left({0}\right)",
)
_define(
    "sigmoid",
    _sigmoid,
    lambda y, a: (y * (1 - y),),
    python="(1.0 / (1.0 + math.exp(-{0})))",
    onnx="Sigmoid",
    latex=r"\sigma\left({0}\right)",
    composition=lambda a: 1 / (1 + f.exp(-a)),
)
_define(
    "softplus",
    _softplus,
    lambda y, a: (f.sigmoid(a),),
    python="(where({0} > 0.0, {0}, 0.0) + math.log1p(math.exp(-absolute({0}))))",
    onnx="Softplus",
    latex=r"\log\left(1 + e^{{{0}}}\right)",
    composition=lambda a: f.maximum(a, 0) + f.log1p(f.exp(-f.absolute(a))),
)
_define(
    "erf",
    _erf,
    lambda y, a: (2 / math.sqrt(math.pi) * f.exp(-(a * a)),),
    python="math.erf({0})",
    onnx="Erf",
    latex=r"\operatorname{{erf}}\left({0}\right)",
)
_define(
    "sin",
    np.sin,
    lambda y, a: (f.cos(a),),
    python="math.sin({0})",
    llvm="llvm.sin",
    onnx="Sin",
    latex=r"\sin\left({0}\right)",
)
_define(
    "cos",
    np.cos,
    lambda y, a: (-f.sin(a),),
    python="math.cos({0})",
    llvm="llvm.cos",
    onnx="Cos",
    latex=r"\cos\left({0}\right)",
)
_define(
    "absolute",
    np.abs,
    lambda y, a: (f.sign(a),),
    python="absolute({0})",
    llvm="llvm.fabs",
    onnx="Abs",
    latex=r"\left|{0}\right|",
)
_define(
    "sign",
    np.sign,
    lambda y, a: (ZERO,),
    python="where({0} > 0.0, 1.0, where({0} < 0.0, -1.0, {0}))",
    onnx="Sign",
    latex=r"\operatorname{{sign}}\left({0}\right)",
    composition=lambda a: f.where(a > 0, 1, f.where(a < 0, -1, a)),
)
_define(
    "floor",
    np.floor,
    lambda y, a: (ZERO,),
    python="(round_even({0}) - where(round_even({0}) > {0}, 1.0, 0.0))",
    llvm="llvm.floor",
    onnx="Floor",
    latex=r"\left\lfloor {0} \right\rfloor",
    composition=_floor_by_rounding,
)

# Conditions

for _name, _sign, _llvm, _onnx, _latex, _compare in (
    ("greater", ">", "fcmp ogt", "Greater", ">", np.greater),
    ("less", "<", "fcmp olt", "Less", "<", np.less),
    ("greater_equal", ">=", "fcmp oge", "GreaterOrEqual", r"\ge", np.greater_equal),
    ("less_equal", "<=", "fcmp ole", "LessOrEqual", r"\le", np.less_equal),
    ("equal", "==", "fcmp oeq", "Equal", "=", np.equal),
    ("not_equal", "!=", "fcmp une", "", r"\ne", np.not_equal),
    ("logical_and", "&", "and", "And", r"\land", np.logical_and),
    ("logical_or", "|", "or", "Or", r"\lor", np.logical_or),
):
    _define(
        _name,
        _truth(_compare),
        lambda y, a, b: (ZERO, ZERO),
        python=f"({{0}} {_sign} {{1}})",
        llvm=_llvm,
        onnx=_onnx,
        latex=f"{{0}} {_latex} {{1}}",
        is_condition=True,
    )
_define(
    "logical_not",
    _truth(np.logical_not),
    lambda y, a: (ZERO,),
    python="(not {0})",
    llvm="xor",
    onnx="Not",
    latex=r"\lnot {0}",
    is_condition=True,
)
_define(
    "where",
    _where,
    lambda y, condition, a, b: (ZERO, f.where(condition, 1, 0), f.where(condition, 0, 1)),
    python="where({0}, {1}, {2})",
    llvm="select",
    onnx="Where",
    latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
)

# Machine primitives

_define(
    "fma",
    _fma,
    lambda y, a, b, c: (b, a, ONE),
    python="fma({0}, {1}, {2})",
    llvm="llvm.fma",
    latex=r"{0} \, {1} + {2}",
)
_define(
    "round_even",
    np.rint,
    lambda y, a: (ZERO,),
    python="round_even({0})",
    llvm="llvm.roundeven",
    onnx="Round",
    latex=r"\operatorname{{round}}\left({0}\right)",
)
_define(
    "power_of_two",
    _power_of_two,
    lambda y, n: (math.log(2) * y,),
    python="power_of_two({0})",
    latex="2^{{{0}}}",
)
_define(
    "exponent",
    _exponent,
    lambda y, a: (ZERO,),
    python="exponent({0})",
    latex=r"\operatorname{{exponent}}\left({0}\right)",
)
_define(
    "mantissa",
    _mantissa,
    lambda y, a: (build("power_of_two", -build("exponent", a)),),
    python="mantissa({0})",
    latex=r"\operatorname{{mantissa}}\left({0}\right)",
)
_define(
    "copysign",
    np.copysign,
    lambda y, a, b: (f.sign(a) * build("copysign", ONE, b), ZERO),
    python="copysign({0}, {1})",
    llvm="llvm.copysign",
    latex=r"\left|{0}\right| \operatorname{{sign}}\left({1}\right)",
)
