"""The names of a file: imports, data, blocks and nets first, then `let` and `defaults` in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower.blocks import BlockDefinition
from nndsl.lower.cells import CellDefinition
from nndsl.lower.data_section import data_specification
from nndsl.lower.lets import define_let, run_defaults
from nndsl.lower.names import unknown_name
from nndsl.lower.nets import NetDefinition
from nndsl.lower.scopes import Scope, Session
from nndsl.lower.train_settings import check_default
from nndsl.lower.values import POISON, DataSource, Namespace
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema
from nndsl.syntax import tree

Loader = Callable[[str, str], tree.File]
"""`load(path, importer)`: the tree of an imported file; `importer` is the name of the source that
imports it, against which the path is relative. May raise OSError or NndslError."""

MOST_IMPORTS_DEEP = 20


@dataclass
class TrainSection:
    """A `train` section with the `defaults train` lines in force before it."""

    train: tree.Train
    defaults: tuple[tree.Defaults, ...]


@dataclass
class FileScope:
    """What a file defines, in its order."""

    file: tree.File
    scope: Scope
    nets: dict[str, NetDefinition] = field(default_factory=dict)
    sources: dict[str, DataSource] = field(default_factory=dict)
    trains: list[TrainSection] = field(default_factory=list)
    expectations: list[tree.Expect] = field(default_factory=list)

    @property
    def specifications(self) -> dict[str, DataSpecification]:
        """The requests of the data sections that have no mistakes."""
        return {
            name: source.specification
            for name, source in self.sources.items()
            if source.specification is not None
        }


@dataclass
class FileReader:
    """Reads a file's items into a scope, imported files included."""

    session: Session
    schemas: Mapping[str, Schema]
    load: Loader | None = None

    def read(self, file: tree.File, importing: tuple[str, ...] = ()) -> FileScope:
        """The scope of a file. Problems are reported to the session; what failed is poison."""
        found = FileScope(file, Scope(self.session))
        chain = (*importing, file.span.source.name)
        lines_of_training: list[tree.Defaults] = []
        for item in file.items:
            with self.session.problems.caught() as outcome:
                self._define(item, found, chain)
            if outcome.failed and isinstance(item, tree.Block | tree.Cell | tree.Data | tree.Net):
                found.scope.names.pop(item.name, None)
                found.scope.define(item.name, POISON, item.name_span, "poison")
        for data in [i for i in file.items if isinstance(i, tree.Data)]:
            self._specify(data, found)
        for item in file.items:
            with self.session.problems.caught():
                self._run(item, found, lines_of_training)
        return found

    # --- definitions, whose order does not matter --------------------------------------------

    def _define(self, item: tree.Item, found: FileScope, chain: tuple[str, ...]) -> None:
        if isinstance(item, tree.Import):
            self._import(item, found, chain)
        elif isinstance(item, tree.Cell):
            cell = CellDefinition(item, found.scope)
            found.scope.define(item.name, cell, item.name_span, "definition")
        elif isinstance(item, tree.Block):
            block = BlockDefinition(item, found.scope)
            found.scope.define(item.name, block, item.name_span, "definition")
        elif isinstance(item, tree.Data):
            schema = self.schemas.get(item.name)
            source = DataSource(item.name, None, schema, item.name_span)
            found.scope.define(item.name, source, item.name_span, "definition")
            found.sources[item.name] = source
        elif isinstance(item, tree.Net):
            net = NetDefinition(item, found.scope)
            found.scope.define(item.name, net, item.name_span, "definition")
            found.nets[item.name] = net

    def _specify(self, data: tree.Data, found: FileScope) -> None:
        """Read a data section once the names of the file are there."""
        for item in found.file.items:
            if isinstance(item, tree.Let):
                self._quiet_let(item, found)
        specification = data_specification(data, found.scope)
        if specification is None:
            found.scope.names[data.name].value = POISON
            found.sources.pop(data.name, None)
            return
        source = DataSource(data.name, specification, self.schemas.get(data.name), data.name_span)
        if found.scope.names[data.name].value is not POISON:
            found.scope.names[data.name].value = source
            found.sources[data.name] = source

    def _quiet_let(self, item: tree.Let, found: FileScope) -> None:
        """Plain numbers that data sections may use; whatever fails here is reported in its turn."""
        value = item.value
        if isinstance(value, tree.Number) and item.name not in found.scope.names:
            override = self.session.overrides.get(item.name)
            if isinstance(override, tree.Number):
                value = override
            found.scope.define(item.name, value.value, item.name_span, "let")

    def _import(self, item: tree.Import, found: FileScope, chain: tuple[str, ...]) -> None:
        if item.alias is None:
            raise error(
                "NN317",
                "an import needs a name",
                item.span,
                help=f'import "{item.path}" as zoo',
            )
        imported = self._loaded(item, chain)
        if imported.span.source.name in chain or len(chain) > MOST_IMPORTS_DEEP:
            raise error(
                "NN317",
                f'"{item.path}" imports itself',
                item.path_span,
                " -> ".join((*chain, imported.span.source.name)),
            )
        inner = self.read(imported, chain)
        found.scope.define(item.alias, Namespace(item.alias, inner.scope), item.span, "definition")

    def _loaded(self, item: tree.Import, chain: tuple[str, ...]) -> tree.File:
        if self.load is None:
            raise error("NN317", f'"{item.path}" cannot be read here', item.path_span)
        try:
            return self.load(item.path, chain[-1])
        except OSError as problem:
            reason = problem.strerror or "it cannot be read"
            raise error("NN317", f'"{item.path}": {reason.lower()}', item.path_span) from None

    # --- lines in order ----------------------------------------------------------------------

    def _run(self, item: tree.Item, found: FileScope, training: list[tree.Defaults]) -> None:
        if isinstance(item, tree.Let):
            if self._was_quiet(item, found):
                del found.scope.names[item.name]
            define_let(item, found.scope)
        elif isinstance(item, tree.Defaults) and item.word == "train":
            training.append(item)
            for argument in item.arguments:
                with self.session.problems.caught():
                    check_default(argument)
        elif isinstance(item, tree.Defaults):
            run_defaults(item, found.scope)
        elif isinstance(item, tree.Net):
            self._place_net(item, found)
        elif isinstance(item, tree.Train):
            found.trains.append(TrainSection(item, tuple(training)))
        elif isinstance(item, tree.Expect):
            found.expectations.append(item)

    def _was_quiet(self, item: tree.Let, found: FileScope) -> bool:
        known = found.scope.names.get(item.name)
        return known is not None and known.span == item.name_span

    def _place_net(self, item: tree.Net, found: FileScope) -> None:
        net = found.nets.get(item.name)
        if net is None or net.net is not item:
            return
        net.defaults = found.scope.defaults
        if item.data is not None:
            with self.session.problems.caught() as outcome:
                net.source = self._source(item.data, item.data_span, found)
            net.failed = outcome.failed

    def _source(self, name: str, span: Span | None, found: FileScope) -> DataSource:
        source: Any = found.scope.lookup(name)
        if isinstance(source, DataSource):
            return source
        raise unknown_source(name, span, found)


def unknown_source(name: str, span: Span | None, found: FileScope) -> NndslError:
    """The error for data that is not defined."""
    places = {known: source.span for known, source in found.sources.items()}
    title = f"there is no data called `{name}`"
    return unknown_name("NN301", title, name, places, span, places=places)
