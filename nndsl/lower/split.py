"""The setting `split`: shares, counts, `all`, `kfold(10)`, a column."""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower.arguments import arrange
from nndsl.lower.column_expressions import column_name
from nndsl.lower.constants import is_number
from nndsl.lower.evaluate import evaluate
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Given
from nndsl.schema import StepRequest
from nndsl.syntax import tree

EXAMPLE = "split = [60%, 20%, 20%]"
TOLERANCE = 1e-6


def split_value(value: tree.Expression, scope: Scope) -> Any:
    """`all`; a list of shares or counts (train, validation, test; two: no test part); `kfold(10,
    stratify=true)` as a request; the name of a column that names the parts.
    """
    if isinstance(value, tree.Name) and value.name == "all":
        return "all"
    if isinstance(value, tree.Call) and isinstance(value.function, tree.Name):
        if value.function.name == "kfold":
            return _kfold(value, scope)
        raise _wrong(value.span)
    column = column_name(value)
    if column is not None:
        return column
    if isinstance(value, tree.ListOf):
        return _shares(value, scope)
    raise _wrong(value.span)


def _wrong(span: Span) -> NndslError:
    return error(
        "NN309",
        "`split` says which rows train, validate and test",
        span,
        help=f"`{EXAMPLE}`, `split = kfold(10)`, `split = part` (a column) or `split = all`",
    )


def _kfold(value: tree.Call, scope: Scope) -> StepRequest:
    given = [
        Given(evaluate(a.value, scope), a.value.span, a.name, a.name_span) for a in value.arguments
    ]
    found = arrange("kfold", ("folds", "stratify"), given, value.span)
    folds = found["folds"].value if "folds" in found else 10
    stratify = found["stratify"].value if "stratify" in found else True
    if not isinstance(folds, int) or isinstance(folds, bool) or not 2 <= folds <= 1000:
        raise error("NN314", "`folds` of `kfold` must be a whole number of at least 2", value.span)
    if not isinstance(stratify, bool):
        raise error("NN314", "`stratify` of `kfold` must be true or false", value.span)
    return StepRequest("kfold", {"folds": folds, "stratify": stratify}, value.span)


def _shares(value: tree.ListOf, scope: Scope) -> list[float] | list[int]:
    numbers = [evaluate(item.value, scope) for item in value.items]
    good = len(numbers) in (2, 3) and all(is_number(n) and n >= 0 for n in numbers)
    if not good or not numbers[0] > 0:
        raise _wrong(value.span)
    if all(isinstance(n, int) and n != 1 for n in numbers) and sum(numbers) > 1:
        return [int(n) for n in numbers]
    total = sum(numbers)
    if abs(total - 1) > TOLERANCE:
        raise error(
            "NN309",
            f"the shares of `split` add up to {total * 100:g}%, not 100%",
            value.span,
            help=EXAMPLE,
        )
    return [float(n) for n in numbers]
