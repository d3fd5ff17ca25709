"""The stages of the compiler as text, each in terms of lines of the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from nndsl import compilation, driver
from nndsl.cli.output import table
from nndsl.codegen.program import Call, Kernel, Program
from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Graph
from nndsl.lower.result import Inferred, Network, Recipe
from nndsl.passes.pipeline import Pass
from nndsl.syntax import tree

if TYPE_CHECKING:
    from nndsl.codegen.footprint import Footprint

MOST_SHARES = 4
"""Purposes of memory that a line has room for."""


def tree_text(file: tree.File) -> str:
    """The syntax tree, one node a line, with its position."""
    return "\n".join(_tree_lines(file, 0, ""))


def _tree_lines(node: object, depth: int, name: str) -> Iterator[str]:
    indent = "  " * depth + (f"{name} = " if name else "")
    if isinstance(node, tree.Tree):
        plain = {f.name: getattr(node, f.name) for f in fields(node) if f.name != "span"}
        shown = {
            key: value
            for key, value in plain.items()
            if value is not None and not isinstance(value, Span | tree.Tree | tuple)
        }
        words = " ".join(f"{key}={value!r}" for key, value in shown.items())
        place = f"{node.span.line}:{node.span.column}"
        yield f"{indent}{type(node).__name__} {words}".rstrip() + f"   [{place}]"
        for key, value in plain.items():
            if isinstance(value, tree.Tree):
                yield from _tree_lines(value, depth + 1, key)
            elif isinstance(value, tuple):
                for item in value:
                    yield from _tree_lines(item, depth + 1, "")
    elif not is_dataclass(node):
        yield f"{indent}{node!r}"


def lines_of(spans: Iterable[Span | None]) -> str:
    """`line 4`, `lines 4, 7` of the source, or nothing."""
    numbers = sorted({span.line for span in spans if span is not None})
    if not numbers:
        return ""
    return f"line{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def passes_text(recipe: Recipe) -> str:
    """What each pass changed: nodes before and after, and the lines it concerned."""
    rows = [["pass", "nodes", "after", "what it touched"]]

    def observe(step: Pass, before: Graph, after: Graph) -> None:
        old, new = set(before.nodes), set(after.nodes)
        changed = [node.span for node in old ^ new]
        count = f"{len(old - new)} nodes gone, {len(new - old)} new" if changed else "nothing"
        where = lines_of(changed)
        rows.append([step.name, str(len(before.nodes)), str(len(after.nodes)),
                     f"{count}{f' ({where})' if where else ''}"])  # fmt: skip

    compilation.training_graph(recipe, observe=observe)
    return table(rows, right=(1, 2))


def last_recipe(opened: driver.Opened, network: Network) -> Recipe | None:
    """The last training of a net, if it has one."""
    recipes = reversed(opened.module.recipes)
    return next((recipe for recipe in recipes if recipe.net == network.name), None)


def require_recipe(recipe: Recipe | None, network: Network) -> Recipe:
    """NN013 for a net that the file does not train."""
    if recipe is not None:
        return recipe
    raise error(
        "NN013",
        f"the file has no `train {network.name}` section to compile",
        help=f"add `train {network.name} {{ }}` to the file",
    )


def graph_after(recipe: Recipe, name: str) -> Graph:
    """The graph after the pass called `name`; NN017 when there is no such pass."""
    found: list[Graph] = []

    def observe(step: Pass, before: Graph, after: Graph) -> None:
        if step.name == name:
            found.append(after)

    compilation.training_graph(recipe, observe=observe)
    if not found:
        names = ", ".join(dict.fromkeys(p.name for p in compilation.training_passes(recipe)))
        raise error("NN017", f"there is no pass `{name}`", help=f"passes: {names}")
    return found[-1]


def footprint(opened: driver.Opened, recipe: Recipe) -> Footprint:
    """The memory of a training on the rows that it will have."""
    from nndsl.model.training import split_of

    split = split_of(opened, recipe)
    others = len(split.validation) + len(split.test)
    return compilation.footprint_of(recipe, len(split.train), others)


def footprint_line(found: Footprint) -> str:
    """What a training takes of memory, and for what the most of it."""
    largest = sorted(found.shares, key=lambda share: -share.bytes)[:MOST_SHARES]
    told = ", ".join(f"{share.purpose} {share.bytes / 1e6:,.1f}" for share in largest)
    return f"{found.total / 1e6:,.1f} MB of memory ({told})"


def memory_text(found: Footprint) -> str:
    """What a training takes of memory by purpose, and where each value of a step lives."""
    rows = [["purpose", "bytes"], *([s.purpose, f"{s.bytes:,}"] for s in found.shares)]
    rows.append(["together", f"{found.total:,}"])
    return f"{table(rows, right=(1,))}\n\n{found.plan.text()}"


def kernels_text(program: Program, *, full: bool = True) -> str:
    """The calls of a step in order, then each kernel's text once."""
    rows = [["call", "kernel", "split", "wait", "what", "lines"]]
    for number, call in enumerate(program.calls, 1):
        name = program.kernels[call.kernel].name
        wait = "barrier" if call.barrier else ""
        lines = lines_of(call.spans)
        rows.append([str(number), name, call.split.value, wait, call.label, lines])
    parts = [table(rows, right=(0,))]
    if full:
        used = {call.kernel for call in program.calls}
        parts += [kernel_text(k) for i, k in enumerate(program.kernels) if i in used]
    return "\n\n".join(parts)


def kernel_text(kernel: Kernel) -> str:
    """One kernel as text under its name."""
    return f"--- {kernel.name} ({kind_text(kernel)})\n{kernel.text.rstrip()}"


def kind_text(kernel: Kernel) -> str:
    """Who compiles a kernel."""
    return "LLVM IR generator" if kernel.kind == "contraction" else "Numba"


def flops_text(calls: Iterable[Call]) -> str:
    """Floating-point operations of a step."""
    return f"{sum(call.flops for call in calls):,} floating-point operations a step"


def defaults_text(networks: Iterable[Network], recipes: Iterable[Recipe]) -> str:
    """All that was left out of the source, what was taken, and why."""
    parts = []
    for network in networks:
        parts.append(_inferred_text(f"net {network.name}", network.inferred))
    for recipe in recipes:
        parts.append(_inferred_text(f"train {recipe.net}", recipe.inferred))
    return "\n\n".join(parts)


def _inferred_text(title: str, inferred: Iterable[Inferred]) -> str:
    rows = [[i.what, i.taken, i.why, lines_of([i.span])] for i in inferred]
    return f"{title}\n{table(rows)}" if rows else f"{title}\neverything is written in the file"
