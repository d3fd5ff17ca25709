"""Two networks with two optimizers, against PyTorch: the same weights after some rounds."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.train.initial import initial_parameters
from nndsl.train.plan import plan
from nndsl.train.replay import do_steps
from tests.train.compiled import compiled_job

pytestmark = pytest.mark.peers

GAN = """data iris = csv("iris.csv", target=species)
net Maker {{ input z: [4]; dense(6) -> tanh -> dense(4) }}
net Critic {{ input x: [4]; dense(8) -> tanh -> dense(1) }}
train (Maker, Critic) on iris {{
  let fake = (iris.inputs * 0.5) -> Maker
  update Critic {{
    minimize bce(iris.inputs -> Critic, 1) + bce(fake -> Critic, 0)
    optimizer = adam(0.01, beta1=0.5); times = 2; penalty = l2(0.01)
  }}
  update Maker {{ minimize bce(fake -> Critic, 1); optimizer = sgd(0.05, momentum=0.9); every = 2 }}
  precision = float64; batch = all; epochs = {epochs}; %s
}}
"""
ROUNDS = 7


def test_weights_are_those_of_two_optimizers_in_turn():
    torch = pytest.importorskip("torch")
    job = compiled_job(text=GAN.format(epochs=ROUNDS))
    for name, array in job.train.items():
        job.training.bind(name, array)
    start = initial_parameters(job.network, job.seed)
    job.training.set_parameters(start)
    states = job.training.states()
    job.training.set_states({name: np.zeros_like(array) for name, array in states.items()})
    rows = len(next(iter(job.train.values())))
    assert do_steps(job, plan(job.recipe, rows), 0, ROUNDS) == ROUNDS

    weights = {n: torch.tensor(a, dtype=torch.float64, requires_grad=True)
               for n, a in start.items()}  # fmt: skip
    x = torch.tensor(next(iter(job.train.values())), dtype=torch.float64)

    def net(name: str, given):
        hidden = given @ weights[f"{name}.dense[1].weight"] + weights[f"{name}.dense[1].bias"]
        second = f"{name}.dense[2]"
        return torch.tanh(hidden) @ weights[f"{second}.weight"] + weights[f"{second}.bias"]

    def of(name: str) -> list:
        return [w for key, w in weights.items() if key.startswith(f"{name}.")]

    def loss(logits, target: float):
        bce = torch.nn.functional.binary_cross_entropy_with_logits
        return bce(logits, torch.full_like(logits, target))

    critic = torch.optim.Adam(of("Critic"), lr=0.01, betas=(0.5, 0.999))
    maker = torch.optim.SGD(of("Maker"), lr=0.05, momentum=0.9)
    for number in range(ROUNDS):
        for _ in range(2):
            critic.zero_grad()
            penalty = sum((w**2).sum() for w in of("Critic") if w.ndim == 2)
            fake = net("Maker", 0.5 * x)
            both = loss(net("Critic", x), 1.0) + loss(net("Critic", fake), 0.0)
            (both + 0.005 * penalty).backward()
            critic.step()
        if number % 2 == 1:
            maker.zero_grad()
            loss(net("Critic", net("Maker", 0.5 * x)), 1.0).backward()
            maker.step()
    for name, array in job.training.parameters().items():
        found = weights[name].detach().numpy()
        np.testing.assert_allclose(array, found, rtol=1e-9, atol=1e-11, err_msg=name)
