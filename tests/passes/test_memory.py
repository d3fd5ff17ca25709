"""The memory plan: nothing alive overlaps, updates in place, gradients in the parameters' order."""

import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.map import Map, operand
from nndsl.ops.movement import Transpose
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.source import Constant
from nndsl.passes.arena import Arena, Piece, packed, phases_of
from nndsl.passes.memory import ALIGNMENT, Area, plan, update_groups
from nndsl.passes.pipeline import run, training
from tests.networks import optimizer, perceptron

x0, x1 = operand(0), operand(1)


def step(word="adam", sizes=(4, 6, 3)):
    graph = perceptron(sizes, "relu", "classes")
    return run(graph, training(optimizer(graph, word, lr=0.1)))


def overlap(a, b):
    return a.area is b.area and a.offset < b.offset + b.bytes and b.offset < a.offset + a.bytes


@pytest.mark.parametrize("word", ["sgd", "adam", "momentum"])
@pytest.mark.parametrize("gathers", [True, False])
def test_values_alive_together_do_not_overlap(word, gathers):
    graph = step(word)
    found = plan(graph, 16, gathers=gathers)
    for one, (first, last) in found.lives.items():
        for other, (start, stop) in found.lives.items():
            together = first < stop and start < last
            if one is not other and together:
                assert not overlap(found.places[one], found.places[other]), (one, other)


def test_places_are_aligned_and_within_their_area():
    found = plan(step(), 16, gathers=True)
    for place in found.places.values():
        if place.area is not Area.CLOCK:
            assert place.offset % ALIGNMENT == 0
        assert place.offset + place.bytes <= found.areas[place.area]


def test_updates_are_written_in_place():
    graph = step()
    found = plan(graph, 16, gathers=True)
    assert found.copies == ()
    for name, value in graph.updates.items():
        assert found.places[value] == found.places[graph.inputs[name].value]


def test_an_update_is_not_in_place_while_the_old_value_is_read():
    build = Builder()
    w = build.input("w", TensorType((4,)), Role.PARAMETER)
    new = build.add(Map((x0 * 0.5,)), w)
    build.graph.updates = {"w": new}
    build.graph.outputs = {"sum": build.add(Reduce("sum", (0,)), w)}
    assert [name for name, _ in plan(build.graph, 1).copies] == ["w"]


def test_an_update_that_reads_other_places_is_not_in_place():
    build = Builder()
    w = build.input("w", TensorType((4, 4)), Role.PARAMETER)
    build.graph.updates = {"w": build.add(Transpose((1, 0)), w)}
    assert [name for name, _ in plan(build.graph, 1).copies] == ["w"]


def test_parameters_gradients_and_moments_stand_in_one_order():
    graph = step()
    found = plan(graph, 16, gathers=True)
    (columns,) = update_groups(graph)
    assert len(columns) == 4  # parameter, gradient, two moments
    distances = [
        [found.places[v].offset - found.places[column[0]].offset for v in column]
        for column in columns
    ]
    assert all(d == distances[0] for d in distances)


def test_a_result_takes_the_memory_of_its_operand():
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    a = build.add(Map((x0 + 1.0,)), x)
    b = build.add(Map((x0 * 2.0,)), a)
    build.graph.outputs = {"b": b}
    found = plan(build.graph, 8)
    assert found.places[a] == found.places[b]


def test_two_results_do_not_take_the_same_operand():
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    a = build.add(Map((x0 + 1.0,)), x)
    b, c = build.add_all(Map((x0 * 2.0, x0 * 3.0)), a)
    build.graph.outputs = {"b": b, "c": c}
    found = plan(build.graph, 8)
    assert not overlap(found.places[b], found.places[c])


def test_views_have_the_memory_of_what_they_show():
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    a = build.add(Map((x0 + 1.0,)), x)
    view = build.add(Reshape(("N", 2, 2)), a)
    build.graph.outputs = {"sum": build.add(Reduce("sum", (0, 1, 2)), view)}
    found = plan(build.graph, 8)
    assert found.places[view] == found.places[a]
    assert found.owners[view] is a


def test_constants_and_outputs_live_to_the_end():
    build = Builder()
    x = build.input("x", TensorType(("N", 2)), Role.DATA)
    constant = build.add(Constant((1.0, 2.0), (2,)))
    a = build.add(Map((x0 + x1,)), x, constant)
    b = build.add(Map((x0 * x1,)), a, constant)
    build.graph.outputs = {"a": a, "b": b}
    found = plan(build.graph, 8)
    places = [found.places[v] for v in (constant, a, b)]
    assert len({p.offset for p in places}) == 3


def test_the_workspace_is_shared():
    build = Builder()
    value = build.input("x", TensorType(("N", 64)), Role.DATA)
    for _ in range(10):  # each needs its operand at other places: no result in place
        value = build.add(Reshape(("N", 8, 8)), value)
        value = build.add(Transpose((0, 2, 1)), value)
    build.graph.outputs = {"y": value}
    found = plan(build.graph, 32)
    assert found.areas[Area.WORKSPACE] == 2 * 32 * 64 * 4


def test_precision_and_batch_scale_the_estimate():
    graph = step()
    totals = [
        plan(graph, rows, size, gathers=True).total for rows, size in ((64, 8), (64, 4), (8, 4))
    ]
    assert totals[0] > totals[1] > totals[2]
    assert plan(graph, 1000, gathers=True).largest(1)[0][1] >= 1000 * 6 * 4


def test_memory_of_another_size_is_reused_only_after_a_phase():
    pieces = [Piece(64, 0, 0, True), Piece(128, 1, 1, True), Piece(64, 2, 2, True)]
    arena = Arena(0, [0, 0, 0])
    arena.arrange(pieces)
    assert [p.offset for p in pieces] == [0, 64, 0]
    after = [Piece(64, 0, 0, True), Piece(64, 0, 0, True), Piece(128, 1, 1, False)]
    arena = Arena(0, [0, 1])
    arena.arrange(after)
    assert [p.offset for p in after] == [0, 64, 0]
    assert arena.end == 128


def test_phases_change_where_the_kind_of_node_does():
    assert phases_of([True, True, False, True]) == [0, 0, 1, 2]
    assert phases_of([]) == []


def test_class_numbers_and_doubles_have_their_own_widths():
    build = Builder()
    x = build.input("x", TensorType(("N",), ElementType.INDEX), Role.DATA)
    s = build.input("s", TensorType((), ElementType.DOUBLE), Role.STATE)
    build.graph.outputs = {"y": build.add(Map((x0 + x1,)), x, s)}
    places = plan(build.graph, 10, gathers=True).places
    assert (places[x].width, places[s].width) == (4, 8)


def test_the_plan_as_text(golden):
    golden("passes/memory.txt", plan(step(), 16, gathers=True).text() + "\n")


def test_pieces_are_packed_close_to_what_is_alive_together():
    lives = [(3, 0, 9), (2, 1, 4), (2, 5, 8), (1, 2, 6), (2, 0, 0)]
    pieces = [Piece(size * ALIGNMENT, first, last) for size, first, last in lives]
    assert packed(pieces, ALIGNMENT) == (1 + 6) * ALIGNMENT
    for a in pieces:
        for b in pieces:
            if a is not b and a.first <= b.last and b.first <= a.last:
                assert a.offset + a.size <= b.offset or b.offset + b.size <= a.offset
    assert packed([], 5) == 5
