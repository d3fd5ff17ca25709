"""The files that make up the source of a run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError
from nndsl.model.source_files import data_files, run_importer, run_source, source_files

MODELS = Path(__file__).resolve().parents[2] / "models"
MAIN = """import "lib/units.nn" as units
import "deep/er/units.nn" as others
net A { input x: [4]; units.one(3) -> others.one(2) }
"""
BLOCK = "block x -> one(n) { x -> dense(n) -> relu }\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "m.nn").write_text(MAIN)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/units.nn").write_text(BLOCK)
    (tmp_path / "deep/er").mkdir(parents=True)
    (tmp_path / "deep/er/units.nn").write_text('import "../base.nn" as base\n' + BLOCK)
    (tmp_path / "deep/base.nn").write_text("let slope = 0.1\n")
    return tmp_path


def test_imported_files_lie_beside_the_source(folder):
    files = source_files(driver.open_file(folder / "m.nn"))
    assert set(files) == {"model.nn", "import-units.nn", "import-units-2.nn", "import-base.nn"}
    assert 'import "import-units.nn" as units' in files["model.nn"]
    assert 'import "import-base.nn" as base' in files["import-units-2.nn"]


def test_a_run_folder_is_its_own_source(folder, tmp_path):
    files = source_files(driver.open_file(folder / "m.nn", settings={"slope": "0.5"}))
    run = tmp_path / "run"
    run.mkdir()
    for name, text in files.items():
        (run / name).write_text(text)
    again = driver.open_source(run_source(run), run, load_import=run_importer(run))
    assert source_files(again) == files
    assert "slope = 0.5" in files["import-base.nn"]
    assert again.module.networks["A"].parameter_count == 3 * 5 + 2 * 4


def test_names_that_a_file_system_could_mistake(folder):
    (folder / "m.nn").write_text('import "con .. é!.nn" as a\nnet A { input x: [1]; a.one(2) }\n')
    (folder / "con .. é!.nn").write_text(BLOCK)
    names = set(source_files(driver.open_file(folder / "m.nn")))
    assert names == {"model.nn", "import-con_.nn"}


@pytest.mark.parametrize(
    "name", ["../m.nn", "m.nn", "import-../a.nn", "import-.nn", "import-a.nn\n"]
)
def test_a_run_imports_nothing_from_outside(folder, name):
    with pytest.raises(NndslError, match="NN502"):
        run_importer(folder)(name, "model.nn")


def test_links_in_a_run_folder_are_refused(folder):
    (folder / "import-a.nn").symlink_to(folder / "m.nn")
    with pytest.raises(NndslError, match="NN5"):
        run_importer(folder)("import-a.nn", "model.nn")


def test_a_file_that_a_run_lacks(folder):
    with pytest.raises(NndslError, match="NN5"):
        run_importer(folder)("import-a.nn", "model.nn")


def test_where_data_came_from(folder):
    (folder / "d.csv").write_bytes((MODELS / "iris.csv").read_bytes())
    (folder / "w.csv").write_text("1,2\n3,4\n")
    (folder / "m.nn").write_text(
        'data d = csv("d.csv", target=species)\n'
        "data t = table(x=[1, 2, 3], y=[1.5, 2, 3]) { target = y }\n"
        'net A { input x: [2]; dense(2, weights=csv("w.csv")) }\n'
    )
    found = data_files(driver.open_file(folder / "m.nn"))
    assert found == {"d": str(folder / "d.csv"), '"w.csv"': str(folder / "w.csv")}
