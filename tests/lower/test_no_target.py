"""`target = none`: data of which nothing is predicted."""

from __future__ import annotations

from tests.lower.helpers import codes, lowered, problems

HEAD = """data iris = csv("iris.csv") { target = none; drop = species }
net A on iris { code = dense(2)
 dense(4) }
"""


def test_an_objective_needs_no_target():
    module = lowered(HEAD + "train A { minimize mse(A.output, iris.inputs) }")
    assert module.schemas["iris"].targets == ()
    (recipe,) = module.recipes
    assert recipe.targets == {}
    assert set(recipe.graph.outputs) == {"loss", "data_loss", "output"}


def test_a_loss_needs_one():
    (found,) = problems(HEAD + "train A { loss = mse }")
    assert found.code == "NN319"
    assert "minimize mse(A.output, iris.inputs)" in found.help[0]


def test_a_column_may_be_called_none():
    text = """data d = table(x=[1, 2, 3, 4], none=[2, 4, 6, 9]) { target = none }
net A on d { dense(1) }
train A { }
"""
    (recipe,) = lowered(text).recipes
    assert recipe.targets == {"output": ("none",)}


def test_towers_are_checked_without_the_data():
    text = """data d = csv("not_here.csv", target=y) { input l = [a, b]; input r = [c, e] }
net A on d {
  share tower = dense(3)
  abs((l -> tower) - (r -> tower)) -> dense(1)
}
train A { }
"""
    assert set(codes(text)) <= {"NN807"}
