"""Jobs of real networks: from a text through all stages of the compiler to executables."""

from __future__ import annotations

import functools
from pathlib import Path

from nndsl import driver
from nndsl.data import split_rows
from nndsl.diagnostics import Source
from nndsl.model.training import Options, make_job
from nndsl.train.job import TrainingJob

TEXT = """data iris = csv("iris.csv", target=species)
net Classifier on iris {
  dense(8) -> relu -> dropout(0.2)
  dense(iris.classes) -> softmax
}
train Classifier { epochs = 6; %s }
"""
MODELS = Path(__file__).resolve().parents[2] / "models"


@functools.cache
def opened(settings: str, text: str = TEXT) -> driver.Opened:
    return driver.open_source(Source("m.nn", text % settings), MODELS)


def compiled_job(settings: str = "", threads: int = 1, text: str = TEXT) -> TrainingJob:
    """A job on the irises; `settings` are written into its `train` section."""
    found = opened(settings, text)
    (recipe,) = found.module.recipes
    specification = found.specification_of(recipe)
    table, schema = found.tables[specification.name], found.module.schemas[specification.name]
    split = split_rows(table, schema, specification, recipe.seed)
    job, _ = make_job(found, recipe, split, Options(threads=threads))
    return job
