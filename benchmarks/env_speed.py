"""Compares the speed of the environments with panda-gym's PandaPickAndPlace-v3.

Prints medians over rounds of steps per second of CPU time, which does not count waiting for a core.
Actions are random, resets are included, and Gymnasium's default wrappers are applied. The rounds of
all environments are interleaved in one process, so that a busy machine slows all of them equally.
Environments that are not flat are also compared with the flat environment of the same gripper and
object.
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

# Registers the reference environment.
import panda_gym  # noqa: F401

# Makes the script run from a checkout without installation.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from envs import ENV_IDS

REFERENCE = "PandaPickAndPlace-v3"
EPISODE = 50


def steps_per_second(env: gymnasium.Env, steps: int) -> float:
    """Returns the steps per second of CPU time, over whole episodes with uniform random actions."""
    episodes = max(1, steps // EPISODE)
    actions = [env.action_space.sample() for _ in range(EPISODE)]
    start = time.process_time()
    for _ in range(episodes):
        env.reset()
        for action in actions:
            env.step(action)
    return episodes * EPISODE / (time.process_time() - start)


def flat(env_id: str) -> str:
    """Returns the id of the flat environment of the same gripper and object."""
    name = re.sub(r"^(Uneven|Obstacle)(PJ|Barrett|SH)(Fixed|Rot)?", r"Flat\2", env_id)
    return name if name in ENV_IDS else env_id


def chosen(patterns: list[str]) -> list[str]:
    """Returns the ids that match any pattern and their flat counterparts.

    Raises:
        ValueError: a pattern matches no id.
    """
    wanted = set()
    for pattern in patterns:
        found = fnmatch.filter(ENV_IDS, pattern)
        if not found:
            raise ValueError(f"--env {pattern} matches none of {', '.join(ENV_IDS)}")
        wanted.update(found, map(flat, found))
    return [env_id for env_id in ENV_IDS if env_id in wanted]


def measure(names: list[str], rounds: int, steps: int) -> dict[str, list[float]]:
    """Returns the steps per second of each environment, one number per round."""
    envs = {name: gymnasium.make(name) for name in names}
    for seed, env in enumerate(envs.values()):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        # Warm up.
        steps_per_second(env, EPISODE)
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, env in envs.items():
            speeds[name].append(steps_per_second(env, steps))
    for env in envs.values():
        env.close()
    return speeds


def main() -> None:
    """Prints medians, and their ratios to the reference and to the flat environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="steps per round and environment")
    parser.add_argument("--rounds", type=int, default=7, help="rounds per environment")
    parser.add_argument("--env", nargs="*", default=["*"], help="ids or patterns: 'FlatSH*'")
    args = parser.parse_args()
    if args.steps < 1 or args.rounds < 1:
        parser.error(f"--steps {args.steps} and --rounds {args.rounds} expected at least 1")
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
