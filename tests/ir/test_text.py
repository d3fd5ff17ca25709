"""Printing and parsing are inverse for every operation, role and name."""

import pytest

from nndsl.diagnostics import Source, Span
from nndsl.ir.graph import Builder, Role
from nndsl.ir.text import parse_graph, print_graph
from nndsl.ir.types import ElementType, TensorType
from nndsl.ir.verify import verify
from nndsl.ops import OPERATIONS
from nndsl.ops.map import Map, operand
from nndsl.ops.source import Constant
from nndsl.scalar.text import TextError
from tests.ops.sampling import SAMPLES, graph_of, names


@pytest.mark.parametrize(("operation", "types"), SAMPLES, ids=names())
def test_every_operation_prints_and_parses(operation, types):
    graph = graph_of(operation, types).graph
    text = print_graph(graph)
    again = parse_graph(text, OPERATIONS)
    verify(again)
    assert print_graph(again) == text
    assert again.nodes[0].operation == operation


def test_roles_names_settings_and_numbers_survive():
    build = Builder()
    double = TensorType((), ElementType.DOUBLE)
    weight = build.input("dense[2].weight", TensorType((2,)), Role.PARAMETER)
    build.input("frozen", TensorType((2, 3)), Role.PARAMETER, trainable=False)
    build.input("no show", TensorType(("N", "T")), Role.DATA)
    build.input('quo"te # %x', TensorType(("N",), ElementType.INDEX), Role.TARGET)
    rate = build.input("optimizer.lr", double, Role.SETTING, setting=1e-3)
    build.input("dense[2].weight:v", TensorType((2,)), Role.STATE)
    build.input("batch_norm.running_var", TensorType((2,)), Role.STATE, start=1.0)
    numbers = build.add(Constant((0.1, -1e-300, float("inf"), float("nan"), 2.0), (5,)))
    stepped = build.add(Map((operand(0) - 0.1 * operand(1),)), weight, rate)
    build.graph.outputs["numbers"] = numbers
    build.graph.updates["dense[2].weight"] = stepped
    text = print_graph(build.graph)
    again = parse_graph(text, OPERATIONS)
    verify(again)
    assert print_graph(again) == text
    assert list(again.inputs) == list(build.graph.inputs)
    assert again.settings() == {"optimizer.lr": 1e-3}
    assert again.starts() == {"batch_norm.running_var": 1.0}
    assert not again.inputs["frozen"].trainable
    assert again.updates["dense[2].weight"].type == TensorType((2,))


def test_an_input_keeps_its_name_when_its_value_has_another():
    build = Builder()
    build.unique("x")
    build.input("x", TensorType(("N",)), Role.DATA)
    again = parse_graph(print_graph(build.graph), OPERATIONS)
    assert list(again.inputs) == ["x"]
    assert again.inputs["x"].value.name == "x.2"


def test_parts_and_places_are_comments():
    source = Source("iris.nn", "net\n  tanh\n")
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    build.label, build.span = "trunk.tanh", Span(source, 6, 10)
    build.graph.outputs["y"] = build.add(Map((-operand(0),)), x, name="tanh")
    text = print_graph(build.graph)
    assert "%tanh: real[Nx4] = map[{-x0}](%x)  # trunk.tanh @ iris.nn:2\n" in text
    without = print_graph(parse_graph(text, OPERATIONS))
    assert without == print_graph(build.graph, comments=False)


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "%y: real[] = no_such_operation()",
        "%y: real[3] = constant[(1.0, 2.0), (2)]()",
        "%y: real[Nx2] = map[{x0}](%missing)",
        "%y: real[] = constant[(bad), ()]()",
        "output y = %missing",
    ],
)
def test_other_lines_are_refused_with_their_number(line):
    with pytest.raises(TextError, match="line 2"):
        parse_graph(f"input %x: real[Nx2] data\n{line}\n", OPERATIONS)
