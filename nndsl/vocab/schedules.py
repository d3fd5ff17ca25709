"""Schedules: numbers that change with time, as formulas.

`step` counts from 0 at the schedule's start; `length` is how many steps it lasts: the argument
of that name or, without it, all that is left of the run. `schedule = s` multiplies the rate by s.
"""

from __future__ import annotations

import math

from nndsl.params import Figure, Int, Length, Parameter, Real, TimeLength
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.functions import absolute, cos, floor, minimum, where
from nndsl.vocab.kinds import Schedule
from nndsl.vocab.registry import register

step = variable("step")
length = variable("length")
over = variable("over")
steps = variable("steps")
factor = variable("factor")
low = variable("low")
high = variable("high")
start = variable("start")
end = variable("end")
power = variable("power")
rise = variable("rise")

LEVEL = "level"
"""The variable of a schedule that training itself changes: 1 at first, see `plateau`."""

LENGTH = Length(None, "how long it lasts; left out: to the end of the run")
# from 0 at the first step to 1 at the end of the schedule, and 1 after it
progress = minimum(step / length, 1)


def schedule(
    name: str, expression: Expression, doc: str, see: str = "", **parameters: Parameter
) -> None:
    """Define a schedule."""
    register(Schedule(name, parameters, doc, see, expression))


GERON = "Géron 2022, Hands-On Machine Learning, chapter 11"
LOSHCHILOV = "Loshchilov & Hutter 2016, SGDR, arXiv:1608.03983"
SMITH = "Smith 2015, Cyclical learning rates for training neural networks, arXiv:1506.01186"
SMITH_CYCLE = "Smith 2018, A disciplined approach to hyper-parameters, arXiv:1803.09820"
GOYAL = "Goyal et al. 2017, Accurate, large minibatch SGD, arXiv:1706.02677"

schedule(
    "hold",
    variable("value"),
    "One number all the time.",
    value=Real(1.0, "the number"),
    length=LENGTH,
)
schedule(
    "exponential",
    factor ** (step / where(steps > 0, steps, over)),
    "Multiplied by `factor` each time that `steps` steps, or the length `over`, have passed.",
    GERON,
    factor=Real(0.1, "what it is multiplied by", gt=0),
    over=Length(TimeLength(1.0, "epoch"), "in which length of time"),
    steps=Int(0, "in how many steps; 0: see `over`", ge=0),
    length=LENGTH,
)
schedule(
    "staircase",
    factor ** floor(step / where(steps > 0, steps, over)),
    "Multiplied by `factor` at once, whenever `steps` steps or the length `over` have passed.",
    "torch.optim.lr_scheduler.StepLR",
    factor=Real(0.1, "what it is multiplied by", gt=0),
    over=Length(TimeLength(1.0, "epoch"), "after which length of time"),
    steps=Int(0, "after how many steps; 0: see `over`", ge=0),
    length=LENGTH,
)
schedule(
    "inverse_time",
    (1 + variable("decay") * step / over) ** -power,
    "1 / (1 + decay step / over), to a power; power 0.5 after a warm-up is the transformer's.",
    GERON,
    decay=Real(1.0, "how much the divisor grows", ge=0),
    over=Length(TimeLength(1.0, "step"), "in which length of time"),
    power=Real(1.0, "power of the divisor", gt=0),
    length=LENGTH,
)
schedule(
    "cosine",
    low + 0.5 * (high - low) * (1 + cos(math.pi * progress)),
    "From high to low along half a cosine wave.",
    LOSHCHILOV,
    length=LENGTH,
    low=Real(0.0, "number at the end"),
    high=Real(1.0, "number at the start"),
)
_periods = step / over

schedule(
    "cosine_restarts",
    low + 0.5 * (high - low) * (1 + cos(math.pi * (_periods - floor(_periods)))),
    "From high to low along half a cosine wave, again and again. Periods that grow are written "
    "one by one: `cosine(10) -> cosine(20) -> cosine(40)`.",
    LOSHCHILOV,
    over=Length(TimeLength(10.0, "epoch"), "how long a period lasts"),
    length=LENGTH,
    low=Real(0.0, "number at the end of a period"),
    high=Real(1.0, "number at the start of a period"),
)
_turns = step / (2 * over)

schedule(
    "triangular",
    high - (high - low) * absolute(2 * (_turns - floor(_turns)) - 1),
    "From low to high and back along straight lines, again and again.",
    SMITH,
    over=Length(TimeLength(5.0, "epoch"), "how long one way takes"),
    length=LENGTH,
    low=Real(0.1, "number at the start"),
    high=Real(1.0, "number at the turn"),
)
schedule(
    "one_cycle",
    where(
        progress < rise,
        start + (1 - start) * progress / rise,
        where(
            progress < 2 * rise,
            1 - (1 - start) * (progress - rise) / rise,
            start + (end - start) * (progress - 2 * rise) / (1 - 2 * rise),
        ),
    ),
    "From start up to 1, as slowly back, then from start to end, along straight lines.",
    SMITH_CYCLE,
    length=LENGTH,
    start=Real(0.1, "number at the start and after the cycle"),
    end=Real(1e-4, "number at the end"),
    rise=Real(
        0.45, "share of the length in which it rises, and again in which it falls", gt=0, lt=0.5
    ),
)
schedule(
    "linear",
    start + (end - start) * progress,
    "From start to end along a straight line.",
    "torch.optim.lr_scheduler.LinearLR",
    length=LENGTH,
    start=Real(1.0, "number at the start"),
    end=Real(0.0, "number at the end"),
)
schedule(
    "polynomial",
    end + (start - end) * (1 - progress) ** power,
    "From start to end, the distance to the end shrinking with a power of the time left.",
    "torch.optim.lr_scheduler.PolynomialLR",
    length=LENGTH,
    start=Real(1.0, "number at the start"),
    end=Real(0.0, "number at the end"),
    power=Real(2.0, "the power", gt=0),
)
schedule(
    "warmup",
    start + (1 - start) * minimum((step + 1) / length, 1),
    "Up to 1 along a straight line; the first step already has a share of the rate.",
    GOYAL,
    length=LENGTH,
    start=Real(0.0, "number before the first step", ge=0),
)
schedule(
    "plateau",
    variable(LEVEL),
    "1, and multiplied by `factor` each time that a figure has not been better for some epochs.",
    "torch.optim.lr_scheduler.ReduceLROnPlateau",
    factor=Real(0.1, "what it is multiplied by", gt=0, lt=1),
    patience=Length(TimeLength(10.0, "epoch"), "epochs without a better figure"),
    metric=Figure("val_loss", "the figure"),
    least=Real(0.0, "never below this", ge=0, le=1),
    threshold=Real(1e-4, "better means by more than this share of the best", ge=0),
    length=LENGTH,
)
