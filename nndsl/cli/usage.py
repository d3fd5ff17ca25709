"""What click says about a command line, in the form of every other message."""

from __future__ import annotations

import click

from nndsl.diagnostics import Diagnostic


def usage_diagnostic(problem: click.ClickException) -> Diagnostic:
    """NN004 with click's finding as its title and the way to the verb's help."""
    helps: list[str] = []
    title = problem.format_message()
    if isinstance(problem, click.NoSuchOption):
        title = f"there is no option `{problem.option_name}`"
        helps += _instead(problem)
    context = getattr(problem, "ctx", None)
    path = context.command_path if context is not None else "nndsl"
    helps.append(f"`{path} --help` lists what it takes")
    return Diagnostic("NN004", _as_title(title), help=tuple(helps))


def _instead(problem: click.NoSuchOption) -> list[str]:
    from nndsl.lower.train_settings import SETTINGS  # other uses do not wait for this

    context = problem.ctx
    takes_settings = context is not None and any(
        "--set" in parameter.opts for parameter in context.command.params
    )
    name = problem.option_name.lstrip("-").replace("-", "_")
    near = problem.possibilities
    if near and not (takes_settings and name in SETTINGS):
        return [f"did you mean `{near[0]}`?"]
    if takes_settings and name.isidentifier() and len(name) > 1:
        return [f"a setting of `train` or a `let` is given as `--set {name}=...`"]
    return []


def _as_title(message: str) -> str:
    """Without a capital letter and a full stop, and with names marked as in other messages."""
    text = message.strip().removesuffix(".").replace("'", "`")
    return text[:1].lower() + text[1:]
