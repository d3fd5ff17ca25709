"""What may be written beside a data source: the options of each kind and the settings of a body."""

from __future__ import annotations

import codecs
from typing import Any

from nndsl.diagnostics import Diagnostic, Fix, NndslError, error, nearest
from nndsl.records import dataclass
from nndsl.schema import (
    TEXT_SETTINGS,
    DataSpecification,
    Setting,
)
from nndsl.vocab import words
from nndsl.vocab.kinds import Preprocessing


def require_text_settings(specification: DataSpecification) -> None:
    """NN418 for every setting that other data has, and a text has not."""
    problems: list[Diagnostic] = []
    for name, found in specification.settings.items():
        if name not in TEXT_SETTINGS:
            near = nearest(name, TEXT_SETTINGS)
            problems += error(
                "NN418",
                f"`{name}` is not a setting of a text",
                found.span,
                f"did you mean `{near[0]}`?" if near else "unknown",
                help=f"the names are {', '.join(TEXT_SETTINGS)}",
            ).diagnostics
    if problems:
        raise NndslError(problems)


def setting(specification: DataSpecification, name: str) -> Setting | None:
    """A setting of the body, else the option of the same name beside the source, else None."""
    return specification.settings.get(name) or specification.options.get(name)


def value_of(specification: DataSpecification, name: str, default: Any) -> Any:
    """The value of a setting or option, or the default."""
    found = setting(specification, name)
    return default if found is None else found.value


@dataclass(frozen=True)
class CsvOptions:
    """How a CSV file is to be read; None means: find out, and say so when in doubt."""

    header: bool | None = None
    separator: str | None = None
    decimal: str = "."
    missing: frozenset[str] = frozenset()
    encoding: str = "utf-8-sig"
    categories: frozenset[str] = frozenset()  # columns in which texts are no mistake


def csv_options(specification: DataSpecification) -> CsvOptions:
    """The options of a `csv(...)`, checked; NN418 names one that cannot be."""
    header = value_of(specification, "header", None)
    if header is not None and not isinstance(header, bool):
        raise _bad(specification, "header", "true or false")
    separator = value_of(specification, "sep", None)
    separator = "\t" if separator in ("tab", "\\t") else separator
    if separator is not None and (not isinstance(separator, str) or len(separator) != 1):
        raise _bad(specification, "sep", 'one character, such as ";"')
    decimal = value_of(specification, "decimal", ".")
    if decimal not in (".", ","):
        raise _bad(specification, "decimal", '"." or ","')
    encoding = str(value_of(specification, "encoding", "utf-8-sig"))
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise _bad(specification, "encoding", 'an encoding such as "latin-1" or "utf-16"') from None
    categories = called_categories(specification)
    return CsvOptions(
        header, separator, decimal, missing_texts(specification), encoding, categories
    )


def called_categories(specification: DataSpecification) -> frozenset[str]:
    """Columns whose chain begins with a step on categories: `zip -> onehot`."""
    return frozenset(
        str(name)
        for chain in specification.chains
        if chain.steps and not chain.group and _takes_categories(chain.steps[0].word)
        for name in chain.columns
    )


def _takes_categories(name: str) -> bool:
    word = words("preprocessing").get(name)
    return isinstance(word, Preprocessing) and word.accepts == "category"


def missing_texts(specification: DataSpecification) -> frozenset[str]:
    """The further texts that mean no value, of the option `missing`."""
    given = value_of(specification, "missing", ())
    items = given if isinstance(given, list | tuple) else (given,)
    if not all(isinstance(item, str | int | float) for item in items):
        raise _bad(specification, "missing", 'a text, a number or a list of them: ["-", -999]')
    return frozenset(str(item).strip() for item in items)


def _bad(specification: DataSpecification, name: str, expected: str) -> NndslError:
    found = setting(specification, name)
    span = found.span if found is not None else None
    fix = None if span is None or name != "header" else Fix(span, "false")
    return error("NN418", f"`{name}` must be {expected}", span, "cannot be used", fix=fix)
