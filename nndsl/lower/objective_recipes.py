"""`train` sections that say what is minimised: `minimize expr`, alone or in `update` sections.

Each update has a graph of its own: the forward passes that its objective needs, in training mode
for all that the section trains; only the weights of its own net change. What is at rest in the
whole section is as at inference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Graph, Role, Value
from nndsl.lower.augmentation import as_augmented, picture_notes
from nndsl.lower.bucketing import with_buckets
from nndsl.lower.carrying import with_carry
from nndsl.lower.elaboration import Judgement, Path
from nndsl.lower.endings import ending_of, logits_before
from nndsl.lower.evaluate import evaluate
from nndsl.lower.file_scope import FileScope, TrainSection
from nndsl.lower.guesses import as_target, guess_of
from nndsl.lower.hiding import as_answered, depends_on_hiding
from nndsl.lower.inputs import match_inputs
from nndsl.lower.joint import JointDefinition, joined
from nndsl.lower.layer_lints import lint_layers
from nndsl.lower.lints import lint_data
from nndsl.lower.losses import Term
from nndsl.lower.nets import Elaborated, NetDefinition, parameters_of
from nndsl.lower.networks import network_of
from nndsl.lower.objective_checks import (
    check_settings,
    foreign,
    objective_count,
    require_reach,
    require_use,
)
from nndsl.lower.objectives import Objective
from nndsl.lower.optimizers import plan_optimizers
from nndsl.lower.outputs import Output
from nndsl.lower.penalties import add_penalties, plan_penalties
from nndsl.lower.pictures import chosen_pictures
from nndsl.lower.recipe_values import (
    RunValues,
    add_figures,
    check_dotted,
    clip_of,
    count_of,
    figures_of,
    read_run_values,
)
from nndsl.lower.recipes import (
    Target,
    answer_graph,
    missing_ending,
    recipe_of,
    source_of,
    target_of,
    with_ending,
)
from nndsl.lower.restraints import plan_restraints
from nndsl.lower.result import JOINT, Expectation, Guess, Inferred, Network, Recipe, Turn
from nndsl.lower.scopes import Scope
from nndsl.lower.train_settings import (
    Settings,
    Written,
    gather,
    gather_update,
    has_objective,
)
from nndsl.lower.values import DataSource, NetLike, Part
from nndsl.lower.wiring import wiring_of
from nndsl.lower.words import shown
from nndsl.ops.compose import add_sum
from nndsl.records import dataclass
from nndsl.schema import TargetSchema
from nndsl.syntax import tree


def section_recipe(
    section: TrainSection, found: FileScope, networks: dict[str, Network]
) -> Recipe | None:
    """The recipe of a section; None in a check without its data, or after errors."""
    train = section.train
    if has_objective(train.body):
        return _Section(section, found, networks).recipe()
    if isinstance(train.target, tree.TupleOf):
        raise error(
            "NN319",
            "several nets are trained together, but nothing says what is minimised",
            train.target.span,
            help="update Net { minimize ... } for each of them",
        )
    return recipe_of(section, found, networks)


@dataclass
class _Update:
    """One update as written: what it trains, its settings and its objective."""

    name: str
    span: Span
    trained: list[str]
    settings: Settings
    objective: Written


class _Section:
    """A section with objectives on its way to a recipe."""

    def __init__(
        self, section: TrainSection, found: FileScope, networks: dict[str, Network]
    ) -> None:
        self.section, self.found, self.networks = section, found, networks
        self.span = section.train.span
        self.scope = Scope(found.scope.session, found.scope, recipe=True)
        self.scope.with_tensors = True
        self.target, self.source = self._target()
        self.definition = self.target.definition

    def recipe(self) -> Recipe | None:
        """All settings, then a graph for each update and one of all objectives at inference."""
        problems, section = self.scope.problems, self.section
        settings = gather(section.train.body, section.defaults, self.scope, self.found.scope)
        errors = len(problems.errors)
        check_settings(settings)
        updates = self._updates(settings)
        values = read_run_values(settings, self.source.schema, self.scope)
        _adjust(values, settings)
        given, self.source = self.source, as_augmented(self.source, values.augment)
        add_figures(values, settings, self.source.schema)
        pictures = chosen_pictures(settings, self.definition)
        if self.source.schema is None or len(problems.errors) > errors:
            return None
        turns: list[Turn] = []
        for update in updates:
            with problems.caught():
                turns.append(self._turn(update, values))
        if not turns or len(turns) < len(updates):
            return None
        with problems.caught():
            self._require_use(turns)
        evaluation, outputs = None, list[_Judged]()
        with problems.caught():
            evaluation, outputs = self._evaluation(updates)
        kinds = [(one.output.name, one.output.target.kind) for one in outputs]
        of_turns = [turn.figure for turn in turns if settings.updates]
        check_dotted(settings, [*of_turns, *figures_of(kinds, values)], self.scope)
        if len(problems.errors) > errors:
            return None
        lint_data(self.source, values.stop, problems)
        notes = [*picture_notes(given, values.augment), *values.inferred, *_ending_notes(outputs)]
        turns = [replace(t, recipe=replace(t.recipe, evaluation=evaluation)) for t in turns]
        first = turns[0].recipe
        recipe = replace(
            first,
            loss=tuple(t.recipe.loss[0] for t in turns),
            plateaus=tuple(values.plateaus),
            inferred=(*notes, *(note for turn in turns for note in turn.recipe.inferred)),
            expectations=tuple(Expectation(e.condition, e.span) for e in settings.expectations),
            evaluation=evaluation,
            targets={o.output.name: (o.output.target.name,) for o in outputs if o.guess is None},
            guesses=tuple(o.guess for o in outputs if o.guess is not None),
            report=pictures,
            turns=tuple(turns) if settings.updates else (),
        )
        recipe = with_carry(recipe, values.carry, settings, self.source)
        return with_buckets(recipe, values.buckets, settings, self.source)

    # --- what is trained ----------------------------------------------------------------------

    def _target(self) -> tuple[Target, DataSource]:
        train = self.section.train
        if not isinstance(train.target, tree.TupleOf):
            target = target_of(train, self.scope)
            return target, source_of(train, target.definition, self.found)
        members: list[NetDefinition] = []
        for item in train.target.items:
            target = target_of(replace(train, target=item), self.scope)
            if not target.all_of_them or target.definition in members:
                title = "the nets of a training stand in parentheses, each once and as a whole"
                raise error("NN309", title, item.span, help="parts stand in `update Net.part`")
            members.append(target.definition)
        standing = next((m for m in members if m.source is not None), members[0])
        source = source_of(train, standing, self.found)
        joint = joined(members, source, train.target.span, self.found.scope)
        self.networks[joint.name] = network_of(joint)
        return Target(joint, joint.parameter_names(), True), source

    def _updates(self, settings: Settings) -> list[_Update]:
        if not settings.updates:
            (objective,) = settings.objectives
            name, span = self.definition.name, objective.span
            return [_Update(name, span, self.target.parameters, settings, objective)]
        found: list[_Update] = []
        for statement, scope in settings.updates:
            with self.scope.problems.caught():
                found.append(self._update(statement, scope, settings, found))
        return found

    def _update(
        self, statement: tree.Update, scope: Scope, settings: Settings, before: Sequence[_Update]
    ) -> _Update:
        inner = scope.child()
        own = gather_update(statement.body, settings, inner)
        if len(own.objectives) != 1:
            raise objective_count(own, statement.span)
        text = "".join(statement.target.span.text.split())
        same = sum(update.name.partition("[#")[0] == text for update in before)
        trained = self._trained(statement.target, inner)
        name = text if not same else f"{text}[#{same + 1}]"
        return _Update(name, statement.target.span, trained, own, own.objectives[0])

    def _trained(self, target: tree.Expression, scope: Scope) -> list[str]:
        """The learnt arrays that an update may change; NN325 for none of this training."""
        value = evaluate(target, scope)
        if not isinstance(value, NetLike | Part):
            title = f"an update is of a net or a part of one, not of {shown(value)}"
            members = " or ".join(f"`update {n}`" for n in self.definition.name.split(JOINT))
            raise error("NN309", title, target.span, help=members)
        net = value.net if isinstance(value, Part) else value
        inside = self.definition if net is self.definition else net
        names = parameters_of(self.definition, inside) and parameters_of(self.definition, value)
        trained = [name for name in names if name in self.target.parameters]
        if trained:
            return trained
        raise error(
            "NN325",
            f"`{target.span.text}` has no weights that this section trains",
            target.span,
            secondary=[(self.section.train.target.span, "is trained here")],
            help=f"train ({self.definition.name.replace(JOINT, ', ')}, {net.name}) on "
            f"{self.source.name} {{ ... }}",
        )

    def _require_use(self, turns: Sequence[Turn]) -> None:
        nets = self.definition.members if isinstance(self.definition, JointDefinition) else ()
        require_use(
            [turn.recipe.graph for turn in turns],
            {net.name: parameters_of(self.definition, net) for net in nets},
            self.source.name,
            self.section.train.target.span,
        )

    # --- graphs -------------------------------------------------------------------------------

    def _begun(self, training: bool) -> tuple[Elaborated, Objective]:
        """A graph that an objective may be added to."""
        trained = {name for name in self.target.parameters} if training else set()
        resting: frozenset[Path] = self.definition.at_rest(trained) if training else frozenset()
        if isinstance(self.definition, JointDefinition):
            made = self.definition.empty(training, resting, judging=not training)
        else:
            made = self.definition.laid_out(training, resting, judging=not training)
        return made, Objective(made, self.definition, self.source)

    def _ended(self, made: Elaborated, span: Span) -> Graph:
        """The graph with its final names, its inputs those of the data."""
        self.definition.finished(made)
        own = self.definition.parameter_names()
        for name, draft in made.elaboration.drafts.items():
            if name not in own:
                raise foreign(
                    draft.owner, self.definition.name, self.source.name, draft.span or span
                )
        if not isinstance(self.definition, JointDefinition):
            match_inputs(made, self.source, span)
        for name, given in made.graph.inputs.items():
            if given.role is Role.PARAMETER and name not in self.target.parameters:
                given.trainable = False
        return made.graph

    def _turn(self, update: _Update, values: RunValues) -> Turn:
        """The update with its graph, and all that its own settings say."""
        settings, definition = update.settings, self.definition
        made, objective = self._begun(True)
        made.elaboration.purpose = f"{update.name}:" if settings.of_update else ""
        value = objective.value_of(update.objective)
        graph = self._ended(made, update.span)
        require_reach(
            value, graph, update.trained, update.name, (update.objective.span, update.span)
        )
        trained = [name for name in update.trained if name in graph.inputs]
        _keep_own(graph, trained, definition)
        plan = plan_optimizers(settings, values.reader, trained, definition)
        penalties, _ = plan_penalties(settings, definition, trained, self.source, by_default=False)
        planned = [(p.kind, p.coefficient, p.parameters) for p in penalties]
        loss = add_penalties(made.elaboration.build, value, planned)
        graph.outputs = {"loss": loss, "data_loss": value, **graph.outputs}
        lint_layers(made, values.batch, self.scope.problems)
        text = " ".join(update.objective.span.text.split())
        recipe = replace(
            values.recipe(definition.name, self.source.name, graph, self.span),
            loss=(f"{update.name}: {text}" if settings.of_update else text,),
            optimizers=plan.uses,
            penalties=tuple(penalties),
            restraints=plan_restraints(settings, definition, trained),
            clip=clip_of(settings, self.source.schema),
            inferred=tuple(_named(note, update) for note in plan.inferred),
        )
        times, every = count_of(settings, "times"), count_of(settings, "every")
        return Turn(update.name, recipe, times, every)

    def _evaluation(self, updates: Sequence[_Update]) -> tuple[Graph, list[_Judged]]:
        """All objectives at inference, and the outputs that they judge."""
        made, objective = self._begun(False)
        losses = {f"{u.name}.loss": objective.value_of(u.objective) for u in updates}
        graph = self._ended(made, self.span)
        graph.updates = {}
        total = add_sum(made.elaboration.build, list(losses.values()), name="data_loss")
        several = losses if updates[0].settings.of_update else {}
        judged = self._judged(made)
        graph.outputs = {"loss": total, "data_loss": total, **several, **graph.outputs}
        for one in judged:
            if one.ending:
                value = with_ending(made, one.output.tensor.value, one.ending)
                graph.outputs[one.output.name] = value
        network = self.networks[self.definition.name]
        if isinstance(self.definition, JointDefinition):
            network.wiring = wiring_of(made.elaboration, self.source.name)
        else:
            answer_graph(network, graph, made.elaboration)
        places = {o.guess.places: o.mask for o in judged if o.guess and o.mask is not None}
        graph.outputs |= places
        hides = depends_on_hiding(graph, (j.mask for j in made.elaboration.judged))
        return graph if hides else as_answered(graph), judged

    def _judged(self, made: Elaborated) -> list[_Judged]:
        """Outputs that the objective compares with a target or with ids of an input."""
        found: list[_Judged] = []
        for name, tensor in made.outputs.items():
            calls = [j for j in made.elaboration.judged if j.output is tensor.value]
            for judgement in calls:
                target, guess = self._target_of(judgement, made.graph, name)
                if target is None:
                    continue
                last = ending_of(made.elaboration, tensor.value)
                word = last.word if last is not None else ""
                logits = logits_before(made.elaboration, last) if last is not None else tensor.value
                output = Output(name, tensor, (target,), word, logits, last, self.source, self.span)
                term = Term(1.0, judgement.loss, self.span)
                ending = missing_ending(output, [term])
                found.append(_Judged(output, ending, guess, judgement.mask))
                break
        return found

    def _target_of(
        self, judgement: Judgement, graph: Graph, output: str
    ) -> tuple[TargetSchema | None, Guess | None]:
        """What an output is judged by; the ids of an input stand for a target."""
        schema, name = self.source.schema, judgement.target.name
        assert schema is not None  # the caller has seen to it
        if name not in graph.inputs:
            return None, None
        if graph.inputs[name].role is Role.TARGET:
            return next((t for t in schema.targets if t.name == name), None), None
        return as_target(judgement, schema), guess_of(output, judgement)


@dataclass(frozen=True)
class _Judged:
    """An output with its target, and the activation that it passes through where people see it.

    `guess` of one that tells the ids of an input, at the places where `mask` is not 0.
    """

    output: Output
    ending: str
    guess: Guess | None
    mask: Value | None


# --- what follows --------------------------------------------------------------------------


def _adjust(values: RunValues, settings: Settings) -> None:
    """Of several losses none says which weights are best, so the last are kept."""
    if settings.updates and "keep" not in settings.run:
        values.keep = None
        values.inferred = [note for note in values.inferred if note.what != "keep"]
        why = "no loss of one update says which weights are best"
        values.inferred.append(Inferred("keep", "last", why))


def _keep_own(graph: Graph, trained: Sequence[str], definition: NetDefinition) -> None:
    """Gradients for these arrays only, and new running statistics only of what they belong to."""
    parts = {name.rpartition(".")[0] for name in trained}
    nets = {name.partition(".")[0] for name in trained}
    for name, given in graph.inputs.items():
        if given.role is Role.PARAMETER and name not in trained:
            given.trainable = False
    with_weights = {n.rpartition(".")[0] for n in graph.inputs if n not in graph.updates}
    for name in list(graph.updates):
        part, _, _ = name.rpartition(".")
        inside = not isinstance(definition, JointDefinition) or name.partition(".")[0] in nets
        if part not in parts and not (inside and part not in with_weights):
            del graph.updates[name]


def _named(note: Inferred, update: _Update) -> Inferred:
    """What an update left out, with its name."""
    alone = not update.settings.of_update
    return note if alone else replace(note, what=f"{note.what} of {update.name}")


def _ending_notes(outputs: Iterable[_Judged]) -> list[Inferred]:
    why = "the loss takes the output as logits; predictions pass through"
    return [
        Inferred(f"end of output {o.output.name}", o.ending, f"{why} {o.ending}", o.output.span)
        for o in outputs
        if o.ending
    ]
