"""The list of passes as a whole: harmless, switchable, watchable."""

from itertools import pairwise

import pytest

from nndsl.ir.graph import Graph
from nndsl.ir.verify import verify
from nndsl.passes.pipeline import CLEANING, INFERENCE, Pass, run, training
from tests.networks import without
from tests.passes.networks import assert_harmless, classifier, lines
from tests.passes.test_update import MOMENTUM, use

PASSES = training((use(MOMENTUM, lr=0.1, beta=0.9),))
OPTIONAL = [p.name for p in (*CLEANING,)] + ["join"]


def test_every_pass_is_seen_with_the_graph_before_and_after():
    seen: list[tuple[Pass, Graph, Graph]] = []
    graph = classifier()
    result = run(graph, PASSES, lambda *step: seen.append(step))
    assert [step.name for step, _, _ in seen] == [p.name for p in PASSES]
    assert seen[0][1] is graph
    assert seen[-1][2] is result
    for (_, _, after), (_, before, _) in pairwise(seen):
        assert after is before
    for _, _, after in seen:
        verify(after)


@pytest.mark.parametrize("left_out", OPTIONAL)
def test_every_optimisation_can_be_switched_off(left_out, rng):
    whole = run(classifier(penalty=0.1), PASSES)
    fewer = run(classifier(penalty=0.1), without(PASSES, [left_out]))
    verify(fewer)
    ulp = 64 if left_out in ("join", "fold") else 0
    assert_harmless(fewer, whole, rng, ulp)


def test_inference_keeps_outputs(rng):
    before = classifier()
    after = run(before, without(INFERENCE, ["fuse", "layout"]))
    assert_harmless(before, after, rng, ulp=4)


def test_a_training_step_of_a_classifier_holds_no_idle_node():
    """Two products forward, three backward, and no movement of data."""
    graph = run(classifier(), without(PASSES, ["fuse_maps", "fuse_epilogues"]))
    words = [line.split(" = ")[1].split("(")[0].split("[")[0] for line in lines(graph)]
    assert words.count("matmul") == 5
    assert not {"reshape", "broadcast", "constant"} & set(words)
