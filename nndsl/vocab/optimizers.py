"""Optimizers: one update of a weight `p` with gradient `g`, as formulas.

Where `torch.optim` has the method, the formulas are its; the others follow the paper named.
`momentum` and `nesterov` have the lectures' form, in which the velocity holds the rate.
"""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.params import Flag, Parameter, Real
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.functions import absolute, maximum, sign, sqrt, where
from nndsl.vocab.kinds import Optimizer
from nndsl.vocab.registry import register

p = variable("p")
g = variable("g")
t = variable("t")
lr = variable("lr")
beta = variable("beta")
beta1 = variable("beta1")
beta2 = variable("beta2")
rho = variable("rho")
eps = variable("eps")
decay = variable("decay")
momentum = variable("momentum")
nesterov = variable("nesterov")
centered = variable("centered")
warmup = variable("warmup")
v = variable("v")
next_v = variable("next_v")
m = variable("m")
next_m = variable("next_m")
s = variable("s")
next_s = variable("next_s")

# `g` with the L2 penalty's gradient, as torch.optim's weight_decay
penalised = g + decay * p


def optimizer(
    name: str,
    doc: str,
    see: str,
    step: Mapping[str, Expression],
    scalars: Mapping[str, Expression] | None = None,
    *,
    running: Mapping[str, Expression] | None = None,
    norms: Mapping[str, Expression] | None = None,
    **parameters: Parameter,
) -> None:
    """Define an optimizer; its states are the names in `step` but `p`."""
    states = tuple(state for state in step if state != "p")
    formulas = (scalars or {}, running or {}, norms or {}, step)
    register(Optimizer(name, parameters, doc, see, states, *formulas))


def rate(default: float | None = None) -> Real:
    """The parameter `lr`, required without a default."""
    doc = "learning rate"
    return Real(doc=doc, ge=0, schedule=True) if default is None else _real(default, doc)


def _real(default: float, doc: str, lt: float | None = None) -> Real:
    return Real(default, doc, ge=0, lt=lt, schedule=True)


def _share(default: float, doc: str) -> Real:
    """A share of the old value that is kept: 0 <= beta < 1."""
    return _real(default, doc, lt=1)


EPSILON = 1e-8
DECAY = _real(0.0, "adds decay times the weight to the gradient (an L2 penalty)")

optimizer(
    "sgd",
    "Stochastic gradient descent, with momentum and Nesterov's look-ahead if wanted.",
    "torch.optim.SGD; Sutskever et al. 2013",
    {
        "v": momentum * v + penalised,
        "p": p - lr * where(nesterov, penalised + momentum * next_v, next_v),
    },
    lr=rate(),
    momentum=_share(0.0, "share of the velocity kept"),
    nesterov=Flag(False, "take the gradient at the look-ahead point"),
    decay=DECAY,
)
optimizer(
    "momentum",
    "Gradient descent with momentum: v <- beta v - lr g, p <- p + v.",
    "Polyak 1964; lecture form",
    {"v": beta * v - lr * g, "p": p + next_v},
    lr=rate(),
    beta=_share(0.9, "share of the velocity kept"),
)
optimizer(
    "nesterov",
    "Momentum with the gradient at the point ahead; weights are kept at that point.",
    "Nesterov 1983; Sutskever et al. 2013, lecture form",
    {"v": beta * v - lr * g, "p": p + beta * next_v - lr * g},
    lr=rate(),
    beta=_share(0.9, "share of the velocity kept"),
)

_ADAM_SCALARS = {
    "corrected_rate": lr / (1 - beta1**t),
    "inverse_root": 1 / sqrt(1 - beta2**t),
}
_adam_m = beta1 * m + (1 - beta1) * penalised
_adam_s = beta2 * s + (1 - beta2) * (penalised * penalised)
_adam_change = variable("corrected_rate") * next_m / (sqrt(next_s) * variable("inverse_root") + eps)

optimizer(
    "adam",
    "Steps divided by the root of the mean squared gradient, both means corrected at the start.",
    "torch.optim.Adam; Kingma & Ba 2014, arXiv:1412.6980",
    {"m": _adam_m, "s": _adam_s, "p": p - _adam_change},
    _ADAM_SCALARS,
    lr=rate(1e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(EPSILON, "added to the root"),
    decay=DECAY,
)
optimizer(
    "adamw",
    "Adam with weights that shrink by lr times decay at each step.",
    "torch.optim.AdamW; Loshchilov & Hutter 2017, arXiv:1711.05101",
    {
        "m": beta1 * m + (1 - beta1) * g,
        "s": beta2 * s + (1 - beta2) * (g * g),
        "p": p * variable("shrink") - _adam_change,
    },
    {**_ADAM_SCALARS, "shrink": 1 - lr * decay},
    lr=rate(1e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(EPSILON, "added to the root"),
    decay=_real(0.01, "share of the weight, times lr, taken off at each step"),
)
optimizer(
    "amsgrad",
    "Adam whose divisor never falls.",
    "torch.optim.Adam(amsgrad=True); Reddi et al. 2018",
    {
        "m": _adam_m,
        "s": _adam_s,
        "most": maximum(variable("most"), next_s),
        "p": p
        - variable("corrected_rate")
        * next_m
        / (sqrt(variable("next_most")) * variable("inverse_root") + eps),
    },
    _ADAM_SCALARS,
    lr=rate(1e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(EPSILON, "added to the root"),
    decay=DECAY,
)
optimizer(
    "adamax",
    "Adam with the greatest of the faded gradients in place of the root of their mean square.",
    "torch.optim.Adamax; Kingma & Ba 2014, arXiv:1412.6980, section 7.1",
    {
        "m": _adam_m,
        "s": maximum(beta2 * s, absolute(penalised) + eps),
        "p": p - variable("corrected_rate") * next_m / next_s,
    },
    {"corrected_rate": lr / (1 - beta1**t)},
    lr=rate(2e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the greatest gradient kept"),
    eps=_real(EPSILON, "added to the size of a gradient"),
    decay=DECAY,
)
_share_now = variable("share_now")
_share_next = variable("share_next")
_rest = variable("rest")
_next_rest = variable("next_rest")
_corrected = sqrt(next_s) * variable("inverse_root") + eps

optimizer(
    "nadam",
    "Adam with Nesterov's look-ahead: the share of the mean gradient kept grows to beta1.",
    "torch.optim.NAdam; Dozat 2016, Incorporating Nesterov momentum into Adam",
    {
        "m": _adam_m,
        "s": _adam_s,
        "p": p
        - lr * (1 - _share_now) / _next_rest * penalised / _corrected
        - lr * _share_next / (1 - (1 - _next_rest) * _share_next) * next_m / _corrected,
    },
    {
        "inverse_root": 1 / sqrt(1 - beta2**t),
        "share_now": beta1 * (1 - 0.5 * constant(0.96) ** (t * warmup)),
        "share_next": beta1 * (1 - 0.5 * constant(0.96) ** ((t + 1) * warmup)),
    },
    # 1 - the product of all shares so far
    running={"rest": 1 - (1 - _rest) * _share_now},
    lr=rate(2e-3),
    beta1=_share(0.9, "share of the mean gradient kept, in the end"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(EPSILON, "added to the root"),
    decay=DECAY,
    warmup=_real(4e-3, "how fast the share kept grows"),
)
_most_length = 2 / (1 - beta2) - 1
_length = variable("length")
_limit = variable("limit")

optimizer(
    "radam",
    "Adam that takes plain steps with momentum until the mean squared gradient can be trusted.",
    "torch.optim.RAdam; Liu et al. 2019, arXiv:1908.03265",
    {
        "m": _adam_m,
        "s": _adam_s,
        "p": p
        - variable("corrected_rate")
        * next_m
        * where(_length > 5, variable("rectified") / (sqrt(next_s) + eps), 1.0),
    },
    {
        "corrected_rate": lr / (1 - beta1**t),
        "limit": _most_length,
        "length": _most_length - 2 * t * beta2**t / (1 - beta2**t),
        "rectified": sqrt(
            (_length - 4) * (_length - 2) * _limit / ((_limit - 4) * (_limit - 2) * _length)
        )
        * sqrt(1 - beta2**t),
    },
    lr=rate(1e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(EPSILON, "added to the root"),
    decay=DECAY,
)
_direction = (
    next_m * variable("correction") / (sqrt(next_s) * variable("inverse_root") + eps) + decay * p
)
_weight_norm = variable("weight_norm")
_step_norm = variable("step_norm")

optimizer(
    "lamb",
    "Adam's direction, for each array of weights as long as lr times the array's own norm.",
    "You et al. 2019, Large batch optimization for deep learning, arXiv:1904.00962, algorithm 2",
    {
        "m": beta1 * m + (1 - beta1) * g,
        "s": beta2 * s + (1 - beta2) * (g * g),
        "p": p
        - lr * where(_weight_norm * _step_norm > 0, _weight_norm / _step_norm, 1.0) * _direction,
    },
    {"correction": 1 / (1 - beta1**t), "inverse_root": 1 / sqrt(1 - beta2**t)},
    norms={"weight_norm": p, "step_norm": _direction},
    lr=rate(1e-3),
    beta1=_share(0.9, "share of the mean gradient kept"),
    beta2=_share(0.999, "share of the mean squared gradient kept"),
    eps=_real(1e-6, "added to the root"),
    decay=_real(0.01, "share of the weight that is added to the direction"),
)
optimizer(
    "adagrad",
    "Steps divided by the root of the sum of all squared gradients.",
    "torch.optim.Adagrad; Duchi, Hazan & Singer 2011",
    {"s": s + penalised * penalised, "p": p - lr * penalised / (sqrt(next_s) + eps)},
    lr=rate(0.01),
    eps=_real(1e-10, "added to the root"),
    decay=DECAY,
)
_spread = where(centered, next_s - next_m * next_m, next_s)

optimizer(
    "rmsprop",
    "Steps divided by the root of the mean squared gradient, with momentum if wanted.",
    "torch.optim.RMSprop; Tieleman & Hinton 2012",
    {
        "s": rho * s + (1 - rho) * (penalised * penalised),
        "m": rho * m + (1 - rho) * penalised,
        "v": momentum * v + penalised / (sqrt(_spread) + eps),
        "p": p - lr * next_v,
    },
    lr=rate(0.01),
    rho=_share(0.99, "share of the mean squared gradient kept"),
    momentum=_share(0.0, "share of the velocity kept"),
    centered=Flag(False, "divide by the deviation of the gradient about its mean"),
    eps=_real(EPSILON, "added to the root"),
    decay=DECAY,
)
_change = sqrt(v + eps) / sqrt(next_s + eps) * penalised

optimizer(
    "adadelta",
    "Steps in the ratio of the mean squared step to the mean squared gradient.",
    "torch.optim.Adadelta; Zeiler 2012, arXiv:1212.5701",
    {
        "s": rho * s + (1 - rho) * (penalised * penalised),
        "v": rho * v + (1 - rho) * (_change * _change),
        "p": p - lr * _change,
    },
    lr=rate(1.0),
    rho=_share(0.9, "share of both means kept"),
    eps=_real(1e-6, "added under both roots"),
    decay=DECAY,
)
optimizer(
    "lion",
    "Steps of one size in the direction of the sign of the momentum.",
    "Chen et al. 2023, Symbolic discovery of optimization algorithms, arXiv:2302.06675",
    {
        "m": beta2 * m + (1 - beta2) * g,
        "p": p * variable("shrink") - lr * sign(beta1 * m + (1 - beta1) * g),
    },
    {"shrink": 1 - lr * decay},
    lr=rate(1e-4),
    beta1=_share(0.9, "share of the momentum in the direction"),
    beta2=_share(0.99, "share of the momentum kept"),
    decay=_real(0.0, "share of the weight, times lr, taken off at each step"),
)
