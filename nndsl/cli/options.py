"""Arguments and options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def file_argument(*, required: bool = True) -> Callable[[Command], Command]:
    """FILE, a `.nn` file; `-` is standard input."""
    return click.argument("file", required=required, type=click.Path(path_type=Path))


def data_argument(function: Command) -> Command:
    """DATA, a file to read in place of the one in the source."""
    return click.argument("data", required=False)(function)


def set_option(function: Command) -> Command:
    """`--set KEY=VALUE`."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Replace a `let` of the file or a setting of `train`; may be given several times.",
    )(function)


def net_option(function: Command) -> Command:
    """`--net NAME`."""
    return click.option(
        "--net", metavar="NAME", help="The net meant; left out: the last one of the file."
    )(function)


def run_argument(function: Command) -> Command:
    """RUN, a run folder."""
    return click.argument("run", type=click.Path(path_type=Path))(function)


def output_option(metavar: str, help: str) -> Callable[[Command], Command]:
    """`-o FILE`."""
    path = click.Path(path_type=Path)
    return click.option("-o", "--output", type=path, metavar=metavar, help=help)


def json_option(function: Command) -> Command:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")(function)
