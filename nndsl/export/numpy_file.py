"""A trained network as one Python file that needs NumPy alone.

The file holds the weights as text, the formulas of the network, and (for a network on a table)
what preprocessing learnt, with the very functions that prepared the training data. Names of
columns and classes stand in it as string literals; nothing else of a `.nn` file does.
"""

from __future__ import annotations

import base64
import pprint
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from nndsl.data.options import CsvOptions
from nndsl.export.numpy_source import Sources, lines_of
from nndsl.ir.graph import Graph, Role, Value
from nndsl.ir.types import BATCH
from nndsl.schema import FittedStep, Schema, TargetKind, TargetSchema
from nndsl.version import VERSION
from nndsl.vocab.answers import Answer
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.registry import WordCall, words

HEAD = '''"""A network of nndsl {version}: needs Python and NumPy, nothing else.

{use}
"""

from __future__ import annotations

import base64
import csv
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

precision = np.{precision}


def array(text: str, *shape: int) -> np.ndarray:
    """Weights from their bytes."""
    return np.frombuffer(base64.b64decode(text), precision).reshape(shape)


def softmax(x: np.ndarray) -> np.ndarray:
    """Shares above 0 that sum to 1 along the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(x: np.ndarray) -> np.ndarray:
    """Logarithm of softmax, without overflow."""
    moved = x - x.max(axis=-1, keepdims=True)
    return moved - np.log(np.exp(moved).sum(axis=-1, keepdims=True))
'''

PREPARED = '''
def column(values: Any, steps: list[Any]) -> np.ndarray:
    """One column through its steps, [rows, width]; missing is None, NaN or a text for it."""
    kind = object if steps and steps[0][3] else np.float64
    cells = [None if _absent(value) else value for value in values]
    if kind is object:
        found = np.array([None if v is None else _text(v) for v in cells] + [None], object)[:-1]
    else:
        found = np.array([math.nan if v is None else _number(v) for v in cells], np.float64)
    for step, learnt, arguments, _ in steps:
        found = np.asarray(step(found, learnt, arguments))
    return found.reshape(len(cells), -1)


def _absent(value: Any) -> bool:
    """Whether a cell holds no value."""
    if isinstance(value, str):
        return value.strip().lower() in MISSING
    return value is None or value != value


def _number(value: Any) -> float:
    """A number, also as the table writes it."""
    return float(value.replace(DECIMAL, ".") if isinstance(value, str) else value)


def _text(value: Any) -> str:
    """A category as tables write it: 1 for 1.0."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def prepare(columns: Mapping[str, Any]) -> list[np.ndarray]:
    """The network's inputs from columns by name, each a list with one value for each row."""
    return [
        np.concatenate([column(columns[name], steps) for name, steps in parts], axis=1)
        for parts in INPUTS
    ]


def predict(columns: Mapping[str, Any]) -> Any:
    """{predicts}"""
    with np.errstate(all="ignore"):
        outputs = network(*prepare(columns))
    answers = [restored(*pair) for pair in zip(outputs, TARGETS)]
    return answers[0] if len(answers) == 1 else answers


def restored(values: np.ndarray, target: Any) -> np.ndarray:
    """Numbers back in the target's own unit; shares of classes as they are."""
    name, classes, steps = target
    values = values.reshape(len(values), -1)
    if classes:
        return np.concatenate([1 - values, values], 1) if values.shape[1] == 1 else values
    values = values.astype(np.float64)
    for step, learnt, arguments in reversed(steps):
        values = np.asarray(step(values, learnt, arguments))
    return values[:, 0] if values.shape[1] == 1 else values


def answers(columns: Mapping[str, Any]) -> list[list[Any]]:
    """For each target one answer a row: a class (None: no answer), or a number."""
    outputs = predict(columns)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return [answered(*pair) for pair in zip(outputs, TARGETS)]


def answered(values: np.ndarray, target: Any) -> list[Any]:
    """The answers of one target."""
    name, classes, steps = target
    choose, arguments = ANSWER
    if not classes:
        return [float(value) for value in values]
    return [classes[i] if i >= 0 else None for i in choose(values, **arguments)]


def main() -> None:
    """Predictions for a CSV file, beside its rows, on standard output."""
    form = {{"delimiter": SEPARATOR, "skipinitialspace": True}}
    with open(sys.argv[1], newline="", encoding=ENCODING) as file:
        rows = list(csv.DictReader(file, COLUMNS, **form))
    columns = {{name: [row[name] for row in rows] for name in rows[0]}}
    for name, _ in (part for parts in INPUTS for part in parts):
        if name not in columns:
            sys.exit(f"{{sys.argv[1]}} has no column {{name}}")
    said = answers(columns)
    names = ["predicted_" + name for name, _, _ in TARGETS][: len(said)]
    writer = csv.DictWriter(sys.stdout, [*rows[0], *names], lineterminator="\\n", **form)
    writer.writeheader()
    for index, row in enumerate(rows):
        for name, column in zip(names, said):
            value = column[index]
            row[name] = str(value).replace(".", DECIMAL) if isinstance(value, float) else value
        writer.writerow(row)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python {name} new.csv")
    main()
'''

PICTURES = '''
SIZE: Any = {size}


def middle(pixels: Any) -> np.ndarray:
    """The middle of the pictures where the network takes smaller ones: SIZE, height and width."""
    pixels = np.asarray(pixels)
    for axis, want in enumerate(SIZE or (), 2):
        first = (pixels.shape[axis] - want) // 2
        pixels = np.take(pixels, range(first, first + want), axis)
    return pixels


def pictures(pixels: Any, steps: list[Any]) -> np.ndarray:
    """Pixels [rows, channels, height, width] through their steps, each channel through its own."""
    made = np.array(middle(pixels), np.float64)
    for channel in range(made.shape[1]):
        part = made[:, channel]
        for step, learnt, arguments, _ in steps:
            own = {{key: values[channel] for key, values in learnt.items()}}
            part[...] = step(part.reshape(-1), own, arguments).reshape(part.shape)
    return made
'''


ANSWERED = '''
def restored_pictures(values: np.ndarray, classes: Any, steps: list[Any]) -> np.ndarray:
    """Shares of the classes of each pixel, or pictures of numbers in the target's own unit."""
    if classes:
        return np.concatenate([1 - values, values], 1) if values.shape[1] == 1 else values
    made = np.array(values, np.float64)
    for channel in range(made.shape[1]):
        part = made[:, channel]
        for step, learnt, arguments in reversed(steps):
            own = {key: numbers[channel] for key, numbers in learnt.items()}
            part[...] = np.asarray(step(part.reshape(-1), own, arguments)).reshape(part.shape)
    return made


def answered_pictures(values: np.ndarray, classes: Any) -> Any:
    """For each row a picture [height, width] of class numbers (-1: no answer), or of numbers."""
    choose, arguments = ANSWER
    if not classes:
        return list(values)
    shares = values.transpose(0, 2, 3, 1)
    chosen = choose(shares.reshape(-1, shares.shape[-1]), **arguments)
    return list(chosen.reshape(shares.shape[:3]))
'''
"""What stands for answers that are pictures, and the lines that lead there."""
_LEADING = {
    "    values = values.reshape(len(values), -1)\n":
        "    if values.ndim == 4:\n        return restored_pictures(values, classes, steps)\n",
    "    choose, arguments = ANSWER\n    if not":
        "    if values.ndim == 4:\n        return answered_pictures(values, classes)\n",
}  # fmt: skip


def numpy_file(
    graph: Graph,
    members: Sequence[Mapping[str, np.ndarray]],
    name: str,
    precision: str = "float32",
    schema: Schema | None = None,
    missing: Iterable[str] = (),
    *,
    form: CsvOptions | None = None,
    answer: WordCall | None = None,
    joins: Sequence[Callable[[np.ndarray], np.ndarray]] = (),
    size: tuple[int, int] | None = None,
) -> str:
    """The file's text.

    `graph` is for prediction, not fused; `members` are its parameters and states in its own layout,
    of an ensemble those of each network, whose outputs `joins` put together, a function for each;
    `schema` the fitted one of the run, None for a network without a table; `missing` are the texts,
    in small letters, that stand for no value in a cell; `form` says how its tables are written;
    `answer` says how shares of classes become an answer (None: the most likely class); of pictures
    larger than `size`, height and width, the network sees the middle.
    """
    sources = Sources()
    network = _network(graph, members, joins, precision, sources)
    tables = _tables(schema, list(graph.inputs), sources, answer) if schema is not None else ""
    functions = "\n\n".join(text.strip("\n") for text in sources.texts.values())
    parts = [HEAD.format(version=VERSION, use=_use(name, schema), precision=precision)]
    parts += [f"\n{functions}\n"] if functions else []
    parts += [network, tables]
    if schema is not None:
        parts.append(_form(form or CsvOptions(), schema, missing))
        prepared = PREPARED.format(name=name, predicts=_predicts(schema))
        if any(len(given.shape) == 3 for given in schema.inputs):
            chosen = "(pictures if np.ndim(columns[name]) == 4 else column)(columns[name], steps)"
            prepared = PICTURES.format(size=size) + prepared.replace(
                "column(columns[name], steps)", chosen
            )
        if any(target.shape for target in schema.targets):
            for line, leading in _LEADING.items():
                prepared = prepared.replace(line, leading + line)
            prepared = ANSWERED + prepared
        parts.append(prepared)
    return "\n".join(part for part in parts if part)


def _form(form: CsvOptions, schema: Schema, missing: Iterable[str]) -> str:
    """How tables are written, as constants; without a header columns are numbered."""
    numbered = [column.name for column in schema.columns] if form.header is False else None
    constants = {
        "COLUMNS": numbered,
        "SEPARATOR": form.separator or ",",
        "DECIMAL": form.decimal,
        "ENCODING": form.encoding,
        "MISSING": sorted(missing),
    }
    return "".join(f"{name}: Any = {value!r}\n" for name, value in constants.items())


def _use(name: str, schema: Schema | None) -> str:
    stem = name.removesuffix(".py")
    if schema is None:
        return f"    from {stem} import network\n    network(x)    # arrays [rows, ...]"
    return (
        f"    python {name} new.csv            predictions beside the rows\n"
        f"    from {stem} import predict       predict(columns by name)"
    )


def _predicts(schema: Schema) -> str:
    parts = [
        f"shares of the classes {', '.join(target.classes)}"
        if target.kind is TargetKind.CLASSES
        else "numbers in the target's own unit"
        for target in schema.targets
    ]
    return _plain("; ".join(parts))[:80] + ", one row for each row."


def _plain(text: str) -> str:
    """Letters that cannot end a docstring."""
    return re.sub(r"[^\w ,;'-]", "_", text)


def _lengths(graph: Graph, names: Mapping[Value, str]) -> list[str]:
    """What the sizes are that only an input's array tells."""
    found: dict[str, str] = {}
    for entry in graph.of_role(Role.DATA):
        for axis, size in enumerate(entry.value.type.shape):
            if isinstance(size, str) and size != BATCH:
                found.setdefault(size, f"np.shape({names[entry.value]})[{axis}]")
    return [f"{size} = {text}" for size, text in found.items()]


def _network(
    graph: Graph,
    members: Sequence[Mapping[str, np.ndarray]],
    joins: Sequence[Callable[[np.ndarray], np.ndarray]],
    precision: str,
    sources: Sources,
) -> str:
    """The weights, and the function from inputs to outputs."""
    names: dict[Value, str] = {}
    given: list[str] = []
    held: dict[str, str] = {}
    for number, (path, entry) in enumerate(graph.inputs.items()):
        if entry.role is Role.DATA:
            names[entry.value] = f"x{len(given)}"
            given.append(names[entry.value])
        else:
            names[entry.value] = held[path] = f"w{number}"
    body = lines_of(graph, names, sources)
    results = ", ".join(names[value] for value in graph.outputs.values())
    signature = ", ".join(f"{name}: np.ndarray" for name in given)
    what = '"""Outputs for rows [rows, ...] of each input, as the network sees them."""'
    computed = [
        f"rows = len({given[0]})" if given else "rows = 1",
        *_lengths(graph, names),
        *(f"{name} = np.asarray({name}, precision)" for name in given),
        *body,
        f"return ({results},)",
    ]
    if not joins:
        weights = [
            f"{held[path]} = {text}  # {_plain(path)}"
            for path, text in _arrays(members[0], held, precision)
        ]
        head = f"def network({signature}) -> tuple[np.ndarray, ...]:"
        return _text(["", *weights, "", ""], head, [what, *computed])
    lists = [", ".join(text for _, text in _arrays(one, held, precision)) for one in members]
    weights = ["MEMBERS = [", *(f"    [{text}]," for text in lists), "]"]
    comments = [f"# the arrays of each member: {', '.join(map(_plain, held))}"]
    first = f"def member(weights: list[np.ndarray], {signature}) -> tuple[np.ndarray, ...]:"
    doc = '"""Outputs of one member of the ensemble."""'
    taken = f"{', '.join(held.values())}, = weights"
    member = _text(["", *comments, *weights, "", ""], first, [doc, taken, *computed])
    together = [
        f"said = [member(weights, {', '.join(given)}) for weights in MEMBERS]",
        *(
            f"y{i} = {sources.name_of(join)}(np.stack([one[{i}] for one in said]))"
            for i, join in enumerate(joins)
        ),
        f"return ({', '.join(f'y{i}' for i in range(len(joins)))},)",
    ]
    head = f"def network({signature}) -> tuple[np.ndarray, ...]:"
    return _text([member, ""], head, [what, *together])


def _arrays(
    weights: Mapping[str, np.ndarray], held: Iterable[str], precision: str
) -> Iterator[tuple[str, str]]:
    """Each array as a call that makes it, in the order of `held`."""
    for path in held:
        array = np.ascontiguousarray(weights[path], np.dtype(precision).newbyteorder("<"))
        text = base64.b64encode(array.tobytes()).decode()
        shape = "".join(f", {size}" for size in array.shape)
        yield path, f'array("{text}"{shape})'


def _text(before: Sequence[str], head: str, body: Sequence[str]) -> str:
    """Lines, and a function after them."""
    return "\n".join([*before, head, *(f"    {line}" for line in body), ""])


def _tables(schema: Schema, inputs: list[str], sources: Sources, answer: WordCall | None) -> str:
    """What preprocessing learnt: for each input its columns with their steps, and the targets.

    Then how shares become an answer.
    """
    known = {declared.name: declared for declared in schema.inputs}
    parts = [
        [(name, [_step(s, sources) for s in known[i].steps[name]]) for name in known[i].columns]
        for i in inputs
        if i in known
    ]
    targets = [_target(target, sources) for target in schema.targets]
    decides = answer.word if answer is not None else words("answer")["argmax"]
    assert isinstance(decides, Answer) and decides.choose is not None
    arguments = dict(answer.arguments) if answer is not None else {}
    chosen = _Name(sources.name_of(decides.choose)), arguments
    shown = "\n\n".join(
        f"{name}: Any = {_literal(value)}"
        for name, value in (("INPUTS", parts), ("TARGETS", targets), ("ANSWER", chosen))
    )
    return f"\n{shown}\n"


class _Name:
    """A function's name, printed without quotes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


def _step(step: FittedStep, sources: Sources) -> tuple[object, ...]:
    word = words("preprocessing")[step.word]
    assert isinstance(word, Preprocessing) and word.apply is not None
    function = _Name(sources.name_of(word.apply))
    return function, dict(step.learnt), dict(step.arguments), word.accepts == "category"


def _target(target: TargetSchema, sources: Sources) -> tuple[object, ...]:
    steps = []
    for step in target.steps:
        word = words("preprocessing")[step.word]
        assert isinstance(word, Preprocessing) and word.invert is not None
        back = _Name(sources.name_of(word.invert))
        steps.append((back, dict(step.learnt), dict(step.arguments)))
    return target.name, tuple(target.classes), steps


def _literal(value: object) -> str:
    return pprint.pformat(value, width=100, sort_dicts=False)
