"""`expect` lines judged with real networks: as the file writes them, or as training left them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nndsl import driver
from nndsl.diagnostics import Diagnostic, error
from nndsl.lower import Evidence, judge, nets_asked
from nndsl.lower.result import Network

if TYPE_CHECKING:
    from nndsl.model.settling import Rests
    from nndsl.model.training import Trained
    from nndsl.train.together import Join

Weights = Mapping[str, Sequence[Mapping[str, np.ndarray]]]
"""By net, for each member of an ensemble (one for a single network), then by parameter in the
graph's layout."""


def written_weights(network: Network) -> dict[str, np.ndarray] | None:
    """The weights that the file gives; None when some are left to be drawn or learnt."""
    infos = network.parameters.items()
    if any(info.values is None for _, info in infos):
        return None
    return {name: np.broadcast_to(info.values, info.shape) for name, info in infos
            if info.values is not None}  # fmt: skip


def failed_now(opened: driver.Opened, rests: Rests | None = None) -> list[Diagnostic]:
    """Expectations that need no training and do not hold; `rests` is told what settled."""
    networks = opened.module.networks
    trained = {recipe.net for recipe in opened.module.recipes}
    weights: dict[str, Sequence[Mapping[str, np.ndarray]]] = {}
    for name, network in networks.items():
        given = written_weights(network)
        if given is not None and name not in trained:
            weights[name] = [given]
    ready = [e for e in opened.module.expectations if nets_asked(opened.module, e) <= set(weights)]
    evidence = _evidence(opened, weights, {}, rests)
    found = (judge(opened.module, expectation, evidence) for expectation in ready)
    return [problem for problem in found if problem is not None]


def failed_after(
    opened: driver.Opened, trained: Sequence[Trained], rests: Rests | None = None
) -> list[Diagnostic]:
    """Expectations of the file and of its `train` sections that do not hold after training."""
    networks = opened.module.networks
    weights: dict[str, Sequence[Mapping[str, np.ndarray]]] = {}
    for name, network in networks.items():
        given = written_weights(network)
        if given is not None:
            weights[name] = [given]
    for each in trained:
        members = each.result.members or (each.result,)
        weights[each.network.name] = [{**one.parameters, **one.states} for one in members]
    found: list[Diagnostic | None] = []
    for each in trained:
        evidence = _evidence(opened, weights, each.result.metrics, rests)
        found += [judge(opened.module, e, evidence) for e in each.recipe.expectations]
    evidence = _evidence(opened, weights, {}, rests)
    for expectation in opened.module.expectations:
        if nets_asked(opened.module, expectation) <= set(weights):
            found.append(judge(opened.module, expectation, evidence))
    return [problem for problem in found if problem is not None]


def _together(opened: driver.Opened, net: str) -> Join:
    """How the members of an ensemble answer together."""
    from nndsl.model.training import outputs_of  # checking a file does not wait for these
    from nndsl.train.together import join_of

    recipe = next(r for r in opened.module.recipes if r.net == net)
    schema = opened.module.schemas[recipe.data or ""]
    return join_of(recipe, outputs_of(opened.module.networks[net], schema, recipe)[0])


def _evidence(
    opened: driver.Opened, weights: Weights, figures: Mapping[str, float], rests: Rests | None
) -> Evidence:
    networks = opened.module.networks

    def answer(net: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        from nndsl import compilation  # a check waits for it only where a net is asked

        if rests is not None and len(weights[net]) == 1 and networks[net].settlings:
            rests.add(networks[net], weights[net][0], arrays)
        said = [compilation.answer(networks[net], one, arrays) for one in weights[net]]
        return said[0] if len(said) == 1 else _together(opened, net)(np.stack(said))

    def learnt(net: str, path: str) -> np.ndarray:
        from nndsl.train.initial import to_file_layout

        known = weights.get(net)
        if known is not None and len(known) > 1:
            raise error("NN076", f"`{net}` is an ensemble of {len(known)}: each has its own {path}")
        # of a net without weights only shapes may be asked for: `nets_asked` sees to that
        blank = np.full(networks[net].parameters[path].shape, np.nan)
        return to_file_layout(networks[net], {path: known[0][path] if known else blank})[path]

    return Evidence(answer, learnt, driver.arrays_reader(opened.tables, opened.specifications),
                    figures)  # fmt: skip
