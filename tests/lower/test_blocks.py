"""Blocks, names and paths of parts, defaults, imports, sizes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.lower.helpers import codes, lowered


def parameters(text: str, **files: str) -> dict[str, tuple[int, ...]]:
    net = lowered(text, **files).networks["A"]
    return {n: p.shape for n, p in net.parameters.items()}


def test_parameters_and_defaults_of_blocks() -> None:
    text = (
        "block x -> unit(n, k=2 * n, act=relu) { x -> dense(k) -> act -> dense(n) }\n"
        "net A { input x: [4]\n unit(3)\n unit(2, act=tanh, k=5)\n}"
    )
    net = lowered(text).networks["A"]
    assert [p.shape for p in net.parameters.values()] == [
        (4, 6), (6,), (6, 3), (3,), (3, 5), (5,), (5, 2), (2,),
    ]  # fmt: skip
    assert [p.word for p in net.parts if not p.is_block and not p.parameters] == ["relu", "tanh"]


def test_blocks_as_parameters() -> None:
    text = (
        "block basic(n) { dense(n) -> relu }\n"
        "block stack(unit, sizes) { for i, n in count(sizes) { unit(n * i) } }\n"
        "net A { input x: [4]\n stack(basic, [3, 2])\n}"
    )
    assert list(parameters(text).values()) == [(4, 3), (3,), (3, 4), (4,)]


def test_recursion_ends_with_its_constants() -> None:
    text = (
        "block x -> narrow(n, depth) { e = x -> dense(n)\n"
        " if depth > 0 { e -> narrow(n / 2, depth - 1) } }\n"
        "net A { input x: [4]\n narrow(8, 2)\n}"
    )
    assert [s[-1] for s in parameters(text).values()] == [8, 8, 4, 4, 2, 2]


def test_several_results() -> None:
    text = (
        "block x -> pair(n) { a = x -> dense(n)\n b = x -> dense(2 * n)\n (a, b) }\n"
        "net A { input x: [4]\n (h, c) = x -> pair(3)\n [h, c] -> concat\n}"
    )
    output = lowered(text).networks["A"].graph.outputs["output"]
    assert output.type.shape == ("N", 9)


def test_paths_have_an_index_only_where_there_are_several() -> None:
    text = (
        "block x -> residual(n) { body = x -> dense(n) -> relu -> dense(n)\n body + x }\n"
        "net A { input x: [4]\n trunk = residual(4) * 2\n head = dense(2)\n}"
    )
    assert list(parameters(text))[::2] == [
        "trunk.residual[1].body.dense[1].weight",
        "trunk.residual[1].body.dense[2].weight",
        "trunk.residual[2].body.dense[1].weight",
        "trunk.residual[2].body.dense[2].weight",
        "head.dense.weight",
    ]


def test_parts_know_their_parents() -> None:
    text = "block f(n) { dense(n) -> relu }\nnet A { input x: [4]\n f(3) -> f(2)\n}"
    parts = lowered(text).networks["A"].parts
    assert [(p.path, p.parent, p.is_block) for p in parts] == [
        ("f[1]", "", True),
        ("f[1].dense", "f[1]", False),
        ("f[1].relu", "f[1]", False),
        ("f[2]", "", True),
        ("f[2].dense", "f[2]", False),
        ("f[2].relu", "f[2]", False),
    ]
    assert parts[0].parameters == ("f[1].dense.weight", "f[1].dense.bias")
    assert parts[0].output is parts[2].output
    assert [p.text for p in parts[:3]] == ["f(3)", "dense(n)", "relu"]


def test_every_node_has_its_place_and_part() -> None:
    text = "block f(n) { dense(n) -> relu }\nnet A { input x: [4]\n f(3) -> dense(2)\n}"
    for node in lowered(text).networks["A"].graph.nodes:
        assert node.span is not None
        assert node.label in ("f.dense", "f.relu", "dense")


def test_defaults_reach_into_blocks_and_the_nearest_wins() -> None:
    text = (
        "defaults dense(bias=false)\n"
        "block f { dense(2) }\n"
        "block g { defaults dense(bias=0.5)\n dense(2) }\n"
        "net A { input x: [2]\n f\n g\n dense(2, bias=0.25)\n"
        " defaults dense(bias=1)\n f\n}"
    )
    biases = [
        p.values for n, p in lowered(text).networks["A"].parameters.items() if n.endswith("bias")
    ]
    assert [float(np.unique(b)[0]) for b in biases] == [0.5, 0.25, 1.0]


def test_defaults_act_from_their_line_on() -> None:
    text = (
        "net B { input x: [2]\n dense(2) }\ndefaults dense(bias=false)\n"
        "net A { input x: [2]\n dense(2) }"
    )
    module = lowered(text)
    assert list(module.networks["A"].parameters) == ["dense.weight"]
    assert list(module.networks["B"].parameters) == ["dense.weight", "dense.bias"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("defaults dens(bias=0)", "NN301"),
        ("defaults dense(biass=0)", "NN311"),
        ('defaults dense(bias="much")', "NN314"),
    ],
)
def test_defaults_are_checked_where_they_stand(line: str, code: str) -> None:
    assert codes(f"{line}\nnet A {{ input x: [4]\n relu }}") == [code]


def test_the_activation_that_follows_chooses_the_initialiser() -> None:
    text = (
        "net A { input x: [4]\n dense(8) -> relu\n dense(8) -> dropout(0.5) -> tanh\n"
        " body = dense(8)\n body + body -> relu\n dense(8, init=zeros) -> relu\n"
        " dense(2) -> softmax\n}"
    )
    infos = lowered(text).networks["A"].parameters
    chosen = [p.initializer.name for n, p in infos.items() if n.endswith("weight")]
    assert chosen == ["he_normal", "glorot_uniform", "he_normal", "zeros", "glorot_uniform"]


def test_given_weights_have_the_layout_of_the_file() -> None:
    text = "net A { input x: [3]\n dense(2, weights=[[1, 2, 3], [4, 5, 6]], bias=[7, 8]) }"
    weight, bias = lowered(text).networks["A"].parameters.values()
    assert weight.shape == (3, 2)
    assert weight.axes == (1, 0)
    np.testing.assert_array_equal(weight.values, [[1, 4], [2, 5], [3, 6]])
    np.testing.assert_array_equal(bias.values, [7, 8])


def test_imports_bring_names_behind_a_name() -> None:
    zoo = (
        "let width = 5\nblock x -> basic(n) { x -> dense(n) -> relu }\n"
        "block two { basic(width) * 2 }"
    )
    text = 'import "zoo.nn" as zoo\nnet A { input x: [4]\n zoo.two -> zoo.basic(zoo.width + 1) }'
    assert [s[-1] for s in parameters(text, zoo=zoo).values()] == [5, 5, 5, 5, 6, 6]


def test_imports_that_cannot_be() -> None:
    net = "net A { input x: [4]\n relu }"
    assert codes(f'import "none.nn" as zoo\n{net}') == ["NN317"]
    assert codes(f'import "a.nn" as a\n{net}', a='import "b.nn" as b', b='import "a.nn" as a') == [
        "NN317"
    ]
    assert codes(
        'import "zoo.nn" as zoo\nnet A { input x: [4]\n zoo.bsic }', zoo="block basic { relu }"
    ) == ["NN301"]


def test_sizes_of_tensors_are_constants() -> None:
    text = (
        "block x -> same { x -> dense(x.size) }\n"
        "net A { input x: 2x3x5\n if x.channels == 2 and x.shape == 2x3x5 and x.length == 5 {\n"
        " flatten -> same } }"
    )
    assert parameters(text)["same.dense.weight"] == (30, 30)


def test_a_contract_inside_a_block() -> None:
    text = "block x -> f(n) { expect x.size == n\n x }\nnet A { input x: [4]\n f(4)\n f(5) }"
    assert codes(text) == ["NN901"]


def test_show_defaults_names_the_line() -> None:
    text = "net A { input x: [4]\n defaults dense(bias=0.5)\n dense(2) -> dense(2, bias=1) }"
    notes = [n for n in lowered(text).networks["A"].inferred if n.what.startswith("bias")]
    assert [(n.what, n.taken, n.why) for n in notes] == [
        ("bias of dense[1]", "0.5", "`defaults dense` at line 2")
    ]


@pytest.mark.parametrize(
    "arguments",
    ["2, weights=[[1, 2]]", "2, weights=[1, 2, 3]", "2, bias=[1, 2, 3]", "3, weights=[[1], [2]]"],
)
def test_given_weights_of_another_size(arguments: str) -> None:
    assert codes(f"net A {{ input x: [3]\n dense({arguments}) }}") == ["NN201"]
