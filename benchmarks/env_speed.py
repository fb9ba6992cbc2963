"""Speed of environments beside panda-gym's PandaPickAndPlace-v3, with random actions.

Rounds are interleaved in one process, so that a busy machine slows all of them alike; medians over
the rounds are printed, of steps per second of CPU time (what an idle core takes; waiting for a
shared one does not count). A step includes its observation and its share of the resets, behind
Gymnasium's default wrappers. Environments that are not flat are also compared with the flat one of
their gripper and object, which is measured along with them.
"""

import argparse
import fnmatch
import os
import re
import statistics
import sys
import time
from pathlib import Path

import gymnasium
import panda_gym  # noqa: F401  # registers the reference

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # runs from a checkout too

from envs import ENV_IDS

REFERENCE = "PandaPickAndPlace-v3"
EPISODE = 50


def steps_per_second(env: gymnasium.Env, steps: int) -> float:
    """Steps a second of CPU time over whole episodes with uniform actions."""
    episodes = max(1, steps // EPISODE)
    actions = [env.action_space.sample() for _ in range(EPISODE)]
    start = time.process_time()
    for _ in range(episodes):
        env.reset()
        for action in actions:
            env.step(action)
    return episodes * EPISODE / (time.process_time() - start)


def flat(env_id: str) -> str:
    """The environment of the same gripper and object on the bare table."""
    name = re.sub(r"^(Uneven|Obstacle)(PJ|Barrett|SH)(Fixed|Rot)?", r"Flat\2", env_id)
    return name if name in ENV_IDS else env_id


def chosen(patterns: list[str]) -> list[str]:
    """Ids that match a pattern, with their flat counterparts, in the order of the suite.

    Raises:
        ValueError: a pattern that matches none.
    """
    wanted = set()
    for pattern in patterns:
        found = fnmatch.filter(ENV_IDS, pattern)
        if not found:
            raise ValueError(f"--env {pattern}: matches none of {', '.join(ENV_IDS)}")
        wanted.update(found, map(flat, found))
    return [env_id for env_id in ENV_IDS if env_id in wanted]


def measure(names: list[str], rounds: int, steps: int) -> dict[str, list[float]]:
    """Steps per second by environment, one number a round."""
    envs = {name: gymnasium.make(name) for name in names}
    for seed, env in enumerate(envs.values()):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        steps_per_second(env, EPISODE)  # warm up
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, env in envs.items():
            speeds[name].append(steps_per_second(env, steps))
    for env in envs.values():
        env.close()
    return speeds


def main() -> None:
    """Prints a table of medians, and their ratios to the reference and to the flat counterpart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="steps a round of each environment")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each environment")
    parser.add_argument("--env", nargs="*", default=["*"], help="ids or patterns: 'FlatSH*'")
    args = parser.parse_args()
    if args.steps < 1 or args.rounds < 1:
        parser.error(f"--steps {args.steps} and --rounds {args.rounds} must be at least 1")
    try:
        names = [REFERENCE, *chosen(args.env)]
    except ValueError as mistake:
        parser.error(str(mistake))

    speeds = measure(names, args.rounds, args.steps)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    cores = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"random actions, {args.rounds} rounds of {args.steps} steps, {cores}")
    print(f"{'environment':<24}{'steps/s':>9}{'(min - max)':>17}{'ratio':>8}{'of flat':>9}")
    for name in names:
        span = f"({min(speeds[name]):.0f} - {max(speeds[name]):.0f})"
        ratio = medians[name] / medians[REFERENCE]
        of_flat = f"{medians[name] / medians[flat(name)]:>9.2f}" if flat(name) != name else ""
        print(f"{name:<24}{medians[name]:>9.0f}{span:>17}{ratio:>8.2f}{of_flat}")


if __name__ == "__main__":
    main()
