"""Activations: functions of one number, each a line of mathematics in `x` and its arguments.

The derivative, the kernels and the tests follow from the line. A bound is written so that NaN is
passed on and the derivative at the kink is 0, as for ReLU: `maximum(x, 0)`.
"""

from __future__ import annotations

import math

from nndsl.params import Parameter, Real
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.functions import (
    absolute,
    clip,
    cos,
    erf,
    exp,
    expm1,
    log,
    maximum,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)
from nndsl.vocab.kinds import Activation
from nndsl.vocab.registry import register

x = variable("x")
alpha = variable("alpha")
steepness = variable("steepness")
threshold = variable("threshold")
slope = variable("slope")
offset = variable("offset")
low = variable("low")
high = variable("high")
width = variable("width")
_root = sqrt(x * x + width)

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def activation(
    name: str,
    expression: Expression,
    doc: str,
    see: str = "",
    *,
    initializer: str = "glorot_uniform",
    kinks: tuple[float, ...] = (),
    onnx: str = "",
    **parameters: Parameter,
) -> None:
    """Define an activation; `initializer` is for the weights before it."""
    register(Activation(name, parameters, doc, see, expression, initializer, kinks, onnx))


HE = "he_normal"
GLOROT = "Glorot & Bengio 2010, Understanding the difficulty of training deep networks"
NAIR = "Nair & Hinton 2010, Rectified linear units improve restricted Boltzmann machines"
MAAS = "Maas, Hannun & Ng 2013, Rectifier nonlinearities improve acoustic models"
CLEVERT = "Clevert et al. 2015, Fast and accurate deep network learning by ELUs, arXiv:1511.07289"
KLAMBAUER = "Klambauer et al. 2017, Self-normalizing neural networks, arXiv:1706.02515"
BARRON = "Barron 2017, Continuously differentiable exponential linear units, arXiv:1704.07483"
HENDRYCKS = "Hendrycks & Gimpel 2016, Gaussian error linear units, arXiv:1606.08415"
MISRA = "Misra 2019, Mish: a self regularized activation function, arXiv:1908.08681"
RAMACHANDRAN = "Ramachandran et al. 2017, Searching for activation functions, arXiv:1710.05941"
HOWARD = "Howard et al. 2019, Searching for MobileNetV3, arXiv:1905.02244"
DUGAS = "Dugas et al. 2001, Incorporating second-order functional knowledge"
LECUN = "LeCun et al. 1998, Efficient BackProp, section 4.4"
MCCULLOCH = "McCulloch & Pitts 1943, A logical calculus of ideas immanent in nervous activity"

SO = "So et al. 2021, Primer: searching for efficient transformers, arXiv:2109.08668"
DONOHO = "Donoho 1995, De-noising by soft-thresholding"
BARRON_SQUARE = "Barron 2021, Squareplus: a softplus-like algebraic rectifier, arXiv:2112.11687"
MARTINS = "Martins & Astudillo 2016, From softmax to sparsemax, arXiv:1602.02068"
KONDA = "Konda, Memisevic & Krueger 2014, Zero-bias autoencoders, arXiv:1402.3337"

LEAK = Real(0.01, "slope below 0", ge=0)
STEEPNESS = Real(1.0, "how steep it is at 0, times 1/4", gt=0)
WIDTH = Real(0.5, "numbers as small as that become 0", ge=0)

activation("identity", x, "The number itself.", onnx="Identity")
activation("id", x, "The number itself; a short name of `identity`.", onnx="Identity")
activation(
    "relu", maximum(x, 0), "x above 0, else 0.", NAIR, initializer=HE, kinks=(0.0,), onnx="Relu"
)
activation(
    "leaky_relu",
    where(x <= 0, alpha * x, x),
    "x above 0, a small slope below.",
    MAAS,
    initializer=HE,
    kinks=(0.0,),
    onnx="LeakyRelu",
    alpha=LEAK,
)
activation(
    "elu",
    where(x <= 0, alpha * expm1(x), x),
    "x above 0; below, an exponential that tends to -alpha.",
    CLEVERT,
    initializer=HE,
    onnx="Elu",
    alpha=Real(1.0, "depth below 0", gt=0),
)
activation(
    "selu",
    where(x <= 0, SELU_SCALE * SELU_ALPHA * expm1(x), SELU_SCALE * x),
    "ELU scaled so that layers keep mean 0 and variance 1; meant for lecun_normal weights.",
    KLAMBAUER,
    initializer="lecun_normal",
    kinks=(0.0,),
    onnx="Selu",
)
activation(
    "celu",
    where(x <= 0, alpha * expm1(x / alpha), x),
    "ELU that is smooth for every alpha.",
    BARRON,
    initializer=HE,
    onnx="Celu",
    alpha=Real(1.0, "depth below 0", gt=0),
)
activation(
    "sigmoid",
    sigmoid(steepness * x),
    "1 / (1 + exp(-steepness x)): a number between 0 and 1.",
    GLOROT,
    onnx="Sigmoid",
    steepness=STEEPNESS,
)
activation("tanh", tanh(x), "A number between -1 and 1.", LECUN, onnx="Tanh")
activation(
    "scaled_tanh",
    1.7159 * tanh(2 / 3 * x),
    "tanh scaled so that its value at 1 and -1 is 1 and -1.",
    LECUN,
)
activation(
    "bipolar_sigmoid", tanh(0.5 * x), "(1 - exp(-x)) / (1 + exp(-x)): a number between -1 and 1."
)
activation("log_sigmoid", -softplus(-x), "Logarithm of the sigmoid, without overflow.")
activation(
    "step",
    where(x >= 0, 1, where(x < 0, 0, math.nan)),
    "1 from 0 on, else 0: the formal neuron. Its derivative is 0: for given weights.",
    MCCULLOCH,
    kinks=(0.0,),
)
activation("sign", sign(x), "-1, 0 or 1. Its derivative is 0.", kinks=(0.0,), onnx="Sign")
activation(
    "saturate",
    clip(x, low, high),
    "x kept between low and high: saturated linear.",
    kinks=(0.0, 1.0),
    low=Real(0.0, "least value"),
    high=Real(1.0, "greatest value", above="low"),
)
activation(
    "hard_sigmoid",
    where(
        x <= -offset / slope, 0, where(x >= (1 - offset) / slope, 1, slope * (x + offset / slope))
    ),
    "The sigmoid in three straight lines.",
    HOWARD,
    kinks=(-3.0, 3.0),
    onnx="HardSigmoid",
    slope=Real(1 / 6, "slope of the middle line", gt=0),
    offset=Real(0.5, "value at 0"),
)
activation("hard_tanh", clip(x, -1, 1), "x kept between -1 and 1.", kinks=(-1.0, 1.0))
activation(
    "hard_swish",
    where(x <= -3, 0, where(x >= 3, x, x * ((x + 3) / 6))),
    "x times the hard sigmoid.",
    HOWARD,
    initializer=HE,
    kinks=(-3.0, 3.0),
    onnx="HardSwish",
)
activation("relu6", clip(x, 0, 6), "ReLU that ends at 6.", HOWARD, initializer=HE, kinks=(0.0, 6.0))
activation(
    "softplus",
    softplus(steepness * x) / steepness,
    "log(1 + exp(steepness x)) / steepness: a smooth ReLU.",
    DUGAS,
    initializer=HE,
    onnx="Softplus",
    steepness=Real(1.0, "how sharply it bends", gt=0),
)
activation("softsign", x / (1 + absolute(x)), "x / (1 + |x|).", GLOROT, onnx="Softsign")
activation("silu", x * sigmoid(x), "x sigmoid(x): swish of steepness 1.", HENDRYCKS, initializer=HE)
activation(
    "swish",
    x * sigmoid(steepness * x),
    "x sigmoid(steepness x); 1.702 approximates GELU.",
    RAMACHANDRAN,
    initializer=HE,
    onnx="Swish",
    steepness=Real(1.0, "steepness of the sigmoid", gt=0),
)
activation("mish", x * tanh(softplus(x)), "x tanh(softplus(x)).", MISRA, initializer=HE)
activation(
    "gelu",
    0.5 * x * (1 + erf(math.sqrt(0.5) * x)),
    "x times the chance that a standard normal number is below x.",
    HENDRYCKS,
    initializer=HE,
)
activation(
    "gelu_tanh",
    0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))),
    "GELU approximated by tanh, as in GPT-2.",
    HENDRYCKS,
    initializer=HE,
)
activation(
    "squareplus",
    where(x <= 0, 0.5 * width / (_root - x), 0.5 * (x + _root)),
    "(x + sqrt(x^2 + width)) / 2: a smooth ReLU without exponentials.",
    BARRON_SQUARE,
    initializer=HE,
    width=Real(4.0, "how wide the bend is", gt=0),
)
activation(
    "thresholded_relu",
    where(x <= threshold, 0, x),
    "x above the threshold, else 0.",
    KONDA,
    initializer=HE,
    kinks=(1.0,),
    onnx="ThresholdedRelu",
    threshold=Real(1.0, "where it begins", ge=0),
)
activation(
    "hard_shrink",
    where(absolute(x) <= threshold, 0, x),
    "x, but 0 for numbers near 0.",
    DONOHO,
    kinks=(-0.5, 0.5),
    threshold=WIDTH,
)
activation(
    "soft_shrink",
    where(absolute(x) <= threshold, 0, x - threshold * sign(x)),
    "x moved towards 0 by the threshold, at most to 0.",
    DONOHO,
    kinks=(-0.5, 0.5),
    threshold=WIDTH,
)
activation(
    "shrink",
    where(absolute(x) <= threshold, 0, x - variable("bias") * sign(x)),
    "x moved towards 0 by the bias; 0 for numbers near 0.",
    "ONNX Shrink",
    kinks=(-0.5, 0.5),
    onnx="Shrink",
    threshold=WIDTH,
    bias=Real(0.0, "how far the others are moved"),
)
activation("tanh_shrink", x - tanh(x), "x - tanh(x).", "torch.nn.Tanhshrink")
activation(
    "sparse_sigmoid",
    where(x <= -1, 0, where(x >= 1, 1, 0.5 * x + 0.5)),
    "A straight line from 0 at -1 to 1 at 1: the sigmoid of sparsemax.",
    MARTINS,
    kinks=(-1.0, 1.0),
)
activation(
    "sparse_plus",
    where(x <= -1, 0, where(x >= 1, x, 0.25 * ((x + 1) * (x + 1)))),
    "0 up to -1, x from 1 on, a parabola between: the softplus of sparsemax.",
    MARTINS,
    initializer=HE,
)
activation("squared_relu", maximum(x, 0) * maximum(x, 0), "The square of ReLU.", SO, initializer=HE)
activation("gaussian", exp(-(x * x)), "exp(-x^2): a bump at 0.")
activation("erf", erf(x), "The error function: a number between -1 and 1.", onnx="Erf")
activation("exp", exp(x), "The exponential function.", onnx="Exp")
activation("log", log(x), "Natural logarithm of numbers above 0.", onnx="Log")
activation("sqrt", sqrt(x), "Square root of numbers of at least 0.", onnx="Sqrt")
activation("square", x * x, "The square of x.")
activation("abs", absolute(x), "|x|, with derivative 0 at 0.", kinks=(0.0,), onnx="Abs")
activation("sin", sin(x), "Sine of x in radians.", onnx="Sin")
activation("cos", cos(x), "Cosine of x in radians.", onnx="Cos")
