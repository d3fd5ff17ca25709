"""One seed, one result: twice, on one thread and two, with a cold and a warm cache."""

from __future__ import annotations

import pytest

NETS = {
    "classes": ("iris", "dense(8) -> elu -> dropout(0.2)\n dense(iris.classes) -> softmax"),
    "wide": ("iris", "dense(200) -> relu\n dense(100) -> tanh\n dense(iris.classes)"),
    "number": ("reals", "dense(8) -> leaky_relu -> dense(1)"),
}


def source(kind: str) -> str:
    data, body = NETS[kind]
    return (
        'data iris = csv("iris.csv", target=species)\n'
        'data reals = csv("iris.csv", target=sepal_length)\n'
        f"net N on {data} {{ {body} }}\n"
        "train N { epochs = 6; batch = 20 }\n"
    )


@pytest.mark.parametrize("kind", NETS)
def test_the_same_bytes(nndsl, place, kind, monkeypatch):
    (place / "m.nn").write_text(source(kind))
    monkeypatch.setenv("NNDSL_CACHE_DIR", str(place / "cold"))
    for name, words in (("cold", []), ("warm", []), ("two", ["--threads", "2"]),
                        ("one", ["--threads", "1"])):  # fmt: skip
        ended = nndsl("train", "m.nn", "--seed", "3", "--out", name, "--quiet", *words)
        assert ended.code == 0, ended.err
    for file in ("weights.safetensors", "history.csv", "schema.json", "model.nn"):
        contents = {(place / run / file).read_bytes() for run in ("cold", "warm", "two", "one")}
        assert len(contents) == 1, file
    assert nndsl("train", "m.nn", "--seed", "4", "--out", "other", "--quiet").code == 0
    other = (place / "other/weights.safetensors").read_bytes()
    assert other != (place / "cold/weights.safetensors").read_bytes()
