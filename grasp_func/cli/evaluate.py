"""Measures a trained agent: `grasp-func evaluate --env FlatPJCube-v0 --ntests 1000`."""

import contextlib
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import rich_click as click

from grasp_func.cli import arguments
from grasp_func.shipped import DEFAULT_CONFIG

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.storage.agent_files import AgentFiles
    from grasp_func.training.evaluation import EvalResult


COUNT = click.IntRange(min=1)


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.AGENT_OPTIONS))
@click.option("--ntests", type=COUNT, default=100, metavar="N", help="Number of episodes.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, metavar="S", help="Seed of the episodes."
)
@click.option("--render", is_flag=True, help="Show all episodes in a window.")
@click.option("--record", type=arguments.FILE, metavar="FILE", help="Film to .mp4, .gif or .webp.")
@click.option("--filmed", type=COUNT, default=5, metavar="N", help="Film the first N.")
@click.option("--json", type=arguments.FILE, metavar="FILE", help="Also write the result there.")
@click.option("--csv", type=arguments.FILE, metavar="FILE", help="Write a row for each episode.")
def command(**options: Any) -> None:
    """Plays greedy episodes and prints what they came to."""
    args = SimpleNamespace(**options)
    if args.render and args.record:
        raise click.UsageError("--render --record: expected one of them")
    for option, file in (("--json", args.json), ("--csv", args.csv)):
        if file and not file.parent.is_dir():
            raise click.UsageError(f"{option} {file}: there is no folder {file.parent}")
    _evaluate(args)


def _evaluate(args: SimpleNamespace) -> None:
    from grasp_func.cli.environments import windows
    from grasp_func.config.load import load_config
    from grasp_func.errors import UserError
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import run_dir
    from grasp_func.storage.agent_files import read_agent
    from grasp_func.storage.atomic import atomic_write_text
    from grasp_func.training import eval_report

    directory = arguments.agent_directory(args.load, args.env)
    with user_errors(SoloComm()):
        if args.render and not windows().has_display():
            raise UserError(
                "--render: no window opens without a display (DISPLAY is not set): start it in a "
                "desktop session, or film the episodes with --record FILE"
            )
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.changes]
        config = args.config or DEFAULT_CONFIG
        cfg = load_config(config, args.env, changes, arguments.known_envs(args.modules))
        files = read_agent(directory)
        eval_result = _play(args, cfg, directory, files)
        print(f"{args.env}, agent {directory}, seed {args.seed}")
        _print_table(*eval_report.table(eval_result))
        if args.record:
            print(f"{args.record}: film of {min(args.filmed, args.ntests)} episode(s)")
        if args.json:
            agent = {"load": str(directory), "actor_sha256": files.actor_sha256}
            facts = {"env": args.env, **agent, "seed": args.seed}
            atomic_write_text(args.json, eval_report.to_json(facts, eval_result))
        if args.csv:
            atomic_write_text(args.csv, eval_report.to_csv(eval_result))


def _print_table(headings: list[str], rows: list[list[str]]) -> None:
    """Prints a table: for a terminal with short columns, elsewhere with a line for each row."""
    from rich.console import Console
    from rich.table import Table

    console, gap = Console(highlight=False, markup=False), 1
    if console.is_terminal:
        headings = [heading.replace(" ", "\n", 1) for heading in headings]
    else:
        console.width, gap = sum(map(len, (*headings, *rows[0]))) + 2 * len(headings), 2
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print("Distances, angles and steps: mean (median, 90% quantile).")


def _play(
    args: SimpleNamespace, cfg: "Config", directory: Path, files: "AgentFiles"
) -> "EvalResult":
    """Plays the episodes, in a window or before a camera if the arguments say so."""
    from gymnasium.error import DependencyNotInstalled

    from grasp_func.cli.environments import windows
    from grasp_func.errors import UserError
    from grasp_func.storage.agent import rotation_of
    from grasp_func.training.evaluation import evaluate
    from grasp_func.training.goal_env import GymGoalEnv

    try:
        with contextlib.closing(_make_env(args, cfg)) as env:
            goal_env = GymGoalEnv(env)
            policy = files.policy(rotation_of(files, goal_env.spec, directory))
            return evaluate(goal_env, policy, args.seed, range(args.ntests))
    except windows().WindowClosed as closed:
        raise UserError(str(closed)) from closed
    except DependencyNotInstalled as error:
        raise UserError(f"{args.env}: cannot be rendered: {error}") from error


def _make_env(args: SimpleNamespace, cfg: "Config") -> Any:
    from grasp_func.cli.film import Filmed
    from grasp_func.training.goal_env import make_env

    if not args.record:
        return make_env(args.env, cfg.kwargs, "human" if args.render else None)
    # Ctrl-C completes the film before it ends the process.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return Filmed(make_env(args.env, cfg.kwargs, "rgb_array"), args.record, args.filmed)
