"""What holds for every word of every registry."""

from dataclasses import replace

import pytest

from nndsl import vocab
from nndsl.diagnostics import Source, Span
from nndsl.params import REQUIRED, Chain, Parameter, Real, Ref, SharedStage
from nndsl.vocab.arguments import (
    ArgumentProblem,
    Mistake,
    argument_error,
    bind_arguments,
    call,
    usage,
    value_text,
)
from nndsl.vocab.registry import Word, lookup, nearest_words, register, words

RESERVED_TEXT = """
import as let data block cell net on train input share defaults update minimize expect
for in if else and or not true false
"""
RESERVED = set(RESERVED_TEXT.split())
ALL = [word for names in vocab.registries().values() for word in names.values()]
ARGUMENTS = [(word, name, p) for word in ALL for name, p in word.parameters.items()]
BAD = [(word, name, bad) for word, name, p in ARGUMENTS for bad in p.bad_samples()]


def name_of(value: object) -> str:
    return f"{value.registry}-{value.name}" if isinstance(value, Word) else ""


def samples(word: Word) -> dict[str, object]:
    """A legal value for each required argument."""
    found: dict[str, object] = {}
    for name, parameter in word.parameters.items():
        if parameter.required:
            chain = (call(words("distortion")["shift"]),)
            number = 0.75 if getattr(parameter, "above", "") else 0.5
            special = {Real: number, Chain: chain, SharedStage: ("token[1]",)}
            found[name] = special.get(type(parameter), 3)
    return found


def test_the_registries() -> None:
    assert set(vocab.registries()) == {
        "activation",
        "distortion",
        "answer",
        "ensemble",
        "form",
        "generator",
        "initializer",
        "layer",
        "level",
        "loss",
        "metric",
        "optimizer",
        "picture",
        "preprocessing",
        "replay",
        "schedule",
    }


@pytest.mark.parametrize("word", ALL, ids=name_of)
def test_every_word_is_documented_and_may_be_called(word: Word) -> None:
    assert word.name not in RESERVED
    assert not RESERVED & set(word.parameters)
    assert word.doc.endswith(".")
    assert len(word.doc.split()) > 1
    assert bind_arguments(word, (), samples(word)).keys() == word.parameters.keys()
    assert usage(word).startswith(word.name)


@pytest.mark.parametrize(("word", "name", "parameter"), ARGUMENTS, ids=name_of)
def test_every_argument_is_documented_and_its_default_legal(
    word: Word, name: str, parameter: Parameter
) -> None:
    assert parameter.doc
    assert parameter.describe()
    if parameter.default not in (REQUIRED, None) and not isinstance(parameter.default, str):
        assert parameter.convert(parameter.default) == parameter.default


@pytest.mark.parametrize(("word", "name", "bad"), BAD, ids=name_of)
def test_every_bad_value_is_refused(word: Word, name: str, bad: object) -> None:
    with pytest.raises(ArgumentProblem) as caught:
        bind_arguments(word, (), {**samples(word), name: bad})
    assert caught.value.mistake is Mistake.REFUSED
    assert caught.value.argument == name
    assert "must be" in str(caught.value)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match="defined twice"):
        register(words("activation")["relu"])


def test_lookup_goes_through_registries_in_order() -> None:
    assert lookup("softmax", ["activation", "layer"]) is words("layer")["softmax"]
    assert lookup("tanh", ["loss"]) is None


@pytest.mark.parametrize(
    ("name", "sorts", "expected"),
    [
        ("rleu", ["activation"], "relu"),
        ("LeakyReLU", ["activation"], "leaky_relu"),
        ("Linear", ["layer"], "dense"),
        ("crossentropy", ["loss"], "cross_entropy"),
        ("categorical_crossentropy", ["loss"], "cross_entropy"),
        ("Adma", ["optimizer"], "adam"),
        ("kaiming_normal", ["initializer"], "he_normal"),
        ("StandardScaler", ["preprocessing"], "standardize"),
        ("one_hot", ["preprocessing"], "onehot"),
    ],
)
def test_nearest_words(name: str, sorts: list[str], expected: str) -> None:
    assert nearest_words(name, sorts)[0] == expected


def test_nothing_is_suggested_for_what_is_not_close() -> None:
    assert nearest_words("photosynthesis", ["activation", "layer"]) == []


dense = words("layer")["dense"]
sgd = words("optimizer")["sgd"]


@pytest.mark.parametrize(
    ("word", "positional", "named", "code", "title", "help"),
    [
        (sgd, [0.1], [("momentun", 0.9)], "NN311", "`sgd` has no argument `momentun`", "momentum"),
        (sgd, [], [("learning_rate", 0.1)], "NN311", "no argument `learning_rate`", "`lr`"),
        (dense, [], [], "NN312", "`dense` needs the argument `units`", "dense(units"),
        (sgd, [0.1], [("lr", 0.1)], "NN313", "`lr` of `sgd` is given twice", "leave one `lr` out"),
        (sgd, [-1], [], "NN314", "must be a number at least 0; got -1", "sgd(lr"),
        (dense, [2.5], [], "NN314", "a whole number of at least 1; got 2.5", "dense(units"),
        (words("activation")["relu"], [1], [], "NN315", "`relu` takes no arguments", "relu"),
        (words("layer")["scale"], [1, 2], [], "NN315", "at most 1 argument", "scale(factor)"),
    ],
)
def test_mistakes_become_diagnostics(
    word: Word,
    positional: list[object],
    named: list[tuple[str, object]],
    code: str,
    title: str,
    help: str,
) -> None:
    source = Source("m.nn", "word(first, key=second)")
    whole, first, key = (Span(source, *ends) for ends in ((0, 23), (5, 10), (12, 22)))
    spans = {0: first, 1: key} | {name: key for name, _ in named}
    with pytest.raises(ArgumentProblem) as caught:
        bind_arguments(word, positional, named)
    (diagnostic,) = argument_error(caught.value, whole, spans).diagnostics
    assert diagnostic.code == code
    assert title in diagnostic.title
    assert help in diagnostic.help[0]
    assert diagnostic.primary is not None
    if code == "NN312":
        assert diagnostic.primary.span is whole
    elif named:
        assert diagnostic.primary.span is key
    if code == "NN313":
        assert diagnostic.secondary[0].span is first
    if code == "NN311":
        assert diagnostic.fix is not None


def test_schedules_and_expressions_may_stand_for_numbers_that_may_change() -> None:
    from nndsl.scalar.expression import variable

    hold = call(words("schedule")["hold"], 0.1)
    assert bind_arguments(sgd, [hold])["lr"] is hold
    formula = 0.1 * variable("epoch")
    assert bind_arguments(sgd, [formula])["lr"] is formula
    with pytest.raises(ArgumentProblem):
        bind_arguments(words("layer")["dropout"], [hold])


def test_the_default_of_a_reference_is_a_call() -> None:
    word = replace(dense, parameters={"init": Ref("zeros", "start", "initializer")})
    assert bind_arguments(word)["init"].word is words("initializer")["zeros"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (0.1, "0.1"),
        (12345678, "12345678"),
        ([1, 2, 3, 4, 5], "[1, 2, 3, 4, ...]"),
        (call(words("initializer")["zeros"]), "`zeros`"),
        ("x" * 50, "x" * 37 + "..."),
    ],
)
def test_values_as_people_write_them(value: object, text: str) -> None:
    assert value_text(value) == text


def test_a_range_ends_above_its_beginning() -> None:
    uniform = words("initializer")["uniform"]
    with pytest.raises(ArgumentProblem, match="`low` of `uniform` must be below `high`") as found:
        bind_arguments(uniform, (0.05,))
    assert (found.value.mistake, found.value.position) == (Mistake.REFUSED, 0)
    with pytest.raises(ArgumentProblem, match="`high` of `saturate` must be above `low`"):
        bind_arguments(words("activation")["saturate"], (), {"high": -1.0})
    assert bind_arguments(uniform, (-0.1,)) == {"low": -0.1, "high": 0.05}


@pytest.mark.parametrize(
    ("written", "sort", "meant"),
    [
        ("ReLU", "activation", ["relu"]),
        ("Adam", "optimizer", ["adam"]),
        ("acc", "metric", "accuracy"),
        ("noise", "distortion", "pixel_noise"),
        ("bidirectional", "form", "both"),
    ],
)
def test_what_others_call_it(written: str, sort: str, meant: str | list[str]) -> None:
    found = nearest_words(written, (sort,))
    assert found == meant if isinstance(meant, list) else found[0] == meant
