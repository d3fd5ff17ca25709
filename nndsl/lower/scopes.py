"""Names and what they stand for; `defaults` lines in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

import numpy as np

from nndsl.diagnostics import Span, error
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.problems import PoisonedError, Problems
from nndsl.lower.values import POISON, DataSource, DefaultsLine, Part, Tensor
from nndsl.records import dataclass
from nndsl.syntax import tree
from nndsl.vocab.registry import registries


@dataclass
class Session:
    """What all scopes of a run share: problems, overrides of `let` and settings, and what the
    caller of `lower` can look up for it.

    `arrays(name, prepared)` gives the inputs and targets of a data source by name, all rows, as
    the file has them or (prepared) as the network sees them; `matrix(path)` the numbers of a file
    of weights; `answer(net, arrays, span, places)` runs a net on constants written at `places`;
    `weights(part)` gives a learnt array's numbers. None: not here.
    """

    problems: Problems = field(default_factory=Problems)
    overrides: Mapping[str, tree.Expression] = field(default_factory=dict)
    used_overrides: set[str] = field(default_factory=set)
    arrays: Callable[[str, bool], Mapping[str, np.ndarray]] | None = None
    matrix: Callable[[str], np.ndarray] | None = None
    answer: Callable[[Any, Sequence[np.ndarray], Span, Sequence[Span]], Any] | None = None
    weights: Callable[[Part], Any] | None = None


class TensorNames(Protocol):
    """What names stand for in an objective, where nets and data are tensors."""

    def tensor(self, value: Any) -> Any:
        """The tensor that a part of a net or a `let` stands for; other values as they are."""

    def column(self, source: DataSource, expression: tree.Field) -> Tensor | None:
        """An input or a target of the data; None for other names."""


@dataclass(eq=False)
class Binding:
    """A name's value, the place that gave it, and the expression that wrote a constant."""

    value: Any
    span: Span | None
    sort: str  # "let", "line", "input", "port", "parameter", "definition"
    source: tree.Expression | None = None


class Scope:
    """A body's names; lookups go outward. `elaboration` is the graph being built, if any."""

    def __init__(
        self,
        session: Session,
        outer: Scope | None = None,
        *,
        elaboration: Elaboration | None = None,
        recipe: bool = False,
    ) -> None:
        self.session = session
        self.outer = outer
        self.elaboration: Elaboration | None = elaboration or (outer.elaboration if outer else None)
        self.defaults: DefaultsLine | None = outer.defaults if outer else None
        self.recipe: bool = recipe or (outer.recipe if outer else False)
        self.with_tensors: bool = outer.with_tensors if outer else False  # a `let` may name one
        self.objective: TensorNames | None = outer.objective if outer else None
        self.names: dict[str, Binding] = {}

    @property
    def problems(self) -> Problems:
        """Where errors and lints are collected."""
        return self.session.problems

    def child(self) -> Scope:
        """A scope inside this one, for a turn of `for` or a branch of `if`."""
        return Scope(self.session, self)

    def find(self, name: str) -> Binding | None:
        """The nearest binding of a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def lookup(self, name: str) -> Any | None:
        """The value of an own name, None when there is none; poison stops the work quietly."""
        found = self.find(name)
        if found is None:
            return None
        if found.value is POISON:
            raise PoisonedError
        return found.value

    def source(self, expression: tree.Expression) -> tree.Expression:
        """What wrote the value of an expression: for a name the expression that it stands for."""
        found = self.find(expression.name) if isinstance(expression, tree.Name) else None
        return found.source if found is not None and found.source is not None else expression

    def define(
        self,
        name: str,
        value: Any,
        span: Span | None,
        sort: str,
        source: tree.Expression | None = None,
    ) -> None:
        """Give a name its value; once in a body."""
        before = self.names.get(name)
        if before is not None and span is not None and before.span == span:
            before.value, before.source = value, source
            return
        if before is not None:
            raise error(
                "NN302",
                f"`{name}` is given a value twice",
                span,
                "the second time",
                secondary=[(before.span, "the first time")],
                help=f"names are given once: choose another, such as `{name}2`",
            )
        self.names[name] = Binding(value, span, sort, source)
        self._lint_hidden_word(name, span, sort)

    def _lint_hidden_word(self, name: str, span: Span | None, sort: str) -> None:
        hidden = [sort for sort, words in registries().items() if name in words]
        stages = [sort for sort in hidden if sort in ("layer", "activation")]
        if stages and sort in ("let", "line", "definition"):
            self.problems.lint(
                "NN806",
                f"`{name}` is also the name of a word",
                span,
                f"from here on your own; the {stages[0]} `{name}` stays as `{name}(...)`",
                help=f"another name, such as `my_{name}`, keeps both in reach",
            )

    def visible(self) -> Iterator[str]:
        """All own names in reach."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.outer
