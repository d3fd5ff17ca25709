"""`train` sections to recipes: what is written, what is taken where nothing is, the graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Graph, Role, Value
from nndsl.lower.augmentation import as_augmented, picture_notes
from nndsl.lower.bucketing import with_buckets
from nndsl.lower.carrying import with_carry
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.evaluate import evaluate
from nndsl.lower.file_scope import FileScope, TrainSection, unknown_source
from nndsl.lower.hiding import as_answered
from nndsl.lower.inputs import match_inputs
from nndsl.lower.layer_lints import lint_layers, lint_look_ahead
from nndsl.lower.lints import lint_data
from nndsl.lower.losses import LossBuilder, Losses, Term, infer_loss, read_losses
from nndsl.lower.names import not_yet, unknown_name
from nndsl.lower.nets import Elaborated, NetDefinition
from nndsl.lower.optimizers import plan_optimizers
from nndsl.lower.outputs import Output, match_outputs
from nndsl.lower.paths import resolve
from nndsl.lower.penalties import add_penalties, plan_penalties
from nndsl.lower.pictures import chosen_pictures
from nndsl.lower.recipe_values import (
    add_figures,
    check_dotted,
    figures_of,
    read_run_values,
)
from nndsl.lower.restraints import plan_restraints
from nndsl.lower.result import Expectation, Inferred, Network, Penalty, Recipe
from nndsl.lower.rules import apply_rule
from nndsl.lower.scopes import Scope
from nndsl.lower.train_settings import Settings, gather
from nndsl.lower.values import DataSource, NetLike, Part
from nndsl.ops.map import Map
from nndsl.ops.rows import Softmax
from nndsl.records import dataclass
from nndsl.scalar.expression import constant, variable
from nndsl.scalar.inspection import substitute
from nndsl.schema import TargetKind
from nndsl.syntax import tree
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Activation, Loss
from nndsl.vocab.layers.images import channels_first, channels_last
from nndsl.vocab.registry import WordCall, words

ENDINGS = ("softmax", "sigmoid", "step")


@dataclass
class Target:
    """What a section trains: a net, and the learnt arrays that may change."""

    definition: NetDefinition
    parameters: list[str]
    all_of_them: bool


def recipe_of(
    section: TrainSection, found: FileScope, networks: dict[str, Network]
) -> Recipe | None:
    """The recipe of a section; None in a check without its data, or after errors."""
    scope = Scope(found.scope.session, found.scope, recipe=True)
    target = target_of(section.train, scope)
    source = source_of(section.train, target.definition, found)
    settings = gather(section.train.body, section.defaults, scope, found.scope)
    errors = len(scope.problems.errors)
    rule_notes = apply_rule(settings, scope)
    values = read_run_values(settings, source.schema, scope)
    given, source = source, as_augmented(source, values.augment)
    optimizers = plan_optimizers(settings, values.reader, target.parameters, target.definition)
    add_figures(values, settings, source.schema)
    penalties, penalty_notes = plan_penalties(
        settings, target.definition, target.parameters, source
    )
    pictures = chosen_pictures(settings, target.definition)
    restraints = plan_restraints(settings, target.definition, target.parameters)
    losses = _Losses(settings)
    if source.schema is None or target.definition.name not in networks:
        losses.check()
        return None
    if not source.schema.targets:
        raise _no_target(section.train, target.definition, source)
    made = target.definition.fresh(True, target.parameters)
    outputs, output_notes = match_outputs(made, source.schema, source, section.train.span)
    kinds = [(output.name, output.target.kind) for output in outputs]
    check_dotted(settings, figures_of(kinds, values), scope)
    chosen = losses.read(outputs)
    span = chosen.span or section.train.target.span
    graph = _graph(made, outputs, chosen, penalties, scope, span, source)
    for name in made.elaboration.drafts.keys() - set(target.parameters):
        graph.inputs[name].trainable = False
    judged, evaluation = _evaluation(target.definition, source, chosen, penalties, scope, span)
    if len(scope.problems.errors) > errors:
        return None
    answer_graph(networks[target.definition.name], evaluation, judged.elaboration)
    lint_data(source, values.stop, scope.problems)
    lint_layers(made, values.batch, scope.problems)
    lint_look_ahead(evaluation, source, scope.problems)
    notes = picture_notes(given, values.augment)
    notes += [*rule_notes, *values.inferred, *optimizers.inferred, *penalty_notes, *chosen.inferred]
    recipe = replace(
        values.recipe(target.definition.name, source.name, graph, section.train.span),
        loss=tuple(" + ".join(term.text() for term in terms) for terms in chosen.terms),
        optimizers=optimizers.uses,
        penalties=tuple(penalties),
        restraints=restraints,
        writing=values.writing,
        ensemble=values.ensemble,
        inferred=(*notes, *output_notes, *_ending_notes(outputs, chosen)),
        expectations=tuple(Expectation(e.condition, e.span) for e in settings.expectations),
        evaluation=evaluation,
        targets={o.name: tuple(t.name for t in o.targets) for o in outputs},
        report=pictures,
        replay=values.replay,
    )
    recipe = with_carry(recipe, values.carry, settings, source)
    return with_buckets(recipe, values.buckets, settings, source)


# --- what is trained ------------------------------------------------------------------------


def target_of(train: tree.Train, scope: Scope) -> Target:
    """The net, or the part of one, that a section trains; NN301 or NN319 where there is none."""
    value = None
    if not isinstance(train.target, tree.Name) or scope.find(train.target.name) is not None:
        value = evaluate(train.target, scope)
    if isinstance(value, NetDefinition):
        value.elaborated()
        names = value.parameter_names()
        if not names:
            raise error("NN319", f"net `{value.name}` has nothing to learn: it has no weights",
                        train.target.span)  # fmt: skip
        return Target(value, names, True)
    if isinstance(value, Part) and isinstance(value.net, NetDefinition):
        value.net.elaborated()
        return Target(value.net, resolve(value.net, value.query, value.span), False)
    name = train.target.name if isinstance(train.target, tree.Name) else train.target.span.text
    values = {n: _value(scope, n) for n in scope.visible()}
    nets = {n: v.name_span for n, v in values.items() if isinstance(v, NetLike)}
    title = f"there is no net called `{name}` to train"
    raise unknown_name("NN301", title, name, nets, train.target.span, places=nets)


def _value(scope: Scope, name: str) -> object:
    found = scope.find(name)
    return found.value if found is not None else None


def source_of(train: tree.Train, definition: NetDefinition, found: FileScope) -> DataSource:
    """The data that a section trains on: its own, else that of the net."""
    if isinstance(train.data, tree.Name):
        source = found.scope.lookup(train.data.name)
        if not isinstance(source, DataSource):
            raise unknown_source(train.data.name, train.data.span, found)
        return source
    if train.data is not None:
        raise not_yet("a data source written in `train`", train.data.span,
                      "give it a name: `data name = ...`")  # fmt: skip
    if definition.source is None:
        raise error(
            "NN319",
            f"`train {definition.name}` has no data to learn from",
            train.target.span,
            secondary=[(definition.name_span, "the net stands on no data either")],
            help=f"train {definition.name} on data {{ ... }}",
        )
    return definition.source


def _no_target(train: tree.Train, net: NetDefinition, source: DataSource) -> NndslError:
    return error(
        "NN319",
        f"`train {net.name}` has nothing to compare answers with: `{source.name}` has no target",
        train.target.span,
        secondary=[(source.span, "target = none")],
        help=f"say what is minimised: `minimize mse({net.name}.output, {source.name}.inputs)`",
    )


# --- losses and graphs ----------------------------------------------------------------------


class _Losses:
    """The setting `loss`, read once the outputs are known."""

    def __init__(self, settings: Settings) -> None:
        self.written = settings.run.get("loss")

    def check(self) -> None:
        """Look at it as far as that goes without the outputs."""
        if self.written is not None:
            value = self.written.evaluated()
            count = len(value) if isinstance(value, tuple) else 1
            read_losses(value, count, self.written.span, ())

    def read(self, outputs: Sequence[Output]) -> Losses:
        """The losses as written, else by the targets."""
        if self.written is not None:
            value = self.written.evaluated()
            names = [o.name for o in outputs]
            terms = read_losses(value, len(outputs), self.written.span, names)
            return Losses(terms, self.written.span)
        found = Losses([], None)
        for output in outputs:
            term, why = infer_loss(output)
            found.terms.append([term])
            what = "loss" if len(outputs) == 1 else f"loss of {output.name}"
            found.inferred.append(Inferred(what, term.name, why, output.span))
        return found


def _graph(
    made: Elaborated,
    outputs: Sequence[Output],
    losses: Losses,
    penalties: Sequence[Penalty],
    scope: Scope,
    span: Span,
    source: DataSource,
) -> Graph:
    """The net's graph with targets, `data_loss` and `loss`."""
    assert source.schema is not None  # the caller has seen to it
    match_inputs(made, source, span)
    builder = LossBuilder(made, source.schema, scope, span)
    data_loss = builder.add(outputs, losses)
    planned = [(p.kind, p.coefficient, p.parameters) for p in penalties]
    loss = add_penalties(builder.build, data_loss, planned)
    graph = made.graph
    graph.outputs = {"loss": loss, "data_loss": data_loss, **graph.outputs}
    return graph


def _evaluation(
    definition: NetDefinition,
    source: DataSource,
    losses: Losses,
    penalties: Sequence[Penalty],
    scope: Scope,
    span: Span,
) -> tuple[Elaborated, Graph]:
    """The same in inference mode, with softmax or sigmoid where a loss took logits."""
    assert source.schema is not None  # the caller has seen to it
    made = definition.fresh(training=False)
    outputs, _ = match_outputs(made, source.schema, source, definition.net.span)
    graph = _graph(made, outputs, losses, penalties, scope, span, source)
    for output, terms in zip(outputs, losses.terms, strict=True):
        ending = missing_ending(output, terms)
        if ending:
            graph.outputs[output.name] = with_ending(made, output.tensor.value, ending)
    return made, graph


def missing_ending(output: Output, terms: Sequence[Term]) -> str:
    """What stands for the activation at the end where the output is taken as logits, else ""."""
    found = (term.loss.word for term in terms if isinstance(term.loss, WordCall))
    joint = next((w for w in found if isinstance(w, Loss) and w.joint), None)
    numbers = output.target.kind is TargetKind.NUMBERS
    if joint is None or output.ending in ENDINGS or (numbers and joint.targets != "shares"):
        return ""
    return "softmax" if joint.joint == "step" and output.width != 1 else joint.joint


def with_ending(made: Elaborated, logits: Value, ending: str) -> Value:
    """What people are shown of an output that a loss takes as logits."""
    build = made.elaboration.build
    build.label = "answer"
    if ending == "softmax" and logits.type.rank == 4:  # of pictures over the channels
        rows = build.add(Softmax(), channels_last(build, logits))
        return channels_first(build, rows, 2)
    if ending == "softmax":
        return build.add(Softmax(), logits)
    word = words("activation")[ending]
    assert isinstance(word, Activation)
    numbers = {name: constant(value) for name, value in call(word).arguments.items()}
    formula = substitute(word.expression, {"x": variable("x0"), **numbers})
    return build.add(Map((formula,)), logits, name=ending)


def _ending_notes(outputs: Sequence[Output], losses: Losses) -> list[Inferred]:
    notes = []
    for output, terms in zip(outputs, losses.terms, strict=True):
        ending = missing_ending(output, terms)
        if ending:
            why = f"the loss takes the output as logits; predictions pass through {ending}"
            notes.append(Inferred(f"end of output {output.name}", ending, why, output.span))
    return notes


def answer_graph(network: Network, evaluation: Graph, made: Elaboration) -> None:
    """The inference graph gives what people are shown, as the evaluation does.

    Parts, named lines and cycles are from now on those that `made` laid out for it; what an
    objective added behind them is no part of the network.
    """
    network.parts = made.parts[: len(network.parts)]
    network.points = {name: made.points[name].value for name in network.points}
    network.settlings = tuple(made.settlings[: len(network.settlings)])
    names = list(network.graph.outputs)
    keep = Graph(evaluation.inputs, evaluation.nodes, {n: evaluation.outputs[n] for n in names})
    network.graph = only_needed(as_answered(keep))


def only_needed(graph: Graph) -> Graph:
    """The graph without nodes and targets that no output needs."""
    needed = set(graph.results())
    nodes = []
    for node in reversed(graph.nodes):
        if any(v in needed for v in node.outputs):
            nodes.append(node)
            needed.update(node.inputs)
    inputs = {n: i for n, i in graph.inputs.items() if i.role is not Role.TARGET}
    return Graph(inputs, nodes[::-1], dict(graph.outputs))
