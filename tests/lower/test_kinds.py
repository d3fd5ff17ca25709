"""The rules of constant, stage and tensor, and of the flow."""

from __future__ import annotations

import pytest

from nndsl.lower import elaboration
from tests.lower.helpers import codes, lowered, problems

REFUSED = {
    "a side line, then a stage": (
        "net A { input x: [4]\n a = dense(8) -> relu\n b = a -> dense(3)\n dense(2)\n}",
        "NN204",
    ),
    "a stage plus a tensor": (
        "net A { input x: [4]\n y = x -> dense(4)\n x -> dense(4) + y -> relu\n}",
        "NN202",
    ),
    "a tensor plus the start of a chain": (
        "net A { input x: [8]\n h = x + dense(8) -> relu\n}",
        "NN202",
    ),
    "a number times a stage": ("net A { input x: [4]\n 2 * dense(4)\n}", "NN202"),
    "a stage plus a number": ("net A { input x: [4]\n dense(4) + 1\n}", "NN202"),
    "a stage times a fraction": ("net A { input x: [4]\n dense(4) * 2.5\n}", "NN202"),
    "a stage times less than nothing": ("net A { input x: [4]\n dense(4) * -1\n}", "NN202"),
    "a stage to a power": ("net A { input x: [4]\n dense(4) ^ dense(4)\n}", "NN202"),
    "two inputs and a stage": ("net A { input l: [4]\n input r: [5]\n dense(2)\n}", "NN204"),
    "two ports, one operand": (
        "block (x, m) -> f { x + m }\nnet A { input x: [4]\n f\n}",
        "NN205",
    ),
    "two ports and a stage": (
        "block (x, m) -> f { dense(2) }\nnet A { input x: [4]\n (x, x) -> f\n}",
        "NN204",
    ),
    "recursion without end": ("block f(n) { f(n) }\nnet A { input x: [4]\n f(1)\n}", "NN207"),
    "a net that uses itself": ("net A { input x: [4]\n A\n}", "NN207"),
    "an arrow into a tensor": ("net A { input x: [4]\n h = x -> dense(4)\n x -> h\n}", "NN202"),
    "an arrow into a constant": ("net A { input x: [4]\n x -> 3\n}", "NN206"),
    "a constant as a line": ("net A { input x: [4]\n 3\n}", "NN206"),
    "a tensor as a setting": ("net A { input x: [4]\n dense(4, bias=x)\n}", "NN202"),
    "stages in parentheses": ("net A { input x: [4]\n (dense(1), dense(2))\n}", "NN202"),
    "several tensors in a sum": ("net A { input x: [4]\n [x, x] + x\n}", "NN202"),
    "different ranks": ("net A { input x: [4]\n input y: 2x4\n x + y\n}", "NN203"),
    "arguments twice": ("let d = dense(4)\nnet A { input x: [4]\n d(3)\n}", "NN202"),
    "an empty net": ("net A { }", "NN204"),
    "a name twice": ("net A { input x: [4]\n h = x -> dense(2)\n h = x -> relu\n}", "NN302"),
    "indexing a tensor": ("net A { input x: [4]\n x[1]\n}", "NN202"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, code = REFUSED[case]
    assert codes(text) == [code]


ACCEPTED = {
    "ports by a tuple": "block (x, m) -> f { x + m }\n"
    "net A { input x: [4]\n y = dense(4)\n (x, y) -> f\n}",
    "ports in parentheses": "block (x, m) -> f { x + m }\n"
    "net A { input x: [4]\n y = dense(4)\n x -> f(y)\n}",
    "a complete call": "block (x, m) -> f { x + m }\n"
    "net A { input x: [4]\n y = dense(4)\n f(x, y)\n}",
    "a repeat that keeps its operand": "block (x, m) -> f { x + m -> dense(4) }\n"
    "net A { input x: [4]\n y = dense(4)\n x -> f(y) * 3\n}",
    "a shared stage repeated": "net A { input x: [4]\n share s = dense(4)\n s * 3\n}",
    "nothing": "net A { input x: [4]\n dense(4) * 0\n}",
    "two stages on one input": "net A { input x: [4]\n dense(4) * (dense(4) -> sigmoid)\n}",
    "branches": "net A { input x: [4]\n [x, dense(3), dense(2) -> relu] -> concat\n}",
    "a chain over lines": "net A { input x: [4]\n dense(4)\n  -> relu\n  -> dense(2)\n}",
    "numbers and a tensor": "net A { input x: [4]\n 1 - 2 * x / 3\n}",
    "an array and a tensor": "net A { input x: [4]\n x * [1, 2, 3, 4]\n}",
    "functions of tensors": "net A { input x: [4]\n exp(x) + abs(x) + sqrt(x) - tanh(x)\n}",
    "noise is a tensor": "net A { input x: [4]\n n = noise(4)\n x + n\n}",
    "the flow through for": "net A { input x: [4]\n for n in [3, 2] { dense(n) -> relu }\n}",
    "the flow through if": "net A { input x: [4]\n if 1 < 2 { dense(3) } else { dense(2) }\n}",
    "an if that is not taken": "net A { input x: [4]\n dense(3)\n if false { dense(2) }\n}",
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str) -> None:
    lowered(ACCEPTED[case])


def shape(text: str) -> tuple[int | str, ...]:
    (output, *_) = lowered(text).networks["A"].graph.outputs.values()
    return output.type.shape


def test_the_last_line_is_the_output() -> None:
    assert shape("net A { input x: [4]\n y = dense(7)\n}") == ("N", 7)
    assert shape("net A { input x: [4]\n for n in 2..3 { dense(n) }\n}") == ("N", 3)
    assert shape(ACCEPTED["branches"]) == ("N", 9)
    assert shape("net A { input x: [4]\n dense(3)\n if false { dense(2) }\n}") == ("N", 3)


def test_several_outputs_have_the_names_of_the_last_line() -> None:
    text = "net A { input x: [4]\n a = x -> dense(2)\n b = x -> dense(3)\n (a, b)\n}"
    outputs = lowered(text).networks["A"].graph.outputs
    assert {n: v.type.shape for n, v in outputs.items()} == {"a": ("N", 2), "b": ("N", 3)}


def test_repeats_have_fresh_weights_and_shares_one_set() -> None:
    repeated = lowered("net A { input x: [4]\n dense(4) * 3\n}").networks["A"]
    shared = lowered("net A { input x: [4]\n share s = dense(4)\n s * 3\n}").networks["A"]
    assert repeated.parameter_count == 3 * 20
    assert shared.parameter_count == 20
    assert list(shared.parameters) == ["s.dense.weight", "s.dense.bias"]


def test_a_net_is_a_thing() -> None:
    text = (
        "net Half { input z: [4]\n dense(4) -> relu\n}\n"
        "net A { input x: [4]\n Half -> Half -> dense(1)\n}"
    )
    net = lowered(text).networks["A"]
    assert [n for n in net.parameters if n.startswith("Half.")] == [
        "Half.dense.weight",
        "Half.dense.bias",
    ]
    assert net.parameters["Half.dense.weight"].owner == "Half"
    assert net.parameter_count == 20 + 5


def test_a_block_is_a_recipe() -> None:
    text = "block f { dense(4) }\nnet A { input x: [4]\n f -> f\n}"
    assert list(lowered(text).networks["A"].parameters) == [
        "f[1].dense.weight",
        "f[1].dense.bias",
        "f[2].dense.weight",
        "f[2].dense.bias",
    ]


def test_several_operands_have_a_matrix_each() -> None:
    text = "net A { input x: [4]\n input h: [3]\n (x, h) -> dense(2)\n}"
    shapes = {n: p.shape for n, p in lowered(text).networks["A"].parameters.items()}
    assert shapes == {"dense.weight[1]": (4, 2), "dense.weight[2]": (3, 2), "dense.bias": (2,)}


def test_names_of_sizes_stay_names() -> None:
    text = "net A { input x: [T, 9]\n x + x\n}"
    assert shape(text) == ("N", "T", 9)


@pytest.mark.parametrize(
    "text",
    [
        "net A { input x: [4]\n (dense(4) -> relu) * 1000000000\n}",
        "net A { input x: [4]\n ((dense(4) * 1000) * 1000)\n}",
        "net A { input x: [4]\n dense(1000000000000)\n}",
        "net A { input x: [4]\n for i in 1..1000000000 { relu }\n}",
    ],
)
def test_sizes_are_bounded_before_anything_is_built(text: str) -> None:
    assert codes(text) == ["NN208"]


def test_stages_that_double_at_each_level_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elaboration, "MOST_STAGES", 2_000)  # 50,000 take seconds
    block = "block f(n) { if n > 0 { f(n - 1) -> f(n - 1) } }\n"
    assert codes(block + "net A { input x: [4]\n f(30)\n}") == ["NN208"]


def test_at_most_ten_errors() -> None:
    lines = "\n".join(f"net N{i} {{ input x: [4]\n dens{i}(3)\n}}" for i in range(15))
    assert codes(lines) == ["NN301"] * 10


def test_an_error_has_no_follow_ups() -> None:
    text = "net A { input x: [4]\n h = dens(3)\n h -> dense(2) -> relu\n g = h + h\n (h, g)\n}"
    assert codes(text) == ["NN301"]


def test_independent_errors_in_one_body() -> None:
    text = "net A { input x: [4]\n dens(3) -> rleu\n dense(-1)\n dense(2, unitz=1)\n}"
    assert codes(text) == ["NN301", "NN301", "NN314", "NN311"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("net A { input x: [4]; input x: [5]; x }", "NN302"),
        ("net A { input x: [T]; dense(3) }", "NN209"),
        ('data d = csv("iris.csv", target=species)\nnet A on d { input x: [4]; x }', "NN309"),
        ("net A { input x: [4]\n if x { dense(3) } }", "NN316"),
        ("net A { input x: [4]\n x -> dense(3)(4) }", "NN202"),
        ("net A { input x }", "NN312"),
        ("net A { input x: [4]\n (x, z) }", "NN301"),
    ],
)
def test_inputs_and_calls(text: str, code: str) -> None:
    assert codes(text) == [code]


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("dense(3, activation=relu)", "`dense(...) -> relu`"),
        ('dense(3, "tanh")', "`dense(...) -> tanh`"),
        ("relu(dense(3))", "`dense(3) -> relu`"),
        ("dense(3) > relu", "an arrow is written `->`"),
        ("dense[3]", "parentheses: `dense(3)`"),
    ],
)
def test_stages_inside_stages_are_chains(line: str, help: str) -> None:
    (found,) = problems(f"net A {{ input x: [4]\n {line}\n}}")
    assert help in found.help[0]


def test_a_net_without_a_line_is_empty_also_on_data() -> None:
    data = "data d = table(x=[1, 2, 3], y=[2, 4, 6]) { target = y; split = all }\n"
    (found,) = problems(data + "net A on d { }\ntrain A { epochs = 1 }")
    assert found.primary is not None
    assert (found.code, found.primary.span.line) == ("NN204", 2)


@pytest.mark.parametrize("units", ["99999999999", "1" + "0" * 18, "1e308"])
def test_weights_beyond_all_memory(units: str) -> None:
    (found,) = problems(f"net A {{ input x: [2]; dense({units}) }}")
    assert found.code == "NN208"
    assert len(found.title) < 100


def test_one_number_for_all_weights_takes_no_memory() -> None:
    net = lowered("net A { input x: [2]; dense(100000, bias=0.5) }").networks["A"]
    bias = net.parameters["dense.bias"].values
    assert bias is not None
    assert (bias.shape, bias.strides, float(bias[7])) == ((100000,), (0,), 0.5)
