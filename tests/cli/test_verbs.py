"""Every verb once as people use it."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from nndsl import __version__, catalogue
from nndsl.cli.main import nndsl_command
from tests.cli.conftest import MODELS

VERBS = ["bench", "cache", "check", "compile", "diff", "doc", "doctor", "evaluate", "explain",
         "export", "fmt", "generate", "new", "predict", "render", "report", "show", "summary",
         "surface", "train"]  # fmt: skip


def test_all_verbs_are_there_and_explain_themselves(nndsl):
    overview = nndsl("--help")
    assert overview.code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in overview.out
        help_text = nndsl(verb, "--help")
        assert help_text.code == 0
        assert help_text.out.startswith(f"Usage: nndsl {verb} ")
        assert len(help_text.out.splitlines()[2]) > 20
    assert "..." not in overview.out.split("Commands:")[1], "a short help is cut off"
    assert max(map(len, overview.out.splitlines())) <= 80
    assert nndsl_command.list_commands(None) == VERBS


def test_version(nndsl):
    assert nndsl("--version").out == f"nndsl, version {__version__}\n"


def test_without_a_verb_the_help_is_shown(nndsl):
    ended = nndsl()
    assert ended.code == 2
    assert ended.err.startswith("Usage: nndsl")


def test_the_journey_from_a_table_to_predictions(nndsl, place):
    shutil.copy(MODELS / "penguins.csv", place)
    started = nndsl("new", "penguins.csv", "--target", "species")
    assert started.code == 0, started.err
    assert started.out.splitlines()[-1] == "next    nndsl train penguins.nn"
    checked = nndsl("check", "penguins.nn")
    assert (checked.code, checked.out.splitlines()[-1]) == (0, "ok")
    trained = nndsl("train", "penguins.nn", "--set", "epochs=5")
    assert trained.code == 0, trained.err
    assert trained.out.splitlines()[-1] == "next    nndsl predict runs/penguins-1 new.csv"
    predicted = nndsl("predict", "runs/penguins-1", "penguins.csv")
    assert predicted.code == 0, predicted.err
    with (place / "penguins-predicted.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 344
    assert {"island", "predicted_species", "probability_Gentoo"} <= set(rows[0])
    assert abs(sum(float(rows[0][f"probability_{n}"]) for n in ("Adelie", "Chinstrap", "Gentoo"))
               - 1) < 1e-5  # fmt: skip
    judged = nndsl("evaluate", "runs/penguins-1", "penguins.csv")
    assert judged.code == 0
    assert "344 rows  accuracy" in judged.out


def test_new_never_writes_over_a_file(nndsl, place):
    before = (place / "iris.nn").read_text()
    ended = nndsl("new", "iris.csv")
    assert (ended.code, "NN002" in ended.err) == (2, True)
    assert (place / "iris.nn").read_text() == before
    assert nndsl("new", "iris.csv", "-o", "other.nn").code == 0
    assert nndsl("check", "other.nn").code == 0


def test_new_says_which_column_was_meant(nndsl):
    ended = nndsl("new", "iris.csv", "--target", "specie", "-o", "x.nn")
    assert ended.code == 2
    assert "did you mean `species`?" in ended.err


def test_new_handles_odd_names(nndsl, place):
    rows = "1,2,3,a\n2,3,4,b\n5,1,7,a\n" * 10
    (place / "2 odd-names.csv").write_text('"a b",net,"y""z","# {"\n' + rows)
    ended = nndsl("new", "2 odd-names.csv")
    assert ended.code == 0, ended.err
    checked = nndsl("check", "2 odd-names.nn")
    assert checked.code == 0, checked.err
    refused = nndsl("new", "2 odd-names.csv", "--target", 'y"z', "-o", "b.nn")
    assert (refused.code, "NN003" in refused.err) == (2, True)


def test_a_table_without_a_header(nndsl, place):
    rows = (place / "iris.csv").read_text().split("\n", 1)[1]
    (place / "bare.csv").write_text(rows)
    refused = nndsl("new", "bare.csv")
    assert (refused.code, "nndsl new bare.csv --no-header" in refused.err) == (4, True)
    assert nndsl("new", "bare.csv", "--no-header").code == 0
    assert nndsl("train", "bare.nn", "--set", "epochs=1", "--quiet").code == 0


def test_other_separators_are_guessed_and_written_down(nndsl, place):
    rows = [f"{i % 7},{i % 3};{i % 5};{'ab'[i % 2]}" for i in range(40)]
    (place / "d.csv").write_text("\n".join(["price;year;kind", *rows]))
    assert nndsl("new", "d.csv").out.startswith('read    d.csv: 40 rows, 3 columns, with sep=";"')
    assert 'csv("d.csv", sep=";", decimal=",", target=kind)' in (place / "d.nn").read_text()
    assert nndsl("train", "d.nn", "--quiet").code == 0


def test_a_folder_of_pictures_gets_a_convolutional_network(nndsl, place):
    from PIL import Image

    for number in range(24):
        folder = place / "shapes" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 6), number * 5).save(folder / f"{number}.png")
    assert "2 classes" in nndsl("new", "shapes").out
    written = (place / "shapes.nn").read_text()
    assert 'data shapes = images("shapes", target=label)' in written
    assert "#   image  1x6x8, number, 0 to 255\n" in written
    assert nndsl("train", "shapes.nn", "--set", "epochs=2", "--quiet").code == 0


def test_check_names_the_masks_that_are_not_there(nndsl, place):
    from PIL import Image

    source = 'data d = images("views", target=images("masks"))\n'
    (place / "s.nn").write_text(source + "net S on d { conv(1, 3, pad=same) }\n")
    assert "note    views is not there" in nndsl("check", "s.nn").out
    (place / "views").mkdir()
    Image.new("L", (8, 6)).save(place / "views" / "1.png")
    assert "note    masks is not there" in nndsl("check", "s.nn").out


def test_pictures_without_labels_get_no_network(nndsl, place):
    from PIL import Image

    (place / "views").mkdir()
    for number in range(3):
        Image.new("L", (8, 6), number).save(place / "views" / f"{number}.png")
    ended = nndsl("new", "views")
    assert "NN412" in ended.err and "one sub-folder for each class" in ended.err
    assert not (place / "views.nn").exists()


def test_nothing_in_a_table_becomes_source(nndsl, place):
    (place / "evil.csv").write_text('x,y\n1,"a\nnet Evil { }"\n2,"b\r\u2028c"\n' * 5)
    assert nndsl("new", "evil.csv").code == 0
    lines = (place / "evil.nn").read_text().splitlines()
    assert not any(line.startswith("net Evil {") for line in lines if "on evil" not in line)
    assert nndsl("check", "evil.nn").code == 0


@pytest.mark.parametrize("out", ["iris2.nn", "sub/iris.nn"])
def test_new_names_the_data_from_where_it_writes(nndsl, place, out):
    (place / "sub").mkdir()
    ended = nndsl("new", "iris.csv", "-o", out)
    following = ended.out.splitlines()[-1].removeprefix("next    nndsl ").split()
    assert nndsl(*following, "--set", "epochs=1", "--quiet").code == 0


def test_check_needs_no_data(nndsl, place):
    (place / "iris.csv").unlink()
    ended = nndsl("check", "iris.nn")
    assert ended.code == 0
    assert "iris.csv is not there" in ended.out
    assert "sizes not known" in ended.out
    assert nndsl("check", "iris.nn", "--grad").code == 4


def test_check_finds_what_training_would_refuse_in_every_column(nndsl, place):
    rows = ["20,1.7,no", "-1,1.6,yes", "22,-2,no", "23,1.8,yes"] * 5
    (place / "d.csv").write_text("age,height,ill\n" + "\n".join(rows) + "\n")
    steps = "age -> log\n  height -> log -> standardize"
    (place / "m.nn").write_text(
        f'data d = csv("d.csv", target=ill) {{\n  {steps}\n}}\n'
        "net A on d { dense(d.classes) -> softmax }\ntrain A { epochs = 1 }\n"
    )
    checked = nndsl("check", "m.nn")
    assert checked.code == 4
    assert checked.err.count("error[NN419]") == 2
    assert "d.csv:3, column `age`" in checked.err
    assert "d.csv:4, column `height`" in checked.err


def test_check_compares_gradients(nndsl):
    ended = nndsl("check", "iris.nn", "--grad")
    assert ended.code == 0
    lines = [line for line in ended.out.splitlines() if line.startswith("ok ")]
    assert [line.split()[1] for line in lines] == [
        f"Flowers.dense[{i}].{what}" for i in (1, 2) for what in ("weight", "bias")
    ]
    records = nndsl("check", "iris.nn", "--grad", "--json").records
    assert [r["event"] for r in records] == ["net", *["gradient"] * 4, "checked"]
    assert records[-1]["ok"] is True


def test_compile_explains_and_writes(nndsl, place):
    ended = nndsl("compile", "iris.nn", "--explain", "-o", "out")
    assert ended.code == 0, ended.err
    for word in ("kernels", "differentiate", "workspace", "barrier", "MB of memory (", "gradients"):
        assert word in ended.out
    assert (place / "out" / "Flowers.ir.txt").read_text().startswith("input ")
    assert len(list((place / "out" / "kernels").iterdir())) > 5


@pytest.mark.parametrize(
    ("stage", "word"),
    [("ast", "Net name='Flowers'"), ("ir", "matmul"), ("passes", "dead-code"),
     ("memory", "workspace"), ("memory", "copy to go back to"), ("kernels", "contraction"),
     ("defaults", "adam(0.003)")],
)  # fmt: skip
def test_show(nndsl, stage, word):
    ended = nndsl("show", stage, "iris.nn")
    assert ended.code == 0, ended.err
    assert word in ended.out


def test_show_the_graph_after_a_pass(nndsl):
    assert "gradient:dense[1].weight" in nndsl("show", "ir", "iris.nn", "--after", "dead-code").out
    wrong = nndsl("show", "ir", "iris.nn", "--after", "deadcode")
    assert (wrong.code, "NN017" in wrong.err) == (2, True)


def test_summary_adds_up(nndsl):
    out = nndsl("summary", "iris.nn").out
    assert out.startswith("Flowers: 67 parameters")
    assert "40" in out and "27" in out


def test_bench_prints_one_object(nndsl):
    record = nndsl("bench", "iris.nn", "--steps", "20", "--threads", "1", "--json").result
    assert record["threads"] == 1
    assert record["batch"] == 32
    seconds = record["step_seconds"]
    assert 0 < seconds["min"] <= seconds["median"] <= seconds["max"]


def test_doctor(nndsl):
    ended = nndsl("doctor")
    assert ended.code == 0, ended.out
    assert nndsl("doctor", "--json").result["checks"]["kernels"]["ok"] is True


def test_cache(nndsl, place, monkeypatch):
    monkeypatch.setenv("NNDSL_CACHE_DIR", str(place / "kernels"))
    assert nndsl("cache", "path").out.strip() == str(place / "kernels")
    assert nndsl("compile", "iris.nn").code == 0
    assert int(nndsl("cache", "clear").out.split()[0]) > 5
    assert nndsl("cache", "clear").out.split()[0] == "0"


def test_doc_shows_a_word_or_all(nndsl):
    page = nndsl("doc", "elu")
    assert page.code == 0
    assert "elu′(x) = 1 if x > 0 else α eˣ" in page.out
    assert "example" in page.out and "Clevert" in page.out
    assert "adam" in nndsl("doc").out
    assert nndsl("doc", "mse").out.count("example") == 2  # a loss and a metric
    wrong = nndsl("doc", "adamm")
    assert wrong.code == 2
    assert "did you mean `adam`" in wrong.err


def test_doc_says_where_settings_are(nndsl):
    assert "`epochs` is a setting of `train`" in nndsl("doc", "epochs").err
    assert "`net` begins a part of a file" in nndsl("doc", "net").err
    assert "`csv` reads data" in nndsl("doc", "csv").err


def test_explain_a_network(nndsl, place):
    for name in ("10_lecture.nn", "penguins.csv", "12_outputs_and_losses.nn"):
        shutil.copy(MODELS / name, place)
    ended = nndsl("explain", "10_lecture.nn")
    assert ended.code == 0
    assert "δ⁽²⁾ = (W⁽³⁾ᵀ δ⁽³⁾) ⊙ elu′(z⁽²⁾)" in ended.out
    document = nndsl("explain", "10_lecture.nn", "--latex").out
    assert document.startswith("\\documentclass") and document.endswith("\\end{document}\n")
    (place / "10_lecture.nn").write_text("net A { input x: [2]; dense(1) }\n"
                                         "net B { input x: [3]; dense(1) }\n")  # fmt: skip
    both = nndsl("explain", "10_lecture.nn").out
    assert "ℝ²" in both and "ℝ³" in both
    assert "ℝ³" not in nndsl("explain", "10_lecture.nn", "--net", "A").out
    assert nndsl("explain", "none.nn").code == 2
    assert "nndsl doc lstm" in nndsl("explain", "lstm").err


def test_the_page_of_an_error_is_in_lines(nndsl):
    page = nndsl("explain", "NN203").out
    assert all(len(line) <= 100 for line in page.splitlines())
    assert " ".join(page.split()) == " ".join(catalogue.page("NN203").split())


def test_explain(nndsl):
    assert nndsl("explain", "nn411").out.startswith("# NN411")
    assert nndsl("explain", "NN9").code == 2


def test_fmt(nndsl, place):
    untidy = "net A{input x:[2]\ndense( 3 )}\n"
    (place / "a.nn").write_text(untidy)
    assert nndsl("fmt", "--check", "a.nn").code == 1
    assert (place / "a.nn").read_text() == untidy
    assert nndsl("fmt", "a.nn").code == 0
    tidy = (place / "a.nn").read_text()
    assert tidy != untidy
    assert nndsl("fmt", "-", given=untidy).out == tidy
    assert nndsl("fmt", "--check", "-", given=untidy).code == 1
    assert nndsl("fmt", "--check", "a.nn").code == 0
    assert nndsl("fmt", "-", given=b"net \xff").code == 3


def test_render(nndsl, place):
    for name, first in (("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"),
                        ("a.dot", b"digraph")):  # fmt: skip
        assert nndsl("render", "iris.nn", "-o", name).code == 0
        assert (place / name).read_bytes().startswith(first), name
    assert nndsl("render", "iris.nn").code == 0
    assert (place / "iris.svg").exists()
    wrong = nndsl("render", "iris.nn", "-o", "a.jpg")
    assert (wrong.code, "NN015" in wrong.err) == (2, True)
    assert nndsl("render", "iris.nn", "--net", "Flower").code == 2


def test_settings_and_data_from_the_command_line(nndsl, place):
    (place / "iris.csv").rename(place / "moved.csv")
    ended = nndsl("train", "iris.nn", "moved.csv", "--set", "epochs=2", "--seed", "3", "--json")
    assert ended.code == 0, ended.err
    source = (place / "runs/iris-1/model.nn").read_text()
    assert "seed = 3" in source and "epochs = 2" in source
    assert nndsl("train", "iris.nn", "moved.csv", "--set", "epoch=2").code == 2


def test_standard_input(nndsl, place):
    table = (place / "iris.csv").read_text()
    ended = nndsl("train", "iris.nn", "-", "--out", "run", given=table)
    assert ended.code == 0, ended.err
    from_pipe = nndsl("train", "-", "--out", "run2", given=(place / "iris.nn").read_text())
    assert from_pipe.code == 0, from_pipe.err
    assert nndsl("check", "-", given="net A { dens(3) }").code == 3
    predicted = nndsl("predict", "run", "-", "-o", "-", given=table)
    assert predicted.code == 0
    header, first, *_ = predicted.out.splitlines()
    assert header.startswith("sepal_length,")
    assert first.startswith("5.1,3.5,1.4,0.2,setosa,setosa,")
    assert nndsl("evaluate", "run", "-", given=table).code == 0


def test_a_device_is_never_replaced(nndsl, place):
    nndsl("train", "iris.nn", "--out", "run", "--quiet")
    (place / "link.csv").symlink_to(place / "elsewhere.csv")
    for target in ("/dev/stdout", "link.csv", "run"):
        ended = nndsl("predict", "run", "iris.csv", "-o", target)
        assert (ended.code, "NN005" in ended.err) == (2, True), target
    assert nndsl("predict", "run", "iris.csv", "-o", "iris.csv").code != 0
    assert nndsl("render", "iris.nn", "-o", "run").code == 2


def test_shell_completion(process):
    child = process(env={"_NNDSL_COMPLETE": "bash_complete", "COMP_WORDS": "nndsl tr",
                         "COMP_CWORD": "1"})  # fmt: skip
    out, err = child.communicate(timeout=30)
    assert b"train" in out, err


def test_json_of_predict_and_evaluate(nndsl):
    nndsl("train", "iris.nn", "--out", "run", "--quiet")
    record = nndsl("predict", "run", "iris.csv", "--json", "-o", "p.csv").result
    assert (record["event"], record["rows"], record["out"]) == ("predicted", 150, "p.csv")
    assert json.loads(nndsl("evaluate", "run", "iris.csv", "--json").out)["metrics"]["accuracy"] > 0
