"""A training step as one graph, against the same step written in NumPy."""

from itertools import pairwise

import numpy as np
import pytest

from nndsl.ir.graph import CLOCK_NAMES, Role
from nndsl.lower.result import OptimizerUse, Restraint
from nndsl.ops.base import Clock
from nndsl.passes.optimizing import hoist
from nndsl.passes.pipeline import training
from nndsl.passes.update import Update
from nndsl.runtime.reference import evaluate
from nndsl.scalar.expression import variable
from nndsl.scalar.functions import sqrt
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Optimizer
from nndsl.vocab.registry import WordCall, words
from tests.passes.networks import apply, arrays_for, classifier, compared, lines

p, g, t, lr, beta, v, next_v = (variable(n) for n in ["p", "g", "t", "lr", "beta", "v", "next_v"])
DESCENT = Optimizer("descent", step={"p": p - lr * g})
MOMENTUM = Optimizer("moving", state=("v",), step={"v": beta * v - lr * g, "p": p + next_v})
SCALED = Optimizer(
    "scaled",
    state=("v",),
    scalars={"power": beta**t, "rate": lr * sqrt(1 - variable("power"))},
    step={"v": beta * v + (1 - beta) * g, "p": p - variable("rate") * next_v},
)
NAMES = tuple(n for n, i in classifier().inputs.items() if i.role is Role.PARAMETER)


def use(optimizer, names=NAMES, rate=1.0, **numbers):
    return OptimizerUse(WordCall(optimizer), numbers, names, rate)


def step_graph(*uses, graph=None, **options):
    return apply(graph or classifier(), *training(uses, **options))


def clocks(step, steps_per_epoch=3):
    epoch = step // steps_per_epoch
    return dict(zip(CLOCK_NAMES, (step, epoch, 30, steps_per_epoch), strict=True))


def simulate(graph, rng, steps):
    """Parameters and states after each step, from states of zero; each time the same batch."""
    arrays = arrays_for(graph, rng)
    arrays |= {n: np.zeros_like(a) for n, a in arrays.items() if ":" in n or n.startswith("run.")}
    history = [arrays]
    for step in range(steps):
        outputs, updates = evaluate(graph, {**arrays, **clocks(step)}, Clock(step=step))
        arrays = {**arrays, **updates}
        history.append({**arrays, **outputs})
    return history


def gradient_at(arrays, name):
    from nndsl.passes.differentiate import Differentiate

    found, _ = evaluate(Differentiate()(classifier()), arrays)
    return found[f"gradient:{name}"]


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_descent(name, rng):
    history = simulate(step_graph(use(DESCENT, lr=0.1)), rng, 3)
    for before, after in pairwise(history):
        close(after[name], before[name] - 0.1 * gradient_at(before, name))


def test_states_go_from_step_to_step(rng):
    name = "dense[1].weight"
    history = simulate(step_graph(use(MOMENTUM, lr=0.1, beta=0.9)), rng, 3)
    for before, after in pairwise(history):
        expected = 0.9 * before[f"{name}:v"] - 0.1 * gradient_at(before, name)
        close(after[f"{name}:v"], expected)
        close(after[name], before[name] + expected)


def test_scalars_are_computed_once_in_double_and_count_steps_from_1(rng):
    graph = step_graph(use(SCALED, lr=0.1, beta=0.9))
    name = "dense[2].bias"
    history = simulate(graph, rng, 3)
    for number, (before, after) in enumerate(pairwise(history), 1):
        state = 0.9 * before[f"{name}:v"] + (1 - 0.9) * gradient_at(before, name)
        close(after[name], before[name] - 0.1 * np.sqrt(1 - 0.9**number) * state)
    doubles = [n for n in graph.nodes if "double" in str(n.outputs[0].type) and n.inputs]
    assert {n.label for n in doubles} == {"optimizer", "run.loss_sum"}


def test_the_text_of_a_training_step(golden):
    before = classifier(penalty=0.1)
    after = apply(before, *training((use(SCALED, lr=0.1, beta=0.9),)))
    golden("passes/update.txt", compared(before, after))


def test_numbers_are_settings():
    graph = step_graph(use(MOMENTUM, lr=0.1, beta=0.9))
    assert graph.settings() == {"optimizer.beta": 0.9, "optimizer.lr": 0.1}
    assert list(graph.outputs) == ["data_loss"]


def test_settings_can_be_given_anew_without_another_graph(rng):
    graph = step_graph(use(DESCENT, lr=0.1))
    arrays = arrays_for(graph, rng)
    name = "dense[1].bias"
    _, slow = evaluate(graph, arrays)
    _, fast = evaluate(graph, {**arrays, "optimizer.lr": 0.2})
    close(fast[name] - arrays[name], 2 * (slow[name] - arrays[name]))


def test_a_number_may_change_with_time(rng):
    schedule = 0.1 / (1 + variable("epoch")) * (1 - variable("step") / variable("total_steps"))
    graph = step_graph(use(DESCENT, lr=schedule))
    assert [n for n, i in graph.inputs.items() if i.role is Role.CLOCK] == [
        "epoch",
        "step",
        "total_steps",
    ]
    history = simulate(graph, rng, 5)
    name = "dense[1].bias"
    for step, (before, after) in enumerate(pairwise(history)):
        rate = 0.1 / (1 + step // 3) * (1 - step / 30)
        close(after[name], before[name] - rate * gradient_at(before, name))


def test_a_number_that_is_zero_switches_its_terms_off():
    graph = step_graph(use(MOMENTUM, lr=0.1, beta=0.0))
    assert graph.settings() == {"optimizer.lr": 0.1}
    assert [n for n, i in graph.inputs.items() if i.role is Role.STATE] == ["run.loss_sum"]


def test_flags_are_numbers():
    from nndsl.scalar.functions import where

    chosen = Optimizer("chosen", step={"p": where(variable("flag"), p - g, p + g)})
    graph = step_graph(use(chosen, flag=True))
    assert graph.settings() == {}
    texts = [line for line in lines(graph) if line.startswith("%next")]
    assert all("map[{x0 - x1}]" in text for text in texts)


def test_two_optimizers_a_rate_and_a_frozen_part(rng):
    uses = (
        use(DESCENT, ("dense[1].weight",), rate=0.5, lr=0.1),
        use(MOMENTUM, ("dense[2].weight", "dense[2].bias"), lr=0.2, beta=0.9),
    )
    graph = step_graph(*uses)
    assert graph.settings() == {
        "optimizer[1].lr": 0.1,
        "optimizer[2].beta": 0.9,
        "optimizer[2].lr": 0.2,
    }
    assert "dense[1].bias" not in graph.updates
    before, after = simulate(graph, rng, 1)
    slow, fast = "dense[1].weight", "dense[2].weight"
    close(after[slow], before[slow] - 0.05 * gradient_at(before, slow))
    close(after[fast], before[fast] - 0.2 * gradient_at(before, fast))


def test_the_sum_of_losses_weighs_batches_by_rows(rng):
    graph = step_graph(use(DESCENT, lr=0.1))
    history = simulate(graph, rng, 3)
    losses = [h["data_loss"] for h in history[1:]]
    close(history[-1]["run.loss_sum"], 6 * sum(losses))


@pytest.mark.parametrize("clip", [0.01, 1e6])
def test_clipping_scales_all_gradients_by_their_common_norm(clip, rng):
    graph = step_graph(use(DESCENT, lr=0.1), clip=clip, gradient_norm=True)
    assert graph.settings()["clip.norm"] == clip
    before, after = simulate(graph, rng, 1)
    gradients = {n: gradient_at(before, n) for n in NAMES}
    norm = np.sqrt(sum((a**2).sum() for a in gradients.values()))
    close(after["gradient_norm"], norm)
    scale = min(1.0, clip / (norm + 1e-6))
    for name in NAMES:
        close(after[name], before[name] - 0.1 * scale * gradients[name])


def test_clipping_by_value_bounds_every_number(rng):
    graph = step_graph(use(DESCENT, lr=0.1), clip_value=0.02)
    assert graph.settings()["clip.value"] == 0.02
    before, after = simulate(graph, rng, 1)
    for name in NAMES:
        bounded = np.clip(gradient_at(before, name), -0.02, 0.02)
        close(after[name], before[name] - 0.1 * bounded)


def test_weight_decay_of_the_lectures(rng):
    """(1 - zeta)(w + dw) for the weights named; others have another share, or none."""
    restraints = {"dense[1].weight": Restraint(0.1), "dense[2].weight": Restraint(0.25)}
    graph = step_graph(use(MOMENTUM, lr=0.1, beta=0.9), restraints=restraints)
    shares = {"weight_decay": 0.1, "weight_decay[2]": 0.25}
    assert graph.settings() == {"optimizer.beta": 0.9, "optimizer.lr": 0.1, **shares}
    for before, after in pairwise(simulate(graph, rng, 2)):
        for name in NAMES:
            velocity = 0.9 * before[f"{name}:v"] - 0.1 * gradient_at(before, name)
            keep = 1 - restraints.get(name, Restraint()).decay
            close(after[name], keep * (before[name] + velocity))
            close(after[f"{name}:v"], velocity)


@pytest.mark.parametrize("axis", [0, 1])
def test_the_weights_into_a_unit_have_a_greatest_norm(axis, rng):
    name = "dense[1].weight"
    restraints = {name: Restraint(0.1, max_norm=1.5, axis=axis)}
    graph = step_graph(use(DESCENT, lr=0.1), restraints=restraints)
    before, after = simulate(graph, rng, 1)
    free = 0.9 * (before[name] - 0.1 * gradient_at(before, name))
    norms = np.linalg.norm(free, axis=1 - axis, keepdims=True)
    assert norms.min() < 1.5 < norms.max()
    close(after[name], free * np.minimum(1, 1.5 / norms))


def test_norms_are_of_one_array_each(rng):
    word = words("optimizer")["lamb"]
    graph = step_graph(OptimizerUse(call(word, lr=0.1, decay=0.0), {}, NAMES))
    before, after = simulate(graph, rng, 1)
    for name in NAMES:
        slope = gradient_at(before, name)
        direction = slope / (np.abs(slope) + 1e-6)
        length = np.linalg.norm(before[name]) / np.linalg.norm(direction)
        close(after[name], before[name] - 0.1 * length * direction)


def test_running_numbers_are_kept_once_for_an_optimizer(rng):
    halving = Optimizer(
        "halving", running={"r": variable("r") / 2 + 1}, step={"p": p - variable("next_r") * g}
    )
    graph = step_graph(use(halving))
    assert [n for n, i in graph.inputs.items() if i.role is Role.STATE] == [
        "optimizer:r",
        "run.loss_sum",
    ]
    history = simulate(graph, rng, 3)
    for rate, (before, after) in zip((1, 1.5, 1.75), pairwise(history), strict=True):
        name = "dense[1].bias"
        close(after[name], before[name] - rate * gradient_at(before, name))


def test_updates_have_the_label_of_the_part():
    graph = step_graph(use(DESCENT, lr=0.1))
    for name in NAMES:
        maker = graph.producers()[graph.updates[name]]
        assert maker.label == name.rsplit(".", 1)[0]


def test_a_parameter_without_gradient_is_refused():
    with pytest.raises(ValueError, match="no gradient"):
        Update((use(DESCENT, lr=0.1),))(classifier())


def test_an_input_called_like_a_clock_is_not_taken_for_it():
    graph = classifier()
    graph.inputs["step"] = graph.inputs.pop("input")
    with pytest.raises(ValueError, match="name of a clock"):
        step_graph(use(DESCENT, lr=0.1 / (1 + variable("step"))), graph=graph)


def test_hoisting_takes_out_the_largest_parts():
    formulas = [p - lr * (1 - beta) * g, v * (1 - beta) + lr]
    changed, hoisted = hoist(formulas, {"p", "g", "v"})
    assert hoisted == {"once0": lr * (1 - beta), "once1": 1 - beta}
    assert changed == [p - variable("once0") * g, v * variable("once1") + lr]


@pytest.mark.parametrize("name", words("optimizer"))
def test_every_optimizer_of_the_vocabulary_makes_the_loss_smaller(name, rng):
    """From the word with its default numbers to steps that go downhill."""
    word = call(words("optimizer")[name], lr=0.02)
    graph = step_graph(OptimizerUse(word, {}, NAMES))
    history = simulate(graph, rng, 20)
    assert history[-1]["data_loss"] < history[1]["data_loss"]
