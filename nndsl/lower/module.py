"""`lower` and `data_specifications`: the two front doors of this stage."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError
from nndsl.lower.expectations import check_conditions
from nndsl.lower.file_scope import FileReader, FileScope, Loader
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import data_shapes
from nndsl.lower.networks import network_of
from nndsl.lower.objective_recipes import section_recipe
from nndsl.lower.problems import TooManyProblemsError, in_order
from nndsl.lower.recipe_answers import check_ensembles
from nndsl.lower.recipe_values import bare_names
from nndsl.lower.result import Expectation, Module, Network, Recipe
from nndsl.lower.scopes import Session
from nndsl.lower.train_settings import SETTINGS
from nndsl.lower.values import DataSource
from nndsl.schema import DataSpecification, Schema
from nndsl.syntax import tree

DEEP = 20_000


def data_specifications(
    file: tree.File, overrides: Mapping[str, tree.Expression] | None = None
) -> dict[str, DataSpecification]:
    """The requests of a file's `data` sections by name, in their order.

    A section with mistakes is left out; `lower` reports them together with all others.
    """
    session = Session(overrides=overrides or {})
    with _deep_recursion():
        try:
            only_data = tree.File(
                file.span,
                tuple(item for item in file.items if isinstance(item, tree.Data | tree.Let)),
            )
            return FileReader(session, {}).read(only_data).specifications
        except TooManyProblemsError:
            return {}


def lower(
    file: tree.File,
    schemas: Mapping[str, Schema],
    overrides: Mapping[str, tree.Expression] | None = None,
    load: Loader | None = None,
    session: Session | None = None,
) -> Module:
    """Networks, recipes and expectations of a file.

    `schemas` holds what is known of the data; a data section without one gives sizes that are
    names, and checks go as far as they can. `overrides` replaces a `let` or a setting of `train`
    by name (`--set`). `session` may bring look-ups of arrays and weights.

    Raises up to ten independent errors: NN2xx, NN3xx, NN010 for an override that names nothing.
    """
    session = session or Session()
    session.overrides = overrides or {}
    with _deep_recursion():
        try:
            found = FileReader(session, schemas, load).read(file)
            module = _lowered(found, session, schemas)
        except TooManyProblemsError:
            module = None
    if session.problems.errors:
        from nndsl.lower.spelling import explained  # only where something is wrong

        raise NndslError(in_order(explained(session.problems.errors, file)))
    assert module is not None  # too many problems are problems
    return module


def _lowered(found: FileScope, session: Session, schemas: Mapping[str, Schema]) -> Module:
    _give_shapes(found)
    networks: dict[str, Network] = {}
    for name, definition in found.nets.items():
        with session.problems.caught():
            networks[name] = network_of(definition)
    recipes: list[Recipe] = []
    failed: set[str] = set()
    for section in found.trains:
        with session.problems.caught() as outcome:
            recipe = section_recipe(section, found, networks)
            if recipe is not None:
                recipes.append(recipe)
        if outcome.failed:
            failed.update(name.name for name in bare_names(section.train.target))
    check_ensembles(recipes, networks, session.problems)
    _check_overrides(found.file, session)
    module = Module(
        file=found.file,
        networks=networks,
        recipes=recipes,
        schemas=schemas,
        expectations=[Expectation(e.condition, e.span) for e in found.expectations],
        lints=session.problems.lints,
        constants=_constants(found),
        scope=found,
    )
    check_conditions(module, failed)
    return module


def _give_shapes(found: FileScope) -> None:
    """Nets that stand on no data are told the shapes of what they are trained on."""
    for section in found.trains:
        target, data = section.train.target, section.train.data
        if not isinstance(target, tree.Name) or not isinstance(data, tree.Name):
            continue
        definition, named = found.nets.get(target.name), found.scope.find(data.name)
        source = named.value if named is not None else None
        if definition is not None and isinstance(source, DataSource) and not definition.given:
            definition.given = data_shapes(source)


def _constants(found: FileScope) -> dict[str, Any]:
    """The numbers, texts and arrays that the file's `let` lines name."""
    plain = (int, float, str, np.ndarray)
    return {
        name: binding.value
        for name, binding in found.scope.names.items()
        if binding.sort == "let" and isinstance(binding.value, plain)
    }


def _check_overrides(file: tree.File, session: Session) -> None:
    """NN010 for an override that names neither a `let` nor a setting of a training."""
    lets = [node.name for node in tree.nodes(file) if isinstance(node, tree.Let)]
    used = {*lets, *session.used_overrides}
    if session.problems.errors:
        used.update(SETTINGS)  # a section with mistakes may not have come to its settings
    for name, value in session.overrides.items():
        if name not in used:
            with session.problems.caught():
                known = [*lets, *SETTINGS]
                title = f"there is no `let` or setting called `{name}` to set"
                raise unknown_name("NN010", title, name, known, value.span)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for deep nesting: bodies within bodies take a dozen Python frames each."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
