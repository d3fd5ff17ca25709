"""Formulas of optimizers, schedules and initialisers, with the numbers of one use of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nndsl.ir.graph import CLOCK_NAMES
from nndsl.lower.result import OptimizerUse, ParameterInfo
from nndsl.render.writer import Equation
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.inspection import rewrite, substitute, variables
from nndsl.scalar.latex import formula, name_latex, number_latex
from nndsl.scalar.piece import Level, Piece
from nndsl.vocab.kinds import Initializer, Optimizer

CLOCK: Mapping[str, Piece] = {"step": ("t", Level.LEAF), "total_steps": ("T", Level.LEAF)}
"""Symbols of the clock, counted from 0."""
LONGEST = 110
"""Characters of a formula into which those of its parts are written."""


def optimizer_equations(use: OptimizerUse) -> Iterable[Equation]:
    """The update of a weight: with the numbers that simplify it, the others below."""
    word = use.optimizer.word
    assert isinstance(word, Optimizer)
    settled = {n: constant(float(v)) for n, v in use.numbers.items()
               if isinstance(v, float | int) and v in (0, 1) and n != "lr"}  # fmt: skip
    settled |= {n: constant(float(v)) for n, v in use.optimizer.arguments.items()
                if isinstance(v, bool)}  # fmt: skip
    equations, read = update_equations(word, settled)
    yield from equations
    for name, value in use.numbers.items():
        if name in read and not isinstance(value, Expression):
            number = value * use.rate if name == "lr" else value
            yield Equation(f"{name_latex(name)} = {number_latex(float(number))}",
                           note=word.parameters[name].doc)  # fmt: skip


def update_equations(
    word: Optimizer, settled: Mapping[str, Expression]
) -> tuple[list[Equation], set[str]]:
    """The formulas of an optimizer with some arguments settled, and the names they read.

    Indices count steps: `v_t` before step t, `v_{t+1}` after it. A scalar that makes no formula
    long is written into it.
    """
    steps = {n: e for n, e in word.step.items() if n != "p"}
    steps |= {**word.norms, "p": word.step["p"]}
    formulas = {n: substitute(e, settled) for n, e in steps.items()}
    scalars = {n: substitute(e, settled) for n, e in word.scalars.items()}
    kept = {n: substitute(e, settled) for n, e in word.running.items()}
    inlined = {n: _written_in(e, scalars) for n, e in formulas.items()}
    names = _indexed((*word.state, *word.running))
    if max(len(formula(e, names)) for e in inlined.values()) <= 2 * LONGEST:
        formulas, scalars = inlined, {}
    formulas = _without_unkept(formulas, {*word.norms, "p"})
    needed = _needed({**scalars, **kept, **formulas})
    lines = []
    for name, expression in {**scalars, **kept, **formulas}.items():
        if name in needed:
            left = names.get(f"next_{name}", (name_latex(name), Level.LEAF))[0]
            right = formula(expression, names)
            if name in word.norms:
                right = rf"\left\|{right}\right\|"
            lines.append(Equation(f"{left} = {right}"))
    read = {v for n in needed for v in variables({**scalars, **kept, **formulas}[n])}
    return lines, read


def _without_unkept(formulas: dict[str, Expression], results: set[str]) -> dict[str, Expression]:
    """Formulas with each state written out that depends on no earlier value of its own."""
    for name in [n for n in formulas if n not in results]:
        if not any(name in variables(e) for e in formulas.values()):
            value = {f"next_{name}": formulas[name]}
            formulas = {n: substitute(e, value) for n, e in formulas.items() if n != name}
    return formulas


def _written_in(expression: Expression, scalars: Mapping[str, Expression]) -> Expression:
    """The formula with scalars, which may read those before them, written out."""
    for name, value in reversed(list(scalars.items())):
        expression = substitute(expression, {name: value})
    return expression


def _needed(formulas: Mapping[str, Expression]) -> set[str]:
    """The formulas that the weight's next value depends on."""
    found, waiting = set(), ["p"]
    while waiting:
        name = waiting.pop()
        if name in found or name not in formulas:
            continue
        found.add(name)
        waiting += [v.removeprefix("next_") for v in variables(formulas[name])]
    return found


def _indexed(kept: Iterable[str]) -> dict[str, Piece]:
    """Symbols with the number of the step for what changes from step to step."""
    names: dict[str, Piece] = {
        "p": ("w_{t}", Level.LEAF),
        "next_p": ("w_{t+1}", Level.LEAF),
        "g": ("g_{t}", Level.LEAF),
        "t": ("t + 1", Level.SUM),
    }
    for name in kept:
        names[name] = (f"{name_latex(name)}_{{t}}", Level.LEAF)
        names[f"next_{name}"] = (f"{name_latex(name)}_{{t+1}}", Level.LEAF)
    return names


def schedule_equations(use: OptimizerUse) -> Iterable[Equation]:
    """The numbers of an optimizer that change with time."""
    for name, value in use.numbers.items():
        if isinstance(value, Expression):
            shown = value * use.rate if name == "lr" else value
            read = [n for n in variables(value) if n in CLOCK_NAMES and n not in CLOCK]
            where = "at step t" if "total_steps" not in variables(value) else "at step t of T"
            note = f"{where}; {', '.join(read)} as the run counts them" if read else where
            yield Equation(f"{name_latex(name)} = {formula(shown, CLOCK)}", note=note)


def start_law(info: ParameterInfo) -> str:
    """The distribution of a parameter's start values, with its own numbers; "" without a name."""
    word = info.initializer.word
    assert isinstance(word, Initializer)
    if not word.law:
        return ""
    given = {n: constant(float(v)) for n, v in info.initializer.arguments.items()
             if isinstance(v, float | int)}  # fmt: skip
    given |= {"fan_in": constant(float(info.fan_in)), "fan_out": constant(float(info.fan_out))}
    numbers = [formula(_filled(e, given)) for e in word.numbers]
    return law_latex(word.law, numbers)


def _filled(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with numbers for variables, of which 2 / 784 stays a fraction."""

    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        if old.operator == "variable":
            return values.get(str(old.value), old)
        return Expression(old.operator, operands, old.value)

    return rewrite([expression], change)[0]


def law_latex(law: str, numbers: Iterable[str]) -> str:
    """A distribution by its letter, with its two numbers."""
    return rf"\mathcal{{{law}}}\left({', '.join(numbers)}\right)"


def symbolic_law(word: Initializer) -> str:
    """The distribution of an initialiser for any sizes; "" where it has no short name."""
    names: dict[str, Piece] = {
        "fan_in": (r"n_{\mathrm{in}}", Level.LEAF),
        "fan_out": (r"n_{\mathrm{out}}", Level.LEAF),
    }
    return law_latex(word.law, [formula(e, names) for e in word.numbers]) if word.law else ""
