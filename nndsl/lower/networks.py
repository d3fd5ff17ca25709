"""From an elaborated net to a `Network`: initialisers by the activation that follows, names."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.ir.graph import Graph, Value
from nndsl.lower.elaboration import Draft, Elaboration
from nndsl.lower.nets import Elaborated, NetDefinition
from nndsl.lower.result import Inferred, Network, ParameterInfo
from nndsl.ops.map import Map
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Activation, Layer
from nndsl.vocab.registry import WordCall, lookup, words

WITHOUT_ACTIVATION = "glorot_uniform"


def network_of(definition: NetDefinition) -> Network:
    """The inference graph of a net with all that is known of its parts."""
    made = definition.elaborated()
    parameters, inferred = parameter_infos(made)
    return Network(
        name=definition.name,
        data=definition.net.data,
        graph=made.graph.copy(),
        parameters=parameters,
        parts=list(made.elaboration.parts),
        inputs={name: tensor.shape for name, tensor in made.inputs.items()},
        inferred=[*made.elaboration.inferred, *inferred],
        span=definition.net.span,
        points={name: tensor.value for name, tensor in made.elaboration.points.items()},
        settlings=tuple(made.elaboration.settlings),
    )


def parameter_infos(made: Elaborated) -> tuple[dict[str, ParameterInfo], list[Inferred]]:
    """The learnt arrays by path, and which initialisers were chosen for them."""
    followers = _Followers(made.elaboration, made.graph)
    infos: dict[str, ParameterInfo] = {}
    inferred: list[Inferred] = []
    for name, draft in made.elaboration.drafts.items():
        initializer = draft.initializer
        if initializer is None:
            initializer, why = followers.choose(draft)
            if draft.values is None and draft.decays:
                inferred.append(Inferred(f"init of {name}", initializer.name, why, draft.span))
        infos[name] = ParameterInfo(
            name,
            draft.shape,  # type: ignore[arg-type]  # sizes are numbers wherever data is at hand
            initializer,
            draft.fan_in,
            draft.fan_out,
            draft.axes,
            draft.values,
            draft.decays,
            draft.span,
            draft.owner,
        )
    return infos, inferred


class _Followers:
    """Finds the activation that a stage's numbers go into, through sums and dropout."""

    def __init__(self, elaboration: Elaboration, graph: Graph) -> None:
        self._users = graph.users()
        stages = [part for part in elaboration.parts if not part.is_block]
        self._starts = {name: part.output for part in stages for name in part.parameters}
        self._consumers: dict[Value, list[tuple[str, Value]]] = {}
        for part in stages:
            for value in part.inputs:
                if value is not part.output:
                    self._consumers.setdefault(value, []).append((part.word, part.output))

    def choose(self, draft: Draft) -> tuple[WordCall, str]:
        """The initialiser for a learnt array, and why."""
        start = self._starts.get(draft.value.name)
        activation = self._activation_after(start) if start is not None else None
        if activation is None:
            return call(words("initializer")[WITHOUT_ACTIVATION]), "no activation follows"
        word = words("initializer")[activation.initializer]
        return call(word), f"`{activation.name}` follows"

    def _activation_after(self, start: Value) -> Activation | Layer | None:
        waiting, seen = [start], {start}
        while waiting:
            value = waiting.pop(0)
            for name, output in self._next(value):
                word = lookup(name, ("activation", "layer"))
                if isinstance(word, Activation | Layer) and _acts(word):
                    return word
                seen_through = isinstance(word, Layer) and word.transparent
                if (seen_through or name == "") and output not in seen:
                    seen.add(output)
                    waiting.append(output)
        return None

    def _next(self, value: Value) -> Iterable[tuple[str, Value]]:
        """The stages that read a value; arithmetic has the word ""."""
        parts = self._consumers.get(value, [])
        yield from parts
        if not parts:
            for node in self._users.get(value, []):
                if isinstance(node.operation, Map):
                    yield "", node.outputs[0]


_PLAIN = frozenset(("identity",))


def _acts(word: Activation | Layer) -> bool:
    """Whether a word is an activation, or a layer that acts as one."""
    return bool(word.initializer) and word.name not in _PLAIN
