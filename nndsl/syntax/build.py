"""From Lark's parse tree to ours: one small function for each rule of the grammar.

The walk keeps its own stack, so that a text of any depth meets an error and never Python's
recursion limit; the tree it returns is at most `MAXIMUM_DEPTH` high, which lets every later
stage use plain recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lark import Token
from lark import Tree as ParseTree

from nndsl.diagnostics import Diagnostic, Fix, NndslError, Source, Span, error
from nndsl.syntax import literals, tree
from nndsl.syntax.wording import MAXIMUM_DEPTH, MAXIMUM_PROBLEMS

Children = list[Any]
Rule = Callable[[Span, Children], Any]


def build(root: ParseTree[Token], source: Source) -> Any:
    """The tree of dataclasses for a parse tree of the rule `start` or `value`.

    Errors, all that are found: NN104 (too deep), NN105 (a number beyond the limits), NN115
    (`a == b` as a statement), NN120 (`f(x) = ...`).
    """
    order: list[ParseTree[Token]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(child for child in node.children if isinstance(child, ParseTree))
    built: dict[int, tuple[Any, int]] = {}
    problems: list[Diagnostic] = []
    for node in reversed(order):
        depth = 1
        children: Children = []
        for child in node.children:
            value: Any = child
            if isinstance(child, ParseTree):
                value, below = built.pop(id(child))
                depth = max(depth, below + 1)
            elif child is not None:
                value = _word(child, source)
            children.append(value)
        span = _span(node, source)
        if depth > MAXIMUM_DEPTH:
            raise _too_deep(span)
        try:
            built[id(node)] = _RULES[node.data](span, children), depth
        except NndslError as problem:
            problems.extend(problem.diagnostics)
            built[id(node)] = tree.Name(span, "?"), depth
    if problems:
        raise NndslError(problems[:MAXIMUM_PROBLEMS])
    return built[id(root)][0]


def _word(token: Token, source: Source) -> tree.Name:
    """Every token the grammar keeps, as its text with its place."""
    return tree.Name(Span(source, token.start_pos or 0, token.end_pos or 0), str(token))


def _span(node: ParseTree[Token], source: Source) -> Span:
    meta = node.meta
    if meta.empty:
        return Span(source, 0, 0)
    return Span(source, meta.start_pos, meta.end_pos)


def _too_deep(span: Span) -> NndslError:
    return error(
        "NN104",
        f"this is nested more than {MAXIMUM_DEPTH} levels deep",
        replace(span, end=min(span.end, span.start + 20)),
        "it begins here",
        help="give parts of it names on lines of their own",
    )


# --- expressions ---------------------------------------------------------------------------


def _name(span: Span, children: Children) -> tree.Name:
    return tree.Name(span, children[0].name)


def _number(span: Span, children: Children) -> tree.Number:
    text = children[0].name
    percent = text.endswith("%")
    value = literals.number(text.rstrip("%"), span)
    return tree.Number(span, value / 100 if percent else value, percent)


def _quantity(span: Span, children: Children) -> tree.Quantity:
    text, unit = children[0].name.split()
    return tree.Quantity(span, literals.number(text, span), unit.removesuffix("s"))


def _dimensions(span: Span, children: Children) -> tree.Dimensions:
    return tree.Dimensions(span, literals.sizes(children[0].name, span))


def _string(span: Span, children: Children) -> tree.String:
    return tree.String(span, children[0].name[1:-1])


def _arguments(span: Span, children: Children) -> tuple[tree.Argument, ...]:
    return tuple(children)


def _argument(span: Span, children: Children) -> tree.Argument:
    return tree.Argument(span, children[0])


def _named(span: Span, children: Children) -> tree.Argument:
    word, value = children
    name = word.name.strip('"')
    return tree.Argument(span, value, name, word.span)


def _call(span: Span, children: Children) -> tree.Call:
    return tree.Call(span, children[0], children[1] or ())


def _index(span: Span, children: Children) -> tree.Index:
    return tree.Index(span, children[0], children[1])


def _field(span: Span, children: Children) -> tree.Field:
    base, word = children
    name_span = replace(word.span, start=word.span.start + 1)
    return tree.Field(span, base, word.name[1:], name_span)


def _list(span: Span, children: Children) -> tree.ListOf:
    return tree.ListOf(span, children[0] or ())


def _tuple(span: Span, children: Children) -> tree.TupleOf:
    return tree.TupleOf(span, tuple(children))


def _pipe(span: Span, children: Children) -> tree.Pipe:
    return tree.Pipe(span, *children)


def _choose(span: Span, children: Children) -> tree.Choose:
    return tree.Choose(span, *children)


def _binary(span: Span, children: Children) -> tree.Binary:
    left, operator, right = children
    return tree.Binary(span, operator.name, left, right, operator.span)


def _unary(span: Span, children: Children) -> tree.Unary:
    return tree.Unary(span, children[0].name, children[1])


# --- statements ----------------------------------------------------------------------------


def _let(span: Span, children: Children) -> tree.Let:
    word, value, space = children
    return tree.Let(span, word.name, word.span, value, space)


def _defaults(span: Span, children: Children) -> tree.Defaults:
    word, arguments = children
    return tree.Defaults(span, word.name, word.span, arguments or ())


def _expect(span: Span, children: Children) -> tree.Expect:
    return tree.Expect(span, children[0])


def _input_shape(span: Span, children: Children) -> tree.InputShape:
    word, shape = children
    return tree.InputShape(span, word.name, word.span, shape)


def _input_columns(span: Span, children: Children) -> tree.InputColumns:
    word, value = children
    return tree.InputColumns(span, word.name, word.span, value)


def _share(span: Span, children: Children) -> tree.Share:
    word, value = children
    return tree.Share(span, word.name, word.span, value)


def _bind(span: Span, children: Children) -> tree.Bind:
    target, value = children
    if not _can_be_given(target):
        raise error(
            "NN120",
            f"a value cannot be given to `{literals.shown(target.span)}`",
            target.span,
            "left of `=` stands a name, a path like `Net.part.rate`, or `(a, b)`",
        )
    return tree.Bind(span, target, value)


def _can_be_given(target: tree.Expression) -> bool:
    if isinstance(target, tree.TupleOf):
        return all(isinstance(item, tree.Name) for item in target.items)
    while isinstance(target, tree.Field | tree.Index):
        if isinstance(target, tree.Index) and not isinstance(target.base, tree.Field):
            return False
        target = target.base
    return isinstance(target, tree.Name)


def _flow(span: Span, children: Children) -> tree.Flow:
    value = children[0]
    if isinstance(value, tree.Binary) and value.operator == "==":
        raise error(
            "NN115",
            "`==` compares and gives no value to a name",
            value.operator_span,
            "write `=` here",
            help="or `expect a == b` to demand that they are equal",
            fix=Fix(value.operator_span, "="),
        )
    return tree.Flow(span, value)


def _for(span: Span, children: Children) -> tree.For:
    *words, items, body = children
    return tree.For(span, tuple(word.name for word in words), items, body)


def _condition(span: Span, children: Children) -> tree.If:
    condition, body, otherwise = children
    if isinstance(otherwise, tree.If):
        otherwise = tree.Body(otherwise.span, (otherwise,))
    return tree.If(span, condition, body, otherwise)


def _update(span: Span, children: Children) -> tree.Update:
    return tree.Update(span, *children)


def _minimize(span: Span, children: Children) -> tree.Minimize:
    return tree.Minimize(span, children[0])


def _body(span: Span, children: Children) -> tree.Body:
    return tree.Body(span, tuple(child for child in children if child is not None))


# --- items ---------------------------------------------------------------------------------


def _import(span: Span, children: Children) -> tree.Import:
    path, alias = children
    return tree.Import(span, path.name[1:-1], path.span, alias.name if alias else None)


def _data(span: Span, children: Children) -> tree.Data:
    word, value, body = children
    return tree.Data(span, word.name, word.span, value, body)


def _ports(span: Span, children: Children) -> tuple[tree.Port, ...]:
    return tuple(children)


def _port(span: Span, children: Children) -> tree.Port:
    return tree.Port(span, children[0].name, children[1])


def _parameters(span: Span, children: Children) -> tuple[tree.FormalParameter, ...]:
    return tuple(children)


def _parameter(span: Span, children: Children) -> tree.FormalParameter:
    return tree.FormalParameter(span, children[0].name, children[1])


def _block(span: Span, children: Children) -> tree.Block:
    ports, word, parameters, body = children
    return tree.Block(span, word.name, word.span, ports or (), parameters or (), body)


def _cell(span: Span, children: Children) -> tree.Cell:
    ports, word, parameters, body = children
    return tree.Cell(span, word.name, word.span, ports, parameters or (), body)


def _net(span: Span, children: Children) -> tree.Net:
    word, data, body = children
    data_name, data_span = (data.name, data.span) if data else (None, None)
    return tree.Net(span, word.name, word.span, data_name, data_span, body)


def _train(span: Span, children: Children) -> tree.Train:
    return tree.Train(span, *children)


def _start(span: Span, children: Children) -> tree.File:
    items = tuple(child for child in children if child is not None)
    return tree.File(replace(span, start=0, end=len(span.source.text)), items)


def _value(span: Span, children: Children) -> tree.Expression:
    expression: tree.Expression = children[0]
    return expression


_RULES: dict[str, Rule] = {
    "name": _name,
    "number": _number,
    "quantity": _quantity,
    "dimensions": _dimensions,
    "string": _string,
    "arguments": _arguments,
    "argument": _argument,
    "named": _named,
    "call": _call,
    "index": _index,
    "field": _field,
    "list": _list,
    "tuple": _tuple,
    "pipe": _pipe,
    "choose": _choose,
    "binary": _binary,
    "unary": _unary,
    "let": _let,
    "defaults": _defaults,
    "expect": _expect,
    "input_shape": _input_shape,
    "input_columns": _input_columns,
    "share": _share,
    "bind": _bind,
    "flow": _flow,
    "for_": _for,
    "condition": _condition,
    "update": _update,
    "minimize": _minimize,
    "body": _body,
    "import_": _import,
    "data": _data,
    "ports": _ports,
    "port": _port,
    "parameters": _parameters,
    "parameter": _parameter,
    "block": _block,
    "cell": _cell,
    "net": _net,
    "train": _train,
    "start": _start,
    "value": _value,
}
