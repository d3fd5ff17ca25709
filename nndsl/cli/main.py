"""The command `nndsl`: finds the verb, and turns every ending into an exit code.

A verb is a file `nndsl/cli/verb_<name>.py` with a click command `command`; it is imported only
when it is used, so that `nndsl check` does not wait for what `nndsl train` needs.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import re
import sys
import threading
from pathlib import Path
from typing import NoReturn

import click

from nndsl.cli.output import emit, forget_output, forgive_characters, show_diagnostics
from nndsl.cli.usage import usage_diagnostic
from nndsl.diagnostics import Diagnostic, ExitCode, NndslError, error, nearest
from nndsl.version import VERSION

_PREFIX = "verb_"

GARBAGE_OBJECTS = 500_000
"""New objects before Python looks for cycles. Its 700 mean a fifth of a short run spent looking
through classes and functions that stay to the end; a long training is still swept."""


class Verbs(click.Group):
    """The verbs, found as modules and imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all verbs."""
        found = Path(__file__).parent.glob(f"{_PREFIX}*.py")
        return sorted(path.stem.removeprefix(_PREFIX) for path in found)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of a verb; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"nndsl.cli.{_PREFIX}{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs in a line each, read in their files: importing all of them takes 0.15 s."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or a usage error with the nearest one."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            near = nearest(args[0], self.list_commands(ctx))
            verbs = "verbs: " + ", ".join(self.list_commands(ctx))
            raise error(
                "NN004",
                f"there is no verb `{args[0]}`",
                help=f"did you mean `nndsl {near[0]}`?" if near else verbs,
            )
        return super().resolve_command(ctx, args)


def _summary(verb: str) -> str:
    """What its `click.command` gives as `short_help`."""
    text = Path(__file__).with_name(f"{_PREFIX}{verb}.py").read_text(encoding="utf-8")
    found = re.search(r'short_help="([^"]+)"', text)
    return found[1] if found else ""


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="nndsl")
@click.option("--debug", is_flag=True, help="Show Python's traceback of any error.")
def nndsl_command(debug: bool) -> None:
    """Neural networks in a few lines of text: checked, compiled, trained, drawn.

    A first network from a table with a header, and its answers for new rows:

    \b
      nndsl new flowers.csv             writes flowers.nn
      nndsl train flowers.nn            writes the run folder runs/flowers-1
      nndsl predict runs/flowers-1 new.csv
    """  # noqa: D301 (click reads the escape)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user did."""
    as_json = "--json" in arguments
    try:
        return _run(arguments)
    except NndslError as problem:
        show_diagnostics(problem.diagnostics, json=as_json)
        return problem.exit_code
    except click.exceptions.NoArgsIsHelpError as request:
        click.echo(request.ctx.get_help() if request.ctx else "", err=True)
        return ExitCode.USAGE
    except click.ClickException as problem:
        show_diagnostics([usage_diagnostic(problem)], json=as_json)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        forget_output()
        return ExitCode.OK
    except MemoryError:
        show_diagnostics([_MEMORY_USED_UP], json=as_json)
        return ExitCode.RESOURCES
    except Exception as bug:
        from nndsl.cli.bug import write_bug_report

        told, report = write_bug_report(bug, arguments)
        if as_json:
            emit({"event": "bug", "error": f"{type(bug).__name__}: {bug}", "report": report})
        click.echo(told, err=True)
        return ExitCode.BUG


def _run(arguments: list[str]) -> int:
    """The verb's own exit code; with `--debug`, wherever it stands, a traceback on the way."""
    debug = "--debug" in arguments
    rest = [argument for argument in arguments if argument != "--debug"]
    try:
        result = nndsl_command.main(rest, prog_name="nndsl", standalone_mode=False)
    except Exception:
        if debug:
            import traceback

            traceback.print_exc()
        raise
    return int(result) if isinstance(result, int) else ExitCode.OK


_MEMORY_USED_UP = Diagnostic(
    "NN602",
    "the memory of this machine, or what this process may have of it, is used up",
    help=("smaller layers, a smaller `batch`, or fewer rows need less",),
)


def main() -> NoReturn:
    """Entry point of the installed command."""
    _be_quick()
    forgive_characters()
    code = int(run(sys.argv[1:]))
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:
        forget_output()
    gc.freeze()  # or Python's end would look for cycles in all that is about to go anyway
    if not _is_watched():
        atexit._run_exitfuncs()
        os._exit(code)  # nor is it taken apart piece by piece (15 ms)
    sys.exit(code)


def _is_watched() -> bool:
    """Whether somebody waits for Python's own end: a profiler, a tracer, `python -i`, a thread."""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = [monitoring.get_tool(number) for number in range(6)] if monitoring else []
    return (
        any(tools)
        or sys.getprofile() is not None
        or sys.gettrace() is not None
        or bool(sys.flags.inspect)
        or any(not t.daemon for t in threading.enumerate() if t is not threading.main_thread())
    )


def _be_quick() -> None:
    """Settings of the process; only the command changes them, never the library."""
    gc.set_threshold(GARBAGE_OBJECTS)
    # NumPy's own threads start with it, spin for a while, and have nothing to do here
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
