"""Training and evaluation from Python; `grasp_func` imports these functions when they are used."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium

from grasp_func.config.load import Config
from grasp_func.core.numpy_policy import Policy
from grasp_func.errors import UserError
from grasp_func.runtime.comm import Comm, connect
from grasp_func.storage import agent
from grasp_func.storage.run_dir import SAVES, recorded_kwargs
from grasp_func.training import loop, session
from grasp_func.training.evaluation import EvalResult
from grasp_func.training.evaluation import evaluate as play
from grasp_func.training.goal_env import GymGoalEnv, make_env
from grasp_func.training.loop import EpochResult
from grasp_func.training.progress import OnCycle, OnProgress
from grasp_func.training.rollout import PolicyFn

StrPath = str | os.PathLike[str]
Env = str | gymnasium.Env[Any, Any]


def train(
    cfg: Config,
    env: Env,
    *,
    save_dir: StrPath | None = None,
    on_epoch: Callable[[EpochResult], None] | None = None,
    on_cycle: OnCycle | None = None,
    on_progress: OnProgress | None = None,
    comm: Comm | None = None,
) -> Iterator[EpochResult]:
    """Prepares a run, and returns an iterator that trains one epoch at each step.

    Under `mpirun` every process must call it and take every step. Sets one torch thread per
    process.

    Args:
        cfg: settings, see `load_config`; without a seed, one is drawn.
        env: Gymnasium goal environment, or the id of one, which gets the `kwargs` of `cfg`. An id
            `module:id` imports the module that registers it, for example `envs:FlatPJCube-v0`.
        save_dir: agent, statistics and checkpoint are written to `save_dir/<id>` after every
            epoch; None: nothing is. `load_pretrained` looks below it, then in `saves`.
        on_epoch: called with each epoch's `EpochResult` before it is yielded.
        on_cycle: called with a `CycleResult` after every cycle.
        on_progress: called with a `Progress` when this process begins an activity, and before
            every episode of an evaluation.
        comm: the processes; None: MPI's world, or one process.

    Returns:
        an iterator of the epochs' results. It ends when `early_stop` is reached, `patience`
        is lost or `epochs` are completed; a caller may stop earlier. With `load_pretrained` the
        first result is that of epoch 0, the evaluation of the pre-trained agent.

    Raises:
        UserError: environment or configuration cannot be used, or (while iterating) a file cannot
            be written.
        FloatingPointError: while iterating, if training diverges.
    """
    world = connect() if comm is None else comm
    run = session.prepare(session.decided(cfg, world), env, world, on_progress)
    folder = SAVES if save_dir is None else Path(save_dir)
    start = session.begin(run, folder)
    session.compile_updates(run, on_progress)
    if save_dir is None:
        begun = start.state, start.progress, start.buffers
        results = loop.train(run, *begun, on_cycle, on_progress)
    else:
        paths = session.new_paths(run, folder)
        results = session.train_and_record(run, start, paths, on_cycle, on_progress)
    return results if on_epoch is None else _called(on_epoch, results)


def evaluate(policy: PolicyFn | StrPath, env: Env, n: int = 100, seed: int = 0) -> EvalResult:
    """Plays greedy episodes of the true task.

    Args:
        policy: function of observation [S] and goal [G] that returns an action [A] in [-1, 1], or
            the folder of an agent's files.
        env: Gymnasium goal environment, or the id of one, which is made with the `kwargs` that the
            agent was trained with, where its folder holds them.
        n: number of episodes.
        seed: with it, episode i of n is the same on any machine.

    Returns:
        the result of each episode, and rates and distributions over all of them; `groups()` gives
        the same by kind of object and of goal.

    Raises:
        UserError: the environment cannot be used, or `n` or `seed` is out of range.
        SaveError: the agent's files are missing or do not fit the environment.
    """
    if n < 1 or seed < 0:
        raise UserError(f"n = {n}, seed = {seed}: expected n >= 1 and seed >= 0")
    goal_env = GymGoalEnv(_made(env, policy) if isinstance(env, str) else env)
    if goal_env.true_angle_tolerance is not None:
        goal_env.angle_tolerance = goal_env.true_angle_tolerance
    if isinstance(policy, str | os.PathLike):
        policy = agent.load_policy(Path(policy), goal_env.spec)
    try:
        return play(goal_env, policy, seed, range(n))
    finally:
        if isinstance(env, str):
            goal_env.close()


def load_policy(directory: StrPath) -> Policy:
    """Reads a trained agent as a function of observation [S] and goal [G].

    Args:
        directory: holds actor.pt, critic.pt, state_norm.pkl and goal_norm.pkl.

    Returns:
        a function that returns the greedy action [A] in [-1, 1].

    Raises:
        SaveError: the files are missing or unusable.
    """
    return agent.load_policy(Path(directory))


def _made(env_id: str, policy: PolicyFn | StrPath) -> gymnasium.Env[Any, Any]:
    """Makes an environment with the arguments that the agent in a folder was trained with."""
    kwargs = {}
    if isinstance(policy, str | os.PathLike):
        for setting in recorded_kwargs(Path(policy), env_id.rpartition(":")[2]):
            key, _, value = setting.partition("=")
            kwargs[key.removeprefix("kwargs.")] = json.loads(value)
    return make_env(env_id, kwargs)


def _called(
    on_epoch: Callable[[EpochResult], None], results: Iterator[EpochResult]
) -> Iterator[EpochResult]:
    for result in results:
        on_epoch(result)
        yield result
