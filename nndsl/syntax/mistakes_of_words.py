"""Mistakes in names, reserved words, headers and bodies: one function for each."""

from __future__ import annotations

from nndsl.diagnostics import Label, nearest
from nndsl.syntax.trouble import Mistake, Trouble
from nndsl.syntax.wording import (
    ITEM_WORDS,
    KEYWORD_TERMINALS,
    RESERVED,
    STATEMENT_WORDS,
    UNITS,
    VALUE_ENDS,
    shortened,
    terminals,
)

_OTHER_LANGUAGES = {
    "network": "net",
    "model": "net",
    "module": "net",
    "def": "block",
    "function": "block",
    "func": "block",
    "layer": "block",
    "class": "block",
    "dataset": "data",
    "training": "train",
    "fit": "train",
    "var": "let",
    "const": "let",
    "set": "let",
    "assert": "expect",
    "include": "import",
    "use": "import",
    "from": "import",
    "elif": "else if",
    "elseif": "else if",
    "foreach": "for",
    "loss": "minimize",
}
_OTHER_UNITS = {
    "min": "minutes",
    "mins": "minutes",
    "hr": "hours",
    "hrs": "hours",
    "h": "hours",
    "iterations": "steps",
    "iteration": "steps",
    "batches": "steps",
    "rounds": "epochs",
    "s": None,
    "sec": None,
    "secs": None,
    "seconds": None,
    "days": None,
    "day": None,
}
_NEEDS_NAME = terminals("DATA BLOCK CELL NET LET INPUT SHARE FOR AS ON TRAIN UPDATE DEFAULTS")
_LIST_OF_RESERVED = "reserved: " + " ".join(RESERVED)


def import_without_quotes(trouble: Trouble) -> Mistake | None:
    """`import zoo`."""
    if trouble.before_kind != "IMPORT":
        return None
    if trouble.kind != "NAME":
        return trouble.mistake(
            "NN125",
            "`import` needs the name of a file",
            trouble.gap(),
            "a text in quotes is missing",
        )
    name = shortened(str(trouble.token))
    return trouble.mistake(
        "NN125",
        "the file to import stands in quotes",
        trouble.span(),
        f'write `"{name}.nn"`',
        help=f'write `import "{name}.nn" as {name}`',
        replacement=f'"{name}.nn"',
        insert=("STRING",),
        skip=1,
    )


def reserved_as_name(trouble: Trouble) -> Mistake | None:
    """`let data = 3`, `block net(x)`."""
    if trouble.kind not in KEYWORD_TERMINALS or "NAME" not in trouble.accepts:
        return None
    if trouble.new_line and trouble.before is not None:
        return None
    word = str(trouble.token)
    if trouble.before is None and trouble.following != "EQUAL":
        return None
    return trouble.mistake(
        "NN110",
        f"`{word}` is a reserved word and cannot be a name",
        trouble.span(),
        f"another name is needed, such as `{word}_1`",
        help=_LIST_OF_RESERVED,
        replacement=f"{word}_1",
        insert=("NAME",),
        skip=1,
    )


def cell_without_ports(trouble: Trouble) -> Mistake | None:
    """`cell mine(n) { ... }`: what a cell reads and remembers stands before its name."""
    begun = trouble.first.type == "CELL" and trouble.index == trouble.statement + 2
    if not begun or trouble.before_kind != "NAME" or trouble.kind not in ("LPAR", "LBRACE"):
        return None
    name = shortened(str(trouble.before))
    return trouble.mistake(
        "NN130",
        f"`cell {name}` does not say what it reads and remembers",
        trouble.gap(),
        "inputs and memory stand before the name of a cell",
        help=f"cell (x, h: [n]) -> {name}(n) {{ ... }}",
        insert=("ARROW", "NAME"),
    )


def name_missing(trouble: Trouble) -> Mistake | None:
    """`net { ... }`, `let = 3`, `data "iris" = ...`, `net 3x { ... }`."""
    before = trouble.before
    if before is None or before.type not in _NEEDS_NAME or "NAME" not in trouble.accepts:
        return None
    title = f"`{before}` needs a name after it"
    if trouble.kind == "STRING":
        name = trouble.token.strip('"')
        label = f"write `{name}`" if name.isidentifier() else "names stand without quotes"
        return trouble.mistake("NN125", title, trouble.span(), label, insert=("NAME",), skip=1)
    if trouble.kind in ("NUMBER", "DIMENSIONS", "QUANTITY"):
        return trouble.mistake(
            "NN125", title, trouble.span(), "names begin with a letter", insert=("NAME",), skip=1
        )
    return trouble.mistake(
        "NN125", title, trouble.gap(), "a name is missing here", insert=("NAME",)
    )


def outside(trouble: Trouble) -> Mistake | None:
    """A stage, a setting or a misspelt `net` at the level of the file."""
    if not trouble.outside or trouble.index != trouble.statement or trouble.opener is not None:
        return None
    if trouble.kind == "NAME" and trouble.following in ("NAME", "STRING", "LPAR", "TRAIN"):
        misspelt = _misspelt(trouble, (*ITEM_WORDS, "let", "defaults", "expect"))
        if misspelt is not None:
            return misspelt
    if trouble.kind in ("$END", "_NEWLINE") or trouble.kind not in _CAN_BEGIN_STATEMENT:
        return None
    text = shortened(str(trouble.token))
    if trouble.kind == "NAME" and trouble.following == "EQUAL":
        return trouble.mistake(
            "NN122",
            f"`{text} = ...` stands outside every `net`, `data` and `train`",
            trouble.span(),
            "this is no part of a file",
            help=f"a constant is `let {text} = ...`; a setting stands in `train Name {{ ... }}`",
            next_item=True,
        )
    return trouble.mistake(
        "NN122",
        f"`{text}` stands outside every `net`, `data` and `train`",
        trouble.span(),
        "a part of a file begins with one of the words below",
        help="import, let, data, block, cell, net, train, defaults, expect",
        next_item=True,
    )


_CAN_BEGIN_STATEMENT = terminals(
    "NAME NUMBER STRING DIMENSIONS QUANTITY LPAR LSQB INPUT SHARE FOR IF UPDATE MINIMIZE"
)


def _misspelt(trouble: Trouble, words: tuple[str, ...]) -> Mistake | None:
    """The first word of a statement, one of `words` badly spelt or of another language."""
    first = trouble.first
    if first.type != "NAME":
        return None
    meant = _OTHER_LANGUAGES.get(str(first).lower())
    if meant is None or meant.split()[0] not in words:
        meant = _best_fitting(trouble, nearest(str(first), words, len(words)))
    if meant is None:
        return None
    at_first = trouble.index == trouble.statement
    return trouble.mistake(
        "NN121",
        f"`{shortened(str(first))}` begins no statement",
        trouble.span(first),
        f"did you mean `{meant}`?",
        help=f"write `{meant}`",
        replacement=meant,
        insert=(meant.upper(),) if at_first else (),
        skip=1 if at_first else 0,
    )


def _best_fitting(trouble: Trouble, close: list[str]) -> str | None:
    """Of words spelt alike the one that fits what follows: in `et A {` not `let`, but `net`."""

    def fitting(word: str) -> int:
        lengths = (2, 1)
        insert = (word.upper(),)
        return next((n for n in lengths if trouble.fits(trouble.index + 1, insert, n)), 0)

    return max(close, key=fitting, default=None)


def misspelt_statement(trouble: Trouble) -> Mistake | None:
    """`imput x: 3x8x8`, `lett n = 3`, `return x`, `elif c { ... }` in a body."""
    if trouble.outside or trouble.opener is not None or trouble.before is None:
        return None
    if trouble.before_kind == "RBRACE" and trouble.token in ("elif", "elseif"):
        return trouble.mistake(
            "NN121",
            f"`{trouble.token}` is not a word of the language",
            trouble.span(),
            "write `else if`",
            replacement="else if",
        )
    if trouble.index != trouble.statement + 1 or trouble.new_line:
        return None
    if trouble.kind not in ("NAME", "STRING", "NUMBER", "LBRACE"):
        return None
    if trouble.first in ("return", "yield", "output"):
        return trouble.mistake(
            "NN121",
            f"`{trouble.first}` is not a word of the language",
            trouble.span(trouble.first),
            "the last line of a body is its result: leave the word out",
            replacement="",
        )
    return _misspelt(trouble, (*STATEMENT_WORDS, "if"))


def misspelt_in_header(trouble: Trouble) -> Mistake | None:
    """`net A onn iris {`, `import "a.nn" us b`, `for n im sizes {`."""
    if trouble.kind != "NAME" or trouble.new_line:
        return None
    meant = next((w for w in ("ON", "AS", "IN") if w in trouble.accepts), None)
    if meant is None or trouble.following not in ("NAME", "LSQB", "NUMBER", "LPAR", "TRAIN"):
        return None
    if not trouble.fits(trouble.index + 1, (meant,), 1):
        return None
    return trouble.mistake(
        "NN121",
        f"{trouble.shown()} does not fit here",
        trouble.span(),
        f"did you mean `{meant.lower()}`?",
        help=f"write `{meant.lower()}`",
        replacement=meant.lower(),
        insert=(meant,),
        skip=1,
    )


def misspelt_operator(trouble: Trouble) -> Mistake | None:
    """`a == 1 adn b == 2`."""
    if trouble.kind != "NAME" or trouble.new_line or trouble.before_kind not in VALUE_ENDS:
        return None
    close = nearest(str(trouble.token), ("and", "or"), 1) if len(trouble.token) > 1 else []
    if not close or not trouble.fits(trouble.index + 1, (close[0].upper(),), 1):
        return None
    return trouble.mistake(
        "NN121",
        f"{trouble.shown()} does not fit here",
        trouble.span(),
        f"did you mean `{close[0]}`?",
        help=f"write `{close[0]}`",
        replacement=close[0],
        insert=(close[0].upper(),),
        skip=1,
    )


def else_alone(trouble: Trouble) -> Mistake | None:
    """`else` with no `if` before it."""
    if trouble.kind != "ELSE":
        return None
    return trouble.mistake(
        "NN123",
        "this `else` belongs to no `if`",
        trouble.span(),
        "no `if` is open here",
        help="`if c { ... } else { ... }`, or `a if c else b` in a value",
    )


def else_missing(trouble: Trouble) -> Mistake | None:
    """`x = a if c` with nothing for the other case."""
    if "ELSE" not in trouble.accepts or trouble.before_kind not in VALUE_ENDS:
        return None
    begins = range(trouble.index - 1, trouble.statement - 1, -1)
    opening = next((i for i in begins if trouble.tokens[i].type == "IF"), None)
    if opening is None:
        return None
    return trouble.mistake(
        "NN123",
        "a value with `if` needs an `else`",
        trouble.gap(),
        "`else` and the other value are missing here",
        secondary=(Label(trouble.span(trouble.tokens[opening]), "this `if`"),),
        help="write `a if c else b`",
    )


def unknown_unit(trouble: Trouble) -> Mistake | None:
    """`5 epocs`, `30 mins`."""
    if trouble.before_kind != "NUMBER" or trouble.kind != "NAME" or trouble.new_line:
        return None
    word = str(trouble.token)
    number = str(trouble.before)
    if word in _OTHER_UNITS:
        meant = _OTHER_UNITS[word]
    else:
        close = nearest(word, (*UNITS, *(f"{unit}s" for unit in UNITS)), 1)
        if not close or len(word) < 3:
            return None
        meant = close[0].removesuffix("s") + ("" if number == "1" else "s")
    return trouble.mistake(
        "NN116",
        f"`{shortened(word)}` is not a unit of time",
        trouble.span(),
        f"did you mean `{meant}`?" if meant else "the units are epochs, steps, minutes, hours",
        help=f"write `{number} {meant}`" if meant else "for example `30 minutes` or `2 hours`",
        replacement=meant,
        skip=1,
    )


def body_missing(trouble: Trouble) -> Mistake | None:
    """`net A on iris` without `{`."""
    last = trouble.kind == "$END"
    if "LBRACE" not in trouble.accepts or _brace_on_line(trouble):
        return None
    if not last and not trouble.fits(trouble.index, ("LBRACE",), 1):
        return None
    if trouble.first.type == "DATA" and trouble.following not in ("EQUAL", "ARROW"):
        return None  # a body is not needed there
    owner = str(trouble.first)
    if trouble.kind_at(trouble.statement + 1) == "NAME" and owner not in ("for", "if"):
        owner += f" {shortened(trouble.tokens[trouble.statement + 1])}"
    return trouble.mistake(
        "NN117",
        f"the body of `{owner}` has no `{{`" if not last else f"`{owner}` has no body",
        trouble.gap(),
        "`{` is missing here" if not last else "`{ ... }` is missing here",
        replacement=" {" if not last else None,
        insert=("LBRACE",),
    )


def _brace_on_line(trouble: Trouble) -> bool:
    """Whether a `{` still follows on the same line."""
    for token in trouble.tokens[trouble.index :]:
        if token.type in ("_NEWLINE", "RBRACE", "$END"):
            return False
        if token.type == "LBRACE":
            return True
    return False


def brace_misplaced(trouble: Trouble) -> Mistake | None:
    """A second `{`, or one where a list is meant."""
    if trouble.kind != "LBRACE":
        return None
    if trouble.before_kind == "LBRACE":
        label, help = "one `{` is enough", "take it out"
    elif trouble.accepts >= {"NAME", "NUMBER"} and trouble.before is not None:
        label, help = "braces hold statements only", "lists are `[a, b]`, tables `[a=1, b=2]`"
    else:
        label, help = (
            "no body can begin here",
            "bodies follow net, block, cell, data, train, for, if",
        )
    return trouble.mistake(
        "NN128", "this `{` does not fit here", trouble.span(), label, help=help, skip=1
    )


def arguments_without_brackets(trouble: Trouble) -> Mistake | None:
    """`dense 16`."""
    if trouble.before_kind != "NAME" or trouble.new_line:
        return None
    if trouble.kind not in ("NUMBER", "STRING", "DIMENSIONS", "QUANTITY"):
        return None
    if not trouble.fits(trouble.index, ("ARROW",), 1):
        return None
    word, value = str(trouble.before), shortened(str(trouble.token))
    return trouble.mistake(
        "NN126",
        f"arguments stand in brackets: `{shortened(word)}({value})`",
        trouble.span(),
        f"write `({value})`",
        replacement=f"({value})",
        skip=1,
    )


def two_statements(trouble: Trouble) -> Mistake | None:
    """`batch = 32 epochs = 100` on one line; `} dense(3)`."""
    if trouble.opener is not None or not trouble.fits(trouble.index, ("_NEWLINE",), 1):
        return None
    begins = trouble.kind == "NAME" and trouble.following == "EQUAL"
    begins = begins or trouble.before_kind == "RBRACE" or trouble.kind in KEYWORD_TERMINALS
    if not begins:
        return None
    return trouble.mistake(
        "NN119",
        f"a new statement begins at {trouble.shown()} on the same line",
        trouble.gap(),
        "write `;` here, or begin a new line",
        replacement=";",
        insert=("_NEWLINE",),
    )
