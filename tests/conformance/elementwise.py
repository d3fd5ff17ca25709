"""Functions of single numbers: those of the registry by their ONNX name, and parameter forms."""

from __future__ import annotations

from nndsl.ir.graph import Value
from nndsl.ops.map import operand
from nndsl.params import Real
from nndsl.scalar import functions as f
from nndsl.scalar.expression import constant
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Activation
from nndsl.vocab.registry import words
from tests.conformance.case import Case, Drawing, Make

x, y, z = operand(0), operand(1), operand(2)


def activations() -> dict[str, Make]:
    """Every activation that names its ONNX operator, with the attributes that it knows."""
    found: dict[str, Make] = {}
    for word in words("activation").values():
        if isinstance(word, Activation) and word.onnx:
            found.setdefault(word.onnx, _maker(word))
    return found


def _maker(word: Activation) -> Make:
    def make(case: Case, drawing: Drawing) -> tuple[Value, ...]:
        unknown = set(case.attributes) - set(word.parameters)
        assert not unknown, f"{word.name} has no {unknown}"
        numbers = {n: p.default for n, p in word.parameters.items() if isinstance(p, Real)}
        numbers |= case.attributes
        names = {name: constant(float(number)) for name, number in numbers.items()}
        return (drawing.map(substitute(word.expression, {"x": x, **names}), first(case, drawing)),)

    return make


def first(case: Case, drawing: Drawing) -> Value:
    """The first input."""
    assert case.inputs[0] is not None
    return drawing.array(case.inputs[0])


def gelu(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    name = "gelu_tanh" if case.attribute("approximate", "none") == "tanh" else "gelu"
    word = words("activation")[name]
    assert isinstance(word, Activation)
    return (drawing.map(substitute(word.expression, {"x": x}), first(case, drawing)),)


def selu(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """With scales of its own, where the word has the paper's."""
    alpha = case.attribute("alpha", 1.67326319217681884765625)
    gamma = case.attribute("gamma", 1.05070102214813232421875)
    formula = gamma * f.where(x <= 0, alpha * f.expm1(x), x)
    return (drawing.map(formula, first(case, drawing)),)


def hard_sigmoid(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """With a slope of its own, where the word has MobileNet's."""
    line = case.attribute("alpha", 0.2) * x + case.attribute("beta", 0.5)
    return (drawing.map(f.clip(line, 0, 1), first(case, drawing)),)


def shrink(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    limit, bias = case.attribute("lambd", 0.5), case.attribute("bias", 0.0)
    formula = f.where(x < -limit, x + bias, f.where(x > limit, x - bias, 0))
    return (drawing.map(formula, first(case, drawing)),)


def swish(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    formula = x * f.sigmoid(case.attribute("alpha", 1.0) * x)
    return (drawing.map(formula, first(case, drawing)),)


def threshold(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    formula = f.where(x > case.attribute("alpha", 1.0), x, 0)
    return (drawing.map(formula, first(case, drawing)),)


def mish(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    word = words("activation")["mish"]
    assert isinstance(word, Activation)
    return (drawing.map(substitute(word.expression, {"x": x}), first(case, drawing)),)


def swiglu(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """a sigmoid(alpha a) b."""
    formula = x * f.sigmoid(case.attribute("alpha", 1.0) * x) * y
    return (drawing.map(formula, *arrays(case, drawing)),)


def prelu(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    return (drawing.map(f.where(x <= 0, y * x, x), *arrays(case, drawing)),)


def arrays(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """All inputs that are there."""
    return tuple(drawing.array(array) for array in case.inputs if array is not None)


def dropout(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """In training the mask is read off the expected output: which numbers fall is chance."""
    training = case.given(2)
    if training is None or not bool(training) or case.given(0) is None:
        mask = drawing.array(case.outputs[0] * 0 + 1)
        rate = 0.0
    else:
        given = case.given(1)
        rate = 0.5 if given is None else float(given)
        kept = case.outputs[1] if len(case.outputs) > 1 else case.outputs[0] != 0
        mask = drawing.array(kept.astype("float32"))
    result = drawing.map(x * y * (1 / (1 - rate)), first(case, drawing), mask)
    return (result, drawing.map(f.where(x > 0, 1, 0), mask))[: len(case.outputs)]


FORMS: dict[str, Make] = {
    **activations(),
    "Gelu": gelu,
    "Selu": selu,
    "HardSigmoid": hard_sigmoid,
    "Shrink": shrink,
    "Swish": swish,
    "ThresholdedRelu": threshold,
    "Mish": mish,
    "SwiGLU": swiglu,
    "PRelu": prelu,
    "Dropout": dropout,
}
