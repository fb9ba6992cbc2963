"""Compares the trainer with Stable-Baselines3 on FlatPJCube-v0: success over minutes and steps.

    python benchmarks/against_sb3.py run --contender ours --seed 10 --minutes 60 --out curves
    python benchmarks/against_sb3.py plot --out curves

A peer is DDPG or SAC of Stable-Baselines3, or TQC of sb3-contrib, with hindsight replay and the
settings that rl-baselines3-zoo has for pick and place (`her-defaults` in `hyperparams/tqc.yml`,
commit 22e3ff2). The zoo has them for TQC only; DDPG and SAC take the same ones. Ours is the shipped
configuration with two workers in one process. `--small` gives a peer our networks and batches.

Every contender uses one core and the same environment. Minutes are CPU time, which other programs
on the machine hardly change. Ours include evaluation, those of the peers do not. The greedy policy
plays the same 100 episodes after every two minutes of a peer, and after each of our epochs.
Needs `pip install stable-baselines3 sb3-contrib`.
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

ENV = "FlatPJCube-v0"
PEERS = ("ddpg", "sac", "tqc")
LABELS = {"ours": "grasp_func", "ddpg": "SB3 DDPG", "sac": "SB3 SAC", "tqc": "sb3-contrib TQC"}
EPISODES, EPISODE_SEED = 100, 500
MINUTES_BETWEEN = 2.0

Row = dict[str, float]
Report = Callable[[Row], None]


def train_ours(seed: int, minutes: float, report: Report) -> None:
    """Trains with the shipped configuration until the time is used up or its rule stops it."""
    config = ROOT / "configs" / "experiment_config.yaml"
    cfg = grasp_func.load_config(config, ENV, [f"seed={seed}", "workers=2"])
    for result in grasp_func.train(cfg, ENV):
        spent = time.process_time() / 60
        epoch = result.schedule.epoch
        row = {"minutes": spent, "updates": epoch * cfg.cycles * cfg.batches}
        steps = epoch * cfg.cycles * cfg.rollouts * 2 * 50
        found = result.eval_result
        report({**row, "env_steps": steps, **rates(found.overall.value, found.air.value)})
        if spent > minutes:
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
            row = {"minutes": spent, "updates": float(self.model._n_updates)}
            report({**row, "env_steps": float(self.num_timesteps), **evaluate(self.model)})
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
    in_air = [success for success, air in results if air]
    return rates(float(np.mean([success for success, _ in results])), float(np.mean(in_air)))


def rates(success: float | None, air: float | None) -> Row:
    """Returns success rates by name."""
    return {"success": success or 0.0, "success_air": air or 0.0}


def run(args: argparse.Namespace) -> None:
    """Trains one contender and rewrites its file after every evaluation."""
    name = args.contender + ("_small" if args.small else "")
    path = args.out / f"{name}_seed{args.seed}.json"
    args.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []

    def report(row: Row) -> None:
        rows.append({key: round(value, 4) for key, value in row.items()})
        print(name, rows[-1], flush=True)
        facts = {"contender": args.contender, "small": args.small, "seed": args.seed, "env": ENV}
        path.write_text(json.dumps({**facts, "rows": rows}, indent=1) + "\n")

    if args.contender == "ours":
        train_ours(args.seed, args.minutes, report)
    else:
        train_peer(args.contender, args.seed, args.minutes, report, args.small)


def plot(args: argparse.Namespace) -> None:
    """Draws all curves of a folder into `against_sb3.png` there."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from grasp_func.training import palette

    figure, panels = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    axes = (("minutes", 1, "minutes of one core"), ("env_steps", 1e6, "million environment steps"))
    colours = dict(zip(LABELS, palette.GROUPS, strict=False))
    labelled = set()
    for path in sorted(args.out.glob("*_seed*.json")):
        curve = json.loads(path.read_text())
        who, small = curve["contender"], curve["small"]
        label = LABELS[who] + (", our sizes" if small else "")
        for panel, (key, unit, _) in zip(panels, axes, strict=True):
            x = [row[key] / unit for row in curve["rows"]]
            y = [row["success"] for row in curve["rows"]]
            shown = label if panel is panels[0] and label not in labelled else None
            style = "--" if small else "-"
            panel.plot(x, y, color=colours[who], linestyle=style, label=shown)
        labelled.add(label)
    for panel, (_, _, label) in zip(panels, axes, strict=True):
        panel.set(xlabel=label, ylim=(0, 1.02))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel(f"success on {ENV}")
    figure.legend(loc="outside right center")
    figure.savefig(args.out / "against_sb3.png", dpi=110)


def main() -> None:
    """Runs a sub-command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("run", help="train one contender")
    runs.add_argument("--contender", choices=["ours", *PEERS], required=True)
    runs.add_argument("--seed", type=int, default=10)
    runs.add_argument("--minutes", type=float, default=60.0)
    runs.add_argument("--small", action="store_true", help="our networks and batches, for a peer")
    plots = commands.add_parser("plot", help="draw the curves of a folder")
    for command, function in ((runs, run), (plots, plot)):
        command.add_argument("--out", type=Path, required=True, metavar="DIR")
        command.set_defaults(function=function)
    args = parser.parse_args()
    args.function(args)


if __name__ == "__main__":
    main()
