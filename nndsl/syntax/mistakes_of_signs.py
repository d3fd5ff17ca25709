"""Mistakes in commas, arrows, operators, colons and brackets: one function for each."""

from __future__ import annotations

from lark import Token

from nndsl.diagnostics import Label, Span
from nndsl.syntax.trouble import Mistake, Trouble
from nndsl.syntax.wording import (
    KEYWORD_TERMINALS,
    OPENERS,
    OPERATOR_TERMINALS,
    VALUE_ENDS,
    VALUE_STARTS,
    shortened,
)

_NEEDS_VALUE = OPERATOR_TERMINALS | {"NOT", "EXPECT", "MINIMIZE", "IN", "IF", "ELSE"}
_CLOSERS = frozenset(OPENERS.values())
_ENDS = _CLOSERS | {"_NEWLINE", "$END", "COMMA"}


def stray_brace(trouble: Trouble) -> Mistake | None:
    """A `}` outside every body."""
    if trouble.kind != "RBRACE" or not trouble.outside:
        return None
    return trouble.mistake(
        "NN109",
        "`}` closes nothing",
        trouble.span(),
        "no `{` is open here",
        help="take it out, or write the `{` it belongs to",
        replacement="",
        skip=1,
    )


def split_arrow(trouble: Trouble) -> Mistake | None:
    """`- >`, `-->`, `= >`, `==>`."""
    before = trouble.before
    if before is None or trouble.new_line:
        return None
    pieces = (str(before), str(trouble.token))
    arrow = pieces in (("-", ">"), ("=", ">"), ("==", ">"), ("-", "->"), (">", ">"), ("->", ">"))
    if not arrow:
        return None
    span = trouble.span(before).to(trouble.span())
    return trouble.mistake(
        "NN114",
        f"the arrow is written `->`, not `{span.text}`",
        span,
        "write `->` here",
        replacement="->",
    )


def value_missing_above(trouble: Trouble) -> Mistake | None:
    """`x =` at the end of a line and another statement on the next."""
    if trouble.kind not in ("EQUAL", "COLON") and trouble.kind not in KEYWORD_TERMINALS:
        return None
    for index in range(trouble.index - 1, max(trouble.statement, trouble.index - 4), -1):
        left, right = trouble.tokens[index - 1], trouble.tokens[index]
        ended = "\n" in trouble.source.text[left.end_pos or 0 : right.start_pos or 0]
        if ended and left.type in OPERATOR_TERMINALS and trouble.opener is None:
            return _value_missing_after(trouble, left)
    return None


def value_missing_at_end(trouble: Trouble) -> Mistake | None:
    """An operator with nothing behind it: `dense(3) -> }`, `a + )`, `lr =`."""
    before = trouble.before
    if before is None or before.type not in _NEEDS_VALUE:
        return None
    keyword = trouble.kind in KEYWORD_TERMINALS and trouble.new_line
    if trouble.kind in _ENDS or keyword:
        return _value_missing_after(trouble, before)
    return None


def _value_missing_after(trouble: Trouble, left: Token) -> Mistake:
    end = left.end_pos or 0
    return trouble.mistake(
        "NN118",
        f"nothing stands after {trouble.shown(left)}",
        Span(trouble.source, left.start_pos or 0, end),
        "a value is missing after this",
    )


def value_missing(trouble: Trouble) -> Mistake | None:
    """A place where a value must stand: `f(, 3)`, `a + * b`, `()`."""
    if not trouble.accepts >= {"NAME", "NUMBER"}:
        return None
    before = trouble.before
    if before is None and trouble.kind == "$END":
        return trouble.mistake("NN118", "a value is missing", trouble.span(), "nothing stands here")
    if before is not None and before.type in OPENERS and trouble.kind == OPENERS[before.type]:
        span = trouble.span(before).to(trouble.span())
        return trouble.mistake(
            "NN118", f"`{before}{trouble.token}` holds nothing", span, "a value is missing inside"
        )
    if before is not None and before.type in _NEEDS_VALUE and trouble.kind in OPERATOR_TERMINALS:
        span = trouble.span(before).to(trouble.span())
        return trouble.mistake(
            "NN118",
            f"{trouble.shown(before)} and {trouble.shown()} follow each other",
            span,
            "a value is missing between them, or one is too many",
            skip=1,
        )
    if trouble.kind in OPERATOR_TERMINALS or trouble.kind in _ENDS:
        return trouble.mistake(
            "NN118",
            f"nothing stands before {trouble.shown()}",
            trouble.span(),
            "a value is missing before this",
            skip=1,
        )
    return None


def line_begins_with_operator(trouble: Trouble) -> Mistake | None:
    """`+ b` on a line of its own."""
    if trouble.kind not in OPERATOR_TERMINALS or trouble.index != trouble.statement:
        return None
    if trouble.kind in ("ARROW", "EQUAL", "TILDE"):
        return None
    return trouble.mistake(
        "NN124",
        f"a line cannot begin with {trouble.shown()}",
        trouble.span(),
        "the line above has already ended",
        help=f"put the {trouble.shown()} at the end of the line above",
    )


def colon(trouble: Trouble) -> Mistake | None:
    """`lr: 3`, `net A:`, `if c:`."""
    if trouble.kind != "COLON":
        return None
    if "LBRACE" in trouble.accepts and trouble.ends_line:
        return _colon_body(trouble)
    if trouble.before_kind not in ("NAME", "STRING"):
        return None
    name = shortened(str(trouble.before))
    shape = trouble.following in ("DIMENSIONS", "LSQB") and trouble.index == trouble.statement + 1
    help = f"write `{name} = ...`"
    if shape and not trouble.outside:
        help = f"write `input {name}: ...` for an input, `{name} = ...` for anything else"
    return trouble.mistake(
        "NN113",
        f"`{name}` gets its value with `=`, not with `:`",
        trouble.span(),
        "write `=` here",
        help=help,
        replacement="=",
        insert=("EQUAL",),
        skip=1,
    )


def _colon_body(trouble: Trouble) -> Mistake:
    return trouble.mistake(
        "NN113",
        "a body stands in braces, not after `:`",
        trouble.span(),
        "write `{` here, and `}` after the last line of the body",
        replacement=" {",
        next_item=trouble.outside,
    )


def compared(trouble: Trouble) -> Mistake | None:
    """`let x == 3`."""
    if trouble.kind != "COMPARE" or trouble.token != "==" or "EQUAL" not in trouble.accepts:
        return None
    return trouble.mistake(
        "NN115",
        "`==` compares and gives no value to a name",
        trouble.span(),
        "write `=` here",
        replacement="=",
        insert=("EQUAL",),
        skip=1,
    )


def assigned(trouble: Trouble) -> Mistake | None:
    """`if x = 3`, `expect a = b`, `f(g(x) = 3)`."""
    if trouble.kind != "EQUAL" or trouble.before_kind not in VALUE_ENDS:
        return None
    span = trouble.span()
    if trouble.before_kind == "QUANTITY":
        return _unit_begins_statement(trouble)
    if "COMPARE" in trouble.accepts and trouble.first.type in ("IF", "EXPECT", "MINIMIZE"):
        return trouble.mistake(
            "NN115",
            "`=` gives a value to a name and compares nothing",
            span,
            "write `==` to compare",
            replacement="==",
            insert=("COMPARE",),
            skip=1,
        )
    if trouble.opener is not None:
        return trouble.mistake(
            "NN120", "left of `=` in brackets stands one name", span, "this is more than a name"
        )
    return trouble.mistake(
        "NN120",
        "a second `=` in one statement",
        span,
        "each statement gives a value to one name",
        help="write `==` to compare, or begin a new line",
    )


def _unit_begins_statement(trouble: Trouble) -> Mistake:
    """`batch = 32 epochs = 100`: read as 32 epochs, meant as two statements."""
    number, unit = str(trouble.before).split()
    start = trouble.gap().start - len(unit)
    after_number = start - len(str(trouble.before)) + len(unit) + len(number)
    return trouble.mistake(
        "NN119",
        f"a new statement begins at `{unit}` on the same line",
        Span(trouble.source, after_number, after_number),
        "write `;` here, or begin a new line",
        replacement=";",
        insert=("_NEWLINE", "NAME"),
    )


def comma_missing(trouble: Trouble) -> Mistake | None:
    """`dense(16 relu)`, `[1 2]`; in `(a b)` an arrow is as likely."""
    opener = trouble.opener
    if opener is None or trouble.before_kind not in VALUE_ENDS:
        return None
    if trouble.kind not in VALUE_STARTS or not trouble.fits(trouble.index, ("COMMA",), 1):
        return None
    if trouble.groups and opener.type == "LPAR" and trouble.before_kind == "RPAR":
        return None
    left, right = trouble.shown(trouble.before), trouble.shown()
    return trouble.mistake(
        "NN111",
        f"a comma is missing between {left} and {right}",
        trouble.gap(),
        "write `,` here",
        secondary=(Label(trouble.span(opener), "in these brackets"),) if trouble.new_line else (),
        replacement=",",
        insert=("COMMA",),
    )


def arrow_missing(trouble: Trouble) -> Mistake | None:
    """`dense(16) relu`: two stages side by side."""
    if trouble.before_kind not in VALUE_ENDS or trouble.kind not in VALUE_STARTS:
        return None
    if not trouble.fits(trouble.index, ("ARROW",), 1):
        return None
    left = shortened(trouble.value_before().text)
    return trouble.mistake(
        "NN112",
        f"nothing joins `{left}` and {trouble.shown()}",
        trouble.gap(),
        "write `->` here",
        help="`a -> b` sends the result of a into b; separate statements need `;` or a new line",
        replacement=" ->",
        insert=("ARROW",),
    )


def several_without_brackets(trouble: Trouble) -> Mistake | None:
    """`a, b = ...` or `a, b`."""
    if trouble.kind != "COMMA" or trouble.opener is not None:
        return None
    if trouble.before_kind not in VALUE_ENDS:
        return None
    known = _comma_for_semicolon(trouble) or _comma_for_arrow(trouble)
    return known or trouble.mistake(
        "NN127",
        "several values stand in brackets",
        trouble.span(),
        "this `,` is outside every bracket",
        help="write `(a, b)` for several results, `[a, b]` for a list",
    )


def _comma_for_semicolon(trouble: Trouble) -> Mistake | None:
    """`epochs = 10, batch = 16`."""
    after = [trouble.kind_at(trouble.index + i) for i in (1, 2)]
    if trouble.kind_at(trouble.statement + 1) != "EQUAL" or after != ["NAME", "EQUAL"]:
        return None
    return trouble.mistake(
        "NN127",
        "a comma does not end a setting",
        trouble.span(),
        "write `;` here, or begin a new line",
        replacement=";",
        insert=("_NEWLINE",),
        skip=1,
    )


def _comma_for_arrow(trouble: Trouble) -> Mistake | None:
    """`dense(16), relu`, but not `a, b = pair(3)` and `a, b -> standardize`."""
    kinds = (trouble.kind_at(index) for index in range(trouble.statement, len(trouble.tokens)))
    first = next((kind for kind in kinds if kind not in ("NAME", "COMMA")), "")
    if first != "LPAR" or not trouble.fits(trouble.index + 1, ("ARROW",), 1):
        return None
    return trouble.mistake(
        "NN127",
        "a comma does not join stages",
        trouble.span(),
        "write `->` here",
        help="`a -> b` sends the result of a into b; a comma stands in `(a, b)` and `[a, b]`",
        replacement=" ->",
        insert=("ARROW",),
        skip=1,
    )


def search_space(trouble: Trouble) -> Mistake | None:
    """`dense(64 ~ [32, 64])`: a space without a name."""
    if trouble.kind != "TILDE":
        return None
    return trouble.mistake(
        "NN129",
        "`~` stands only in `let name = value ~ space`",
        trouble.span(),
        "what is searched needs a name",
        help="write `let width = 64 ~ [32, 64]` on a line above, and `width` here",
    )
