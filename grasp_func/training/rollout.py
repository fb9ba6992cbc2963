"""Episodes: the only file that steps an environment.

Every episode is seeded by itself, so what happens in it depends on nothing that happened before,
and the same episode can be played again anywhere.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from grasp_func.core.numpy_policy import Policy, act
from grasp_func.core.rng import Key, fold_in, integer_seed
from grasp_func.core.symmetry import make_vector_symmetry
from grasp_func.core.types import Array, EnvSpec, Episode, Symmetry, as_float32

Perturb = Callable[[Array, int], Array]  # (greedy action [A], t) -> action taken [A]
ROTATION_BLOCK = "grip_rot_matrix"
PREGRASP = "pregrasp"  # environments that can begin so name it in their attribute `starts`


class EpisodeResult(NamedTuple):
    """How an episode ended."""

    success: bool  # at the last step
    air: bool | None  # whether the goal required lifting; None where the environment does not say


class Rate(NamedTuple):
    """Successes in `n` episodes."""

    successes: int
    n: int

    @property
    def value(self) -> float | None:
        """Success rate; None where no episode was played."""
        return self.successes / self.n if self.n else None


class EvalResult(NamedTuple):
    """Success over all episodes and apart by the kind of goal."""

    overall: Rate
    table: Rate
    air: Rate

    @property
    def success(self) -> float:
        """Success rate over all episodes."""
        return self.overall.value or 0.0


def env_spec_of(env: gymnasium.Env[Any, Any]) -> EnvSpec:
    """Reads sizes and block names from an environment with Gymnasium's goal API.

    Raises:
        ValueError: no goal API or no fixed episode length.
    """
    space = env.observation_space
    if not isinstance(space, gymnasium.spaces.Dict) or not hasattr(env.unwrapped, "compute_reward"):
        raise ValueError(
            f"{env} has no goals: hindsight replay needs a dict observation and compute_reward"
        )
    if env.spec is None or env.spec.max_episode_steps is None:
        raise ValueError(f"{env} has no max_episode_steps: episodes must have a fixed length")
    sizes = [math.prod(space[name].shape or ()) for name in ("observation", "desired_goal")]
    actions = _slices(getattr(env.unwrapped, "action_layout", ()))
    return EnvSpec(
        obs=sizes[0],
        goal=sizes[1],
        action=math.prod(env.action_space.shape or ()),
        rotation=actions.get(ROTATION_BLOCK),
        obs_blocks=_slices(getattr(env.unwrapped, "observation_layout", ())),
        horizon=env.spec.max_episode_steps,
        lowest_reward=getattr(env.unwrapped, "lowest_reward", -1.0),
        symmetry=_symmetry(getattr(env.unwrapped, "symmetry", None)),
    )


def run_episode(
    env: gymnasium.Env[Any, Any],
    policy: Policy,
    seed: int,
    perturb: Perturb | None = None,
    start: str | None = None,
) -> tuple[Episode, EpisodeResult]:
    """Plays one episode of the environment's fixed length.

    Args:
        env: Gymnasium goal environment.
        policy: chooses the actions.
        seed: of the episode.
        perturb: changes the actions; None: greedy.
        start: one of the environment's `starts`; None: its usual one.

    Raises:
        RuntimeError: the environment ended the episode early; FloatingPointError: it returned a
            number that is not finite.
    """
    assert env.spec is not None and env.spec.max_episode_steps is not None
    horizon = env.spec.max_episode_steps
    now, info = env.reset(seed=seed, options={"start": start} if start else None)
    observations, actions = [now], []
    for t in range(horizon):
        action = act(policy, now["observation"], now["desired_goal"])
        action = action if perturb is None else perturb(action, t)
        now, _, terminated, truncated, info = env.step(action)
        observations.append(now)
        actions.append(action)
        if terminated or (truncated and t + 1 < horizon):
            raise RuntimeError(f"{env.spec.id} ended an episode at step {t + 1} of {horizon}")
    episode = Episode(
        obs=as_float32([o["observation"] for o in observations]),
        achieved=as_float32([o["achieved_goal"] for o in observations]),
        goal=as_float32(now["desired_goal"]),
        action=as_float32(actions),
    )
    if not all(np.isfinite(field).all() for field in episode):
        raise FloatingPointError(f"{env.spec.id} with seed {seed} gave a number that is not finite")
    air = info.get("air_goal")
    return episode, EpisodeResult(bool(info["is_success"]), None if air is None else bool(air))


def evaluate(
    env: gymnasium.Env[Any, Any], policy: Policy, seed: int, episodes: Sequence[int]
) -> list[EpisodeResult]:
    """Plays the numbered greedy episodes of `seed`; number and seed fix an episode, anywhere."""
    seeds = (integer_seed(fold_in(Key(seed), number)) for number in episodes)
    return [run_episode(env, policy, episode_seed)[1] for episode_seed in seeds]


def score(outcomes: Sequence[EpisodeResult]) -> EvalResult:
    """Counts successes over all episodes, table goals and air goals."""

    def rate(chosen: list[EpisodeResult]) -> Rate:
        return Rate(sum(outcome.success for outcome in chosen), len(chosen))

    table = [outcome for outcome in outcomes if outcome.air is False]
    return EvalResult(rate(list(outcomes)), rate(table), rate([o for o in outcomes if o.air]))


def _symmetry(declared: Any) -> Symmetry | None:
    """Returns what an environment declares in its attribute `symmetry`."""
    if declared is None:
        return None
    names = "observation", "goal", "action"
    return Symmetry(
        *(
            make_vector_symmetry(
                getattr(declared, name),
                declared.center,
                [getattr(involution, name) for involution in declared.involutions],
            )
            for name in names
        )
    )


def _slices(blocks: Sequence[tuple[str, int, str]]) -> dict[str, slice]:
    """Returns where each named block of (name, size, unit) lies."""
    slices, start = {}, 0
    for name, size, _ in blocks:
        slices[name] = slice(start, start + size)
        start += size
    return slices
