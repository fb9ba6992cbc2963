"""The training loop: config -> rollouts -> replay -> pure updates -> evaluation, once per epoch.

Everything below is deterministic given the configuration: what a cycle does depends on the agent's
state, the buffers and keys that name seed, worker and cycle. Departs from Dext-Gen: one success
rule for training and evaluation, early stopping must be confirmed by a second, larger evaluation,
and exploration may calm down late.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch

from grasp_func.config.load import Config
from grasp_func.core import normalizer
from grasp_func.core.ddpg import AgentState, Learner, make_learner
from grasp_func.core.networks import Networks, make_networks
from grasp_func.core.noise import Exploration, NoiseProcess, draw_noise, explore, make_noise_process
from grasp_func.core.normalizer import NormState
from grasp_func.core.numpy_policy import Policy, policy_of
from grasp_func.core.replay import ReplayBuffer, ReplaySampling, draw_batches
from grasp_func.core.rng import Key, Stream, fold_in, integer_seed, numpy_rng
from grasp_func.core.types import EnvSpec, Episode, Metrics
from grasp_func.runtime.workers import Workers
from grasp_func.training.rollout import (
    PREGRASP,
    EvalResult,
    env_spec_of,
    evaluate,
    run_episode,
    score,
)
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import ddpg_config, jit_of, network_spec, select


class Run(NamedTuple):
    """What stays fixed during a run."""

    cfg: Config
    env: gymnasium.Env[Any, Any]
    workers: Workers
    env_spec: EnvSpec
    nets: Networks
    learner: Learner
    noise: NoiseProcess
    key: Key
    angle_tolerance: float | None  # of the true task (rad); None: the environment has none


class EpochResult(NamedTuple):
    """What a run tells after each epoch."""

    state: AgentState
    progress: ScheduleState
    score: EvalResult
    confirmation: EvalResult | None  # second evaluation, where the first one reached `early_stop`
    eval_seed: int
    confirm_seed: int
    metrics: dict[str, float]
    params_hash: str
    seconds: float  # since training began, this call
    buffers: list[ReplayBuffer]  # of the local workers; training goes on to write to them
    angle_tolerance: float | None = None  # of the epoch and its evaluation (rad)
    curriculum_active: bool = False  # whether that is not yet the true task's

    def is_last(self, cfg: Config) -> bool:
        """Tells whether training ends with this epoch."""
        decisive = self.score if cfg.confirm_episodes == 0 else self.confirmation
        reached = min(self.score.success, decisive.success if decisive else 0.0) >= cfg.early_stop
        return (reached and not self.curriculum_active) or self.progress.epoch >= cfg.epochs


def make_run(cfg: Config, env: gymnasium.Env[Any, Any], workers: Workers) -> Run:
    """Binds a configuration to an environment.

    Args:
        cfg: with a seed.
        env: Gymnasium goal environment with a fixed episode length. If it has an attribute
            `angle_tolerance` (rad, not None), its present value is the true task's, and training
            sets easier ones between episodes; `compute_reward` must follow it.
        workers: who takes part.

    Raises:
        ValueError: the configuration does not fit the environment.
    """
    if cfg.seed is None:
        raise ValueError("seed = null: draw a seed and share it with all processes before training")
    if cfg.pregrasp_start and PREGRASP not in getattr(env.unwrapped, "starts", ()):
        raise ValueError(
            f"pregrasp_start = {cfg.pregrasp_start}: {env} has no start '{PREGRASP}', expected 0"
        )
    env_spec = env_spec_of(env)
    nets = make_networks(env_spec, network_spec(cfg))
    learner = make_learner(
        nets, env_spec, ddpg_config(cfg, env_spec), workers.mean, jit_of(cfg, workers.comm)
    )
    noise = make_noise_process(cfg.noise_process, cfg.noise_process_params)
    tolerance = getattr(env.unwrapped, "angle_tolerance", None)
    return Run(cfg, env, workers, env_spec, nets, learner, noise, Key(cfg.seed), tolerance)


def initial_state(run: Run) -> AgentState:
    """Returns the first process's initial state on every process."""
    state = run.learner.init(fold_in(run.key, Stream.INIT))
    return run.workers.comm.bcast(state)  # type: ignore[no-any-return]


def empty_buffers(run: Run) -> list[ReplayBuffer]:
    """Returns an empty replay buffer for each worker that this process hosts."""
    return [ReplayBuffer(run.env_spec, run.cfg.buffer_size) for _ in run.workers.local_workers]


def train(
    run: Run,
    state: AgentState,
    progress: ScheduleState | None = None,
    buffers: list[ReplayBuffer] | None = None,
) -> Iterator[EpochResult]:
    """Trains epoch by epoch, until `early_stop` is confirmed or `epochs` are done.

    Args:
        run: what stays fixed.
        state: where learning starts or goes on.
        progress: where the run stands; None: at its beginning.
        buffers: replay of the local workers; None: empty.

    Yields:
        a report after each epoch; the agent's state is part of it.

    Raises:
        DesyncError: replicas differ; FloatingPointError: training diverged.
    """
    cfg, started = run.cfg, time.monotonic()
    progress = progress or ScheduleState()
    buffers = buffers or empty_buffers(run)
    while True:
        tolerance = progress.angle_tolerance(cfg, run.angle_tolerance)
        curriculum_active = tolerance != run.angle_tolerance
        if tolerance is not None:
            run.env.unwrapped.angle_tolerance = tolerance  # type: ignore[attr-defined]
        for cycle in range(progress.epoch * cfg.cycles, (progress.epoch + 1) * cfg.cycles):
            state, metrics = run_cycle(run, state, buffers, cycle, progress)
        params_hash = run.workers.assert_synced(state)
        eval_seed, confirm_seed = (
            integer_seed(fold_in(run.key, stream, progress.epoch))
            for stream in (Stream.EVALUATE, Stream.CONFIRM)
        )
        result = evaluate_agent(run, state, eval_seed, cfg.evals * run.workers.total)
        confirmation = None
        if result.success >= cfg.early_stop and cfg.confirm_episodes and not curriculum_active:
            confirmation = evaluate_agent(run, state, confirm_seed, cfg.confirm_episodes)
        progress = progress.advanced(cfg, result.success, curriculum_active)
        state = replace(
            state,
            lr_scale=torch.tensor(progress.lr_scale(cfg)),
            action_l2=torch.tensor(progress.action_l2(cfg)),
        )
        report = EpochResult(
            state,
            progress,
            result,
            confirmation,
            eval_seed,
            confirm_seed,
            metrics,
            params_hash,
            time.monotonic() - started,
            buffers,
            tolerance,
            curriculum_active,
        )
        yield report
        if report.is_last(cfg):
            return


def run_cycle(
    run: Run, state: AgentState, buffers: list[ReplayBuffer], cycle: int, progress: ScheduleState
) -> tuple[AgentState, dict[str, float]]:
    """Runs one cycle: rollouts, normalizer update, gradient steps, target update."""
    cfg, learner = run.cfg, run.learner
    policy = greedy_policy(run, state)
    exploration, share = progress.exploration(cfg), progress.pregrasp_share(cfg)
    fresh = []
    for worker, buffer in zip(run.workers.local_workers, buffers, strict=True):
        episodes = [
            _explore_episode(run, policy, exploration, share, (worker, cycle * cfg.rollouts + i))
            for i in range(cfg.rollouts)
        ]
        for episode in episodes:
            buffer.append(episode)
        fresh.append(_episode_moments(episodes))
    for obs, goal in run.workers.gather(fresh):
        state = learner.update_normalizers(state, obs, goal)
    sampling = select(ReplaySampling, cfg)
    reward_fn = run.env.unwrapped.compute_reward  # type: ignore[attr-defined]
    drawn = [
        draw_batches(
            buffer,
            fold_in(run.key, Stream.REPLAY, worker, cycle),
            cfg.batches,
            cfg.batch_size,
            sampling,
            reward_fn,
            run.env_spec.symmetry,
        )
        for worker, buffer in zip(run.workers.local_workers, buffers, strict=True)
    ]
    metrics: Metrics = {}
    for batches in zip(*drawn, strict=True):
        state, metrics = learner.update(state, batches)
        if cfg.soft_update_every == "update":
            state = learner.soft_update_targets(state)
    if cfg.soft_update_every == "cycle":
        state = learner.soft_update_targets(state)
    return state, _finite(metrics, cycle)


def evaluate_agent(run: Run, state: AgentState, seed: int, n: int) -> EvalResult:
    """Plays episodes 0 .. n - 1 of `seed`, shared among the workers; all get the same score."""
    policy = greedy_policy(run, state)
    total = run.workers.total
    parts = [evaluate(run.env, policy, seed, range(w, n, total)) for w in run.workers.local_workers]
    return score(list(chain.from_iterable(run.workers.gather(parts))))


def greedy_policy(run: Run, state: AgentState) -> Policy:
    """Returns the policy that the state's actor and normalizers define."""
    actor = run.learner.unravel(state.params)["actor"]
    return policy_of(run.nets, actor, run.learner.scalings(state))


def _explore_episode(
    run: Run, policy: Policy, exploration: Exploration, pregrasp: float, address: tuple[int, int]
) -> Episode:
    """Plays a training episode; its address is worker and number.

    With probability `pregrasp` it begins above a grasp.
    """
    noise = draw_noise(
        fold_in(run.key, Stream.EXPLORE, *address),
        run.env_spec.horizon,
        run.env_spec.action,
        exploration,
        run.noise,
    )
    seed = integer_seed(fold_in(run.key, Stream.ENV, *address))
    clip = run.cfg.action_clip
    curriculum_active = numpy_rng(fold_in(run.key, Stream.PREGRASP, *address)).random() < pregrasp
    return run_episode(
        run.env,
        policy,
        seed,
        lambda action, t: explore(action, noise, t, clip),
        PREGRASP if curriculum_active else None,
    )[0]


def _episode_moments(episodes: list[Episode]) -> tuple[NormState, NormState]:
    """Returns the moments of the observations and of the goals of one worker's episodes."""
    obs = torch.from_numpy(np.concatenate([episode.obs for episode in episodes]))
    goals = torch.from_numpy(np.stack([episode.goal for episode in episodes]))
    return normalizer.batch_moments(obs), normalizer.batch_moments(goals)


def _finite(metrics: Metrics, cycle: int) -> dict[str, float]:
    numbers = {name: float(value) for name, value in metrics.items()}
    if not np.isfinite(list(numbers.values())).all():
        raise FloatingPointError(f"training diverged in cycle {cycle}: {numbers}")
    return numbers
