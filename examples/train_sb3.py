"""Trains Stable-Baselines3's DDPG with hindsight replay: `python examples/train_sb3.py`.

This example uses the environments without this project's trainer. It needs
`pip install "grasp_func[sb3]"`.
"""

import os

# The libraries read these when they are imported. On networks this small, a second thread doubles
# the CPU time.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from envs import ENV_IDS

try:
    from stable_baselines3 import DDPG, HerReplayBuffer
    from stable_baselines3.common.noise import NormalActionNoise
except ModuleNotFoundError as error:
    print(f'error: {error}: pip install "grasp_func[sb3]"', file=sys.stderr)
    sys.exit(2)


def success_rate(agent: DDPG, env: gymnasium.Env[Any, Any], episodes: int) -> float:
    """Returns the success rate of the greedy policy in episodes seeded 0, 1, ..."""
    successes = 0
    for seed in range(episodes):
        observation, info = env.reset(seed=seed)
        truncated = False
        while not truncated:
            action, _ = agent.predict(observation, deterministic=True)
            observation, _, _, truncated, info = env.step(action)
        successes += info["is_success"]
    return successes / episodes


def main() -> None:
    """Trains and saves an agent, and prints its success rate before and after training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="FlatPJCube-v0", choices=ENV_IDS, metavar="ID")
    parser.add_argument("--steps", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--tests", type=int, default=100, metavar="N", help="test episodes")
    parser.add_argument("--out", type=Path, default=Path("sb3_agent.zip"), metavar="FILE")
    args = parser.parse_args()
    env = gymnasium.make(args.env)
    size = env.action_space.shape or ()
    agent = DDPG(
        "MultiInputPolicy",
        env,
        replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs={"n_sampled_goal": 4, "goal_selection_strategy": "future"},
        action_noise=NormalActionNoise(np.zeros(size), np.full(size, 0.2)),
        gamma=0.95,
        # Random actions come first. They must fill at least one episode.
        learning_starts=1000,
        device="cpu",
        seed=args.seed,
    )
    before = success_rate(agent, env, args.tests)
    agent.learn(args.steps)
    agent.save(args.out)
    after = success_rate(agent, env, args.tests)
    print(f"{args.env}, {args.steps} steps: success {before:.2f} -> {after:.2f}, {args.out}")


if __name__ == "__main__":
    main()
