"""Measures a trained agent: `grasp-func evaluate --env FlatPJCube-v0 --ntests 1000`."""

import argparse
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grasp_func.cli import arguments
from grasp_func.cli.arguments import KnownEnvs

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.training.evaluation import EvalResult


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Plays greedy episodes and prints success rates at the last step; returns the exit code."""
    parser = arguments.make_parser(__doc__, prog)
    arguments.add_agent_arguments(parser)
    parser.add_argument("--ntests", type=int, default=100, metavar="N", help="number of episodes")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the episodes")
    parser.add_argument("--render", action="store_true", help="show all episodes in a window")
    parser.add_argument("--record", type=Path, metavar="FILE", help="film episodes: .mp4 or .gif")
    parser.add_argument("--filmed", type=int, default=5, metavar="N", help="film the first N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result there")
    args, known = arguments.parse(parser, argv)
    for name, lowest in (("ntests", 1), ("filmed", 1), ("seed", 0)):
        if getattr(args, name) < lowest:
            parser.error(f"--{name} {getattr(args, name)}: expected at least {lowest}")
    if args.render and args.record:
        parser.error("--render --record: expected one of them")
    return _evaluate(args, known)


def _evaluate(args: argparse.Namespace, known: KnownEnvs) -> int:
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
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.set]
        config = args.config or arguments.DEFAULT_CONFIG
        cfg = load_config(config, args.env, changes, known.ids)
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
    return 0


def _play(args: argparse.Namespace, cfg: "Config", directory: Path) -> "EvalResult":
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


def _make_env(args: argparse.Namespace, cfg: "Config") -> Any:
    from grasp_func.cli.film import Filmed
    from grasp_func.training.goal_env import make_env

    if not args.record:
        return make_env(args.env, cfg.kwargs, "human" if args.render else None)
    return Filmed(make_env(args.env, cfg.kwargs, "rgb_array"), args.record, args.filmed)
