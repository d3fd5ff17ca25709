"""Stringing the stages together: what comes in, where it may stop, what is refused."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from nndsl import compilation, driver
from nndsl.diagnostics import NndslError, Source

MODELS = Path(__file__).resolve().parent.parent / "models"
IRIS = 'data iris = csv("iris.csv", target=species)\n'
NET = IRIS + "net A on iris { dense(8) -> relu -> dense(iris.classes) }\ntrain A { epochs = 2 }\n"


def opened(text: str, folder: Path = MODELS, **more) -> driver.Opened:
    return driver.open_source(Source("m.nn", text), folder, **more)


def codes(text: str, folder: Path = MODELS, **more) -> list[str]:
    with pytest.raises(NndslError) as caught:
        opened(text, folder, **more)
    return [d.code for d in caught.value.diagnostics]


def test_settings_are_read():
    assert driver.read_settings(["a=1", " b = x=y "]) == {"a": "1", "b": "x=y"}
    for wrong in ("a", "=1", "a=", " = "):
        with pytest.raises(NndslError, match="NN011"):
            driver.read_settings([wrong])


def test_settings_keep_the_text_of_the_expression():
    found = opened(NET, settings={"batch": " 16  # rows"})
    assert found.settings == {"batch": "16"}
    assert found.module.recipes[0].batch == 16


def test_settings_from_python_are_values():
    values = {"batch": 8, "optimizer": "adam(0.1)", "metrics": ["accuracy", "f1"]}
    recipe = opened(NET, settings=values).module.recipes[0]
    assert recipe.batch == 8
    assert [metric.word.name for metric in recipe.metrics] == ["accuracy", "f1"]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NET.encode())))
    source = driver.read_input(Path("-"))
    assert (source.name, source.text) == ("standard input", NET)


def test_data_that_are_not_there(tmp_path):
    assert codes(NET, tmp_path) == ["NN401"]
    found = opened(NET, tmp_path, data_needed=False)
    assert not found.tables
    assert not found.module.networks["A"].is_complete
    assert codes(NET, tmp_path, data="nothing.csv", data_needed=False) == ["NN401"]


def test_which_data_a_file_replaces(tmp_path):
    two = NET + 'data more = csv("digits.csv", target=digit)\n'
    assert codes(two, data="penguins.csv") == ["NN012"]
    assert codes("net A { input x: [1]; dense(2) }", data="iris.csv") == ["NN012"]
    path = str(MODELS / "iris.csv")
    assert opened(two, data=f"iris={path}").tables["iris"].rows == 150
    assert opened(two, data={"iris": path}).tables["iris"].rows == 150


def test_an_import_that_is_not_there_is_told_at_its_place(tmp_path):
    (tmp_path / "blocks.nn").write_text("let a = 1\n")
    with pytest.raises(NndslError) as caught:
        opened('import "block.nn" as b\nnet A { input x: [1]; dense(2) }\n', tmp_path)
    (problem,) = caught.value.diagnostics
    assert problem.code == "NN317"
    assert problem.primary is not None and problem.primary.span.text == '"block.nn"'
    assert "blocks.nn" in problem.title


def test_weights_of_a_file_must_be_numbers(tmp_path):
    (tmp_path / "w.csv").write_text("1,a\n2,b\n")
    text = 'net A { input x: [2]; dense(2, weights=csv("w.csv")) }\n'
    assert codes(text, tmp_path) == ["NN405"]


@pytest.mark.parametrize("units", [60_000, 300_000])
def test_what_does_not_fit_is_refused_before_it_is_made(units, monkeypatch):
    monkeypatch.setattr("nndsl.data.memory.available_bytes", lambda: 8e9)
    text = NET.replace("dense(8)", f"dense({units}) -> relu -> dense({units})")
    (recipe,) = opened(text).module.recipes
    with pytest.raises(NndslError) as caught:
        compilation.compile_training(recipe, 96)
    (problem,) = caught.value.diagnostics
    assert problem.code == "NN601"
    assert problem.primary is not None and problem.primary.span.text == f"dense({units})"
    assert "dense[2].weight" in problem.notes[0]


def test_small_networks_ask_nobody(monkeypatch):
    monkeypatch.setattr("nndsl.data.memory.available_bytes", lambda: 0.0)
    (recipe,) = opened(NET).module.recipes
    compilation.require_room(compilation.training_graph(recipe), recipe, 32)


def test_passes_can_be_observed():
    (recipe,) = opened(NET).module.recipes
    seen: list[str] = []
    compilation.training_graph(recipe, observe=lambda step, before, after: seen.append(step.name))
    assert {"differentiate", "fold"} <= set(seen)


def test_check_text():
    assert driver.check_text(NET, folder=MODELS) == []
    assert [d.code for d in driver.check_text("net A { input x: [1]; dens(2) }")] == ["NN301"]


def test_a_recipe_without_data():
    found = opened("net A { input x: [2]; dense(1) }\n" + IRIS)
    assert found.module.recipes == []


def test_independent_mistakes_of_data_and_networks_are_told_together(tmp_path: Path) -> None:
    """One run shows what is wrong in both tables, and in the network on a third."""
    (tmp_path / "a.csv").write_text("width,kind\n1,a\n2,b\n3,a\n")
    (tmp_path / "b.csv").write_text("width,kind\n1,a\nx,b,c\n")
    text = """
        data a = csv("a.csv", target=knid) { drop = [wdith]; width -> standardize }
        data b = csv("b.csv", target=kind)
        data c = csv("a.csv", target=kind) { let w = widht + 1 }
        net A { input x: [3]; dens(3) }
        """
    told = driver.check_text(text, folder=tmp_path)
    assert [d.code for d in told] == ["NN406", "NN411", "NN411", "NN411", "NN301"]


def test_a_table_with_mistakes_makes_no_others(tmp_path: Path) -> None:
    """A network on it is checked as far as it can be without its sizes."""
    (tmp_path / "a.csv").write_text("width,kind\n1,a\n2,b\n3,a\n")
    text = """
        data a = csv("a.csv", target=knid)
        net A on a { dense(3) -> relu -> dense(a.classes) -> softmax }
        train A { epochs = 3; expect test_accuracy > 0.5 }
        """
    assert [d.code for d in driver.check_text(text, folder=tmp_path)] == ["NN411"]
