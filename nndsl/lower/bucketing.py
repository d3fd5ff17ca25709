"""`buckets = 4`: padded sequences in batches of like lengths."""

from __future__ import annotations

from dataclasses import replace

from nndsl.diagnostics import error
from nndsl.lower.result import Recipe
from nndsl.lower.train_settings import Settings
from nndsl.lower.values import DataSource
from nndsl.vocab.preprocessing import padding_of


def with_buckets(recipe: Recipe, count: int, settings: Settings, source: DataSource) -> Recipe:
    """The recipe, with `buckets` if there are some.

    Raises NN328 where no input is filled up, or another setting chooses the rows of a batch.
    """
    if not count:
        return recipe
    span = settings.run["buckets"].span
    others = {
        "carry": recipe.carry,
        "replay": recipe.replay,
        "augment": recipe.augment.chain,
    }
    for name, asked in others.items():
        if asked:
            raise error(
                "NN328",
                f"`buckets` and `{name}` both say which rows stand together",
                span,
                secondary=[(settings.run[name].span, "so does this")],
                help="leave out one of them",
            )
    if recipe.turns:
        raise error(
            "NN328",
            "`buckets` is for a training with one objective",
            span,
            secondary=[(settings.updates[0][0].span, "an update of its own")],
            help="leave out `buckets`",
        )
    inputs = source.schema.inputs if source.schema is not None else ()
    if all(padding_of(steps) is None for i in inputs for steps in i.steps.values()):
        raise error(
            "NN328",
            f"all rows of `{source.name}` are equally long: there is nothing to cut",
            span,
            secondary=[(source.span, "no sequences that are filled up")] if source.span else [],
            help="input words = review -> words(8000, length=200)",
        )
    return replace(recipe, buckets=count)
