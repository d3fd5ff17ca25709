"""Diagrams of nets that are trained together: what feeds which."""

from __future__ import annotations

import pytest

from nndsl.render.diagram import diagram_source
from nndsl.render.diagram_fold import picture_of
from tests.lower.helpers import lowered
from tests.train.test_rounds import GAN


def test_noise_data_and_nets_lead_to_inputs_by_dashed_arrows():
    network = lowered(GAN % "").networks["Maker+Critic"]
    assert network.wiring == (
        ("iris.input", "Critic"),
        ("noise(3)", "Maker"),
        ("Maker", "Critic"),
    )
    picture = picture_of(network)
    dashed = [arrow for arrow in picture.arrows if arrow.dashed]
    named = {box: box.lines[0] for box in picture.boxes}
    assert [(named[a.source], a.target.frame.text) for a in dashed] == [
        ("iris.input", "Critic"),
        ("noise(3)", "Maker"),
        ("dense(4)", "Critic"),
    ]
    assert {arrow.name for arrow in picture.arrows if arrow.target is None} == {"output"}
    assert diagram_source(network).count("style=dashed") >= 3


def test_other_networks_have_no_dashed_arrows():
    text = 'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) }\n'
    network = lowered(text + "train A { minimize mean(A.output^2) }").networks["A"]
    assert network.wiring == ()
    assert not any(arrow.dashed for arrow in picture_of(network).arrows)


TRAINED_TWICE = """data iris = csv("iris.csv", target=species)
net N on iris { trunk = dense(8) -> relu; head = dense(iris.classes) -> softmax }
train N.head { epochs = 2 }
train N { epochs = 2 }
"""
BY_AN_OBJECTIVE = """data iris = csv("iris.csv") { target = none; drop = species }
net Small { input z: [2]; dense(4) }
net N on iris { code = dense(2) -> tanh; code -> Small }
train N { minimize mse(N.output, iris.inputs) + 0.1 * mean(N.code -> Small) }
"""


@pytest.mark.parametrize("text", [TRAINED_TWICE, BY_AN_OBJECTIVE])
def test_the_stages_of_a_trained_network_are_those_of_its_graph(text):
    network = lowered(text).networks["N"]
    made = {value for node in network.graph.nodes for value in node.outputs}
    assert {part.output for part in network.parts} <= made
    assert set(network.points.values()) <= made
    words = [box.lines[0] for box in picture_of(network).boxes]
    assert [w for w in words if not w.startswith(("input", "dense", "Small"))] == []
