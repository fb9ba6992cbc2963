"""The training loop: rollouts, replay, updates, and an evaluation after every epoch.

The loop is deterministic: what a cycle does depends on the configuration, the agent's state, the
replay buffers, and keys made of seed, worker and cycle. Departs from Dext-Gen: training and
evaluation share one success rule, early stopping needs a second, larger evaluation to agree, and
exploration may decrease late in training.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch

from grasp_func.config.load import Config
from grasp_func.core.ddpg import AgentState
from grasp_func.core.replay import ReplayBuffer, ReplaySampling, draw_batches
from grasp_func.core.rng import Stream, fold_in, integer_seed
from grasp_func.core.types import Metrics, Transition
from grasp_func.runtime.comm import on_each
from grasp_func.training.collect import collect
from grasp_func.training.evaluation import EvalResult, OnEpisode, evaluate_agent, greedy_policy
from grasp_func.training.progress import (
    CycleResult,
    OnCycle,
    OnProgress,
    Reporter,
    Times,
    UpdateMetrics,
)
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import Run, empty_buffers, select


class EpochResult(NamedTuple):
    """A run after an epoch; epoch 0 evaluates the pre-trained agent that a run begins with."""

    state: AgentState
    schedule: ScheduleState
    eval_result: EvalResult
    confirmation: EvalResult | None  # second evaluation, where the first reached `early_stop`
    best: EvalResult | None  # confirmed success, where the agent is the best of the run so far
    eval_seed: int
    confirm_seed: int
    best_seed: int  # of the episodes of `best`
    env_steps: int  # of all workers since the run began
    metrics: UpdateMetrics | None  # of the epoch's last update; None: it had none
    params_hash: str
    seconds: float  # since `train` was called; of a recorded run, since it began
    times: Times  # of this process during the epoch
    buffers: list[ReplayBuffer]  # of this process's workers; training goes on to write to them
    angle_tolerance: float | None  # of the epoch and its evaluation (rad)
    curriculum_active: bool  # whether that is wider than the true task's

    def reached_goal(self, cfg: Config) -> bool:
        """Returns whether training ends early with this epoch: `early_stop` is confirmed."""
        decisive = self.eval_result if cfg.confirm_episodes == 0 else self.confirmation
        success = min(self.eval_result.success, decisive.success if decisive else 0.0)
        return success >= cfg.early_stop and not self.curriculum_active

    def lost_patience(self, cfg: Config) -> bool:
        """Returns whether training ends with this epoch for want of a better agent."""
        return cfg.patience is not None and self.schedule.without_better >= cfg.patience

    def is_last(self, cfg: Config) -> bool:
        """Returns whether training ends with this epoch."""
        completed = self.schedule.epoch >= cfg.epochs
        return completed or self.reached_goal(cfg) or self.lost_patience(cfg)


def train(
    run: Run,
    state: AgentState,
    schedule: ScheduleState | None = None,
    buffers: list[ReplayBuffer] | None = None,
    on_cycle: OnCycle | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[EpochResult]:
    """Trains until `early_stop` is confirmed, `patience` is lost or `epochs` are completed.

    A run that begins with a pre-trained agent evaluates it first, in the true task: epoch 0.

    Args:
        run: what stays fixed.
        state: the agent to start from.
        schedule: of a resumed run; None: a run that begins.
        buffers: replay of this process's workers; None: empty.
        on_cycle: called after every cycle.
        on_progress: called when this process begins an activity, and before every episode of
            an evaluation.

    Yields:
        the result of each epoch.

    Raises:
        DesyncError: the processes' states differ.
        FloatingPointError: training diverged.
        UserError: the environment cannot be used, on all processes.
    """
    cfg, started, report = run.cfg, time.monotonic(), Reporter(on_progress)
    schedule = schedule or ScheduleState()
    buffers = buffers or empty_buffers(run)
    untried = bool(cfg.load_pretrained) and schedule.epoch == 0
    while True:
        true = run.env.true_angle_tolerance
        tolerance = true if untried else schedule.angle_tolerance(cfg, true)
        if tolerance is not None:
            run.env.angle_tolerance = tolerance
        metrics: UpdateMetrics | None = None
        if not untried:
            state, metrics = _run_cycles(run, state, buffers, schedule, report, on_cycle)
        untried = False
        result = _end_epoch(run, state, schedule, buffers, metrics, report)
        result = result._replace(seconds=time.monotonic() - started, times=report.lap())
        state, schedule = result.state, result.schedule
        report("saving")
        yield result
        if result.is_last(cfg):
            return


def _run_cycles(
    run: Run,
    state: AgentState,
    buffers: list[ReplayBuffer],
    schedule: ScheduleState,
    report: Reporter,
    on_cycle: OnCycle | None,
) -> tuple[AgentState, UpdateMetrics]:
    """Runs the cycles of an epoch."""
    first = schedule.epoch * run.cfg.cycles
    for cycle in range(first, first + run.cfg.cycles):
        state, metrics = run_cycle(run, state, buffers, cycle, schedule, report)
        if on_cycle is not None:
            env_steps = (cycle + 1) * run.steps_per_cycle
            on_cycle(CycleResult(cycle + 1, env_steps, int(state.step), metrics))
    return state, metrics


def run_cycle(
    run: Run,
    state: AgentState,
    buffers: list[ReplayBuffer],
    cycle: int,
    schedule: ScheduleState,
    report: Reporter,
) -> tuple[AgentState, UpdateMetrics]:
    """Runs one cycle: rollouts, normalizer update, gradient steps, target update.

    Returns:
        the new state, and the metrics of the last update.
    """
    cfg, learner = run.cfg, run.learner
    policy = greedy_policy(run, state)
    comm, local_workers = run.workers.comm, run.workers.local_workers
    of_epoch = cycle % cfg.cycles, cfg.cycles
    report("rollouts", *of_epoch)
    moments = on_each(
        comm,
        lambda: [
            collect(run, policy, buffer, (worker, cycle), schedule)
            for worker, buffer in zip(local_workers, buffers, strict=True)
        ],
    )
    for obs, goal in run.workers.gather(moments):
        state = learner.update_normalizers(state, obs, goal)
    report("updates", *of_epoch)
    per_update: list[Metrics] = []
    drawn = on_each(comm, lambda: _draw(run, buffers, cycle, schedule))
    for batches in zip(*drawn, strict=True):
        state, metrics = learner.update(state, batches)
        per_update.append(metrics)
        if cfg.soft_update_every == "update":
            state = learner.soft_update_targets(state)
    if cfg.soft_update_every == "cycle":
        state = learner.soft_update_targets(state)
    return state, _last_finite(per_update, cycle)


def _end_epoch(
    run: Run,
    state: AgentState,
    schedule: ScheduleState,
    buffers: list[ReplayBuffer],
    metrics: UpdateMetrics | None,
    report: Reporter,
) -> EpochResult:
    """Evaluates the agent and sets what the schedule changes for the next epoch.

    Without metrics there was no update: the agent is a pre-trained one.
    """
    cfg = run.cfg
    key = run.key if metrics else fold_in(run.key, Stream.PRETRAINED)
    curriculum_active = run.env.angle_tolerance != run.env.true_angle_tolerance
    params_hash = run.workers.assert_synced(state)
    eval_seed, confirm_seed, best_seed = (
        integer_seed(fold_in(key, stream, schedule.epoch))
        for stream in (Stream.EVALUATE, Stream.CONFIRM, Stream.BEST)
    )
    first, second = partial(report, "evaluation"), partial(report, "confirmation")
    eval_result = evaluate_agent(run, state, eval_seed, cfg.evals * run.workers.total, first)
    confirmation = best = None
    if eval_result.success >= cfg.early_stop and cfg.confirm_episodes and not curriculum_active:
        confirmation = evaluate_agent(run, state, confirm_seed, cfg.confirm_episodes, second)
        best_seed = confirm_seed
    if not curriculum_active:
        best = confirmation or _confirm(run, state, schedule, eval_result, best_seed, second)
    lower_bound = eval_result.overall.pooled(best.overall).interval[0] if best else 0.0
    if lower_bound <= schedule.best_confirmed:
        best = None
    if metrics:
        schedule = schedule.advanced(cfg, eval_result.success, curriculum_active, lower_bound)
    else:
        schedule = schedule.pretrained(cfg, eval_result.success, lower_bound)
    return EpochResult(
        state=replace(state, lr_scale=torch.tensor(schedule.lr_scale(cfg))),
        schedule=schedule,
        eval_result=eval_result,
        confirmation=confirmation,
        best=best,
        eval_seed=eval_seed,
        confirm_seed=confirm_seed,
        best_seed=best_seed,
        env_steps=schedule.epoch * cfg.cycles * run.steps_per_cycle,
        metrics=metrics,
        params_hash=params_hash,
        seconds=0.0,
        times=Times(0.0, 0.0, 0.0, 0.0),
        buffers=buffers,
        angle_tolerance=run.env.angle_tolerance,
        curriculum_active=curriculum_active,
    )


def _confirm(
    run: Run,
    state: AgentState,
    schedule: ScheduleState,
    eval_result: EvalResult,
    seed: int,
    on_episode: OnEpisode,
) -> EvalResult | None:
    """Evaluates an agent that may be the best so far on as many other episodes.

    The highest of many success rates is that of a lucky evaluation, so more episodes are needed to
    select an agent.
    """
    if eval_result.success == 0 or eval_result.success < schedule.best_confirmed:
        return None
    return evaluate_agent(run, state, seed, eval_result.overall.n, on_episode)


def _draw(
    run: Run, buffers: list[ReplayBuffer], cycle: int, schedule: ScheduleState
) -> list[list[Transition]]:
    """Draws the cycle's batches of each of this process's workers."""
    cfg, sampling = run.cfg, select(ReplaySampling, run.cfg, k=schedule.k(run.cfg))
    reward_fn = partial(run.env.compute_reward, tolerance_share=cfg.replay_tolerance)
    return [
        draw_batches(
            buffer,
            fold_in(run.key, Stream.REPLAY, worker, cycle),
            cfg.batches,
            cfg.batch_size,
            sampling,
            reward_fn,
            symmetry=run.env_spec.symmetry,
        )
        for worker, buffer in zip(run.workers.local_workers, buffers, strict=True)
    ]


def _last_finite(per_update: list[Metrics], cycle: int) -> UpdateMetrics:
    """Returns the metrics of a cycle's last update.

    Raises:
        FloatingPointError: those of one of the updates are not finite.
    """
    values = torch.stack([torch.stack(list(metrics.values())) for metrics in per_update])
    bad = torch.nonzero(~torch.isfinite(values).all(dim=1)).flatten().tolist()
    update = bad[0] if bad else len(per_update) - 1
    numbers = {name: float(value) for name, value in per_update[update].items()}
    if bad:
        raise FloatingPointError(
            f"training diverged in cycle {cycle + 1}, update {update + 1} of {len(per_update)}: "
            f"{numbers}; lower actor_lr or critic_lr"
        )
    return UpdateMetrics(**numbers)
