"""Compares the trainer with Stable-Baselines3 on FlatPJCube-v0: success over minutes and steps.

    python benchmarks/against_sb3.py --contender ours --seed 10 --minutes 60 --out curves
    python benchmarks/against_sb3.py --contender tqc --seed 10 --minutes 60 --out curves
    grasp-func plot ours=curves/ours_seed10.json tqc=curves/tqc_seed10.json --x seconds --out a.png

A peer is DDPG or SAC of Stable-Baselines3, or TQC of sb3-contrib, with hindsight replay and the
settings that rl-baselines3-zoo has for pick and place (`her-defaults` in `hyperparams/tqc.yml`,
commit 22e3ff2). The zoo has them for TQC only; DDPG and SAC take the same ones. Ours is the shipped
configuration in one process; early in training most of its episodes begin above a grasp or with
the object in the gripper, which the peers have no means to ask for. `--small` gives a peer
four hidden layers of 128 and batches of 256.

Every contender uses one core and the same environment. Times are CPU times, which other programs on
the machine hardly change. Ours include start-up and evaluation, those of the peers do not. The
greedy policy plays 100 episodes after every two minutes of a peer, and 160 after each of our
epochs. Needs `pip install stable-baselines3 sb3-contrib`.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import gymnasium
import numpy as np

import envs  # noqa: F401
import grasp_func
from grasp_func.training.metrics import rate_numbers, row_of
from grasp_func.training.rate import Rate

ENV = "FlatPJCube-v0"
PEERS = ("ddpg", "sac", "tqc")
EPISODES, EPISODE_SEED = 100, 500
MINUTES_BETWEEN = 2.0

Row = dict[str, Any]
Report = Callable[[Row], None]


def train_ours(seed: int, minutes: float, report: Report) -> None:
    """Trains with the shipped configuration until the time is used up or its rule stops it."""
    config = ROOT / "configs" / "experiment_config.yaml"
    cfg = grasp_func.load_config(config, ENV, [f"seed={seed}"])
    for result in grasp_func.train(cfg, ENV):
        report({**row_of(cfg, result), "seconds": time.process_time()})
        if time.process_time() > 60 * minutes:
            return


def train_peer(algorithm: str, seed: int, minutes: float, report: Report, small: bool) -> None:
    """Trains with the zoo's settings for pick and place until the time is used up."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Clock(BaseCallback):
        """Evaluates from time to time and stops the training; its own time does not count."""

        def __init__(self) -> None:
            super().__init__()
            self.started, self.due = time.process_time(), MINUTES_BETWEEN

        def _on_step(self) -> bool:
            now = time.process_time()
            spent = (now - self.started) / 60
            if spent < self.due:
                return True
            self.due = spent + MINUTES_BETWEEN
            row = {"seconds": 60 * spent, "updates": self.model._n_updates}
            report({**row, "env_steps": self.num_timesteps, **evaluate(self.model)})
            self.started += time.process_time() - now
            return spent < minutes

    make_peer(algorithm, seed, small).learn(10**9, callback=Clock())


def make_peer(algorithm: str, seed: int, small: bool) -> Any:
    """Returns an agent with the zoo's settings, or with our sizes of networks and batches."""
    import sb3_contrib
    import stable_baselines3
    from stable_baselines3.common.noise import NormalActionNoise

    env = gymnasium.make(ENV)
    n_actions = env.action_space.shape[0]  # type: ignore[index]
    arguments: dict[str, Any] = {}
    if algorithm == "ddpg":
        # The zoo adds no noise to SAC and TQC, which explore by themselves.
        sigma = np.full(n_actions, 0.2)
        arguments["action_noise"] = NormalActionNoise(np.zeros(n_actions), sigma)
    policy: dict[str, Any] = {"net_arch": [128] * 4 if small else [512] * 3}
    if algorithm != "ddpg":
        policy["n_critics"] = 2
    library = sb3_contrib if algorithm == "tqc" else stable_baselines3
    return getattr(library, algorithm.upper())(
        "MultiInputPolicy",
        env,
        buffer_size=1_000_000,
        batch_size=256 if small else 2048,
        gamma=0.95,
        learning_rate=1e-3,
        tau=0.05,
        # At least one episode must be complete before replay begins.
        learning_starts=1000,
        replay_buffer_class=stable_baselines3.HerReplayBuffer,
        replay_buffer_kwargs={"goal_selection_strategy": "future", "n_sampled_goal": 4},
        policy_kwargs=policy,
        device="cpu",
        seed=seed,
        **arguments,
    )


def evaluate(model: Any) -> Row:
    """Returns the greedy success rates at the last step."""
    env = gymnasium.make(ENV)
    results = []
    for number in range(EPISODES):
        observation, info = env.reset(seed=EPISODE_SEED + number)
        done = False
        while not done:
            action, _ = model.predict(observation, deterministic=True)
            observation, _, terminated, truncated, info = env.step(action)
            done = terminated or truncated
        results.append((bool(info["is_success"]), bool(info["air_goal"])))
    env.close()
    rows: Row = {}
    for suffix, kinds in (("", (False, True)), ("_table", (False,)), ("_air", (True,))):
        chosen = [success for success, air in results if air in kinds]
        rows |= rate_numbers(Rate(sum(chosen), len(chosen)), suffix)
    return rows


def main() -> None:
    """Trains one contender and rewrites its file after every evaluation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contender", choices=["ours", *PEERS], required=True)
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--small", action="store_true", help="for a peer: small networks, batches")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    name = args.contender + ("_small" if args.small else "")
    path = args.out / f"{name}_seed{args.seed}.json"
    args.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []

    def report(row: Row) -> None:
        rows.append({"epoch": len(rows) + 1, **row})
        print(name, {key: row[key] for key in ("seconds", "env_steps", "success")}, flush=True)
        facts = {"env": ENV, "contender": name, "seed": args.seed}
        path.write_text(json.dumps({**facts, "epochs": rows}) + "\n")

    if args.contender == "ours":
        train_ours(args.seed, args.minutes, report)
    else:
        train_peer(args.contender, args.seed, args.minutes, report, args.small)


if __name__ == "__main__":
    main()
