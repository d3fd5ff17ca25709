r"""Formulas as people read them: a small part of LaTeX, read into boxes.

Every formula of the product is written once, in LaTeX; from its boxes `notation_text` prints plain
Unicode text for a terminal and `notation_mathml` MathML for a page. The part that is read:

```text
\frac{a}{b}  \sqrt{a}  a^{b}  a_{b}  a'  \left( a \right)  \hat{a}  \tilde{a}  \bar{a}
\mathrm{name}  \operatorname{name}  \text{words}  \mathbb{R}  \mathcal{N}
\begin{cases} a & \text{if } c \\ b & \text{otherwise} \end{cases}
```

and the symbols of `SYMBOLS`. A product is written with `\,` (or `\cdot`) between its factors:
what stands side by side without it is one thing, such as `f\left(x\right)`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nndsl.records import dataclass

SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω",
    "Delta": "Δ", "Phi": "Φ", "Sigma": "Σ", "ell": "ℓ",
    "infty": "∞", "nabla": "∇", "partial": "∂", "ldots": "…", "cdots": "⋯", "top": "T",
    "%": "%", "_": "_", "&": "&", "#": "#",
}  # fmt: skip
"""Commands that are letters of a formula."""

OPERATORS = {
    "cdot": "·", "times": "×", "odot": "⊙", "oplus": "⊕", "pm": "±", "land": "∧", "lor": "∨",
    "ast": "∗", "sum": "∑", "prod": "∏", "lnot": "¬", "mid": "|",
}  # fmt: skip
RELATIONS = {
    "le": "≤", "ge": "≥", "ne": "≠", "in": "∈", "sim": "∼", "leftarrow": "←", "to": "→",
    "approx": "≈", "propto": "∝", "mapsto": "↦",
}  # fmt: skip
FUNCTIONS = ("exp", "log", "tanh", "sin", "cos", "max", "min")
"""Named functions that LaTeX has a command for."""

_UPRIGHT = ("mathrm", "operatorname", "text")
_ALPHABETS = {"mathbb": {"R": "ℝ", "N": "ℕ", "E": "𝔼"},
              "mathcal": {"N": "𝒩", "L": "ℒ", "U": "𝒰", "B": "ℬ"}}  # fmt: skip
_ACCENTS = ("hat", "tilde", "bar")
_SPACES = {",": " ", "quad": "   ", ";": " "}
_FENCES = {"lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "|": "‖", "{": "{", "}": "}"}
_TOKEN = re.compile(
    r"\\(?P<command>[A-Za-z]+|.)\s*|(?P<number>\d+(?:\.\d+)?)|(?P<space>\s+)|(?P<sign>.)", re.S
)


class NotationError(ValueError):
    """A formula that is none, or that uses more of LaTeX than is read here."""


@dataclass(frozen=True)
class Symbol:
    """A letter, number, name, operator, relation, space or text, as one Unicode string."""

    text: str
    kind: str  # "letter", "number", "name", "operator", "relation", "space", "text"


@dataclass(frozen=True)
class Row:
    """Boxes side by side."""

    items: tuple[Box, ...]


@dataclass(frozen=True)
class Fraction:
    """One over the other."""

    above: Row
    below: Row


@dataclass(frozen=True)
class Root:
    """A square root."""

    inner: Row


@dataclass(frozen=True)
class Script:
    """A box with what stands at its lower and upper right."""

    base: Box
    below: Row | None = None
    above: Row | None = None


@dataclass(frozen=True)
class Fence:
    """A row between brackets or bars."""

    left: str
    inner: Row
    right: str


@dataclass(frozen=True)
class Accent:
    """A box with a mark above it: hat, tilde, bar."""

    inner: Row
    mark: str


@dataclass(frozen=True)
class Cases:
    """Values, each with the condition under which it holds."""

    rows: tuple[tuple[Row, Row], ...]


TIMES = Symbol(_SPACES[","], "space")
"""What stands between the factors of a product."""

Box = Symbol | Row | Fraction | Root | Script | Fence | Accent | Cases


@lru_cache(maxsize=512)  # what is printed as text is often printed as MathML too
def read(latex: str) -> Row:
    """The boxes of a formula; `NotationError` where it is none of the part that is read."""
    return _Reader(latex).formula()


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.tokens: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(latex):
            kind = match.lastgroup or ""
            if kind != "space":
                self.tokens.append((kind, match[kind]))
        self.index = 0

    def formula(self) -> Row:
        found = self.row()
        if self.index < len(self.tokens):
            raise self.trouble(f"`{self.tokens[self.index][1]}` closes nothing")
        return found

    def trouble(self, what: str) -> NotationError:
        return NotationError(f"{what}: {self.latex}")

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.index] if self.index < len(self.tokens) else ("end", "")

    def next(self) -> tuple[str, str]:
        token = self.peek()
        self.index += 1
        return token

    def expect(self, token: tuple[str, str]) -> None:
        if self.next() != token:
            raise self.trouble(f"`{token[1]}` is missing")

    def row(self) -> Row:
        """Boxes up to the end or to what closes a group, a fence, a case or the cases."""
        items: list[Box] = []
        ends = (("sign", "}"), ("sign", "&"), ("command", "right"), ("command", "\\"),
                ("command", "end"), ("end", ""))  # fmt: skip
        while self.peek() not in ends:
            items.append(self.scripted())
        return Row(tuple(items))

    def group(self) -> Row:
        self.expect(("sign", "{"))
        found = self.row()
        self.expect(("sign", "}"))
        return found

    def words(self) -> str:
        """The characters of a group that is text; spaces count, so it is cut from the source."""
        found = self.group_source()
        return re.sub(r"\\(.)", r"\1", found)

    def group_source(self) -> str:
        self.expect(("sign", "{"))
        start = self.index
        while self.peek() not in (("sign", "}"), ("end", "")):
            self.index += 1
        inside = self.index
        self.expect(("sign", "}"))
        return _source_between(self.latex, start, inside)

    def scripted(self) -> Box:
        base = self.box()
        below = above = None
        while self.peek() in (("sign", "_"), ("sign", "^"), ("sign", "'")):
            _, sign = self.next()
            if (below if sign == "_" else above) is not None:
                raise self.trouble(f"two `{sign}` at one thing")
            if sign == "_":
                below = self.argument()
            elif sign == "^":
                above = self.argument()
            else:
                above = Row((Symbol("′", "operator"),))
        return base if below is None and above is None else Script(base, below, above)

    def argument(self) -> Row:
        return self.group() if self.peek() == ("sign", "{") else Row((self.box(),))

    def box(self) -> Box:
        kind, text = self.next()
        if kind == "command":
            return self.command(text)
        if kind == "number":
            return Symbol(text, "number")
        if text == "{":
            self.index -= 1
            return self.group()
        if text in "=<>:":
            return Symbol(text, "relation")
        if text in "+-*/,;":
            return Symbol("−" if text == "-" else text, "operator")
        return Symbol(text, "letter" if text.isalpha() else "operator")

    def command(self, name: str) -> Box:
        for table, kind in ((SYMBOLS, "letter"), (OPERATORS, "operator"), (RELATIONS, "relation"),
                            (_SPACES, "space")):  # fmt: skip
            if name in table:
                return Symbol(table[name], kind)
        if name in FUNCTIONS:
            return Symbol(name, "name")
        if name in _UPRIGHT:
            return Symbol(self.words(), "text" if name == "text" else "name")
        if name in _ALPHABETS:
            return Symbol(_ALPHABETS[name][self.group_source()], "letter")
        return self.structure(name)

    def structure(self, name: str) -> Box:
        if name == "frac":
            return Fraction(self.group(), self.group())
        if name == "sqrt":
            return Root(self.group())
        if name in _ACCENTS:
            return Accent(self.group(), name)
        if name == "left":
            left = self.fence()
            inner = self.row()
            self.expect(("command", "right"))
            return Fence(left, inner, self.fence())
        if name == "begin" and self.group_source() == "cases":
            return self.cases()
        raise self.trouble(f"`\\{name}` is not read here")

    def fence(self) -> str:
        kind, text = self.next()
        return _FENCES[text] if kind == "command" else text

    def cases(self) -> Cases:
        rows = [self.case()]
        while self.peek() == ("command", "\\"):
            self.next()
            rows.append(self.case())
        self.expect(("command", "end"))
        self.group_source()
        return Cases(tuple(rows))

    def case(self) -> tuple[Row, Row]:
        value = self.row()
        self.expect(("sign", "&"))
        return value, self.row()


def _source_between(latex: str, start: int, end: int) -> str:
    """The source from token `start` up to token `end`, spaces included."""
    matches = [m for m in _TOKEN.finditer(latex) if m.lastgroup != "space"]
    return latex[matches[start - 1].end() : matches[end].start()]
