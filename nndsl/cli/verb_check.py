"""`nndsl check`: grammar, names, kinds, shapes, lints; with `--grad`, the gradients too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nndsl import driver
from nndsl.cli.options import data_argument, file_argument, json_option, set_option
from nndsl.cli.output import emit, show_diagnostics, show_notes
from nndsl.diagnostics import Severity, counted
from nndsl.ir.types import format_shape

if TYPE_CHECKING:
    from nndsl.model.gradient_check import GradientCheck


@click.command(short_help="Check a file without training.")
@file_argument()
@data_argument
@set_option
@click.option("--grad", is_flag=True, help="Compare every gradient with finite differences.")
@json_option
def command(
    file: Path, data: str | None, settings: tuple[str, ...], grad: bool, as_json: bool
) -> int:
    """Check FILE without training: grammar, names, shapes, `expect` lines, advice.

    A data file that is not there leaves its sizes open; `--grad` needs it. Gradients are those of
    the loss, of a net without `train` those of its outputs.
    """
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=grad)
    module = opened.module
    show_diagnostics(module.lints, json=as_json)
    from nndsl.model.data_check import require_preparable
    from nndsl.model.expectations import failed_now
    from nndsl.model.settling import Rests

    require_preparable(opened)
    _tell_pictures(opened, as_json)
    rests = Rests()
    failed = failed_now(opened, rests)
    show_notes(rests.told(), json=as_json)
    show_diagnostics(failed, json=as_json)
    _tell_absent(opened, as_json)
    for network in module.networks.values():
        known = network.is_complete
        count = f"{network.parameter_count:,} parameters" if known else "sizes not known"
        if as_json:
            emit({"event": "net", "net": network.name, "parameters": network.parameter_count})
        else:
            click.echo(f"{network.name}: {counted(len(network.parts), 'part')}, {count}")
    right = not failed
    if grad:
        right = _check_gradients(opened, as_json) and right
    advice = sum(lint.severity is Severity.WARNING for lint in module.lints)
    if as_json:
        emit({"event": "checked", "ok": right, "warnings": advice})
    else:
        notes = f", {counted(advice, 'warning')}" if advice else ""
        click.echo("ok" + notes if right else "not as expected")
    return 0 if right else 1


def _tell_absent(opened: driver.Opened, as_json: bool) -> None:
    """Which data files are not there, so that little was checked against them."""
    for name, specification in opened.specifications.items():
        if name in opened.tables:
            continue
        pictures = specification.pictures
        file = specification.path
        if pictures is not None and file is not None and (opened.folder / file).exists():
            file = pictures.path
        if as_json:
            emit({"event": "absent", "data": name, "file": file})
        else:
            click.echo(f"note    {file} is not there: sizes and columns of "
                       f"`{name}` are not checked")  # fmt: skip


def _tell_pictures(opened: driver.Opened, as_json: bool) -> None:
    """How many pictures each data section has, of which size, in how many classes."""
    for name, schema in opened.module.schemas.items():
        shape = next((given.shape for given in schema.inputs if len(given.shape) == 3), None)
        if shape is None:
            continue
        classes = len(schema.targets[0].classes)
        if as_json:
            emit({"event": "data", "data": name, "pictures": schema.rows, "shape": list(shape),
                  "classes": classes})  # fmt: skip
        else:
            told = f", {classes} classes" if classes else ""
            click.echo(f"{name}: {schema.rows:,} pictures of {format_shape(shape)}{told}")


def _check_gradients(opened: driver.Opened, as_json: bool) -> bool:
    from nndsl.model.gradient_check import check_gradients, check_gradients_of_outputs

    module, right = opened.module, True
    if module.recipes:
        checks = [(r.net, check_gradients(r, module.networks[r.net])) for r in module.recipes]
    else:
        checks = [(n.name, check_gradients_of_outputs(n)) for n in module.networks.values()]
    for net, results in checks:
        for found in results:
            right = right and found.agrees
            if as_json:
                emit(_gradient_record(net, found))
            else:
                verdict = "ok" if found.agrees else "DIFFERS"
                numbers = counted(found.checked, "number")
                place = f"{net}.{found.parameter}"
                click.echo(f"{verdict:8}{place:32} {numbers}, worst {found.worst:.1e}")
    return right


def _gradient_record(net: str, found: GradientCheck) -> dict[str, object]:
    return {
        "event": "gradient",
        "net": net,
        "parameter": found.parameter,
        "worst": found.worst,
        "checked": found.checked,
        "ok": found.agrees,
    }
