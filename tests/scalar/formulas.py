"""Formulas of the registries, and what they mean when they are read back from their text."""

import math
import re

import numpy as np

import nndsl.vocab  # noqa: F401  (importing it registers the words)
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.inspection import variables
from nndsl.scalar.latex import name_latex
from nndsl.scalar.notation_text import to_plain
from nndsl.vocab.registry import words


def registry_expressions():
    """(name, expression) of every formula of every word, derivatives included."""
    for word in words("activation").values():
        yield word.name, word.expression
        yield f"{word.name}'", differentiate(word.expression, "x")
    for word in words("loss").values():
        if word.expression is not None:
            yield word.name, word.expression
            yield f"{word.name}'", differentiate(word.expression, "y")
    for word in words("schedule").values():
        yield word.name, word.expression
    for word in words("optimizer").values():
        for name, expression in {**word.scalars, **word.step}.items():
            yield f"{word.name}.{name}", expression


def samples(expression, count=40, seed=1):
    """Numbers for its variables: all that stand for a setting are between 0 and 1."""
    rng = np.random.default_rng(seed)
    spread = ("x", "y", "t", "g", "p", "m", "v")
    return {
        name: rng.uniform(-4, 4, count) if name in spread else rng.uniform(0.05, 0.95, count)
        for name in variables(expression)
    }


FUNCTIONS = {
    "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "sign": np.sign,
    "max": np.maximum, "min": np.minimum, "erf": np.vectorize(math.erf), "round": np.rint,
    "σ": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip
NUMBERS = {"e": math.e, "π": math.pi, "∞": math.inf}
RELATIONS = {"<": np.less, ">": np.greater, "≤": np.less_equal, "≥": np.greater_equal,
             "=": np.equal, "≠": np.not_equal}  # fmt: skip
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁱʲˡⁿʳˢᵗˣʸᶻᵃᵇᶜᵈᵉᶠᵍʰᵏᵐᵒᵖᵘᵛʷ"
PLAIN = "0123456789+−ijlnrstxyzabcdefghkmopuvw"
TOKEN = re.compile(
    rf"\s*(?P<number>[0-9.]+)|\s*(?P<raised>[{RAISED}]+)|\s*(?P<name>[A-Za-zα-ω_][A-Za-zα-ω_₀-₉]*)|\s*(?P<sign>\S)"
)


def value_of_text(text, values):
    """The value of a formula as printed, read as a person would read it."""
    names = {to_plain(name_latex(name)): value for name, value in values.items()}
    reader = Reader(text, names)
    found = reader.choice()
    assert reader.peek() == ("end", ""), text[reader.place() :]
    return found


class Reader:
    """Reads and computes; a space is a product."""

    def __init__(self, text, names):
        self.tokens = [(m.lastgroup, m[m.lastgroup], m.start()) for m in TOKEN.finditer(text)]
        self.names, self.index, self.inside_bars = names, 0, False

    def peek(self):
        return self.tokens[self.index][:2] if self.index < len(self.tokens) else ("end", "")

    def place(self):
        return self.tokens[self.index][2]

    def take(self, text):
        if self.peek()[1] != text:
            return False
        self.index += 1
        return True

    def choice(self):
        value = self.sum()
        if not self.take("if"):
            return value
        condition = self.condition()
        assert self.take("else")
        return np.where(condition, value, self.choice())

    def condition(self):
        left, holds = self.sum(), True
        while self.peek()[1] in RELATIONS:
            relation = RELATIONS[self.peek()[1]]
            self.index += 1
            right = self.sum()
            holds, left = holds & relation(left, right), right
        return left != 0 if holds is True else holds

    def sum(self):
        value = self.product()
        while self.peek()[1] in ("+", "−"):
            self.take("+")  # a minus is the sign of the next term
            value = value + self.product()
        return value

    def product(self):
        value = self.signed()
        while True:
            if self.take("/"):
                value = value / self.signed()
            elif self.take("·") or self.starts_operand():
                value = value * self.signed()
            else:
                return value

    def starts_operand(self):
        kind, text = self.peek()
        if text == "|":
            return not self.inside_bars
        return (
            kind == "number"
            or (kind == "name" and text not in ("if", "else"))
            or (text and text in "(√⌊")
        )

    def signed(self):
        return -self.signed() if self.take("−") else self.power()

    def power(self):
        base = self.atom()
        kind, text = self.peek()
        if kind == "raised":
            self.index += 1
            plain = "".join(PLAIN[RAISED.index(letter)] for letter in text)
            return base ** Reader(plain, self.names).sum()
        return base ** self.atom() if self.take("^") else base

    def atom(self):
        kind, text = self.peek()
        self.index += 1
        if kind == "number":
            return float(text)
        if kind == "name":
            return self.named(text)
        closing = {"(": ")", "|": "|", "⌊": "⌋"}
        if text == "√":
            return np.sqrt(self.atom())
        outside, self.inside_bars = self.inside_bars, text == "|"
        inner = self.choice()
        self.inside_bars = outside
        assert self.take(closing[text]), text
        return {"(": lambda x: x, "|": np.abs, "⌊": np.floor}[text](inner)

    def named(self, name):
        if name in self.names:
            return self.names[name]
        if name in FUNCTIONS and self.take("("):
            operands = [self.choice()]
            while self.take(","):
                operands.append(self.choice())
            assert self.take(")")
            return FUNCTIONS[name](*operands)
        return NUMBERS[name]
