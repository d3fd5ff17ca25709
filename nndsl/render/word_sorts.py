"""The sorts of words with an example file for each: what manual pages are put together from.

An example is a whole file with one line that uses the word; the files differ by sort only, and by
the kind of target that a loss or metric needs. Arguments that must be given get the first of a
few values that the parameter accepts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nndsl.diagnostics import nearest
from nndsl.lower.recipe_words import CLIPS, PENALTIES, RULES, STOPS
from nndsl.params import Parameter, ParameterError, TimeLength
from nndsl.records import dataclass
from nndsl.vocab.answers import Answer
from nndsl.vocab.arguments import bind_arguments, value_text
from nndsl.vocab.augmentation import Distortion
from nndsl.vocab.forms import Form
from nndsl.vocab.kinds import Generator, Layer, Loss, Metric, Preprocessing
from nndsl.vocab.levels import Level
from nndsl.vocab.registry import Word, example_of, nearest_words, words


@dataclass(frozen=True)
class Sort:
    """A sort of words: its registry, its title, and where such a word may stand."""

    name: str
    title: str
    use: str


SORTS = (
    Sort("layer", "Layers", "Stages with an axis, weights or randomness."),
    Sort("form", "Forms", "Around a stage: they make another stage of it."),
    Sort("activation", "Activations", "Stages on every number alone. The initialiser is the one "
         "that weights before this activation get when `init` is left out."),
    Sort("initializer", "Initialisers", "For `init=` of a layer."),
    Sort("loss", "Losses", "For `loss =` in `train`."),
    Sort("metric", "Metrics", "For `metrics =`; as `train_`, `val_` or `test_` figures for `keep`, "
         "`stop`, `expect`."),
    Sort("optimizer", "Optimizers", "For `optimizer =`. Arguments marked † may be schedules."),
    Sort("schedule", "Schedules", "For `schedule =`, or in place of a number marked † of an "
         "optimizer."),
    Sort("penalty", "Penalties", "For `penalty =`."),
    Sort("clip", "Clipping", "For `clip =`."),
    Sort("stop", "Conditions of stopping", "For `stop =`."),
    Sort("rule", "Rules of learning", "For `rule =`."),
    Sort("answer", "Answers", "For `answer =`: how the outputs become an answer."),
    Sort("ensemble", "Ensembles", "For `ensemble =`: several networks that answer together."),
    Sort("distortion", "Distortions", "For `augment =`: what is done to the pictures that train, "
         "anew in each epoch."),
    Sort("replay", "Replay", "For `replay =`: the examples that an epoch shows."),
    Sort("generator", "Generated data", "For `data name =`: rows that are made, not read."),
    Sort("level", "Levels of text", "For `text(\"book.txt\", level=...)`: the units that a text is "
         "taken apart into."),
    Sort("preprocessing", "Preprocessing", "Steps of a chain in `data`; what a step learns comes "
         "from the training part only."),
    Sort("picture", "Pictures", "For `report =` in `train`: what `nndsl report` shows of a run."),
)  # fmt: skip

TRAIN_WORDS: Mapping[str, Mapping[str, Word]] = {
    "penalty": PENALTIES,
    "clip": CLIPS,
    "stop": STOPS,
    "rule": RULES,
}
"""Words that only a `train` section knows, by the setting that they are for."""


def words_of(sort: Sort) -> Mapping[str, Word]:
    """All words of a sort by name."""
    return TRAIN_WORDS.get(sort.name) or words(sort.name)


def all_words() -> Iterator[tuple[Sort, Word]]:
    """Every word with its sort, in the order of the manual."""
    for sort in SORTS:
        yield from ((sort, word) for word in words_of(sort).values())


# --- examples -------------------------------------------------------------------------------

CANDIDATES: tuple[Any, ...] = (0.1, 0.9, 2, 8, TimeLength(5.0, "epoch"), True, "relu")
"""Values for arguments that must be given; an argument takes the first that it accepts."""


@dataclass(frozen=True)
class Example:
    """A line that uses a word, and a whole file with it."""

    line: str
    file: str


def example(sort: Sort, word: Word) -> Example:
    """The example of a word: its own where it has one, else from its sort."""
    line = example_of(word) or _LINES[sort.name].format(written(word))
    return Example(line, _file(sort, word, line))


def written(word: Word) -> str:
    """The word with values for the arguments that it must have."""
    values: list[str] = []
    for parameter in word.parameters.values():
        if parameter.required:
            values.append(value_text(_value(parameter, len(values))))
    return f"{word.name}({', '.join(values)})" if values else word.name


def _value(parameter: Parameter, place: int) -> Any:
    """The first candidate that a parameter accepts; later arguments get greater numbers."""
    for candidate in (*CANDIDATES[place:], *CANDIDATES):
        try:
            return parameter.convert(candidate)
        except ParameterError:
            continue
    raise ValueError(f"no example value for {parameter.describe()}")


_LINES = {
    "layer": "{}",
    "activation": "dense(3) -> {}",
    "initializer": "dense(3, init={})",
    "loss": "loss = {}",
    "metric": "metrics = [{}]",
    "optimizer": "optimizer = {}",
    "schedule": "schedule = {}",
    "penalty": "penalty = {}",
    "clip": "clip = {}",
    "stop": "stop = {}",
    "rule": "rule = {}",
    "answer": "answer = {}",
    "ensemble": "ensemble = {}",
    "replay": "replay = {}",
    "preprocessing": "x -> {}",
    "picture": "report = [{}]",
}

NETWORK = """net Net {{
  input x: [4]
  {line}
}}
"""

TRAINING = """data d = table({columns}) {{
  target = y
}}
net Net on d {{
  {stages}
}}
{section}
"""

PREPARING = """data d = table({columns}) {{
  target = y
  {line}
}}
net Net on d {{
  {stages}
}}
"""

PICTURES = """data d = images("digits")
net Net on d {{
  flatten -> dense(d.classes) -> softmax
}}
{line}
"""

GENERATED = """{line}
net Net on d {{
  flatten -> dense(8) -> tanh -> dense(1)
}}
"""

BOOK = 'data d = text("book.txt", window=64)'

WRITING = """{line}
net Net on d {{
  embed(16) -> lstm(32) -> dense(d.classes) -> softmax
}}
train Net {{
  epochs = 3
}}
"""

ROADS = """data d = roads(200)
net Net on d {{
  flatten -> dense(8) -> tanh -> dense(1)
}}
{line}
"""

NUMBERS = "x=[1, 2, 3, 4, 5, 6, 7, 8]"
TEXTS = 'x=["a", "b", "a", "a", "b", "c", "c", "b"]'
TWO_CLASSES = "y=[0, 0, 0, 1, 0, 1, 1, 1]"
THREE_CLASSES = "y=[0, 0, 1, 0, 1, 2, 2, 2]"
REAL_TARGET = "y=[0.5, 1.5, 1, 2.5, 2, 3.5, 3, 4]"


def _file(sort: Sort, word: Word, line: str) -> str:
    if sort.name in ("layer", "form", "activation", "initializer"):
        takes = word.takes if isinstance(word, (Layer, Form)) else "[4]"
        return NETWORK.format(line=line).replace("[4]", takes, 1)
    if isinstance(word, Preprocessing):
        columns = TEXTS if word.accepts == "category" else NUMBERS
        looked_up = "embed(3) -> flatten -> " if word.ids is not None else ""
        return PREPARING.format(columns=f"{columns}, {TWO_CLASSES}", line=line,
                                stages=f"{looked_up}dense(2) -> softmax")  # fmt: skip
    if isinstance(word, Level):
        return WRITING.format(line=line)
    if isinstance(word, Generator):
        return GENERATED.format(line=line, stages=_stages_for(word))
    if isinstance(word, Answer) and word.writes:
        return WRITING.format(line=BOOK).replace("epochs = 3", line)
    target, stages = _task(word)
    if isinstance(word, Distortion):
        return (PICTURES if word.follow is None else ROADS).format(line=line)
    section = line if line.startswith("train ") else f"train Net {{\n  {line}\n}}"
    return TRAINING.format(columns=f"{NUMBERS}, {target}", stages=stages, section=section)


def _stages_for(word: Generator) -> str:
    """A network for what a generator makes: its target is a number, or a picture of classes."""
    assert word.make is not None
    (one,) = word.make(bind_arguments(word, (), {"count": 1}))[word.target]
    if one.ndim == 3:
        return "conv(8, 3, pad=same) -> relu -> conv(1, 1) -> sigmoid"
    return "flatten -> dense(8) -> tanh -> dense(1)"


def _task(word: Word) -> tuple[str, str]:
    """A target that fits a word, and a network for it."""
    if isinstance(word, Loss):
        if word.joint == "softmax":
            return THREE_CLASSES, "dense(3) -> softmax"
        if word.joint:
            return TWO_CLASSES, f"dense(1) -> {word.joint}"
        return REAL_TARGET, "dense(1)"
    if isinstance(word, Metric) and word.targets == "numbers":
        return REAL_TARGET, "dense(1)"
    if word.name in RULES:
        return TWO_CLASSES, "dense(1) -> step"
    if isinstance(word, Answer) and word.two_classes:
        return TWO_CLASSES, "dense(1) -> sigmoid"
    return THREE_CLASSES, "dense(3) -> softmax"


def by_name(name: str) -> list[tuple[Sort, Word]]:
    """All words of a name: `mse` is a loss and a metric."""
    return [(sort, word) for sort, word in all_words() if word.name == name]


def near_names(name: str) -> list[str]:
    """Words that a person may have meant: what other libraries call so, then what is like it."""
    foreign = nearest_words(name, [sort.name for sort in SORTS])
    own = {word for sort in SORTS for word in words_of(sort)}
    return list(dict.fromkeys([*foreign, *nearest(name, own)]))[:3]
