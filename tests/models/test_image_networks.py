"""Canon row 24: the networks of ImageNet as blocks; their sizes, and small ones that learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nndsl.compilation import program_of, training_graph
from tests.models.running import MODELS, Stepper, model_text, opened_text, stepper
from tests.models.test_convolutions import seen

FILES = sorted(path.stem for path in MODELS.glob("24_*.nn"))
PUBLISHED = {
    "24_alexnet": {"Original": 60_965_224, "AlexNet": 61_100_840},
    "24_vgg": {"Vgg16": 138_357_544, "Vgg19": 143_667_240},
    "24_resnet": {
        "ResNet18": 11_689_512,
        "ResNet34": 21_797_672,
        "ResNet50": 25_557_032,
        "ResNet101": 44_549_160,
        "ResNet152": 60_192_808,
    },
    "24_preactivation": {"WideResNet28_10": 36_479_194, "ResNet1001": 10_327_706},
    "24_densenet": {
        "DenseNet121": 7_978_856,
        "DenseNet169": 14_149_480,
        "DenseNet201": 20_013_928,
    },
    "24_squeezenet": {"SqueezeNet": 1_248_424, "SqueezeNet11": 1_235_496},
    "24_googlenet": {"Original": 13_378_280, "GoogLeNet": 6_624_904},
    "24_inception_resnet": {"InceptionResNet2": 55_843_464},
    "25_fcn": {"Fcn8": 134_489_759},
    "25_unet": {"Original": 31_030_658, "Padded": 31_030_593},
}
"""torchvision's `num_params`; where it has no such network, those of Caffe's files (the originals),
of Keras and timm (Inception-ResNet, wide and pre-activation networks), or sums written below."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_the_published_ones(name: str) -> None:
    text = model_text(name)  # `check` of every model judges its expectations
    for net, number in PUBLISHED[name].items():
        assert f"{net}.parameters == {number}" in text


def bottlenecks(depths: list[int]) -> int:
    """Weights and biases of a residual network of bottlenecks, summed by hand."""

    def unit(inputs: int, outputs: int, size: int) -> int:
        return inputs * outputs * size * size + 2 * outputs

    total, channels = unit(3, 64, 7), 64
    for group, blocks in enumerate(depths):
        c = 64 * 2**group
        total += unit(channels, 4 * c, 1)
        for _ in range(blocks):
            total += unit(channels, c, 1) + unit(c, c, 3) + unit(c, 4 * c, 1)
            channels = 4 * c
    return total + channels * 1000 + 1000


def test_sums_by_hand() -> None:
    assert bottlenecks([3, 4, 6, 3]) == PUBLISHED["24_resnet"]["ResNet50"]
    assert bottlenecks([3, 8, 36, 3]) == PUBLISHED["24_resnet"]["ResNet152"]
    convolutions = PUBLISHED["24_vgg"]["Vgg16"] - 4096 * 1000 - 1000
    scores = 21 * (4096 + 512 + 256 + 3)
    larger = 21 * 21 * (4 * 4 + 4 * 4 + 16 * 16)
    assert convolutions + scores + larger == PUBLISHED["25_fcn"]["Fcn8"]


def test_resnet_152_in_forty_lines() -> None:
    lines = model_text("24_resnet").split("# The same blocks on small images.")[0].splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 40


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_small_network_learns(name: str, nndsl: Callable[..., Any]) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--only", "Small", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- a thousand layers ------------------------------------------------------------------------

DEEP = """import "24_preactivation.nn" as p
data digits = csv("digits.csv", target=digit)
net Deep on digits {
  reshape(1x8x8) -> p.plain(16) -> p.groups(p.preact_bottleneck, %d, 16) -> p.answer(10)
}
train Deep { optimizer = sgd(0.01, momentum=0.9); steps = 50; precision = float64 }
"""


def kernels(blocks: int) -> set[str]:
    """The names, which say what they compute, of the kernels of a training step."""
    (recipe,) = opened_text(DEEP % blocks).module.recipes
    program = program_of(training_graph(recipe), recipe, rows=1150)
    return {kernel.name for kernel in program.kernels}


def test_depth_needs_no_more_kernels() -> None:
    assert kernels(5) == kernels(3)


@pytest.mark.slow
def test_a_thousand_layers_train() -> None:
    run = stepper(opened_text(DEEP % 111))
    parameters = sum(array.size for array in run.start.values())
    assert parameters == PUBLISHED["24_preactivation"]["ResNet1001"] - 2 * 9 * 16
    losses = [run.step() for _ in range(50)]
    assert losses[0] == pytest.approx(np.log(10), abs=0.5)
    assert np.mean(losses[-10:]) < 0.75 * np.mean(losses[:10])
    assert all(np.isfinite(array).all() for array in run.weights.values())


# --- beside PyTorch --------------------------------------------------------------------------

STEPS = 10


class Peer:
    """Functions of torch on the weights of a run, whose names begin with `place`."""

    def __init__(self, run: Stepper) -> None:
        import torch

        self.torch: Any = torch
        self.nn: Any = torch.nn.functional
        self.weights = {
            name: torch.tensor(array, requires_grad=True)
            for name, array in seen(run, run.start).items()
        }

    def dense(self, place: str, x: Any) -> Any:
        return self.nn.linear(x, self.weights[f"{place}.weight"], self.weights[f"{place}.bias"])

    def conv(self, place: str, x: Any, stride: int = 1) -> Any:
        """A convolution that pads so that the size stays or is divided by the stride."""
        weight, bias = self.weights[f"{place}.weight"], self.weights.get(f"{place}.bias")
        pad = ((weight.shape[2] - 1) // 2, (weight.shape[3] - 1) // 2)
        return self.nn.conv2d(x, weight, bias, stride, pad)

    def norm(self, place: str, x: Any, epsilon: float = 1e-5) -> Any:
        learnt = self.weights[f"{place}.weight"], self.weights[f"{place}.bias"]
        return self.nn.batch_norm(x, None, None, *learnt, True, 0.1, epsilon)

    def conv_bn(self, place: str, x: Any, stride: int = 1) -> Any:
        return self.norm(f"{place}.batch_norm", self.conv(f"{place}.conv", x, stride))

    def unit(self, place: str, x: Any) -> Any:
        y = self.norm(f"{place}.batch_norm", self.conv(f"{place}.conv", x), 1e-3)
        return self.nn.relu(y)

    def concat(self, *maps: Any) -> Any:
        return self.torch.cat(maps, 1)

    def answer(self, x: Any, place: str = "dense") -> Any:
        return self.dense(place, x.mean((2, 3)))


def residual(peer: Peer, x: Any) -> Any:
    relu = peer.nn.relu

    def basic(place: str, x: Any, stride: int = 1) -> Any:
        y = relu(peer.conv_bn(f"{place}.body.conv_bn[1]", x, stride))
        y = peer.conv_bn(f"{place}.body.conv_bn[2]", y)
        changed = f"{place}.skip.conv_bn.conv.weight" in peer.weights
        return relu(y + (peer.conv_bn(f"{place}.skip.conv_bn", x, stride) if changed else x))

    y = relu(peer.conv_bn("conv_bn", x))
    y = basic("features.basic[1]", y)
    return peer.answer(basic("features.basic[3]", basic("features.basic[2]", y, 2)))


def preactivation(peer: Peer, x: Any) -> Any:
    def rest(place: str, x: Any) -> Any:
        return peer.nn.relu(peer.norm(f"{place}.batch_norm", x))

    y, wide, narrow = peer.conv("plain.conv", x), "preact", "preact_bottleneck"
    body = peer.conv(f"{wide}.body.plain[1].conv", rest(f"{wide}.h.norm_relu", y))
    y = y + peer.conv(f"{wide}.body.plain[2].conv", rest(f"{wide}.body.norm_relu", body))
    h = rest(f"{narrow}.h.norm_relu", y)
    body = peer.conv(f"{narrow}.body.plain[1].conv", h, 2)
    for number in (1, 2):
        body = rest(f"{narrow}.body.norm_relu[{number}]", body)
        body = peer.conv(f"{narrow}.body.plain[{number + 1}].conv", body)
    y = body + peer.conv(f"{narrow}.skip.plain.conv", h, 2)
    return peer.answer(rest("answer.norm_relu", y), "answer.dense")


def dense(peer: Peer, x: Any) -> Any:
    def bn_conv(place: str, x: Any) -> Any:
        return peer.conv(f"{place}.conv", peer.nn.relu(peer.norm(f"{place}.batch_norm", x)))

    def grow(number: int, x: Any) -> Any:
        more = bn_conv(f"grow[{number}].bn_conv[1]", x)
        return peer.concat(x, bn_conv(f"grow[{number}].bn_conv[2]", more))

    y = peer.conv("conv", x)
    for number in (1, 2, 3):
        y = grow(number, y)
    y = peer.nn.avg_pool2d(bn_conv("transition.bn_conv", y), 2)
    for number in (4, 5, 6):
        y = grow(number, y)
    return peer.answer(peer.nn.relu(peer.norm("answer.batch_norm", y)), "answer.dense")


def inception(peer: Peer, x: Any) -> Any:
    def block(place: str, x: Any) -> Any:
        units = [f"{place}.conv_bn[{number}]" for number in range(1, 7)]
        one, three, five = peer.unit(units[0], x), peer.unit(units[1], x), peer.unit(units[3], x)
        pooled = peer.unit(units[5], peer.nn.max_pool2d(x, 3, 1, 1))
        return peer.concat(one, peer.unit(units[2], three), peer.unit(units[4], five), pooled)

    return peer.answer(block("inception[2]", block("inception[1]", x)), "answer.dense")


def inception_residual(peer: Peer, x: Any) -> Any:
    def block(place: str, x: Any) -> Any:
        units = [f"{place}.wide.unit[{number}]" for number in range(1, 7)]
        three = peer.unit(units[2], peer.unit(units[1], x))
        far = peer.unit(units[5], peer.unit(units[4], peer.unit(units[3], x)))
        wide = peer.concat(peer.unit(units[0], x), three, far)
        return peer.nn.relu(x + 0.2 * peer.conv(f"{place}.residual.conv", wide))

    return peer.answer(block("small[2]", block("small[1]", peer.unit("unit", x))))


NETWORKS: dict[str, Callable[[Peer, Any], Any]] = {
    "24_resnet": residual,
    "24_preactivation": preactivation,
    "24_densenet": dense,
    "24_googlenet": inception,
    "24_inception_resnet": inception_residual,
}


@pytest.mark.peers
@pytest.mark.parametrize("name", NETWORKS)
def test_training_is_pytorchs(name: str) -> None:
    text = model_text(name).replace("dropout(0.2)", "identity").replace("dropout(rate)", "identity")
    settings = "optimizer = sgd(0.05); batch = 16; epochs = 1; penalty = none; precision = float64"
    run = stepper(opened_text(f"{text.split('train Small')[0]}train Small {{ {settings} }}\n"))
    peer = Peer(run)
    learner = peer.torch.optim.SGD(peer.weights.values(), 0.05)
    for step in range(STEPS):
        rows = run.rows(step)
        learner.zero_grad()
        classes = peer.torch.from_numpy(rows["digit"].astype(np.int64))
        images = peer.torch.from_numpy(rows["input"]).reshape(-1, 1, 8, 8)
        loss = peer.nn.cross_entropy(NETWORKS[name](peer, images), classes)
        loss.backward()
        learner.step()
        assert run.step() == pytest.approx(loss.item(), abs=1e-10)
    for part, array in seen(run, run.weights).items():
        expected = peer.weights[part].detach().numpy()
        np.testing.assert_allclose(array, expected, rtol=0, atol=1e-10, err_msg=part)
