"""Compares runs in one picture: `grasp-func plot saves/FlatPJCube-v0 --out curves.png`."""

from pathlib import Path

import rich_click as click

from grasp_func.cli import arguments

SUFFIXES = (".png", ".svg", ".pdf")


@click.command(cls=arguments.Command, help=__doc__)
@click.argument("runs", nargs=-1, required=True, metavar="[LABEL=]RUN...")
@click.option("--out", type=arguments.FILE, required=True, metavar="FILE", help=".png, .svg, .pdf")
@click.option(
    "--x",
    type=click.Choice(["steps", "updates", "seconds", "epochs"]),
    default="steps",
    show_default=True,
    help="Horizontal axis.",
)
def command(runs: tuple[str, ...], out: Path, x: str) -> None:
    """Draws the success of runs, with the mean and its interval over those of one label.

    A run is a folder with a stats.json, or such a file. Its label is its environment by default.
    """
    if out.suffix not in SUFFIXES:
        raise click.UsageError(f"--out {out}: expected a name that ends in {', '.join(SUFFIXES)}")
    from grasp_func.storage.stats_log import read_stats
    from grasp_func.training.plots import comparison

    found = []
    for run in runs:
        label, _, path = run.rpartition("=")
        stats = read_stats(path)
        found.append((label or stats["env"], stats["epochs"]))
    figure = comparison(found, x)
    try:
        figure.savefig(out, dpi=110)
    except OSError as error:
        raise click.UsageError(f"--out {out}: cannot be written ({error.strerror})") from error
    click.echo(f"{out}: {len(runs)} run(s)")
