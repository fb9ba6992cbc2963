"""Plays an agent's failed episodes again, with noise: `python docs/retries.py UnevenSHCube-v0`.

An episode that succeeds in one of the tries can be won from its start, so a better agent could win
it; one that never does may be impossible. A try adds Gaussian noise of a random strength to the
agent's actions.
"""

import argparse
from contextlib import closing

import numpy as np
from model_cards import agent_of
from publish import EPISODE_SEED, EPISODES

import grasp_func
from grasp_func.core.types import Array
from grasp_func.training.evaluation import evaluate
from grasp_func.training.goal_env import GoalEnv, GymGoalEnv, make_env
from grasp_func.training.rollout import PolicyFn, run_episode

STRONGEST = 0.4  # standard deviation of the noise on actions in [-1, 1]


def wins(env: GoalEnv, policy: PolicyFn, seed: int, attempt: int) -> bool:
    """Returns whether an episode succeeds with the noise of this attempt."""
    rng = np.random.default_rng([seed, attempt])
    strength = rng.uniform(0.0, STRONGEST)

    def noisy(action: Array, t: int) -> Array:
        return np.clip(action + rng.normal(0.0, strength, action.shape), -1.0, 1.0)

    return run_episode(env, policy, seed, noisy)[1].success


def main() -> None:
    """Evaluates the shipped agent of an environment and tries the failures again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("env_id", metavar="ID")
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--ntests", type=int, default=EPISODES)
    args = parser.parse_args()
    agent = agent_of(args.env_id)
    if agent is None:
        parser.error(f"{args.env_id}: there is no agent")
    policy = grasp_func.load_policy(agent)
    kwargs = grasp_func.load_config(grasp_func.DEFAULT_CONFIG, args.env_id).kwargs
    with closing(GymGoalEnv(make_env(f"envs:{args.env_id}", kwargs))) as env:
        result = evaluate(env, policy, EPISODE_SEED, range(args.ntests))
        left = [episode.seed for episode in result.episodes if not episode.success]
        print(f"{args.env_id}: {len(left)} of {args.ntests} episodes failed")
        for attempt in range(args.tries):
            left = [seed for seed in left if not wins(env, policy, seed, attempt)]
            print(f"after {attempt + 1} tries: {len(left)} left", flush=True)


if __name__ == "__main__":
    main()
