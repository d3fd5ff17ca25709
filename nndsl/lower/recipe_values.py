"""Plain settings of a run: its length, batch, seed, stopping, keeping, clipping."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Graph
from nndsl.lower import recipe_defaults as defaults
from nndsl.lower.augmentation import read_augment
from nndsl.lower.constants import FUNCTIONS
from nndsl.lower.figures import (
    PARTS,
    dotted,
    figure_name,
    require_dotted,
    require_figure,
    whole_epochs,
)
from nndsl.lower.names import not_yet, unknown_name
from nndsl.lower.recipe_answers import metrics_beside, read_answer, read_ensemble, read_replay
from nndsl.lower.recipe_words import CLIPS, STOPS
from nndsl.lower.result import Augment, Inferred, Plateau, Recipe, Stop
from nndsl.lower.schedules import ScheduleReader
from nndsl.lower.scopes import Scope
from nndsl.lower.train_settings import Settings, Written
from nndsl.lower.values import Composite, Given, Mention
from nndsl.lower.words import bind, name_span, shown, sorts_of
from nndsl.params import TimeLength
from nndsl.records import dataclass
from nndsl.schema import Schema, TargetKind
from nndsl.syntax import tree
from nndsl.vocab.answers import Answer
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Metric
from nndsl.vocab.registry import Word, WordCall, words

MOST_EPOCHS = 10**9
MOST_BUCKETS = 16


@dataclass
class RunValues:
    """The plain settings of a recipe, and what was taken where nothing was written."""

    length: TimeLength = defaults.LENGTH
    batch: int | None = defaults.BATCH
    drop_last: bool = False
    seed: int = defaults.SEED
    precision: str = defaults.PRECISION
    memory: str = "fast"
    stop: tuple[Stop, ...] = ()
    keep: str | None = defaults.KEEP
    clip: WordCall | None = None
    answer: WordCall | None = None
    writing: WordCall | None = None
    ensemble: WordCall | None = None
    metrics: tuple[WordCall, ...] = ()
    augment: Augment = field(default_factory=Augment)
    replay: WordCall | None = None
    carry: Span | None = None  # where it is asked for
    buckets: int = 0
    plateaus: list[Plateau] = field(default_factory=list)
    inferred: list[Inferred] = field(default_factory=list)

    @property
    def reader(self) -> ScheduleReader:
        """Reads schedules in the unit that ends the run, and notes their plateaus."""
        return ScheduleReader(self.length.unit, self.plateaus)

    def recipe(self, net: str, data: str, graph: Graph, span: Span | None) -> Recipe:
        """A recipe with what every training has of these, before what it learns by."""
        return Recipe(
            net=net,
            data=data,
            graph=graph,
            loss=(),
            optimizers=(),
            clip=self.clip,
            batch=self.batch,
            drop_last=self.drop_last,
            length=self.length,
            seed=self.seed,
            precision=self.precision,
            memory=self.memory,
            stop=self.stop,
            keep=self.keep,
            answer=self.answer,
            metrics=self.metrics,
            plateaus=tuple(self.plateaus),
            span=span,
            augment=self.augment,
        )


def read_run_values(settings: Settings, schema: Schema | None, scope: Scope) -> RunValues:
    """All plain settings; each wrong one is reported on its own."""
    values = RunValues()
    with scope.problems.caught():
        _read_length(values, settings)
    for name, reader in _READERS.items():
        written = settings.run.get(name)
        if written is not None:
            with scope.problems.caught():
                reader(values, written, schema)
    _note_defaults(values, settings)
    check_expectations(settings, scope)
    return values


def _note_defaults(values: RunValues, settings: Settings) -> None:
    """Say what was left out, and what came from a `defaults train` line."""
    if "epochs" not in settings.run and "steps" not in settings.run:
        values.inferred.append(
            Inferred("epochs", f"at most {values.length.value:g}", "the default recipe")
        )
    for name, taken in (
        ("batch", str(values.batch)),
        ("keep", f"best({values.keep})"),
        ("seed", str(values.seed)),
        ("precision", values.precision),
    ):
        if name not in settings.run:
            values.inferred.append(Inferred(name, taken, "the default recipe"))
    for name, span in settings.from_defaults.items():
        text = settings.run[name].span.text
        values.inferred.append(Inferred(name, text, f"`defaults train` at line {span.line}", span))


def _read_length(values: RunValues, settings: Settings) -> None:
    epochs, steps = settings.run.get("epochs"), settings.run.get("steps")
    if epochs is not None and steps is not None:
        raise error(
            "NN302",
            "the run has two lengths",
            steps.span,
            "in steps",
            secondary=[(epochs.span, "in epochs")],
            help="keep one of them",
        )
    if epochs is not None:
        values.length = TimeLength(float(_whole(epochs, "epochs", 1, MOST_EPOCHS)), "epoch")
    if steps is not None:
        values.length = TimeLength(float(_whole(steps, "steps", 1, 10**12)), "step")


def _whole(written: Written, name: str, least: int, most: int) -> int:
    value = written.evaluated()
    if isinstance(value, TimeLength) and value.unit and name.startswith(value.unit):
        value = int(value.value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise _refused(name, f"a whole number of at least {least}", value, written)
    return int(value)


def _refused(name: str, expected: str, value: Any, written: Written) -> NndslError:
    return error("NN309", f"`{name}` must be {expected}, not {shown(value)}", written.span)


def _batch(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "all":
        values.batch = None
        return
    if isinstance(value, Mention):
        raise _refused("batch", "a whole number of at least 1, or `all`", value, written)
    values.batch = _whole(written, "batch", 1, 10**9)


def _last_batch(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.drop_last = _choice(written, "last_batch", ("keep", "drop")) == "drop"


def _seed(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.seed = _whole(written, "seed", 0, 2**32 - 1)


def _precision(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if isinstance(value, Mention) and value.name in ("tf32", "bf16", "float16"):
        raise not_yet(f"the precision `{value.name}`", written.span)
    values.precision = _choice(written, "precision", ("float32", "float64"))


def _memory(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.memory = _choice(written, "memory", ("fast", "small"))


def _choice(written: Written, name: str, choices: tuple[str, ...]) -> str:
    value = written.evaluated()
    word = value.name if isinstance(value, Mention) else value
    if isinstance(word, str) and word in choices:
        return word
    expected = " or ".join(f"`{choice}`" for choice in choices)
    if isinstance(value, Mention):
        title = f"`{name}` must be {expected}, not `{value.name}`"
        raise unknown_name("NN309", title, value.name, choices, written.span)
    raise _refused(name, expected, value, written)


# --- stopping and keeping -------------------------------------------------------------------


def _stop(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none":
        return
    values.stop = tuple(_conditions(value, written))
    targets = schema.targets if schema is not None else ()
    for stop in values.stop:
        if stop.word == "no_mistakes" and targets and targets[0].kind is TargetKind.NUMBERS:
            title = f"`no_mistakes` needs classes, but `{targets[0].name}` is a number"
            raise error("NN306", title, stop.span, help="stop = patience(20, val_loss)")


def _conditions(value: Any, written: Written) -> list[Stop]:
    if isinstance(value, Composite) and value.symbol == "or":
        return [*_conditions(value.left, written), *_conditions(value.right, written)]
    if isinstance(value, TimeLength):
        if value.unit not in ("second", "minute", "hour"):
            raise error(
                "NN309",
                "the length of a run stands in `epochs` or `steps`",
                written.span,
                help=f"epochs = {value.value:g}",
            )
        return [Stop("duration", {"length": value}, written.span)]
    if isinstance(value, Mention):
        return [_condition(value)]
    raise error(
        "NN309",
        f"`stop` takes conditions joined by `or`, not {shown(value)}",
        written.span,
        help="for instance `patience(20, val_loss) or 30 minutes`",
    )


def _condition(mention: Mention) -> Stop:
    if mention.name not in STOPS:
        title = f"there is no condition of stopping called `{mention.name}`"
        raise unknown_name("NN301", title, mention.name, STOPS, mention.span)
    bound = bind(Mention(mention.name, mention.span, mention.given or ()), STOPS[mention.name])
    arguments = dict(bound.call.arguments)
    if mention.name == "patience":
        arguments["epochs"] = whole_epochs(arguments["epochs"], mention)
        require_figure(arguments["metric"], bound.places.get("metric", mention.span))
    return Stop(mention.name, arguments, mention.span)


def _keep(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if isinstance(value, Mention) and value.name in ("last", "none"):
        values.keep = None
        return
    if isinstance(value, Mention) and value.name == "best":
        given = value.given or ()
        values.keep = figure_name(given[0].value, given[0].span) if given else defaults.KEEP
        return
    if isinstance(value, Mention) and value.given is not None:
        title = f"`keep` must be `best(figure)`, `last` or `none`, not `{value.name}`"
        raise unknown_name("NN309", title, value.name, ("best",), name_span(value))
    if isinstance(value, Mention):
        values.keep = figure_name(value, written.span)
        return
    raise _refused("keep", "`best(val_loss)` or `last`", value, written)


# --- clipping, metrics, answers -------------------------------------------------------------


def _clip(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none":
        return
    if isinstance(value, Mention) and value.name not in CLIPS:
        title = f"`clip` must be `norm(limit)`, `value(limit)` or `none`, not `{value.name}`"
        raise unknown_name("NN309", title, value.name, [*CLIPS, "none"], name_span(value))
    if not isinstance(value, Mention):
        raise _refused("clip", "`norm(limit)`, `value(limit)` or `none`", value, written)
    word = CLIPS[value.name]
    arguments = _bound(value, word, list(value.given or ()))
    values.clip = WordCall(word, arguments, value.span)


def _bound(mention: Mention, word: Word, given: list[Given]) -> Mapping[str, Any]:
    return bind(Mention(mention.name, mention.span, tuple(given)), word).call.arguments


def _metrics(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    items = list(value) if isinstance(value, list | tuple) else [value]
    found: list[WordCall] = []
    for item in items:
        if not isinstance(item, Mention):
            raise _refused("metrics", "a list of metrics", item, written)
        if item.name not in words("metric"):
            title = f"there is no metric called `{item.name}`"
            raise unknown_name("NN301", title, item.name, words("metric"), item.span)
        _check_metric(item, found, schema)
        found.append(bind(item, words("metric")[item.name]).call)
    values.metrics = tuple(found)


def _check_metric(item: Mention, before: list[WordCall], schema: Schema | None) -> None:
    """A figure has one name, and a metric is for classes or for numbers."""
    if any(other.name == item.name for other in before):
        title = f"the metric `{item.name}` is asked for twice"
        raise error("NN302", title, item.span, "the second time")
    word = words("metric")[item.name]
    assert isinstance(word, Metric)
    targets = schema.targets if schema is not None else ()
    if targets and all(target.kind.name.lower() != word.targets for target in targets):
        target = targets[0]
        kind = "a number" if target.kind is TargetKind.NUMBERS else "classes"
        near = [w.name for w in words("metric").values()
                if isinstance(w, Metric) and w.targets != word.targets]  # fmt: skip
        raise error(
            "NN306",
            f"the metric `{item.name}` is for {word.targets}, but `{target.name}` is {kind}",
            item.span,
            help="one of " + ", ".join(f"`{name}`" for name in near),
        )


def _answer(values: RunValues, written: Written, schema: Schema | None) -> None:
    found = read_answer(written, schema)
    writes = found is not None and isinstance(found.word, Answer) and found.word.writes
    values.answer, values.writing = (None, found) if writes else (found, None)


def _ensemble(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.ensemble = read_ensemble(written, schema)


def _augment(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.augment = read_augment(written, schema)


def _replay(values: RunValues, written: Written, schema: Schema | None) -> None:
    values.replay = read_replay(written)


def _carry(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if not isinstance(value, bool):
        raise _refused("carry", "`true` or `false`", value, written)
    values.carry = written.span if value else None


def _buckets(values: RunValues, written: Written, schema: Schema | None) -> None:
    value = written.evaluated()
    if not (isinstance(value, Mention) and value.name == "none"):
        values.buckets = _whole(written, "buckets", 1, MOST_BUCKETS)


_READERS: dict[str, Callable[[RunValues, Written, Schema | None], None]] = {
    "batch": _batch,
    "last_batch": _last_batch,
    "seed": _seed,
    "precision": _precision,
    "memory": _memory,
    "stop": _stop,
    "keep": _keep,
    "clip": _clip,
    "metrics": _metrics,
    "augment": _augment,
    "replay": _replay,
    "carry": _carry,
    "buckets": _buckets,
    "answer": _answer,
    "ensemble": _ensemble,
}


def clip_of(settings: Settings, schema: Schema | None) -> WordCall | None:
    """The setting `clip` of an update."""
    values, written = RunValues(), settings.run.get("clip")
    if written is not None:
        _clip(values, written, schema)
    return values.clip


def count_of(settings: Settings, name: str) -> int:
    """`times` or `every` of an update: a whole number, 1 where it is left out."""
    written = settings.run.get(name)
    return 1 if written is None else _whole(written, name, 1, 10**6)


def add_figures(values: RunValues, settings: Settings, schema: Schema | None) -> None:
    """Metrics that belong to the answer, and those that `keep`, `stop`, `plateau` and `expect`
    speak of, are computed too, after the default one.
    """
    asked = {str(s.arguments["metric"]): s.span for s in values.stop if "metric" in s.arguments}
    asked |= {plateau.metric: plateau.span for plateau in values.plateaus}
    if values.keep is not None:
        kept = settings.run.get("keep")
        asked[values.keep] = kept.span if kept is not None else None
    for expectation in settings.expectations:
        asked |= {name.name: name.span for name in bare_names(expectation.condition)}
    have = {c.name: c for c in values.metrics}
    beside = metrics_beside(values.answer) if values.answer is not None else []
    extra = _further_metrics(asked, [*have, *(c.name for c in beside)])
    if not (beside or extra) or schema is None or not schema.targets:
        return
    by_classes = schema.targets[0].kind is TargetKind.CLASSES
    first = [] if have else ["accuracy" if by_classes else "r2"]
    for metric in (*map(_bare_metric, first), *beside, *map(_bare_metric, extra)):
        have.setdefault(metric.name, metric)
    values.metrics = tuple(have.values())


def _bare_metric(name: str) -> WordCall:
    return call(words("metric")[name])


def _further_metrics(asked: Mapping[str, Span | None], have: list[str]) -> list[str]:
    """The metrics of figures that are not computed yet; NN312 for one that needs an argument."""
    found = []
    for figure, span in asked.items():
        name = _metric_of(figure)
        if name is None or name in have:
            continue
        needed = [n for n, p in words("metric")[name].parameters.items() if p.required]
        if needed:
            raise error(
                "NN312",
                f"`{figure}` needs the argument `{needed[0]}` of `{name}`",
                span,
                help=f"metrics = [{name}(3)]",
            )
        found.append(name)
    return found


def _metric_of(figure: str) -> str | None:
    for part in PARTS:
        bare = figure.removeprefix(part)
        if bare != figure and bare in words("metric"):
            return bare
    return None


def check_expectations(settings: Settings, scope: Scope) -> None:
    """NN301 for a name in `expect` that is no figure, word or own name: before any training."""
    for expectation in settings.expectations:
        of_outputs = [bare_names(found) for found in dotted(expectation.condition)]
        later = [name for names in of_outputs for name in names]
        for name in bare_names(expectation.condition):
            known = name in later or scope.find(name.name) is not None or sorts_of(name.name)
            if known or name.name in (*FUNCTIONS, "true", "false", "least_squares"):
                continue
            with scope.problems.caught():
                require_figure(name.name, name.span)


def check_dotted(settings: Settings, figures: Sequence[str], scope: Scope) -> None:
    """NN301 for a figure of an output or an update in `expect` that is not computed."""
    for expectation in settings.expectations:
        for found in dotted(expectation.condition):
            with scope.problems.caught():
                require_dotted(found, figures)


def figures_of(outputs: Sequence[tuple[str, TargetKind]], values: RunValues) -> list[str]:
    """The figures of the outputs after the first, each with the kind of its target."""
    found = []
    for name, kind in outputs[1:]:
        sort, usual = ("classes", "accuracy") if kind is TargetKind.CLASSES else ("numbers", "r2")
        asked = [m.name for m in values.metrics if getattr(m.word, "targets", "") == sort]
        found += [f"{name}.{metric}" for metric in asked or [usual]]
    return found


def bare_names(expression: tree.Expression) -> list[tree.Name]:
    """All bare names of an expression, with their places."""
    return [node for node in tree.nodes(expression) if isinstance(node, tree.Name)]
