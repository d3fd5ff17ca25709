"""Recomputation: the same bits from fewer remembered values."""

import numpy as np
import pytest

from nndsl import compilation, driver
from nndsl.codegen.generate import planned
from nndsl.diagnostics import Source
from nndsl.ir.verify import verify
from nndsl.passes.memory import Area
from nndsl.passes.order import remembered
from nndsl.passes.recompute import Recompute
from nndsl.random import Stream
from nndsl.runtime.executable import load

NETS = {
    "residual": """block x -> unit() {
  body = x -> conv(6, 3, pad=same, bias=false) -> batch_norm
  body + x -> relu
}
net Net on digits {
  reshape(1x8x8) -> conv(6, 3, pad=same) -> relu
  unit * 7
  global_avg_pool -> dense(3) -> softmax
}""",
    "joined": """block rest() { batch_norm -> relu -> conv(5, 3, pad=same, bias=false) }
block x -> grow() { [x, rest] -> concat }
net Net on digits {
  reshape(1x8x8) -> conv(4, 3, pad=same)
  grow * 5
  global_avg_pool -> dense(3) -> softmax
}""",
    "dropout": """net Net on digits {
  dense(50) -> layer_norm -> tanh -> dropout(0.3) -> dense(40) -> gelu -> dropout(0.2)
  dense(3) -> softmax
}""",
    "perceptron": "net Net on digits { dense(9) -> relu -> dense(3) -> softmax }",
}
TRAIN = "train Net { optimizer = momentum(0.05); batch = 16; epochs = 3; %s }"


@pytest.fixture(scope="module")
def recipe_of(tmp_path_factory):
    place = tmp_path_factory.mktemp("recompute")
    numbers = Stream(1, 2).uniform(60 * 64).reshape(60, 64)
    columns = ",".join(f"p{n}" for n in range(64))
    rows = [",".join(f"{x:.3f}" for x in row) + f",{'abc'[n % 3]}" for n, row in enumerate(numbers)]
    (place / "digits.csv").write_text(f"{columns},y\n" + "\n".join(rows) + "\n")
    data = 'data digits = csv("digits.csv", target=y)\n'

    def recipe(name, settings=""):
        text = f"{data}{NETS[name]}\n{TRAIN % settings}\n"
        return driver.open_source(Source("m.nn", text), place).module.recipes[0]

    return recipe


def workspace(recipe):
    _, plan = planned(compilation.training_graph(recipe), recipe.precision, 16, tight=True)
    return plan.areas[Area.WORKSPACE]


def trained(recipe, threads):
    graph = compilation.training_graph(recipe)
    program = compilation.program_of(graph, recipe, 60)
    executable = load(program, threads)
    draw = np.random.default_rng(3)
    start = {n: draw.normal(size=a.shape) * 0.3 for n, a in executable.parameters().items()}
    executable.set_parameters(start)
    executable.poison()
    numbers = np.random.default_rng(4)
    for name, buffer in program.inputs.items():
        if buffer.region.value == "data":
            shape = (60, *program.shapes[name][1:])
            classes = name in program.limits
            array = numbers.integers(0, 3, shape) if classes else numbers.normal(size=shape)
            executable.bind(name, array.astype(np.int32 if classes else np.float32))
    executable.run(0, 8, seed=5, shuffle=True)
    found = {**executable.parameters(), **executable.states()}
    executable.close()
    return found


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", NETS)
def test_results_are_the_same_to_the_bit(recipe_of, name, threads):
    expected = trained(recipe_of(name), threads)
    found = trained(recipe_of(name, "memory = small"), threads)
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, err_msg=key)


@pytest.mark.parametrize(("name", "share"), [("residual", 0.7), ("joined", 0.6)])
def test_less_is_remembered(recipe_of, name, share):
    assert workspace(recipe_of(name, "memory = small")) < share * workspace(recipe_of(name))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("chain", [0, 1, 3, 100])
def test_graphs_stay_valid(recipe_of, name, chain):
    graph = compilation.training_graph(recipe_of(name))
    found = Recompute(chain)(graph)
    verify(found)
    assert found.updates == graph.updates
    assert max(remembered(found)) <= max(remembered(graph))


@pytest.mark.parametrize("name", ["perceptron", "dropout"])
def test_nothing_is_done_twice_in_vain(recipe_of, name):
    graph = compilation.training_graph(recipe_of(name))
    assert Recompute()(graph) is graph


def test_fast_is_what_is_taken(recipe_of):
    names = [step.name for step in compilation.training_passes(recipe_of("residual"))]
    recipe = recipe_of("residual", "memory = small")
    small = [step.name for step in compilation.training_passes(recipe)]
    assert small == [*names, "recompute"]
