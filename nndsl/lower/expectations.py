"""`expect` conditions judged: nets called on constants, figures of a training, sizes, counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import partial
from typing import Any

import numpy as np

from nndsl.diagnostics import Diagnostic, Label, Span, counted, error
from nndsl.ir.types import Dimension, ElementType, format_shape
from nndsl.lower import constants
from nndsl.lower.evaluate import evaluate
from nndsl.lower.figures import is_figure
from nndsl.lower.file_scope import FileScope
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import NetDefinition
from nndsl.lower.paths import resolve
from nndsl.lower.problems import NeedsDataError, PoisonedError, Problems
from nndsl.lower.provenance import other_size
from nndsl.lower.recipe_values import bare_names
from nndsl.lower.result import Expectation, Module, Network
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Mention, Part, Record, Shape, Tensor, Unknown
from nndsl.lower.words import name_span, shown
from nndsl.records import dataclass
from nndsl.syntax import tree
from nndsl.syntax.wording import shortened

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
SIZES_ALONE = ("parameters", "count", "shape", "length", "size", "channels")
MOST_SHOWN = 8

Answer = Callable[[str, Mapping[str, np.ndarray]], np.ndarray]
"""`answer(net, {input: rows})`: the first output of a net for these rows, [rows, ...]."""

Weights = Callable[[str, str], np.ndarray]
"""`weights(net, path)`: a learnt array in the layout that people see."""


@dataclass(frozen=True)
class Evidence:
    """What conditions may look at. Figures are those of a finished training by name:
    `test_accuracy`, `val_loss`. `arrays` is as for `lower`.
    """

    answer: Answer | None = None
    weights: Weights | None = None
    arrays: Callable[[str, bool], Mapping[str, np.ndarray]] | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def judge(module: Module, expectation: Expectation, evidence: Evidence) -> Diagnostic | None:
    """None when the condition holds, else the diagnostic NN901 with the values of both sides.

    Raises NndslError when the condition itself is wrong: a name that is not known, a comparison
    of different sizes.
    """
    found = module.scope
    assert isinstance(found, FileScope)  # `lower` has put it there
    with _looking_at(found, evidence):
        scope = Scope(found.scope.session, found.scope)
        for name, value in _by_name(evidence.figures).items():
            if scope.find(name) is None:
                scope.define(name, value, None, "figure")
        failed = _first_failing(expectation.condition, scope)
        _raise_reported(found)
        return None if failed is None else _failure(failed, expectation, scope)


def _by_name(figures: Mapping[str, float]) -> dict[str, Any]:
    """Figures by their first name: `test_sold.accuracy` is `accuracy` of the record `test_sold`."""
    found: dict[str, Any] = {}
    for name, value in figures.items():
        *path, last = name.split(".")
        inner = found
        for part in path:
            inner = inner.setdefault(part, Record(part)).fields
        inner[last] = float(value)
    return found


def check_conditions(module: Module, failed: Collection[str]) -> None:
    """Report what is wrong with the conditions themselves, before any training.

    Those on nets that have `failed` already are left alone. The others are gone through with
    answers and weights of the right sizes that are no numbers yet.
    """
    found = module.scope
    assert isinstance(found, FileScope)  # `lower` has put it there
    evidence = Evidence(_no_answer(module), _no_weights(module))
    for expectation in module.expectations:
        if not nets_asked(module, expectation).isdisjoint(failed):
            continue
        with found.scope.session.problems.caught(), suppress(NeedsDataError):
            _refuse_figures(expectation.condition, found.scope)
            judge(module, expectation, evidence)


def _refuse_figures(condition: tree.Expression, scope: Scope) -> None:
    """Outside of `train` there is no training whose figures could be meant."""
    for name in bare_names(condition):
        if is_figure(name.name) and scope.find(name.name) is None:
            raise error(
                "NN309",
                f"`{name.name}` is a figure of a training, and this line stands outside of one",
                name.span,
                "of which training?",
                help=f"write `expect {condition.span.text}` inside `train Name {{ ... }}`",
            )


def _network(module: Module, name: str) -> Network:
    if name not in module.networks:
        raise PoisonedError
    return module.networks[name]


def _no_answer(module: Module) -> Answer:
    def answer(net: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        output = next(iter(_network(module, net).graph.outputs.values()))
        rows = len(next(iter(arrays.values())))
        return _blank((rows, *output.type.shape[1:]), net)

    return answer


def _no_weights(module: Module) -> Weights:
    def weights(net: str, path: str) -> np.ndarray:
        info = _network(module, net).parameters[path]
        axes = info.axes or range(len(info.shape))
        return _blank([info.shape[axis] for axis in axes], path)

    return weights


def _blank(shape: Sequence[Dimension], name: str) -> np.ndarray:
    sizes = [size for size in shape if not isinstance(size, str)]
    if len(sizes) < len(shape):
        raise NeedsDataError(name, None)
    return np.full(sizes, np.nan)


def nets_asked(module: Module, expectation: Expectation) -> set[str]:
    """The nets whose weights or answers decide a condition; those trained must be trained first."""
    found = tree.nodes(
        expectation.condition,
        lambda node: isinstance(node, tree.Field) and node.name in SIZES_ALONE,
    )
    return {n.name for n in found if isinstance(n, tree.Name) and n.name in module.networks}


@contextmanager
def _looking_at(found: FileScope, evidence: Evidence) -> Iterator[None]:
    session = found.scope.session
    kept = session.problems, session.answer, session.weights, session.arrays
    session.problems = Problems()
    session.arrays = evidence.arrays or session.arrays
    answer, weights = evidence.answer, evidence.weights
    if answer is not None:
        session.answer = partial(answer_of, answer)
    if weights is not None:
        session.weights = lambda part: _weights_of(part, weights)
    try:
        yield
    finally:
        session.problems, session.answer, session.weights, session.arrays = kept


def _raise_reported(found: FileScope) -> None:
    found.scope.session.problems.stop_if_any()


# --- nets on constants ----------------------------------------------------------------------


def answer_of(
    answer: Answer,
    net: NetDefinition,
    arrays: Sequence[np.ndarray],
    span: Span,
    places: Sequence[Span],
) -> Any:
    """A net called on constants: one example, or a list of them. Outputs of one number are
    plain: [rows], or a single number for one example. `places`: where the constants are written.
    """
    inputs = net.elaborated().inputs
    if len(arrays) != len(inputs):
        raise error(
            "NN205",
            f"net `{net.name}` has {counted(len(inputs), 'input')} "
            f"({', '.join(inputs)}), here are {len(arrays)} values",
            span,
        )
    single = False
    fed: dict[str, np.ndarray] = {}
    for (name, tensor), array, place in zip(inputs.items(), arrays, places, strict=True):
        fed[name], single = _rows(net, np.asarray(array, np.float64), tensor, (span, place))
    result = np.asarray(answer(net.name, fed), np.float64)
    if result.ndim == 2 and result.shape[1] == 1:
        result = result[:, 0]
    if not single:
        return result
    return float(result[0]) if result[0].ndim == 0 else result[0]


def _rows(
    net: NetDefinition, array: np.ndarray, tensor: Tensor, places: tuple[Span, Span]
) -> tuple[np.ndarray, bool]:
    """Rows for one input, and whether a single example was given. `places`: call and constant."""
    shape = tensor.shape
    single = array.ndim == len(shape)
    rows = array[None] if single else array
    fits = rows.ndim == len(shape) + 1 and all(
        isinstance(wanted, str) or wanted == size
        for wanted, size in zip(shape, rows.shape[1:], strict=True)
    )
    if not fits:
        size = "x".join(map(str, array.shape)) or "a single number"
        declared = (tensor.span or net.name_span, net.source is None)
        raise other_size(net.name, format_shape(shape), size, declared, places)
    _check_ids(rows, tensor, places[1])
    return rows, single


def _check_ids(rows: np.ndarray, tensor: Tensor, place: Span) -> None:
    """NN304 for ids that the network's vocabulary has not."""
    type = tensor.value.type
    if type.element is not ElementType.INDEX:
        return
    whole = (rows >= 0) & (rows == np.floor(rows))
    fits = whole if type.below is None else whole & (rows < type.below)
    if not fits.all():
        wrong = rows[~fits].flat[0]
        most = "" if type.below is None else f" below {type.below}"
        raise error(
            "NN304",
            f"ids are whole numbers from 0{most}, this has {wrong:g}",
            place,
            secondary=[(tensor.span, "declared here")] if tensor.span is not None else [],
        )


def _weights_of(part: Part, weights: Weights) -> np.ndarray:
    assert isinstance(part.net, NetDefinition)
    names = resolve(part.net, part.query, part.span)
    if len(names) != 1:
        text = part.span.text
        help = f"for instance `{text}.weights` or `{text}.bias`"
        raise error("NN318", f"{len(names)} arrays answer to this name", part.span, help=help)
    return np.asarray(weights(part.net.name, names[0]), np.float64)


# --- conditions -----------------------------------------------------------------------------


def _first_failing(condition: tree.Expression, scope: Scope) -> tree.Expression | None:
    """The first part of a conjunction that does not hold; the condition itself for `or`."""
    if isinstance(condition, tree.Binary) and condition.operator == "and":
        return _first_failing(condition.left, scope) or _first_failing(condition.right, scope)
    return None if _holds(condition, scope) else condition


def _holds(condition: tree.Expression, scope: Scope) -> bool:
    try:
        value = evaluate(condition, scope)
    except PoisonedError:
        return True  # its error is reported
    if isinstance(value, Unknown):
        raise NeedsDataError(value.name, condition.span)
    if isinstance(value, Mention):
        unknown = _unknown_in(value)
        known = [*scope.visible(), *constants.FUNCTIONS]
        title = f"nothing is called `{unknown.name}`"
        raise unknown_name("NN301", title, unknown.name, known, name_span(unknown))
    return constants.truth(value, condition.span)


def _unknown_in(mention: Mention) -> Mention:
    """The word that nothing is called: an argument where the function itself is known."""
    if mention.name in constants.FUNCTIONS:
        inside = (g.value for g in mention.given or () if isinstance(g.value, Mention))
        return next(map(_unknown_in, inside), mention)
    return mention


def _failure(condition: tree.Expression, expectation: Expectation, scope: Scope) -> Diagnostic:
    """NN901: what both sides were."""
    notes: tuple[str, ...] = ()
    secondary: tuple[Label, ...] = ()
    title = "this was expected to hold, but it does not"
    primary = Label(condition.span, "is false")
    if isinstance(condition, tree.Binary) and condition.operator in COMPARISONS:
        left, right = (evaluate(side, scope) for side in (condition.left, condition.right))
        title = f"expected `{shortened(condition.span.text, 60)}`, but it does not hold"
        primary = Label(condition.left.span, f"is {_value_text(left)}")
        if not isinstance(condition.right, tree.Number):
            secondary = (Label(condition.right.span, f"is {_value_text(right)}"),)
        notes = _differences(condition.operator, left, right)
    elif _is_near(condition):
        assert isinstance(condition, tree.Call)
        values = [evaluate(a.value, scope) for a in condition.arguments]
        primary, secondary, notes = _near_labels(condition, values)
        title = "expected two values near each other, but they are not"
    return Diagnostic("NN901", title, primary, secondary, notes)


def _is_near(condition: tree.Expression) -> bool:
    if not isinstance(condition, tree.Call) or len(condition.arguments) != 3:
        return False
    return isinstance(condition.function, tree.Name) and condition.function.name == "near"


def _near_labels(
    condition: tree.Call, values: Sequence[Any]
) -> tuple[Label, tuple[Label, ...], tuple[str, ...]]:
    first, second = condition.arguments[0].span, condition.arguments[1].span
    a, b = constants.as_array(values[0]), constants.as_array(values[1])
    notes: tuple[str, ...] = ()
    if a is not None and b is not None and a.size == b.size:
        distance = float(np.max(np.abs(a.reshape(-1) - b.reshape(-1)), initial=0.0))
        notes = (f"they are {distance:.4g} apart, {_value_text(values[2])} is allowed",)
    return (
        Label(first, f"is {_value_text(values[0])}"),
        (Label(second, f"is {_value_text(values[1])}"),),
        notes,
    )


def _value_text(value: Any) -> str:
    if isinstance(value, Shape):
        return constants.describe(value)
    array = constants.as_array(value)
    if array is None:
        return shown(value)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    flat = array.reshape(-1)
    text = ", ".join(f"{number:.4g}" for number in flat[:MOST_SHOWN].tolist())
    more = f", ... ({flat.size} in all)" if flat.size > MOST_SHOWN else ""
    return f"[{text}{more}]"


def _differences(operator: str, left: Any, right: Any) -> tuple[str, ...]:
    """Where two arrays differ."""
    a, b = constants.as_array(left), constants.as_array(right)
    if a is None or b is None or operator != "==" or a.size != b.size or a.size <= 1:
        return ()
    wrong = np.flatnonzero(a.reshape(-1) != b.reshape(-1))
    if not len(wrong):
        return ()
    return (f"{len(wrong)} of {a.size} differ, the first is number {int(wrong[0]) + 1}",)
