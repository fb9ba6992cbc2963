"""Times a training cycle of FlatPJCube-v0 beside the imperative form on the same environment.

A cycle consists of rollouts with exploration, normalizers, hindsight replay, updates and target
updates. There is one process, one worker, one core. Both forms take turns and step the same
environment object.
"""

import argparse
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# So that it runs from a checkout.
sys.path.insert(0, str(ROOT))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import side_by_side

side_by_side.one_core()

import gymnasium
import numpy as np
import torch
from imperative import Learner, Replay

import envs  # noqa: F401
from grasp_func.config.load import Config, load_config
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.process import tune_process
from grasp_func.runtime.workers import make_workers
from grasp_func.training import collect, loop, setup
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.progress import Reporter
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import network_spec

ENV = "FlatPJCube-v0"
PARTS = ("environment", "acting", "sampling", "updates")
CALLED_BY_TRAIN = (
    ("rollouts", collect, collect.play_episode),
    ("sampling", loop, loop.draw_batches),
)
# CPU seconds of each part.
Clock = defaultdict[str, float]


def timed(clock: Clock, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `function` with its CPU time added to the clock."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.process_time()
        result = function(*args, **kwargs)
        clock[name] += time.process_time() - start
        return result

    return call


class TimedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Measures the time of its environment."""

    def __init__(self, env: gymnasium.Env[Any, Any], clock: Clock) -> None:
        super().__init__(env)
        self.step = timed(clock, "environment", env.step)  # type: ignore[method-assign]
        self.reset = timed(clock, "environment", env.reset)  # type: ignore[method-assign]


def ours(cfg: Config, env: Any, clock: Clock) -> Callable[[], None]:
    """Returns a function that runs one cycle of this package."""
    run = setup.make_run(cfg, GymGoalEnv(env), make_workers(SoloComm(), 1))
    learner = run.learner
    update = timed(clock, "updates", learner.update)
    sync = timed(clock, "updates", learner.soft_update_targets)
    run = run._replace(learner=learner._replace(update=update, soft_update_targets=sync))
    timers = [(where, timed(clock, part, call), call) for part, where, call in CALLED_BY_TRAIN]
    state, buffers, number = setup.initial_state(run), setup.empty_buffers(run), 0

    def cycle() -> None:
        nonlocal state, number
        for where, timer, call in timers:
            setattr(where, call.__name__, timer)
        state, _ = loop.run_cycle(run, state, buffers, number, ScheduleState(), Reporter())
        number += 1

    return cycle


def imperative(cfg: Config, env: Any, clock: Clock) -> Callable[[], None]:
    """Returns a function that runs one cycle of the imperative form."""
    env_spec = GymGoalEnv(env).spec
    learner = Learner(env_spec, network_spec(cfg, env_spec), cfg.gamma, cfg.tau, cfg.action_l2)
    replay = Replay(env_spec, cfg.buffer_size // env_spec.horizon)
    reward_fn = env.unwrapped.compute_reward
    update = timed(clock, "updates", learner.update)
    sync = timed(clock, "updates", learner.soft_update_targets)
    sample = timed(clock, "sampling", replay.sample)

    def explore(action: Any) -> Any:
        if np.random.uniform() < cfg.eps:  # noqa: NPY002
            return np.random.uniform(-1, 1, env_spec.action)  # noqa: NPY002
        return np.clip(action + cfg.action_noise * np.random.randn(env_spec.action), -1, 1)  # noqa: NPY002

    def rollout() -> None:
        observation, _ = env.reset()
        obs, achieved = [observation["observation"]], [observation["achieved_goal"]]
        goals, actions = [], []
        for _ in range(replay.horizon):
            action = explore(learner.act(obs[-1], observation["desired_goal"]))
            goals.append(observation["desired_goal"])
            actions.append(action)
            observation = env.step(action)[0]
            obs.append(observation["observation"])
            achieved.append(observation["achieved_goal"])
        replay.append(obs=obs, achieved=achieved, goal=goals, action=actions)
        learner.obs_norm.update(np.array(obs))
        learner.goal_norm.update(np.array(goals))

    timed_rollout = timed(clock, "rollouts", rollout)

    def cycle() -> None:
        for _ in range(cfg.rollouts):
            timed_rollout()
        for _ in range(cfg.batches):
            update(*sample(cfg.batch_size, reward_fn))
            if cfg.soft_update_every == "update":
                sync()
        if cfg.soft_update_every == "cycle":
            sync()

    return cycle


def measure(path: Path, rounds: int, choice: str) -> None:
    """Prints the time of each part of a cycle, and the ratio of both forms."""
    cfg = load_config(path, ENV, ["seed=0"])
    env = gymnasium.make(ENV, **cfg.kwargs)
    env.reset(seed=0)
    kinds = ("traced", "compiled")
    clocks = {name: Clock(float) for name in (*kinds, "imperative")}

    def at(precision: str, cycle: Callable[[], None]) -> Callable[[], None]:
        def call() -> None:
            torch.set_float32_matmul_precision(precision)
            cycle()

        return call

    functions = {}
    for name, clock in clocks.items():
        timed_env = TimedEnv(env, clock)
        if name in kinds:
            changed = cfg.model_copy(update={"updates": name})
            functions[name] = at(choice, ours(changed, timed_env, clock))
        else:
            # The default of PyTorch.
            functions[name] = at("highest", imperative(cfg, timed_env, clock))
    # Warm up.
    side_by_side.take_turns(functions, 2)
    for clock in clocks.values():
        clock.clear()
    seconds = side_by_side.take_turns(functions, rounds)
    print(
        f"{path.name}: {cfg.rollouts} episodes, {cfg.batches} updates of {cfg.batch_size}, ", end=""
    )
    print(f"width {cfg.actor_net_layer_width}; ms a cycle")
    print(f"  {'':<14}{'all':>8}" + "".join(f"{part:>13}" for part in PARTS) + f"{'rest':>8}")
    for name, clock in clocks.items():
        clock["acting"] = clock.pop("rollouts") - clock["environment"]
        # The clocks also count the warm-up rounds of take_turns.
        scale = 1e3 / (rounds + 3)
        parts = [clock[part] * scale for part in PARTS]
        total = statistics.median(seconds[name]) * 1e3
        mean = statistics.fmean(seconds[name]) * 1e3
        row = "".join(f"{part:>13.1f}" for part in parts)
        print(f"  {name:<14}{total:>8.0f}{row}{max(0.0, mean - sum(parts)):>8.1f}")
    for name in kinds:
        relative = side_by_side.ratio(seconds["imperative"], seconds[name])
        print(f"  imperative / {name}: {relative:.2f}", flush=True)


def main() -> None:
    """Measures the shipped and the published configuration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    tune_process()
    choice = matmul_precision.choose()
    print(
        f"{side_by_side.conditions()}; one core, CPU time, medians of {args.rounds} rounds in turns"
    )
    for name in ("experiment_config.yaml", "dextgen.yaml"):
        measure(ROOT / "configs" / name, args.rounds, choice)


if __name__ == "__main__":
    main()
