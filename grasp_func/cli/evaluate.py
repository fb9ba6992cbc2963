"""Measures a trained agent: `grasp-func evaluate --env FlatPJCube-v0 --ntests 1000`."""

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import rich_click as click

from grasp_func.cli import arguments

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.training.evaluation import EvalResult


COUNT = click.IntRange(min=1)


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.AGENT_OPTIONS))
@click.option("--ntests", type=COUNT, default=100, metavar="N", help="Number of episodes.")
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="S", help="Of the episodes.")
@click.option("--render", is_flag=True, help="Show all episodes in a window.")
@click.option("--record", type=arguments.PATH, metavar="FILE", help="Film to .mp4, .gif or .webp.")
@click.option("--filmed", type=COUNT, default=5, metavar="N", help="Film the first N.")
@click.option("--json", type=arguments.PATH, metavar="FILE", help="Also write the result there.")
def command(**options: Any) -> None:
    """Plays greedy episodes and prints success rates at the last step."""
    args = SimpleNamespace(**options)
    if args.render and args.record:
        raise click.UsageError("--render --record: expected one of them")
    _evaluate(args)


def _evaluate(args: SimpleNamespace) -> None:
    from envs.sim.window import has_display
    from grasp_func.config.load import load_config
    from grasp_func.errors import UserError
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import run_dir
    from grasp_func.storage.atomic import atomic_write_text
    from grasp_func.training import metrics

    directory = args.load or run_dir.best_or_latest(run_dir.SAVES / args.env)
    with user_errors(SoloComm()):
        if args.render and not has_display():
            raise UserError(
                "--render: no window opens without a display (DISPLAY is not set): start it in a "
                "desktop session, or film the episodes with --record FILE"
            )
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.changes]
        config = args.config or arguments.DEFAULT_CONFIG
        cfg = load_config(config, args.env, changes, arguments.known_envs(args.modules))
        eval_result = _play(args, cfg, directory)
        print(
            f"{args.env}, agent {directory}, seed {args.seed}: "
            "success at the last step (95% interval)"
        )
        for goals, rate in eval_result._asdict().items():
            # There are none of a kind that the environment does not distinguish.
            if rate.n:
                low, high = metrics.wilson_interval(*rate)
                print(f"  {goals:8s} {rate.successes:5d} of {rate.n:5d}  [{low:.3f}, {high:.3f}]")
        if args.record:
            print(f"{args.record}: film of {min(args.filmed, args.ntests)} episode(s)")
        if args.json:
            facts = {"env": args.env, "load": str(directory), "seed": args.seed}
            content = {**facts, **metrics.summary(eval_result)}
            atomic_write_text(args.json, json.dumps(content, indent=1) + "\n")


def _play(args: SimpleNamespace, cfg: "Config", directory: Path) -> "EvalResult":
    """Plays the episodes, in a window or before a camera if the arguments say so."""
    from gymnasium.error import DependencyNotInstalled

    from envs.sim.window import WindowClosed
    from grasp_func.errors import UserError
    from grasp_func.storage.agent import load_policy
    from grasp_func.training.evaluation import count_successes, evaluate
    from grasp_func.training.goal_env import GymGoalEnv

    try:
        with contextlib.closing(_make_env(args, cfg)) as env:
            goal_env = GymGoalEnv(env)
            policy = load_policy(directory, goal_env.spec)
            return count_successes(evaluate(goal_env, policy, args.seed, range(args.ntests)))
    except WindowClosed as closed:
        raise UserError(str(closed)) from closed
    except DependencyNotInstalled as error:
        raise UserError(f"{args.env}: cannot be rendered: {error}") from error


def _make_env(args: SimpleNamespace, cfg: "Config") -> Any:
    from grasp_func.cli.film import Filmed
    from grasp_func.training.goal_env import make_env

    if not args.record:
        return make_env(args.env, cfg.kwargs, "human" if args.render else None)
    return Filmed(make_env(args.env, cfg.kwargs, "rgb_array"), args.record, args.filmed)
