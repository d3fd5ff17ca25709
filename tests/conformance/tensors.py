"""Matrix products, softmax, norms, losses and optimizers."""

from __future__ import annotations

import numpy as np

from nndsl.ir.graph import Value
from nndsl.ops.classes import Pick
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat, Slice
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.scalar import functions as f
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Optimizer
from nndsl.vocab.registry import words
from tests.conformance.case import Case, Drawing, Make
from tests.conformance.elementwise import arrays, first

x, y, z = operand(0), operand(1), operand(2)


# --- matrix products -------------------------------------------------------------------------


def matmul(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """NumPy's rules: vectors become matrices, leading axes are batches, each its own product."""
    a, b = case.inputs
    assert a is not None and b is not None
    left = a[None] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    leading = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*leading, *left.shape[-2:])).reshape(-1, *left.shape[-2:])
    right = np.broadcast_to(right, (*leading, *right.shape[-2:])).reshape(-1, *right.shape[-2:])
    first_value, second = drawing.array(left), drawing.array(right)
    products = [
        drawing.build.add(MatMul(), _matrix(drawing, first_value, i), _matrix(drawing, second, i))
        for i in range(len(left))
    ]
    whole = products[0] if len(products) == 1 else drawing.build.add(Concat(0), *products)
    return (drawing.reshape(whole, case.outputs[0].shape),)


def _matrix(drawing: Drawing, value: Value, index: int) -> Value:
    part = drawing.build.add(Slice(0, index, index + 1), value)
    rows, columns = (d for d in value.type.shape[1:] if isinstance(d, int))
    return drawing.reshape(part, (rows, columns))


def gemm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    a, b, *rest = arrays(case, drawing)
    if case.attribute("transA", 0):
        a = drawing.transpose(a, (1, 0))
    transposed = bool(case.attribute("transB", 0))
    product = drawing.build.add(MatMul(transpose_b=transposed), a, b)
    alpha, beta = case.attribute("alpha", 1.0), case.attribute("beta", 1.0)
    if not rest:
        return (drawing.map(alpha * x, product),)
    return (drawing.map(alpha * x + beta * y, product, rest[0]),)


# --- softmax ---------------------------------------------------------------------------------


def softmax(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """Along any axis: it is moved to the end and back."""
    value = first(case, drawing)
    rank = value.type.rank
    axis = case.attribute("axis", -1) % rank
    order = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(order.index(i) for i in range(rank))
    op = Softmax() if case.operator == "Softmax" else LogSoftmax()
    return (drawing.transpose(drawing.build.add(op, drawing.transpose(value, order)), back),)


# --- norms -----------------------------------------------------------------------------------


def _moments(drawing: Drawing, value: Value, axes: tuple[int, ...], epsilon: float):
    """Mean and 1 / deviation over axes, these kept with size 1."""
    count = float(np.prod([value.type.shape[a] for a in axes]))
    mean = drawing.map(x / count, drawing.total(value, axes))
    squares = drawing.map((x - y) * (x - y), value, mean)
    variance = drawing.map(x / count, drawing.total(squares, axes))
    return mean, drawing.map(1 / f.sqrt(x + epsilon), variance)


def layer_norm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value, scale, *shift = arrays(case, drawing)
    axes = tuple(range(case.attribute("axis", -1) % value.type.rank, value.type.rank))
    mean, inverse = _moments(drawing, value, axes, case.attribute("epsilon", 1e-5))
    normal = drawing.map((x - y) * z * operand(3), value, mean, inverse, scale)
    result = drawing.map(x + y, normal, shift[0]) if shift else normal
    return (result, mean, inverse)[: len(case.outputs)]


def rms_norm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value, scale = arrays(case, drawing)
    axes = tuple(range(case.attribute("axis", -1) % value.type.rank, value.type.rank))
    count = float(np.prod([value.type.shape[a] for a in axes]))
    total = drawing.total(drawing.map(x * x, value), axes)
    inverse = drawing.map(1 / f.sqrt(x / count + case.attribute("epsilon", 1e-5)), total)
    return (drawing.map(x * y * z, value, inverse, scale),)


def _by_channel(drawing: Drawing, value: Value, rank: int) -> Value:
    """[channels] as [channels, 1, 1 ...], which broadcasts over an array of channels x places."""
    (channels,) = (d for d in value.type.shape if isinstance(d, int))
    return drawing.reshape(value, (channels, *([1] * (rank - 2))))


def batch_norm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value, *numbers = arrays(case, drawing)
    scale, shift, mean, variance = (_by_channel(drawing, n, value.type.rank) for n in numbers)
    epsilon = case.attribute("epsilon", 1e-5)
    factor = drawing.map(x / f.sqrt(y + epsilon), scale, variance)
    return (drawing.map((x - y) * z + operand(3), value, mean, factor, shift),)


def instance_norm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value, *numbers = arrays(case, drawing)
    scale, shift = (_by_channel(drawing, n, value.type.rank) for n in numbers)
    axes = tuple(range(2, value.type.rank))
    mean, inverse = _moments(drawing, value, axes, case.attribute("epsilon", 1e-5))
    formula = (x - y) * z * operand(3) + operand(4)
    return (drawing.map(formula, value, mean, inverse, scale, shift),)


def group_norm(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value, *numbers = arrays(case, drawing)
    scale, shift = (_by_channel(drawing, n, value.type.rank) for n in numbers)
    shape = tuple(d for d in value.type.shape if isinstance(d, int))
    groups = case.attributes["num_groups"]
    grouped = drawing.reshape(value, (shape[0], groups, shape[1] // groups, *shape[2:]))
    axes = tuple(range(2, len(shape) + 1))
    mean, inverse = _moments(drawing, grouped, axes, case.attribute("epsilon", 1e-5))
    normal = drawing.reshape(drawing.map((x - y) * z, grouped, mean, inverse), shape)
    return (drawing.map(x * y + z, normal, scale, shift),)


def lp_normalization(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    value = first(case, drawing)
    axis = case.attribute("axis", -1) % value.type.rank
    if case.attribute("p", 2) == 1:
        norm = drawing.total(drawing.map(f.absolute(x), value), (axis,))
    else:
        norm = drawing.map(f.sqrt(x), drawing.total(drawing.map(x * x, value), (axis,)))
    return (drawing.map(f.where(f.equal(y, 0), 0, x / y), value, norm),)


# --- losses over classes ---------------------------------------------------------------------


def class_loss(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """Classes stand on axis 1; the rows are all other places. Ignored places weigh nothing."""
    scores, targets = case.inputs[0], case.inputs[1]
    assert scores is not None and targets is not None
    moved = np.moveaxis(scores, 1, -1)
    classes, flat = scores.shape[1], targets.reshape(-1)
    ignored = flat == case.attributes.get("ignore_index", flat.min() - 1)
    value = drawing.rows(moved.reshape(-1, classes))
    numbers = drawing.class_numbers(np.where(ignored, 0, flat))
    taking_part = drawing.rows(1.0 - ignored)
    softmax_first = case.operator == "SoftmaxCrossEntropyLoss"
    logs = drawing.build.add(LogSoftmax(), value) if softmax_first else value
    picked = drawing.build.add(Pick(), logs, numbers)
    weights = case.given(2)
    weight = taking_part
    if weights is not None:
        table = drawing.map(x * 0 + y, value, drawing.array(weights))
        weight = drawing.map(x * y, drawing.build.add(Pick(), table, numbers), taking_part)
    loss = _reduced(case, drawing, drawing.map(-x * y, picked, weight), weight)
    if len(case.outputs) == 1:
        return (loss,)
    return loss, logs


def _reduced(case: Case, drawing: Drawing, terms: Value, weight: Value) -> Value:
    reduction = case.attribute("reduction", "mean")
    if reduction == "none":
        return terms
    total = drawing.total(terms, (0,), keep=False)
    if reduction == "sum":
        return total
    return drawing.map(x / y, total, drawing.total(weight, (0,), keep=False))


# --- optimizers ------------------------------------------------------------------------------


def _step(name: str, numbers: dict[str, float]) -> dict[str, Expression]:
    """The formulas of an optimizer of the registry, with numbers for its settings."""
    word = words("optimizer")[name]
    assert isinstance(word, Optimizer)
    defaults = {n: p.default for n, p in word.parameters.items() if not p.required}
    filled = {n: constant(float(v)) for n, v in {**defaults, **numbers}.items()}
    done: dict[str, Expression] = {}
    for state, formula in word.step.items():
        nexts = {f"next_{earlier}": expression for earlier, expression in done.items()}
        done[state] = substitute(substitute(formula, nexts), filled)
    return done


def _optimizer(case: Case, drawing: Drawing, name: str, numbers: dict[str, float], states: str):
    """New weights, then new states, from X, G and the states in their order."""
    given = arrays(case, drawing)[2:]
    names = ("p", "g", *states)
    places = {n: operand(i) for i, n in enumerate(names)}
    step = _step(name, {"decay": case.attribute("norm_coefficient", 0.0), **numbers})
    return tuple(drawing.map(substitute(step[n], places), *given) for n in ("p", *states))


def _rate(case: Case) -> float:
    rate, turn = case.inputs[0], case.inputs[1]
    assert rate is not None and turn is not None
    return float(rate) / (1 + float(turn) * case.attribute("decay_factor", 0.0))


def adagrad(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    numbers = {"lr": _rate(case), "eps": case.attribute("epsilon", 1e-6)}
    return _optimizer(case, drawing, "adagrad", numbers, "s")


def adam(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """The case is of turn 0, at which ONNX corrects nothing."""
    numbers = {
        "beta1": case.attribute("alpha", 0.9),
        "beta2": case.attribute("beta", 0.999),
        "eps": case.attribute("epsilon", 1e-6),
        "corrected_rate": _rate(case),
        "inverse_root": 1.0,
    }
    return _optimizer(case, drawing, "adam", numbers, "ms")


def momentum(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """V <- alpha V + G, X <- X - R V: the form of PyTorch, here `sgd`; at turn 0 beta is 1."""
    numbers = {"lr": _rate(case), "momentum": case.attributes["alpha"], "nesterov": 0.0}
    return _optimizer(case, drawing, "sgd", numbers, "v")


FORMS: dict[str, Make] = {
    "MatMul": matmul,
    "Gemm": gemm,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm,
    "LpNormalization": lp_normalization,
    "NegativeLogLikelihoodLoss": class_loss,
    "SoftmaxCrossEntropyLoss": class_loss,
    "Adagrad": adagrad,
    "Adam": adam,
    "Momentum": momentum,
}
