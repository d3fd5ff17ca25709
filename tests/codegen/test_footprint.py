"""What a training takes of memory, by purpose: the sum of what is allocated."""

import pytest

from nndsl import compilation, driver
from nndsl.codegen import generate as generation
from nndsl.codegen.footprint import EVALUATION_BATCH, EVALUATION_BYTES, rows_within
from nndsl.codegen.program import Region
from nndsl.diagnostics import Source

TEXT = """data numbers = csv("numbers.csv", target=y)
net Net on numbers { dense(40) -> relu -> dense(3) -> softmax }
train Net { optimizer = adam(0.01); batch = 8; %s }
"""


@pytest.fixture
def recipe_of(tmp_path):
    lines = "".join(f"{n},{n % 7},{'abc'[n % 3]}\n" for n in range(60))
    (tmp_path / "numbers.csv").write_text("a,b,y\n" + lines)

    def recipe(settings=""):
        opened = driver.open_source(Source("m.nn", TEXT % settings), tmp_path)
        return opened.module.recipes[0]

    return recipe


def shares(recipe):
    return {share.purpose: share.bytes for share in compilation.footprint_of(recipe, 40, 20).shares}


@pytest.mark.parametrize("large", [1 << 40, 0])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_shares_are_the_regions_of_the_programs(recipe_of, large, precision, monkeypatch):
    monkeypatch.setattr(generation, "LARGE", large)
    recipe = recipe_of(f"precision = {precision}")
    found = shares(recipe)
    regions = compilation.program_of(compilation.training_graph(recipe), recipe, 40).region_bytes
    temporary = ("activations", "gradients", "other values of a step")
    assert found["weights"] == regions[Region.PARAMETERS]
    assert found["state of the optimizer"] == regions[Region.STATE]
    assert 0 <= regions[Region.WORKSPACE] - sum(found.get(n, 0) for n in temporary) <= 64
    assert found["data"] == 60 * (2 * (8 if precision == "float64" else 4) + 4)


def test_only_what_is_kept_counts(recipe_of):
    assert "best weights" in shares(recipe_of())
    assert "best weights" not in shares(recipe_of("keep = last"))


def test_evaluations_of_large_rows_take_fewer_of_them():
    assert rows_within(0) == rows_within(EVALUATION_BYTES) == EVALUATION_BATCH
    assert rows_within(4 * EVALUATION_BYTES) == EVALUATION_BATCH // 4
    assert rows_within(1000 * EVALUATION_BYTES) == 1
