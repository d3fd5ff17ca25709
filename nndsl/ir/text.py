"""The graph as text: printed for people, parsed for tests and tools.

```text
input %input: real[Nx4] data
input %dense.weight: real[4x3] parameter
%matmul: real[Nx3] = matmul(%input, %dense.weight)  # dense @ iris.nn:3
%map: real[Nx3] = map[{tanh(x0)}](%matmul)  # tanh @ iris.nn:3
output output = %map
```

Names of other characters than `A-Za-z0-9_.:[]$-` stand in JSON quotes. Options of an operation are
printed in the order of its fields, named from the first flag or left-out default on. Comments
hold the part and the place that asked for a node; they are not parsed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from nndsl.ir.graph import Builder, Graph, Input, Node, Operation, Role, Value
from nndsl.ir.types import Dimension, ElementType, TensorType
from nndsl.scalar.expression import Expression
from nndsl.scalar.text import TextError, parse_text, to_text

_BARE = re.compile(r"[A-Za-z0-9_.\[\]$-]+(?::[A-Za-z0-9_.\[\]$-]+)*")
_NAME = rf'(?:"(?:[^"\\]|\\.)*"|{_BARE.pattern})'
_TYPE = r"\w+\[[^\]]*\]"
_INPUT = re.compile(
    rf"input %({_NAME}): ({_TYPE}) (\w+)( frozen)?(?: = (\S+))?(?: from (\S+))?"
    rf"(?: as ({_NAME}))?"
)
_RESULT = re.compile(rf"(output|update) ({_NAME}) = %({_NAME})")
_VALUE = re.compile(rf"%({_NAME})(?:: ({_TYPE}))?")
_RESULTS = rf"%{_NAME}: {_TYPE}(?:, %{_NAME}: {_TYPE})*"
_OPERANDS = rf"(?:%{_NAME}(?:, %{_NAME})*)?"
_NODE = re.compile(rf"({_RESULTS}) = (\w+)(?:\[(.*)\])?\(({_OPERANDS})\)")
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|\{(?P<formulas>[^{}]*)\}|(?P<open>\()|(?P<close>\))'
    r"|(?P<comma>,)|(?P<key>[a-z_]+)=|(?P<word>[^\s,()={}]+))"
)


def print_graph(graph: Graph, *, comments: bool = True) -> str:
    """One line for each input, node, output and update, ending with a newline."""
    lines = [_print_input(name, entry) for name, entry in graph.inputs.items()]
    for node in graph.nodes:
        comment = _comment(node) if comments else ""
        lines.append(print_node(node) + comment)
    lines += [f"output {_name(n)} = {_value(v)}" for n, v in graph.outputs.items()]
    lines += [f"update {_name(n)} = {_value(v)}" for n, v in graph.updates.items()]
    return "".join(line + "\n" for line in lines)


def _print_input(name: str, entry: Input) -> str:
    line = f"input {_value(entry.value)}: {entry.value.type} {entry.role.value}"
    if not entry.trainable:
        line += " frozen"
    if entry.setting is not None:
        line += f" = {entry.setting!r}"
    if entry.start:
        line += f" from {entry.start!r}"
    return line if name == entry.value.name else f"{line} as {_name(name)}"


def print_node(node: Node) -> str:
    """The line of a node without its comment."""
    results = ", ".join(f"{_value(v)}: {v.type}" for v in node.outputs)
    operands = ", ".join(_value(v) for v in node.inputs)
    return f"{results} = {print_operation(node.operation)}({operands})"


def print_operation(operation: Operation) -> str:
    """The name with the options that differ from their defaults: `map[{tanh(x0)}]`."""
    shown: list[str] = []
    named = False
    for field in fields(operation):  # type: ignore[arg-type]
        value = getattr(operation, field.name)
        if field.default is not MISSING and value == field.default:
            named = True
            continue
        named = named or isinstance(value, bool)
        shown.append(f"{field.name}={_literal(value)}" if named else _literal(value))
    return operation.name + (f"[{', '.join(shown)}]" if shown else "")


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        if value and all(isinstance(v, Expression) for v in value):
            return "{" + "; ".join(to_text(v) for v in value) + "}"
        return "(" + ", ".join(_literal(v) for v in value) + ")"
    if isinstance(value, ElementType):
        return value.value
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value)
    if hasattr(value, "text"):  # a graph within an operation
        return json.dumps(value.text)
    return repr(value)


def _comment(node: Node) -> str:
    place = f"@ {node.span.source.name}:{node.span.line}" if node.span else ""
    words = " ".join(w for w in (node.label, place) if w)
    return f"  # {words}" if words else ""


def _name(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: Value) -> str:
    return f"%{_name(value.name)}"


def parse_graph(text: str, operations: Mapping[str, type[Any]]) -> Graph:
    """The graph that a text describes; types are inferred and must be those written.

    A line that cannot be read, or a type that is not the inferred one, is a `TextError`.
    """
    parser = _Parser(operations)
    for number, line in enumerate(text.splitlines(), 1):
        stripped = _without_comment(line).strip()
        try:
            if stripped:
                parser.line(stripped)
        except (TextError, KeyError) as error:
            raise TextError(f"line {number}: {error}") from error
    return parser.graph


def _without_comment(line: str) -> str:
    quoted = re.match(r'(?:[^"#]|"(?:[^"\\]|\\.)*")*', line)
    return quoted.group() if quoted else line


class _Parser:
    """Reads line by line into a graph."""

    def __init__(self, operations: Mapping[str, type[Any]]) -> None:
        self.operations = operations
        self.graph = Graph()
        self.build = Builder(self.graph)
        self.values: dict[str, Value] = {}

    def line(self, line: str) -> None:
        """One input, node, output or update."""
        if found := _INPUT.fullmatch(line):
            self.input(found)
        elif found := _RESULT.fullmatch(line):
            kind, name, value = found.groups()
            target = self.graph.outputs if kind == "output" else self.graph.updates
            target[_unquoted(name)] = self.values[_unquoted(value)]
        elif found := _NODE.fullmatch(line):
            self.node(found)
        else:
            raise TextError(f"not a line of a graph: {line}")

    def input(self, found: re.Match[str]) -> None:
        """`input %name: type role frozen = number from number as name`."""
        written, type, role, frozen, number, start, name = found.groups()
        value = Value(_unquoted(written), _parse_type(type))
        setting = None if number is None else float(number)
        entry = Input(value, Role(role), frozen is None, setting, float(start or 0.0))
        self.graph.inputs[_unquoted(name or written)] = entry
        self.values[value.name] = value

    def node(self, found: re.Match[str]) -> None:
        """`%result: type = operation[options](%operand, ...)`."""
        results, word, options, operands = found.groups()
        arguments, named = _parse_options(options or "")
        operation = self.operations[word](*arguments, **named)
        inputs = [self.values[_unquoted(m.group(1))] for m in _VALUE.finditer(operands)]
        made = self.build.add_all(operation, *inputs)
        written = list(_VALUE.finditer(results))
        if [str(v.type) for v in made] != [m.group(2) for m in written]:
            raise TextError(f"{word} gives {', '.join(str(v.type) for v in made)}")
        for value, match in zip(made, written, strict=True):
            value.name = _unquoted(match.group(1))
            self.values[value.name] = value


def _unquoted(name: str) -> str:
    return str(json.loads(name)) if name.startswith('"') else name


def _parse_type(text: str) -> TensorType:
    element, sizes = text.rstrip("]").split("[")
    shape: list[Dimension] = [int(s) if s.isdigit() else s for s in sizes.split("x") if s]
    return TensorType(tuple(shape), ElementType(element))


def _parse_options(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named options of an operation."""
    stack: list[list[Any]] = [[]]
    named: dict[str, Any] = {}
    key: str | None = None
    position = 0
    while position < len(text.rstrip()):
        token = _TOKEN.match(text, position)
        if token is None:
            raise TextError(f"cannot read the options {text}")
        position = token.end()
        kind = token.lastgroup
        if kind == "open":
            stack.append([])
        elif kind == "key":
            key = token.group("key")
        elif kind != "comma":
            item = tuple(stack.pop()) if kind == "close" else _parse_item(token)
            if key is not None and len(stack) == 1:
                named[key], key = item, None
            else:
                stack[-1].append(item)
    return stack[0], named


def _parse_item(token: re.Match[str]) -> Any:
    if token.lastgroup == "formulas":
        return tuple(parse_text(part.strip()) for part in token.group("formulas").split(";"))
    word = token.group("text") or token.group("word")
    if word in {e.value for e in ElementType}:
        return ElementType(word)
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    return _parse_real(word)


def _parse_real(word: str) -> Any:
    try:
        return json.loads(word) if word[0] in '"tfn' and word != "nan" else float(word)
    except ValueError:
        raise TextError(f"cannot read the option {word}") from None
