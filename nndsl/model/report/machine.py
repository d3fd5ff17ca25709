"""The time of each kernel of a training step, and its memory over the step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nndsl import compilation
from nndsl.codegen.generate import planned
from nndsl.codegen.program import Call, Program, Region
from nndsl.codegen.target import host_target
from nndsl.ir.graph import Graph
from nndsl.lower.result import Recipe
from nndsl.passes import memory
from nndsl.records import dataclass
from nndsl.runtime.executable import Executable, load

COPIES = 8
"""Times that a call stands in the program that is timed, so that the loop around weighs little."""
MOST_CALLS = 100
ROUNDS = 8
ROUND_SECONDS = 2e-3
Clock = Callable[[], float]


@dataclass(frozen=True)
class CallTime:
    """A call of the training step and how long it takes, in seconds, done over and over."""

    number: int
    label: str
    kernel: str
    lines: tuple[int, ...]
    seconds: float
    flops: int


@dataclass(frozen=True)
class StepTimes:
    """The calls of a step, those of one kernel and place together, and a step as a whole."""

    calls: tuple[CallTime, ...]
    step: float
    batch: int
    left_out: int


@dataclass(frozen=True)
class Machine:
    """A training step as it runs here."""

    times: StepTimes
    plan: memory.MemoryPlan
    graph: Graph


def measure(
    recipe: Recipe,
    rows: int,
    arrays: Mapping[str, np.ndarray],
    most_calls: int = MOST_CALLS,
    clock: Clock = time.perf_counter,
) -> Machine:
    """Compile the training step for `rows` training rows and time it on one thread.

    `arrays` are rows for it; what is missing is taken as zeros, which cost the same. Only the first
    `most_calls` are timed one by one. On a busy machine the `clock` may be `time.process_time`.
    """
    step = compilation.training_graph(recipe)
    batch = compilation.batch_of(recipe, rows)
    program = compilation.program_of(step, recipe, rows)
    whole = _seconds(load(program), program, rows, arrays, clock)
    timed = []
    for number, call in enumerate(program.calls[:most_calls], 1):
        one = _alone(program, call)
        seconds = _seconds(load(one), one, rows, arrays, clock) / COPIES
        lines = tuple(sorted({span.line for span in call.spans}))
        name = program.kernels[call.kernel].name
        timed.append(CallTime(number, call.label, name, lines, seconds, call.flops))
    left_out = max(0, len(program.calls) - most_calls)
    graph, plan = planned(step, recipe.precision, batch, tight=recipe.memory == "small")
    return Machine(StepTimes(tuple(timed), whole, batch, left_out), plan, graph)


def described() -> str:
    """The processor that this runs on, as far as the system tells, and the code made for it."""
    target = host_target()
    return f"{target.cpu} with {target.name}" if target.name != "plain" else target.cpu


def _alone(program: Program, call: Call) -> Program:
    """The program with one call only, several times."""
    kernel = program.kernels[call.kernel]
    return replace(program, kernels=(kernel,), calls=(replace(call, kernel=0),) * COPIES)


def _seconds(
    executable: Executable,
    program: Program,
    rows: int,
    arrays: Mapping[str, np.ndarray],
    clock: Clock,
) -> float:
    """The time of a step of a program: of several rounds the one that was disturbed the least."""
    for name, array in _data(program, rows, arrays).items():
        executable.bind(name, array)
    executable.run(0, 1, rows=rows, shuffle=True)
    steps = 1
    while _timed(executable, steps, rows, clock) < ROUND_SECONDS and steps < 1 << 20:
        steps *= 4
    return min(_timed(executable, steps, rows, clock) / steps for _ in range(ROUNDS))


def _timed(executable: Executable, steps: int, rows: int, clock: Clock) -> float:
    start = clock()
    executable.run(0, steps, rows=rows, shuffle=True)
    return clock() - start


_TYPES = {"float32": np.float32, "float64": np.float64, "int32": np.int32}


def _data(program: Program, rows: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows for each input of data: those given where they fit, else zeros."""
    found = {}
    for name, buffer in program.inputs.items():
        if buffer.region is not Region.DATA:
            continue
        sizes = [size for size in program.shapes[name][1:] if isinstance(size, int)]
        kind = _TYPES[buffer.element.value]
        given = arrays.get(name)
        fits = given is not None and given.shape == (rows, *sizes) and given.dtype == kind
        array = given if fits and given is not None else np.zeros((rows, *sizes), kind)
        found[name] = np.ascontiguousarray(array)
    return found
