"""Every broken invariant is found."""

import pytest

from nndsl.ir.graph import Builder, Graph, Node, Role, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ir.verify import GraphError, verify
from nndsl.ops.map import Map, operand

ROW = TensorType(("N", 2))


@pytest.fixture
def graph() -> Graph:
    build = Builder()
    x = build.input("x", ROW, Role.DATA)
    build.input("w", ROW, Role.PARAMETER)
    build.graph.outputs["y"] = build.add(Map((-operand(0),)), x)
    return build.graph


def broken(graph, complaint):
    with pytest.raises(GraphError, match=complaint):
        verify(graph)


def test_a_sound_graph_passes(graph):
    verify(graph)


def test_a_value_made_twice(graph):
    graph.nodes.append(graph.nodes[0])
    broken(graph, "made twice")


def test_a_name_taken_twice(graph):
    x = graph.inputs["x"].value
    graph.nodes.append(Node(Map((operand(0),)), (x,), (Value("map", ROW),)))
    broken(graph, "made twice")


def test_an_input_twice(graph):
    graph.inputs["again"] = graph.inputs["x"]
    broken(graph, "there twice")


def test_reading_before_making(graph):
    graph.nodes.insert(0, Node(Map((operand(0),)), graph.nodes[0].outputs, (Value("z", ROW),)))
    broken(graph, "before it is made")


def test_a_wrong_type(graph):
    graph.nodes[0].outputs[0].type = TensorType(("N", 3))
    broken(graph, "gives")


def test_refused_operands(graph):
    graph.nodes[0].operation = Map((operand(1),))
    broken(graph, "refused")


def test_an_unknown_output(graph):
    graph.outputs["z"] = Value("z", ROW)
    broken(graph, "not in the graph")


def test_an_update_of_data(graph):
    graph.updates["x"] = graph.outputs["y"]
    broken(graph, "no such parameter or state")


def test_an_update_of_another_type(graph):
    graph.inputs["w"].value.type = TensorType((2,))
    graph.updates["w"] = graph.outputs["y"]
    broken(graph, "not a value of its type")


def test_clocks_and_settings_are_numbers(graph):
    graph.inputs["w"].role = Role.CLOCK
    broken(graph, "single double")


def test_a_setting_has_a_number():
    build = Builder()
    build.input("lr", TensorType((), ElementType.DOUBLE), Role.SETTING)
    broken(build.graph, "has a number")
