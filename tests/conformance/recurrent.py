"""RNN, LSTM and GRU: the cells of the vocabulary, with the gates in another order.

Sequences of the cases are [T, N, d] ([N, T, d] with layout 1), weights [directions, gates x units,
d]. Gates are i o f c of an LSTM and z r h of a GRU; ours are i f g o and r z n.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from nndsl.ir.graph import Value
from nndsl.ops.movement import Concat
from nndsl.ops.recurrence import Step, Unrolled, recurrence
from nndsl.vocab.arguments import call
from nndsl.vocab.layers.recurrent import Cell, Weights, gru_cell, lstm_cell, rnn_cell
from nndsl.vocab.registry import words
from tests.conformance.case import Case, Drawing, Make, NotSupportedError

ORDERS = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}
CELLS: dict[str, Cell] = {"RNN": rnn_cell, "LSTM": lstm_cell, "GRU": gru_cell}
KNOWN = {"hidden_size", "direction", "layout", "linear_before_reset"}
INPUT, STATE, BIAS, LENGTHS, FIRST_H, FIRST_C, PEEPHOLES = range(1, 8)


def recurrent(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """The outputs at every step, where asked for, and the last memory."""
    unknown = set(case.attributes) - KNOWN
    if unknown or case.given(LENGTHS) is not None:
        raise NotSupportedError(f"{case.name}: {unknown or 'lengths of sequences'}")
    x = case.inputs[0]
    assert x is not None
    batch_first = bool(case.attribute("layout", 0))
    sequence = drawing.rows(x if batch_first else x.swapaxes(0, 1))
    both = case.attribute("direction", "forward") == "bidirectional"
    ways = ["forward", "reverse"] if both else [case.attribute("direction", "forward")]
    made = [_one_way(case, drawing, sequence, number, way) for number, way in enumerate(ways)]
    found: list[Value] = []
    memories = iter((0, 1))  # h, then c
    for expected in case.outputs:
        over_time = expected.ndim == 4
        which = 0 if over_time else next(memories)
        parts = [
            _as_asked(drawing, each.output if over_time else each.last[which], batch_first)
            for each in made
        ]
        axis = (2 if over_time else 1) if batch_first else (1 if over_time else 0)
        found.append(parts[0] if len(parts) == 1 else drawing.build.add(Concat(axis), *parts))
    return tuple(found)


def _as_asked(drawing: Drawing, value: Value, batch_first: bool) -> Value:
    """[N, T, d] or [N, d] with an axis for the direction, in the layout of the case."""
    shape = value.type.shape
    if len(shape) == 2:
        order = (shape[0], 1, shape[1]) if batch_first else (1, *shape)
        return drawing.reshape(value, order)
    turned = value if batch_first else drawing.transpose(value, (1, 0, 2))
    first, second, units = turned.type.shape
    axes = (first, second, 1, units) if batch_first else (first, 1, second, units)
    return drawing.reshape(turned, axes)


def _one_way(case: Case, drawing: Drawing, sequence: Value, number: int, way: str) -> Unrolled:
    """The recurrence in one direction, with the weights of that number."""
    units = case.attributes["hidden_size"]
    after = bool(case.attribute("linear_before_reset", 0))
    arguments: Mapping[str, Any] = {
        "units": units,
        "reset": "after" if after else "before",
        "activation": call(words("activation")["tanh"]),
    }
    weights = _weights(case, drawing, number, after=after)
    context: Any = SimpleNamespace(build=drawing.build)
    rows = sequence.type.shape[0]
    starts = [
        drawing.rows(_first(case, place, number, units))
        for place in (FIRST_H, FIRST_C)[: 2 if case.operator == "LSTM" else 1]
    ]
    assert all(start.type.shape[0] == rows for start in starts)

    def write(step: Step) -> Any:
        return CELLS[case.operator](context, step, weights, arguments)

    return recurrence(drawing.build, [sequence], starts, write, reverse=way == "reverse")


def _first(case: Case, place: int, number: int, units: int) -> np.ndarray:
    """The memory before the first step [N, units]: as given, else zeros."""
    x, batch_first = case.inputs[0], bool(case.attribute("layout", 0))
    assert x is not None
    given = case.given(place)
    if given is None:
        return np.zeros((x.shape[0 if batch_first else 1], units), np.float32)
    return given[:, number] if batch_first else given[number]


def _weights(case: Case, drawing: Drawing, number: int, *, after: bool) -> Weights:
    order = ORDERS[case.operator]

    def arranged(rows: np.ndarray) -> np.ndarray:
        """Gates along the first axis in our order."""
        parts = np.split(rows, len(order))
        return np.concatenate([parts[gate] for gate in order])

    def matrix(place: int) -> Value:
        given = case.inputs[place]
        assert given is not None
        return drawing.array(np.ascontiguousarray(arranged(given[number]).T))

    weights = Weights(matrix(INPUT), matrix(STATE), None)
    bias, seen = case.given(BIAS), case.given(PEEPHOLES)
    if bias is not None:
        of_input, of_state = (arranged(part) for part in np.split(bias[number], 2))
        if after:
            third = len(of_state) // 3
            weights.state_bias = drawing.array(of_state[2 * third :])
            of_state = np.concatenate([of_state[: 2 * third], np.zeros(third, np.float32)])
        weights.bias = drawing.array(of_input + of_state)
    elif after:
        weights.state_bias = drawing.array(np.zeros(case.attributes["hidden_size"], np.float32))
    if seen is not None:
        rows = seen[number].reshape(3, -1)
        weights.peepholes = drawing.array(rows[[0, 2, 1]])  # given as i, o, f
    return weights


FORMS: dict[str, Make] = dict.fromkeys(ORDERS, recurrent)
