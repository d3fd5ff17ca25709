"""What printed formulas of networks mean: evaluated on NumPy columns, from their boxes."""

from __future__ import annotations

import numpy as np

from nndsl.scalar.notation import (
    TIMES,
    Cases,
    Fence,
    Fraction,
    Root,
    Row,
    Script,
    Symbol,
    read,
)
from nndsl.scalar.notation_text import plain


class Meaning:
    """Evaluates formulas over `values` (by plain text of the symbol) and `functions` by name."""

    def __init__(self, values, functions):
        self.values = {"e": np.e, **values}
        self.functions = {"max": np.maximum, "log": np.log, "sign": np.sign, **functions}

    def define(self, latex):
        """Compute the right side of an equation and keep it under the left one."""
        items = read(latex).items
        middle = next(i for i, item in enumerate(items) if is_sign(item, "="))
        value = self.sum(items[middle + 1 :])
        self.values[plain(Row(items[:middle]))] = value
        return value

    def sum(self, items):
        terms, signs, start = [], [1.0], 0
        for index, item in enumerate(items):
            if is_sign(item, "+") or is_sign(item, "−"):
                sign = 1.0 if is_sign(item, "+") else -1.0
                if index == start:
                    signs[-1] *= sign
                else:
                    terms.append(items[start:index])
                    signs.append(sign)
                start = index + 1
        terms.append(items[start:])
        values = [sign * self.product(term) for sign, term in zip(signs, terms, strict=True)]
        return sum(values[1:], values[0])

    def product(self, items, each=False):
        """With `each`, factors have the index of a sum: all are taken element by element."""
        value, by_elements, index = None, each, 0
        while index < len(items):
            item = items[index]
            if item == TIMES or is_sign(item, "⊙") or is_sign(item, "·"):
                by_elements, index = each or is_sign(item, "⊙"), index + 1
                continue
            if is_sum(item):
                factor, index = np.sum(self.product(items[index + 2 :], each=True)), len(items)
            elif index + 1 < len(items) and isinstance(items[index + 1], Fence):
                factor, index = self.call(item, items[index + 1]), index + 2
            elif index + 1 < len(items) and is_call(items[index + 1]):
                factor, index = self.call_with_script(item, items[index + 1]), index + 2
            else:
                factor, index = self.box(item), index + 1
            value = factor if value is None else multiplied(value, factor, by_elements)
        return value

    def call(self, name, arguments):
        operands = split(arguments.inner.items, ",")
        return self.functions[plain(name)](*(self.sum(part) for part in operands))

    def call_with_script(self, name, script):
        """`softmax(z)_k`, `f'(z)^T`: the index of a sum is every element at once."""
        value = self.call(name, script.base)
        return value.T if script.above is not None else value

    def box(self, box):
        shown = plain(box)
        if shown in self.values:
            return self.values[shown]
        if isinstance(box, Symbol):
            return float(box.text)
        if isinstance(box, Row):
            return self.sum(box.items)
        if isinstance(box, Fraction):
            return self.sum(box.above.items) / self.sum(box.below.items)
        if isinstance(box, Root):
            return np.sqrt(self.sum(box.inner.items))
        if isinstance(box, Cases):
            return self.cases(box)
        if isinstance(box, Fence):
            if box.left == "[":
                parts = [self.sum(part) for part in split(box.inner.items, ";")]
                return np.concatenate([np.reshape(part, (-1, 1)) for part in parts])
            value = self.sum(box.inner.items)
            return np.abs(value) if box.left == "|" else value
        return self.script(box)

    def script(self, box):
        if box.above is not None and box.below is not None:  # a^{(3)}_k
            return self.box(Script(box.base, None, box.above))
        if box.above is not None:
            if plain(box.above) == "T":
                return np.transpose(self.box(box.base))
            return self.box(box.base) ** self.sum(box.above.items)
        value, place = self.box(box.base), plain(box.below)
        if "…" in place:
            first, last = map(int, place.split("…"))
            return value[first - 1 : last]
        assert place == "k"
        return value

    def cases(self, box):
        (value, condition), (otherwise, _) = box.rows
        inner = [item for item in condition.items if getattr(item, "kind", "") != "text"]
        at = next(i for i, item in enumerate(inner) if getattr(item, "kind", "") == "relation")
        sign = inner[at].text
        compare = {">": np.greater, "≥": np.greater_equal, "<": np.less, "≤": np.less_equal}[sign]
        holds = compare(self.sum(inner[:at]), self.sum(inner[at + 1 :]))
        return np.where(holds, self.sum(value.items), self.sum(otherwise.items))


def multiplied(a, b, by_elements):
    if by_elements or np.size(a) == 1 or np.size(b) == 1:
        return a * b
    return a @ b


def is_sign(item, text):
    return isinstance(item, Symbol) and item.kind in ("operator", "relation") and item.text == text


def is_sum(item):
    base = item.base if isinstance(item, Script) else item
    return isinstance(base, Symbol) and base.text == "∑"


def is_call(item):
    return isinstance(item, Script) and isinstance(item.base, Fence) and item.base.left == "("


def split(items, sign):
    parts, start = [], 0
    for index, item in enumerate(items):
        if is_sign(item, sign):
            parts.append(items[start:index])
            start = index + 1
    return [*parts, items[start:]]
