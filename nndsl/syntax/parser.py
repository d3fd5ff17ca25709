"""The front door of the syntax: a text becomes a tree, or every mistake in it a diagnostic."""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics import NndslError, Source, error
from nndsl.syntax import tree
from nndsl.syntax.grammar import grammar_text, parse_tokens
from nndsl.syntax.reading import check_size, decode_source, read_source

__all__ = ["decode_source", "grammar_text", "parse", "parse_expression", "read_source"]


def parse(source: Source) -> tree.File:
    """The tree of a whole file.

    Errors: NN1xx, up to ten independent ones in the order of the text; NN103 when it is empty.
    """
    file: tree.File = _parse(source, "start")
    if not file.items:
        raise error(
            "NN103",
            f"{source.name} holds no network: it is empty",
            help="begin with `net Name on data { ... }`, or let `nndsl new data.csv` write one",
        )
    return file


def parse_expression(source: Source) -> tree.Expression:
    """The tree of a single value, such as the right side of `--set optimizer=adam(1e-3)`.

    Errors: NN1xx.
    """
    expression: tree.Expression = _parse(source, "value")
    return expression


def _parse(source: Source, rule: str) -> Any:
    check_size(source)
    from nndsl.syntax.build import build
    from nndsl.syntax.layout import lay_out
    from nndsl.syntax.lexical import tokens_of

    lexed = tokens_of(source)
    layout = lay_out(source, lexed.tokens)
    root = parse_tokens(layout.tokens, rule)
    if root is None or lexed.problems or layout.problems:
        from nndsl.syntax.recovery import find_mistakes  # only where there are any

        raise NndslError(find_mistakes(source, rule, lexed, layout))
    return build(root, source)
