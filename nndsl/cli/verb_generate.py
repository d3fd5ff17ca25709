"""`nndsl generate`: a text written by a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nndsl.cli.options import run_argument
from nndsl.cli.output import emit


@click.command(short_help="Write a text.")
@run_argument
@click.option("--prompt", metavar="TEXT", help="The beginning, which the network goes on with.")
@click.option("--length", type=click.IntRange(1), metavar="N", help="Characters (units) to write.")
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    metavar="T",
    help="Below 1: what is likely becomes likelier; 0: always the likeliest.",
)
@click.option("--top-k", type=click.IntRange(1), metavar="K", help="Draw among the K likeliest.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another one: another text.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    run: Path,
    prompt: str | None,
    length: int | None,
    temperature: float | None,
    top_k: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Let the network of the folder RUN go on with a text.

    It must have been trained on `text(...)`. What is not given here is what
    `answer = generate(...)` says in its source. The same seed writes the same text.

    \b
      nndsl generate runs/shakespeare-1 --prompt "ROMEO:" --temperature 0.8 --top-k 40
    """  # noqa: D301 (click reads the escape)
    from nndsl.model.running import load_run
    from nndsl.model.writing import write

    asked = {"start": prompt, "length": length, "temperature": temperature, "top": top_k}
    settings: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    written = write(load_run(run), settings, seed)
    if as_json:
        emit({"event": "generated", "seed": seed, "prompt": written.start, "text": written.added})
        return
    click.echo(written.start + written.added)
