"""The resolved source of a run: without settings it means what the file means with them."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import Source
from nndsl.syntax.parser import parse
from nndsl.syntax.resolved import resolved_text

SETTINGS = ("epochs", "batch", "seed", "optimizer")


def resolved(text: str, **settings: str) -> str:
    return resolved_text(parse(Source("m.nn", text)), settings, SETTINGS)


@pytest.mark.parametrize(
    ("before", "settings", "after"),
    [
        ("let n = 3  # units\n", {"n": "5"}, "let n = 5  # units\n"),
        ("let n = 3 ~ 1..5\n", {"n": "4"}, "let n = 4 ~ 1..5\n"),
        ("net A { let n = 3; dense(n) }\n", {"n": "5"}, "net A { let n = 5; dense(n) }\n"),
        ("train A { }\n", {"seed": "5"}, "train A { seed = 5; }\n"),
        ("train A { # all\n}\n", {"seed": "5"}, "train A { seed = 5; # all\n}\n"),
        ("train A { seed = 1 }\n", {"seed": "5"}, "train A { seed = 5 }\n"),
        (
            "train A { batch = 1 }\ntrain B { }\n",
            {"batch": "2", "seed": "3"},
            "train A { seed = 3; batch = 2 }\ntrain B { batch = 2; seed = 3; }\n",
        ),
        (
            "let wide = true\ntrain A { if wide { seed = 1; batch = 2 } else { seed = 2 } }\n",
            {"seed": "7"},
            "let wide = true\ntrain A { seed = 7; if wide { ; batch = 2 } else {  } }\n",
        ),
        (
            "let epochs = 3\ntrain A { epochs = epochs }\n",
            {"epochs": "9"},
            "let epochs = 9\ntrain A { epochs = 9 }\n",
        ),
        ("train A { optimizer = sgd(lr) }\n", {"lr": "1"}, "train A { optimizer = sgd(lr) }\n"),
    ],
)
def test_settings_are_written_into_the_text(before, settings, after):
    assert "".join(resolved(before, **settings).split()) == "".join(after.split())
    parse(Source("m.nn", resolved(before, **settings)))


def test_without_settings_nothing_changes():
    text = "# comment\nlet n = 3\n\ntrain A { epochs = 3 }  # end"
    assert resolved(text) == text


def test_imports_are_renamed():
    file = parse(Source("m.nn", 'import "../lib/a.nn" as a\nimport "b.nn" as b\n'))
    names = {"../lib/a.nn": "import-a.nn"}
    assert resolved_text(file, {}, (), names) == 'import "import-a.nn" as a\nimport "b.nn" as b\n'
