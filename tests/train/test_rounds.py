"""Rounds of updates: what each changes, against the oracle; going on, threads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndsl import compilation
from nndsl.diagnostics import NndslError
from nndsl.ir.graph import CLOCK_NAMES
from nndsl.ops.base import Clock
from nndsl.random import permutation
from nndsl.runtime.reference import evaluate
from nndsl.train.folder import create_at
from nndsl.train.initial import initial_parameters
from nndsl.train.plan import plan
from nndsl.train.replay import do_steps
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.train.compiled import compiled_job, opened
from tests.train.test_compiled import StopAfter
from tests.train.test_resume import same

GAN = """data iris = csv("iris.csv", target=species)
net Maker { input z: [3]; dense(6) -> leaky_relu(0.2) -> batch_norm -> dense(4) }
net Critic { input x: [4]; dense(8) -> leaky_relu(0.2) -> dropout(0.3) -> dense(1) }
train (Maker, Critic) on iris {
  let fake = noise(3) -> Maker
  update Critic {
    minimize bce(iris.inputs -> Critic, 1) + bce(fake -> Critic, 0)
    optimizer = adam(0.01, beta1=0.5); times = 2
  }
  update Maker { minimize bce(fake -> Critic, 1); optimizer = momentum(0.05); every = 3 }
  epochs = 6; %s
}
"""
SLOWLY = "precision = float64; batch = 20"


def by_hand(job, rounds: int) -> tuple[dict, dict]:
    """Parameters and states after some rounds, by the oracle: one graph after another."""
    turns = {turn: compilation.training_graph(turn.recipe) for turn in job.recipe.turns}
    count = len(next(iter(job.train.values())))
    known = dict(initial_parameters(job.network, job.seed))
    for turn, graph in turns.items():
        for name, given in graph.inputs.items():
            if given.role.value == "state":
                start = np.full(given.value.type.shape, given.start)
                known.setdefault(_name(job, turn, name), start)
    for number in range(rounds):
        for turn, graph in turns.items():
            for step in range(turn.steps_before(number), turn.steps_before(number + 1)):
                _step(job, turn, graph, known, step, count)
    return known, turns


def _name(job, turn, name: str) -> str:
    return name if name in job.network.graph.inputs else f"{turn.name}/{name}"


def _step(job, turn, graph, known: dict, step: int, count: int) -> None:
    batch = job.recipe.batch
    per_epoch = -(-count // batch)
    epoch, inside = divmod(step, per_epoch)
    rows = permutation(count, job.seed, epoch)[inside * batch :][:batch]
    inputs = {}
    clock = dict(zip(CLOCK_NAMES, (step, epoch, 0, per_epoch), strict=True))
    for name, given in graph.inputs.items():
        if name in job.train:
            inputs[name] = job.train[name][rows]
        elif name in clock:
            inputs[name] = np.array(float(clock[name]))
        elif given.setting is not None:
            inputs[name] = np.array(given.setting)
        else:
            inputs[name] = known[_name(job, turn, name)]
    sizes = {"N": len(rows)}
    _, updates = evaluate(graph, inputs, Clock(job.seed, step, sizes, "float64"))
    known |= {_name(job, turn, name): value for name, value in updates.items()}


DECAYING = GAN.replace("momentum(0.05)", "momentum(0.05); penalty = l2(0.1)").replace(
    "dense(4) }", "dense(8) -> relu -> dense(8) -> relu -> dense(4) }"
)
"""Weights that decay and biases that do not are updated by two formulas, each of all together."""


@pytest.mark.parametrize(("text", "rounds"), [(GAN, 1), (GAN, 2), (GAN, 7), (DECAYING, 7)])
def test_each_update_sees_the_weights_of_its_moment(text, rounds):
    job = compiled_job(SLOWLY, text=text)
    for name, array in job.train.items():
        job.training.bind(name, array)
    job.training.set_parameters(initial_parameters(job.network, job.seed))
    job.training.set_states({n: np.full_like(a, job.network.graph.starts().get(n, 0.0))
                             for n, a in job.training.states().items()})  # fmt: skip
    whole = plan(job.recipe, len(next(iter(job.train.values()))))
    assert do_steps(job, whole, 0, rounds) == rounds
    expected, _ = by_hand(job, rounds)
    found = {**job.training.parameters(), **job.training.states()}
    assert set(found) == set(expected)
    for name, array in found.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-9, atol=1e-11, err_msg=name)


def test_an_update_changes_its_own_net_alone():
    job = compiled_job(SLOWLY + "; steps = 2", text=GAN.replace("epochs = 6; ", ""))
    start = initial_parameters(job.network, job.seed)
    after = train(job).parameters  # the maker's turn comes in the third round
    changed = {name for name in after if not np.array_equal(after[name], start[name])}
    assert changed == {name for name in after if name.startswith("Critic.")}


def test_both_losses_are_in_the_history_and_the_figures():
    result = train(compiled_job(text=GAN))
    columns = result.history.columns
    assert columns[3:7] == ("train_loss", "train_Critic.loss", "train_Maker.loss", "val_loss")
    rows = result.history.array()
    np.testing.assert_allclose(rows[:, 3], rows[:, 4] + rows[:, 5])
    assert set(result.metrics) == {
        f"{part}_{name}"
        for part in ("val", "test")
        for name in ("loss", "Critic.loss", "Maker.loss")
    }
    assert result.best_epoch is None  # the last weights are kept


@pytest.mark.parametrize("stop", [0, 4, 13])
def test_a_broken_run_goes_on_to_the_bit(tmp_path, monkeypatch, stop):
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    whole = train(compiled_job(text=GAN))
    with create_at(tmp_path / "run") as folder:
        job = compiled_job(text=GAN)
        broken = train(replace(job, training=StopAfter(job.training, stop), folder=folder))
    assert (broken.status, broken.steps) == ("interrupted", stop + 1)
    checkpoint = read_checkpoint(tmp_path / "run")
    rest = train(compiled_job(text=GAN, threads=2), checkpoint=checkpoint)
    same(whole, rest)


def test_one_update_of_everything_is_a_plain_training():
    text = """data iris = csv("iris.csv", target=species)
net A on iris { dense(8) -> relu -> dense(3) }
train A { %s; epochs = 3; keep = last; optimizer = adam(0.01) }
"""
    loss = "minimize cross_entropy(A.output, iris.species)"
    plain = train(compiled_job(loss, text=text))
    in_turn = train(compiled_job(f"update A {{ {loss} }}", text=text))
    assert plain.history.column("train_loss") == in_turn.history.column("train_loss")
    for name, array in plain.parameters.items():
        np.testing.assert_array_equal(array, in_turn.parameters[name])


def test_parts_of_one_net_have_objectives_of_their_own():
    text = """data iris = csv("iris.csv", target=species)
net A on iris {
  code = dense(2)
  dense(4)
}
train A {
  update A.code { minimize mean(A.code^2); optimizer = sgd(0.1) }
  update A.dense { minimize mse(A.output, iris.inputs); optimizer = sgd(0.1) }
  epochs = 4; %s
}
"""
    (recipe,) = opened("", text).module.recipes
    assert [turn.name for turn in recipe.turns] == ["A.code", "A.dense"]
    trained = [use.parameters for turn in recipe.turns for use in turn.recipe.optimizers]
    assert trained == [("code.dense.weight", "code.dense.bias"), ("dense.weight", "dense.bias")]
    history = train(compiled_job(text=text)).history
    assert history.column("train_A.code.loss")[-1] < history.column("train_A.code.loss")[0]


def test_a_loss_that_is_no_number_is_told_with_its_update():
    text = GAN.replace("minimize bce(fake -> Critic, 1);", "minimize mean(exp(1000 * fake^2));")
    with pytest.raises(NndslError) as problem:
        train(compiled_job("batch = 20", text=text.replace("; every = 3", "")))
    (found,) = problem.value.diagnostics
    assert found.code == "NN701"
    assert any("Maker" in note for note in found.notes)


def test_rows_made_on_the_way_are_seen_batch_by_batch():
    """A piece of an epoch bound for itself, as `Feed` does, gives what all rows do."""
    text = GAN.replace("times = 2", "").replace("; every = 3", "")
    whole, pieces = (compiled_job(SLOWLY, text=text) for _ in range(2))
    planned = plan(whole.recipe, len(next(iter(whole.train.values()))))
    for job in (whole, pieces):
        job.training.set_parameters(initial_parameters(job.network, job.seed))
        job.training.set_states({n: np.full_like(a, job.network.graph.starts().get(n, 0.0))
                                 for n, a in job.training.states().items()})  # fmt: skip
    for name, array in whole.train.items():
        whole.training.bind(name, array)
    assert whole.training.run(0, 4, seed=3, rows=planned.data_rows, total_steps=9) == 4
    for first, count in ((0, 3), (3, 1)):
        for name, array in pieces.train.items():
            pieces.training.bind(name, array[20 * first : 20 * (first + count)])
        per_epoch = planned.steps_per_epoch
        done = pieces.training.run(first, count, seed=3, total_steps=9, steps_per_epoch=per_epoch)
        assert done == count
    for name, array in whole.training.parameters().items():
        np.testing.assert_array_equal(array, pieces.training.parameters()[name], err_msg=name)
