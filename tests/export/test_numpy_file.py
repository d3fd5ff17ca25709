"""The exported file alone, in a process that has no nndsl, gives the predictions of the run."""

from __future__ import annotations

import csv
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nndsl
from nndsl.cli.main import run
from nndsl.export.numpy_source import Sources, lines_of
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType
from nndsl.ops import OPERATIONS
from nndsl.ops.base import Clock
from nndsl.ops.fused import FusedMatMul
from nndsl.vocab.kinds import Activation, Preprocessing
from nndsl.vocab.registry import words

TRAINING_ONLY = {"softmax_cross_entropy", "random", "pool_pick"} | {
    name
    for name in OPERATIONS
    if name.endswith("_gradient") and name != "convolution_input_gradient"
}


def exported(source: Path, tmp_path: Path, epochs: int) -> tuple[Path, Path]:
    out, file = tmp_path / "run", tmp_path / "network.py"
    arguments = ["train", str(source), "--out", str(out), "--set", f"epochs={epochs}", "--quiet"]
    assert run(arguments) in (0, 1)  # what the file expects may need more epochs
    assert run(["export", str(out), "--to", "numpy", "-o", str(file)]) == 0
    return out, file


@pytest.mark.parametrize(
    ("model", "data"), [("iris", "iris.csv"), ("11_pass_class", "pass_class.csv")]
)
def test_the_file_alone_gives_the_runs_predictions(model, data, root, tmp_path):
    out, file = exported(root / "models" / f"{model}.nn", tmp_path, 5)
    table = root / "models" / data
    code = "import sys; sys.modules['nndsl'] = None; import runpy; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, str(file), str(table)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = list(csv.DictReader(done.stdout.splitlines()))
    (column,) = (name for name in rows[0] if name.startswith("predicted_"))
    assert run(["predict", str(out), str(table), "-o", str(tmp_path / "ours.csv")]) == 0
    with (tmp_path / "ours.csv").open() as opened:
        ours = list(csv.DictReader(opened))
    assert [row[column] for row in rows] == [row[column] for row in ours]


def test_a_table_without_header_has_numbered_columns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = [f"{i % 7},{'ab'[i % 2]},{i % 7 + i % 2}" for i in range(40)]
    Path("d.csv").write_text("\n".join(lines))
    Path("m.nn").write_text(
        'data d = csv("d.csv", header=false) { target = "3" -> standardize }\n'
        "net A on d { dense(1) }\ntrain A { }\n"
    )
    out, file = exported(Path("m.nn"), tmp_path, 3)
    assert run(["predict", str(out), "d.csv", "-o", "ours.csv"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [str(file), "d.csv"])
    runpy.run_path(str(file), run_name="__main__")
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    ours = list(csv.DictReader(Path("ours.csv").read_text().splitlines()))
    assert list(rows[0]) == ["1", "2", "3", "predicted_3"] == list(ours[0])
    found = [[float(row["predicted_3"]) for row in table] for table in (rows, ours)]
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_other_signs_of_a_table_are_known(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = [f"{i % 7},5;{'ab'[i % 2]};{i % 7 + i % 2},25" for i in range(40)]
    Path("d.csv").write_text("\n".join(["x;k;y", *lines]))
    Path("m.nn").write_text(
        'data d = csv("d.csv", sep=";", decimal=",", target=y)\n'
        "net A on d { dense(1) }\ntrain A { }\n"
    )
    out, file = exported(Path("m.nn"), tmp_path, 3)
    assert run(["predict", str(out), "d.csv", "-o", "ours.csv"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [str(file), "d.csv"])
    runpy.run_path(str(file), run_name="__main__")
    found = [
        [float(row["predicted_y"].replace(",", ".")) for row in csv.DictReader(text, delimiter=";")]
        for text in (
            capsys.readouterr().out.splitlines(),
            Path("ours.csv").read_text().splitlines(),
        )
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_a_column_that_is_not_there_is_named(root, tmp_path, monkeypatch):
    _, file = exported(root / "models/iris.nn", tmp_path, 1)
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr(sys, "argv", [str(file), str(tmp_path / "new.csv")])
    with pytest.raises(SystemExit, match="has no column sepal_length"):
        runpy.run_path(str(file), run_name="__main__")


def test_categories_missing_cells_and_several_inputs(root, tmp_path):
    source = tmp_path / "m.nn"
    source.write_text(
        'data d = csv("penguins.csv", target="body_mass_g")\n'
        "net N on d { dense(5) -> gelu -> layer_norm -> dense(1) }\n"
        "train N { loss = mse; epochs = 3 }\n"
    )
    shutil.copy(root / "models" / "penguins.csv", tmp_path)
    with (tmp_path / "penguins.csv").open() as file:
        names = next(csv.reader(file))
    target = next(n for n in names if "mass" in n)
    source.write_text(source.read_text().replace("body_mass_g", target))
    out, file = exported(source, tmp_path, 3)
    with (tmp_path / "penguins.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    columns = {name: [row[name] for row in rows] for name in names if name != target}
    answers = runpy.run_path(str(file))["predict"](columns)
    ours = nndsl.load(out).predict(tmp_path / "penguins.csv")
    np.testing.assert_allclose(answers, ours[:, 0], rtol=2e-5)


def test_a_file_without_data_is_a_function_of_arrays(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor.nn").write_text(
        "net Xor { input x: [2]; dense(2, weights=[[2, 2], [2, 2]], bias=[-1, -3]) -> step\n"
        "  dense(1, weights=[[1, -1]], bias=-0.5) -> step }\n"
    )
    assert run(["export", "xor.nn"]) == 0
    network = runpy.run_path("xor.py")["network"]
    (answer,) = network([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert answer[:, 0].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - TRAINING_ONLY))
def test_every_operation_has_a_form(name, rng):
    if OPERATIONS[name] is FusedMatMul:
        return
    for op, types in OPERATIONS[name].samples():
        build = Builder()
        values = [build.input(f"x{i}", t, Role.DATA) for i, t in enumerate(types)]
        results = build.add_all(op, *values)
        sizes = {"N": 3, "T": 2}
        if "T" in {d for t in (*types, *(r.type for r in results)) for d in t.shape}:
            continue
        arrays = [
            rng.integers(0, 2, [sizes.get(d, d) for d in t.shape])
            if t.element is ElementType.INDEX
            else rng.normal(size=[sizes.get(d, d) for d in t.shape])
            for t in types
        ]
        expected = op.meaning(arrays, Clock(sizes=sizes))
        sources, names = Sources(), {v: f"x{i}" for i, v in enumerate(values)}
        lines = lines_of(build.graph, names, sources)
        scope = runnable(sources)
        scope |= {f"x{i}": a for i, a in enumerate(arrays)} | {"rows": 3}
        exec("\n".join(lines), scope)
        for value, wanted in zip(results, expected, strict=True):
            np.testing.assert_allclose(scope[names[value]], wanted, rtol=1e-10, atol=1e-12)


def runnable(sources: Sources) -> dict[str, object]:
    """The names that an exported file has, with the functions that these lines brought along."""
    from nndsl.export.numpy_file import HEAD

    scope: dict[str, object] = {}
    exec(HEAD.format(version="", use="", precision="float64"), scope)
    exec("from __future__ import annotations\n" + "\n".join(sources.texts.values()), scope)
    return scope


@pytest.mark.parametrize("name", sorted(words("activation")))
def test_every_activation_has_a_form(name, rng):
    from nndsl.ops.map import Map, operand
    from nndsl.scalar.expression import constant
    from nndsl.scalar.inspection import substitute

    word = words("activation")[name]
    assert isinstance(word, Activation)
    filled = {n: constant(float(p.default or 0.5)) for n, p in word.parameters.items()}
    op = Map((substitute(word.expression, {"x": operand(0), **filled}),))
    from nndsl.ir.types import TensorType

    build = Builder()
    value = build.input("x", TensorType((7,)), Role.DATA)
    result = build.add(op, value)
    x = np.abs(rng.normal(size=7)) + 0.1
    names, sources = {value: "x"}, Sources()
    lines = lines_of(build.graph, names, sources)
    scope = runnable(sources) | {"x": x, "rows": 7}
    exec("\n".join(lines), scope)
    (expected,) = op.meaning([x], Clock())
    np.testing.assert_allclose(scope[names[result]], expected, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(words("preprocessing")))
def test_every_preparation_brings_its_source(name):
    word = words("preprocessing")[name]
    assert isinstance(word, Preprocessing)
    sources = Sources()
    for function in (word.apply, word.invert):
        if function is not None:
            assert sources.name_of(function) in sources.texts
    runnable(sources)


def test_a_transformer_on_ids_of_a_table(tmp_path):
    random = np.random.default_rng(0)
    ids = random.integers(0, 5, (60, 6))
    names = [f"w{i}" for i in range(6)]
    lines = [",".join([*names, "y"]), *(",".join(map(str, (*r, "ab"[r[0] % 2]))) for r in ids)]
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "m.nn").write_text(
        'data d = csv("d.csv", target=y) {\n'
        f"  input words = [{', '.join(names)}] -> ids(5)\n}}\n"
        "net N on d {\n  embed(8) + sinusoidal(8)\n"
        "  layer_norm -> attention(2, causal=true, rope=true) -> global_avg_pool -> dense(2)\n}\n"
        "train N { epochs = 2 }\n"
    )
    out, file = exported(tmp_path / "m.nn", tmp_path, 2)
    columns = {name: ids[:, i].tolist() for i, name in enumerate(names)}
    answers = runpy.run_path(str(file))["predict"](columns)
    np.testing.assert_allclose(answers, nndsl.load(out).predict(tmp_path / "d.csv"), rtol=2e-5)
