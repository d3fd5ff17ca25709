"""The command `nndsl`: finds the verb, and turns every ending into an exit code.

A verb is a file `nndsl/cli/verb_<name>.py` with a click command `command`; it is imported only
when it is used, so that `nndsl check` does not wait for what `nndsl train` needs.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import NoReturn

import click

import nndsl.cli
from nndsl import __version__
from nndsl.cli.bug import write_bug_report
from nndsl.cli.output import show_diagnostics
from nndsl.diagnostics import ExitCode, NndslError, nearest

_PREFIX = "verb_"


class Verbs(click.Group):
    """The verbs, found as modules and imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all verbs."""
        found = (module.name for module in pkgutil.iter_modules(nndsl.cli.__path__))
        return sorted(name.removeprefix(_PREFIX) for name in found if name.startswith(_PREFIX))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The click command of a verb; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"nndsl.cli.{_PREFIX}{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or a usage error with the nearest one."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            near = nearest(args[0], self.list_commands(ctx))
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no verb `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="nndsl")
@click.option("--debug", is_flag=True, help="Show Python's traceback when nndsl itself fails.")
@click.pass_context
def nndsl_command(ctx: click.Context, debug: bool) -> None:
    """Neural networks in a few lines of text: checked, compiled, trained, drawn."""
    ctx.obj = {"debug": debug}


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; never raises for what a user did."""
    try:
        result = nndsl_command.main(arguments, prog_name="nndsl", standalone_mode=False)
        return int(result) if isinstance(result, int) else ExitCode.OK
    except NndslError as problem:
        show_diagnostics(problem.diagnostics, json="--json" in arguments)
        return problem.exit_code
    except click.exceptions.NoArgsIsHelpError as request:
        click.echo(request.ctx.get_help() if request.ctx else "", err=True)
        return ExitCode.USAGE
    except click.ClickException as problem:
        problem.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # the reader of our output went away (`| head`): nothing more can or need be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except MemoryError:
        click.echo("error[NN601]: the machine's memory is used up", err=True)
        return ExitCode.RESOURCES
    except Exception as bug:
        if "--debug" in arguments:
            raise
        click.echo(write_bug_report(bug, arguments), err=True)
        return ExitCode.BUG


def main() -> NoReturn:
    """Entry point of the installed command."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or ExitCode.OK
    sys.exit(int(code))
