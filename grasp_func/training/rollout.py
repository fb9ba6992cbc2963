"""Plays episodes. No other file steps an environment.

Each episode has a seed of its own. What happens in it depends on nothing that happened before, so
any process can play it again.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from grasp_func.core.replay import progress
from grasp_func.core.types import Array, Episode, as_float32
from grasp_func.training.episode_result import EpisodeResult, measure
from grasp_func.training.goal_env import GoalEnv, Observation

Perturb = Callable[[Array, int], Array]  # (greedy action [A], t) -> action taken [A]


class PolicyFn(Protocol):
    """A policy: a function of one observation and goal."""

    def __call__(self, obs: Array, goal: Array, /) -> Array:
        """Returns an action [A] in [-1, 1] for an observation [S] and a goal [G]."""


def run_episode(
    env: GoalEnv,
    policy: PolicyFn,
    seed: int,
    perturb: Perturb | None = None,
    start: str | None = None,
) -> tuple[Episode, EpisodeResult]:
    """Plays one episode and measures how it went; see `play_episode`."""
    episode, observations = play_episode(env, policy, seed, perturb, start)
    goals = np.repeat(episode.goal[None], len(episode.action), axis=0)
    rewards = env.compute_reward(episode.achieved[1:], goals, {})
    return episode, measure(seed, observations, rewards, env.object_name, env.spec)


def play_episode(
    env: GoalEnv,
    policy: PolicyFn,
    seed: int,
    perturb: Perturb | None = None,
    start: str | None = None,
) -> tuple[Episode, list[Observation]]:
    """Plays one episode.

    Args:
        env: the environment.
        policy: chooses the actions.
        seed: of the episode.
        perturb: changes the actions; None: they are taken as they are.
        start: one of the environment's `starts`; None: its usual one.

    Returns:
        the episode for replay, and the T + 1 observations.

    Raises:
        UserError: the environment does not play episodes of its fixed length.
        FloatingPointError: the environment returned a number that is not finite.
    """
    now = env.reset(seed, start)
    observations, actions = [now], []
    for t in range(env.spec.horizon):
        action = policy(now.obs, now.goal)
        action = action if perturb is None else perturb(action, t)
        now = env.step(action)
        observations.append(now)
        actions.append(action)
    achieved = as_float32([observation.achieved for observation in observations])
    lifts = [observation.lift for observation in observations if observation.lift is not None]
    # An environment may leave it out of the info of `reset`.
    lift = as_float32(lifts)
    episode = Episode(
        obs=as_float32([observation.obs for observation in observations]),
        achieved=achieved,
        goal=as_float32(now.goal),
        action=as_float32(actions),
        flags=progress(achieved, lift if lifts else None),
    )
    if not all(np.isfinite(field).all() for field in (*episode, lift)):
        raise FloatingPointError(f"{env.name} with seed {seed} gave a number that is not finite")
    return episode, observations
