"""What stands after a dot: sizes of tensors and data, parts of nets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, error
from nndsl.ir.types import Dimension, number_of
from nndsl.lower.constants import is_number
from nndsl.lower.names import unknown_name
from nndsl.lower.scopes import Scope
from nndsl.lower.values import (
    DataSource,
    Group,
    NetLike,
    Part,
    Record,
    Shape,
    Stage,
    Tensor,
    Unknown,
    kind_of,
)
from nndsl.lower.words import shown
from nndsl.schema import TargetKind
from nndsl.syntax import tree

SIZES = ("channels", "size", "length", "shape")
WEIGHTS = {"weights": "weight", "weight": "weight", "bias": "bias"}


def member(base: Any, expression: tree.Field, scope: Scope) -> Any:
    """`base.name` for everything but names of an imported file and arrays of data."""
    if isinstance(base, Tensor):
        return _size(base.shape, expression)
    if isinstance(base, DataSource):
        return _of_data(base, expression)
    if isinstance(base, NetLike):
        return _of_part(base, (), expression, scope)
    if isinstance(base, Part):
        return _of_part(base.net, base.query, expression, scope)
    if isinstance(base, Record) and expression.name in base.fields:
        return base.fields[expression.name]
    if isinstance(base, np.ndarray) and expression.name == "shape":
        return Shape(base.shape)
    if isinstance(base, Shape | list) and expression.name in ("size", "length"):
        return len(base.sizes if isinstance(base, Shape) else base)
    raise _no_member(base, expression)


def _no_member(base: Any, expression: tree.Field) -> NndslError:
    known: Sequence[str] = ()
    if isinstance(base, Record):
        known = tuple(base.fields)
    if isinstance(base, Group):
        return error(
            "NN303",
            f"`.{expression.name}` is asked of {len(base.tensors)} tensors at once",
            expression.name_span,
            help="name one of them",
        )
    what = kind_of(base) if isinstance(base, Stage) else shown(base)
    if is_number(base):
        what = "one number"  # that of an answer is not known yet
    return unknown_name(
        "NN303",
        f"{what} has no `.{expression.name}`",
        expression.name,
        known,
        expression.name_span,
    )


def _size(shape: tuple[Dimension, ...], expression: tree.Field) -> Any:
    name = expression.name
    if name not in SIZES:
        raise unknown_name("NN303", f"a tensor has no `.{name}`", name, SIZES, expression.name_span)
    if name == "shape":
        return Shape(shape)
    if not shape:
        return 1
    if name == "channels":
        return _known(shape[0] if len(shape) > 1 else shape[-1])
    if name == "length" and len(shape) == 2 and isinstance(shape[0], str):
        return _known(shape[0])
    return _known(shape[-1])


def _known(size: Dimension) -> Any:
    known = number_of(size)
    return Unknown(str(size)) if known is None else known


def _of_data(source: DataSource, expression: tree.Field) -> Any:
    name, schema = expression.name, source.schema
    if name == "classes":
        return _classes(source, expression)
    if name == "count":
        return schema.rows if schema is not None else Unknown(f"{source.name}.count")
    if schema is None:
        return Unknown(f"{source.name}.{name}")
    known = ["classes", "count", "inputs", *(t.name for t in schema.targets)]
    raise unknown_name(
        "NN303",
        f"the data `{source.name}` has no `.{name}`",
        name,
        [*known, *(i.name for i in schema.inputs)],
        expression.name_span,
    )


def _classes(source: DataSource, expression: tree.Field) -> Any:
    if source.schema is None:
        return Unknown(f"{source.name}.classes")
    with_classes = [t for t in source.schema.targets if t.kind is TargetKind.CLASSES]
    if not with_classes:
        targets = ", ".join(f"`{t.name}`" for t in source.schema.targets) or "no target"
        raise error(
            "NN303",
            f"`{source.name}` has no classes: its target {targets} is a number",
            expression.span,
            help="a network for numbers ends in `dense(1)`",
        )
    return len(with_classes[0].classes)


def _of_part(
    net: NetLike, query: tuple[tuple[str, int | None], ...], expression: tree.Field, scope: Scope
) -> Any:
    name = expression.name
    if name in ("parameters", "count"):
        return net.parameter_count(query)
    if name in SIZES and query:
        return _size(net.shape_of(query, expression.span), expression)
    if name in WEIGHTS and scope.session.weights is not None:
        path = Part(net, (*query, (WEIGHTS[name], None)), expression.span)
        return scope.session.weights(path)
    last = WEIGHTS.get(name, name)
    return Part(net, (*query, (last, None)), expression.span)
