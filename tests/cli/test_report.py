"""`nndsl report`: from a run folder to one page, whatever became of its data."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import MODELS
from tests.render.report.structure import complaints, read

BOTH = """data penguins = csv("penguins.csv") { target = [bill_length_mm, species] }
net Both on penguins {
  h = dense(8) -> relu
  length = h -> dense(1)
  kind = h -> dense(penguins.classes) -> softmax
  (length, kind)
}
train Both { loss = (mse, 0.3 * cross_entropy); epochs = 5 }
"""
SECTIONS = ["verdict", "learning", "answers", "mistakes", "network", "weights", "formulas", "data",
            "machine", "source"]  # fmt: skip
WITHOUT_ROWS = [name for name in SECTIONS if name not in ("answers", "mistakes")]


@pytest.fixture
def run(nndsl, place: Path) -> Path:
    """A run of ten epochs over iris."""
    assert nndsl("train", "iris.nn", "--out", "run", "--quiet").code == 0
    return place / "run"


def page_of(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    assert complaints(text) == []
    return text


def sections(text: str) -> list[str]:
    return [s.attributes["id"] for s in read(text).all("section")]


def words(text: str) -> str:
    return " ".join(read(text).text.split())


def test_everything_about_a_run(nndsl, run) -> None:
    ended = nndsl("report", "run")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == f"wrote   {Path('run', 'report.html')}\n"
    text = page_of(run / "report.html")
    assert sections(text) == SECTIONS
    told = words(text)
    assert re.search(r"It names the right species for \d+ of 30 test rows: [\d.]+ %, with a 95 % "
                     r"interval of [\d.]+ % to [\d.]+ %; always answering the most frequent class "
                     r"gives 33.3 %, a linear model [\d.]+ %\.", told)  # fmt: skip
    for part in ("kept: epoch", "setosa", "sepal_width", "standardize", "GFLOP/s", "workspace",
                 "he_normal", "digest of the data", "softmax"):  # fmt: skip
        assert part in told, part
    assert len(text) < 150_000


def test_a_second_report_says_the_same_but_for_times(nndsl, run) -> None:
    nndsl("report", "run", "-o", "one.html")
    nndsl("report", "run", "-o", "two.html")
    pages = [page_of(Path(name)) for name in ("one.html", "two.html")]
    before, after = (
        re.sub(r'<section id="machine".*?</section>', "", p, flags=re.S) for p in pages
    )
    assert before == after


def test_data_that_is_gone_moved_or_changed(nndsl, run, place) -> None:
    (place / "iris.csv").rename(place / "moved.csv")
    assert nndsl("report", "run").code == 0
    text = page_of(run / "report.html")
    assert sections(text) == WITHOUT_ROWS
    assert "on 30 test rows was" in words(text)
    assert "The data file" in words(text) and "nndsl report run DATA" in words(text)
    assert nndsl("report", "run", "moved.csv").code == 0
    assert sections(page_of(run / "report.html")) == SECTIONS
    assert "test rows" in words(page_of(run / "report.html"))
    lines = (place / "moved.csv").read_text().splitlines(keepends=True)
    (place / "iris.csv").write_text("".join(lines[:120]))
    assert nndsl("report", "run").code == 0
    assert "119 rows of the given file" in words(page_of(run / "report.html"))
    assert "not those that the run was trained on" in words(page_of(run / "report.html"))


def test_rows_that_cannot_be_judged(nndsl, run, place) -> None:
    lines = (place / "iris.csv").read_text().splitlines()
    (place / "unknown.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines))
    ended = nndsl("report", "run", "unknown.csv", "-o", "x.html")
    assert ended.code == 4 and "NN424" in ended.err
    assert not Path("x.html").exists()
    assert nndsl("report", "run", "nothing.csv").code == 4
    assert nndsl("report", "nothing").code == 5
    (run / "history.csv").write_text("epoch,train_loss\n1,x\n")
    ended = nndsl("report", "run")
    assert ended.code == 5 and "NN502" in ended.err


def test_several_outputs_of_both_sorts(nndsl, place) -> None:
    shutil.copy(MODELS / "penguins.csv", place)
    (place / "both.nn").write_text(BOTH)
    ended = nndsl("train", "both.nn", "--out", "run", "--quiet", "--report")
    assert (ended.code, ended.err) == (0, "")
    told = words(page_of(place / "run" / "report.html"))
    assert "Its R² for bill_length_mm on" in told
    assert "It names the right species for" in told
    assert "bill_length_mm: predicted against actual" in told
    assert "species: actual and predicted classes" in told


def test_names_of_a_hostile_file_stay_text(nndsl, place) -> None:
    columns = ["<script>alert(1)</script>", '" onload="x', "\N{RIGHT-TO-LEFT OVERRIDE}gnp", "&lt;"]
    classes = ["</style><script>document.title=1</script>", "אב", "' autofocus onfocus='x"]
    with (place / "a<b>.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*columns, "<i>kind"])
        for i in range(60):
            cells = [i % 7, (i * i) % 11, i % 5, ["<img src=x>", "--><!--"][i % 2]]
            writer.writerow([*cells, classes[i % 3]])
    (place / "m.nn").write_text(
        '# </script><script>alert("source")</script>\n'
        'data d = csv("a<b>.csv") { target = "<i>kind" }\n'
        "net N on d { dense(4) -> relu -> dense(d.classes) -> softmax }\ntrain N { epochs = 2 }\n"
    )
    assert nndsl("train", "m.nn", "--out", "run", "--quiet").code == 0
    assert nndsl("report", "run").code == 0
    text = page_of(place / "run" / "report.html")
    root = read(text)
    assert len(list(root.all("script"))) == 1
    assert not list(root.all("i")) and "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
    assert [h.text for h in root.all("h1")] == ["N on a<b>.csv"]
    assert columns[0] in words(text) and classes[0] in words(text)


def test_pictures_asked_for_that_need_what_is_not_there(nndsl, place) -> None:
    source = (place / "iris.nn").read_text()
    asked = source.replace("epochs = 10", "epochs = 2; report = [confusion, predictions]")
    (place / "iris.nn").write_text(asked)
    nndsl("train", "iris.nn", "--out", "run", "--quiet")
    nndsl("report", "run")
    assert "predictions has nothing to show of this run" in words(page_of(Path("run/report.html")))
    (place / "iris.csv").unlink()
    nndsl("report", "run")
    assert "confusion needs the rows of the run" in words(page_of(Path("run/report.html")))


def test_no_report_of_a_cross_validation(nndsl, place) -> None:
    ended = nndsl("train", "iris.nn", "--folds", "2", "--report")
    assert ended.code == 2 and "NN016" in ended.err
    assert not (place / "runs").exists()


def test_train_points_to_it_and_writes_none(nndsl, place) -> None:
    ended = nndsl("train", "iris.nn", "--out", "run")
    assert "look    nndsl report run" in ended.out.splitlines()
    assert not (place / "run" / "report.html").exists()
