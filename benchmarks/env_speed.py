"""Speed of every environment beside panda-gym's PandaPickAndPlace-v3, with random actions.

Rounds are interleaved in one process, so that a busy machine slows all of them alike; medians over
the rounds are printed. A step includes its observation and its share of the resets, behind
Gymnasium's default wrappers.
"""

import argparse
import os
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
    """Steps a second over whole episodes with uniform actions."""
    episodes = max(1, steps // EPISODE)
    actions = [env.action_space.sample() for _ in range(EPISODE)]
    start = time.perf_counter()
    for _ in range(episodes):
        env.reset()
        for action in actions:
            env.step(action)
    return episodes * EPISODE / (time.perf_counter() - start)


def main() -> None:
    """Prints a table of medians, and their ratios to the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000, help="steps a round of each environment")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each environment")
    parser.add_argument("--env", nargs="*", default=list(ENV_IDS), help="ids (default: all)")
    args = parser.parse_args()
    if args.steps < 1 or args.rounds < 1:
        parser.error(f"--steps {args.steps} and --rounds {args.rounds} must be at least 1")

    names = [REFERENCE, *args.env]
    envs = {name: gymnasium.make(name) for name in names}
    for seed, env in enumerate(envs.values()):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        steps_per_second(env, EPISODE)  # warm up
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(args.rounds):
        for name, env in envs.items():
            speeds[name].append(steps_per_second(env, args.steps))
    reference = statistics.median(speeds[REFERENCE])
    print(f"random actions, {args.rounds} rounds of {args.steps} steps, {os.cpu_count()} cores")
    print(f"{'environment':<24}{'steps/s':>9}{'(min - max)':>17}{'ratio':>8}")
    for name in names:
        median, low, high = statistics.median(speeds[name]), min(speeds[name]), max(speeds[name])
        span = f"({low:.0f} - {high:.0f})"
        print(f"{name:<24}{median:>9.0f}{span:>17}{median / reference:>8.2f}")
    for env in envs.values():
        env.close()


if __name__ == "__main__":
    main()
