"""Mistakes of objectives: two ways to say what is minimised, weights that it does not reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import Graph, Role, Value
from nndsl.lower.names import not_yet
from nndsl.lower.result import JOINT
from nndsl.lower.train_settings import Settings


def check_settings(settings: Settings) -> None:
    """NN302 for two ways to say what is minimised."""
    spans = [written.span for written in settings.objectives]
    place = [*spans, *(statement.span for statement, _ in settings.updates)][0]
    for name in ("loss", "rule"):
        written = settings.run.get(name)
        if written is None:
            continue
        if name in settings.from_defaults:
            del settings.run[name], settings.from_defaults[name]
            continue
        title = f"`{name}` and `minimize` both say what is minimised"
        raise error("NN302", title, written.span, secondary=[(place, "so does this")],
                    help=f"leave out `{name}`")  # fmt: skip
    if "ensemble" in settings.run:
        span = settings.run["ensemble"].span
        raise not_yet("an ensemble of networks with objectives of one's own", span)
    if settings.updates and settings.objectives:
        raise error(
            "NN302",
            "a section minimises one objective, or each of its updates does",
            settings.objectives[0].span,
            secondary=[(settings.updates[0][0].span, "has an objective of its own")],
            help="update Net { minimize ... }",
        )
    if not settings.updates and len(settings.objectives) > 1:
        raise objective_count(settings, settings.objectives[1].span)


def objective_count(settings: Settings, span: Span) -> NndslError:
    """NN319 for an update without an objective, NN302 for one with two."""
    if not settings.objectives:
        return error("NN319", "an update says what is minimised", span,
                     help="update Net { minimize ... }")  # fmt: skip
    return error(
        "NN302",
        "two objectives in one update",
        settings.objectives[1].span,
        "the second",
        secondary=[(settings.objectives[0].span, "the first")],
        help="add them up: `minimize a + 0.3 * b`",
    )


def require_reach(
    value: Value, graph: Graph, trained: Sequence[str], name: str, places: tuple[Span, Span]
) -> None:
    """NN325 when the objective depends on no array that an update trains.

    `places` are those of the objective and of what is to be updated.
    """
    needed = {value}
    for node in reversed(graph.nodes):
        if any(result in needed for result in node.outputs):
            needed.update(node.inputs)
    if any(graph.inputs[n].value in needed for n in trained if n in graph.inputs):
        return
    raise error(
        "NN325",
        f"the objective does not depend on `{name}`: nothing of it would be learnt",
        places[0],
        f"computed without any weight of `{name}`",
        secondary=[(places[1], "is to be updated")] if places[1] != places[0]
        else [],
        help=f"use its answer in the objective, such as `{name}.output`",
    )  # fmt: skip


def require_use(
    graphs: Sequence[Graph], members: Mapping[str, Sequence[str]], data: str, span: Span
) -> None:
    """NN325 for a net of a training that no objective uses, and where none reads the data.

    `members` are the learnt arrays of each net that is trained together with others.
    """
    used = {name for graph in graphs for name in graph.inputs}
    idle = [net for net, names in members.items() if names and not used.intersection(names)]
    if idle:
        others = ", ".join(net for net in members if net not in idle)
        raise error(
            "NN325",
            f"net `{idle[0]}` is trained here, but no objective uses it",
            span,
            help=f"train {others if ',' not in others else f'({others})'} on {data} {{ ... }}",
        )
    if not any(graph.of_role(Role.DATA, Role.TARGET) for graph in graphs):
        raise error(
            "NN325",
            f"no objective reads anything of `{data}`: its rows say how many examples there are",
            span,
            help=f"what goes in is `{data}.inputs`",
        )


def foreign(owner: str, trained: str, data: str, span: Span) -> NndslError:
    """NN325 for weights in an objective that are of no net of the training."""
    names = trained.replace(JOINT, ", ")
    if not owner or owner == trained:
        return error(
            "NN325",
            "an objective has no weights of its own",
            span,
            "would make some, and no net would have them",
            help="give the stage to a net, and name its answer here",
        )
    return error(
        "NN325",
        f"the objective uses net `{owner}`, which is not among those trained here",
        span,
        "its weights belong to no net of this training",
        help=f"train ({names}, {owner}) on {data} {{ ... }}",
    )
