"""Collects training episodes: exploration with keys of its own for every episode."""

import numpy as np
import torch

from grasp_func.core import normalizer
from grasp_func.core.noise import draw_noise, explore
from grasp_func.core.normalizer import NormState
from grasp_func.core.numpy_policy import Policy
from grasp_func.core.replay import ReplayBuffer
from grasp_func.core.rng import Key, Stream, fold_in, integer_seed, numpy_rng
from grasp_func.core.types import Episode
from grasp_func.training.rollout import play_episode
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import Run


def collect(
    run: Run,
    policy: Policy,
    buffer: ReplayBuffer,
    worker_cycle: tuple[int, int],
    schedule: ScheduleState,
) -> tuple[NormState, NormState]:
    """Plays a worker's episodes of a cycle into its replay buffer.

    Args:
        run: what stays fixed.
        policy: greedy actions, to which noise is added.
        buffer: of the worker; the episodes are appended.
        worker_cycle: indices of worker and cycle, which define the episodes' keys.
        schedule: exploration and starts.

    Returns:
        the moments of the episodes' observations and of their goals.
    """
    worker, cycle = worker_cycle
    first = cycle * run.cfg.rollouts
    episodes = [
        _explore_episode(run, policy, schedule, (worker, first + i))
        for i in range(run.cfg.rollouts)
    ]
    for episode in episodes:
        buffer.append(episode)
    obs = torch.from_numpy(np.concatenate([episode.obs for episode in episodes]))
    goals = torch.from_numpy(np.stack([episode.goal for episode in episodes]))
    return normalizer.batch_moments(obs), normalizer.batch_moments(goals)


def _explore_episode(
    run: Run, policy: Policy, schedule: ScheduleState, address: tuple[int, int]
) -> Episode:
    """Plays a training episode; worker and episode number are its address."""

    def key(stream: Stream) -> Key:
        return fold_in(run.key, stream, *address)

    cfg, env_spec = run.cfg, run.env_spec
    p_starts = {k: p for k, p in schedule.p_starts(cfg).items() if k in run.env.starts}
    noise = draw_noise(
        key(Stream.EXPLORE),
        env_spec.horizon,
        env_spec.action,
        schedule.exploration(cfg),
        run.noise,
    )
    episode, _ = play_episode(
        run.env,
        policy,
        integer_seed(key(Stream.ENV)),
        lambda action, t: explore(action, noise, t, cfg.action_clip),
        _draw_start(key(Stream.START), p_starts),
    )
    return episode


def _draw_start(key: Key, probabilities: dict[str, float]) -> str | None:
    """Returns one of the names with its probability, else None."""
    left = numpy_rng(key).random()
    for name, probability in probabilities.items():
        if left < probability:
            return name
        left -= probability
    return None
