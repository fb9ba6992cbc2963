"""Measures a trained agent: `python examples/evaluate.py --env FlatPJCube-v0 --ntests 1000`."""

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any

import gymnasium

from envs import ENV_IDS
from envs.sim.window import WindowClosed
from grasp_func.cli import film, launch
from grasp_func.config import load
from grasp_func.runtime import comm
from grasp_func.storage import agent, atomic, run_dir
from grasp_func.training import metrics, rollout

DEFAULT_CONFIG = Path(__file__).parents[1] / "configs" / "experiment_config.yaml"


def watched_env(args: argparse.Namespace, cfg: load.Config) -> gymnasium.Env[Any, Any]:
    """Makes the environment, to be seen as the arguments say."""
    if args.render and args.record:
        raise ValueError("--render --record: expected one of them")
    if args.record:
        env = launch.make_env(args.env, cfg, render_mode="rgb_array")
        return film.Filmed(env, args.record, args.filmed)
    return launch.make_env(args.env, cfg, render_mode="human" if args.render else None)


def main() -> None:
    """Plays greedy episodes and prints success rates at the last step with 95% Wilson intervals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, metavar="ID", help="one of envs.ENV_IDS")
    parser.add_argument("--load", type=Path, metavar="DIR", help="default: saves/<env>")
    parser.add_argument("--ntests", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--render", action="store_true", help="show all episodes in a window")
    parser.add_argument("--record", type=Path, metavar="FILE", help="film episodes: .mp4 or .gif")
    parser.add_argument("--filmed", type=int, default=5, metavar="N", help="the first N of them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result there")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    with launch.user_errors(comm.SoloComm()):
        if args.ntests < 1 or args.seed < 0 or args.filmed < 1:
            given = f"--ntests {args.ntests} --seed {args.seed} --filmed {args.filmed}"
            raise ValueError(f"{given}: expected N >= 1 and S >= 0")
        directory = args.load or Path("saves") / args.env
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.set]
        cfg = load.load_config(args.config, args.env, changes, ENV_IDS)
        with contextlib.closing(watched_env(args, cfg)) as env:
            policy = agent.load_policy(directory, rollout.env_spec_of(env))
            try:
                outcomes = rollout.evaluate(env, policy, args.seed, range(args.ntests))
            except WindowClosed as closed:
                raise ValueError(str(closed)) from closed
        score = rollout.score(outcomes)
        result = {
            "env": args.env,
            "load": str(directory),
            "seed": args.seed,
            **metrics.summary(score),
        }
        print(
            f"{args.env}, agent {directory}, seed {args.seed}: "
            "success at the last step (95% interval)"
        )
        for goals, rate in score._asdict().items():
            low, high = metrics.wilson_interval(*rate)
            print(f"  {goals:8s} {rate.successes:5d} of {rate.n:5d}  [{low:.3f}, {high:.3f}]")
        if args.json:
            atomic.atomic_write_text(args.json, json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
