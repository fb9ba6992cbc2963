"""What an environment must be like to be trained on; each problem is one line with its remedy."""

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from grasp_func.core.symmetry import make_vector_symmetry
from grasp_func.core.types import Array, Symmetry
from grasp_func.errors import ConfigError, UserError

GOAL_KEYS = ("observation", "achieved_goal", "desired_goal")


def check_spaces(env: gymnasium.Env[Any, Any], name: str) -> Box:
    """Checks goals, spaces and the length of episodes; returns the space of actions.

    Raises:
        UserError: something is of another kind.
    """
    space, box = env.observation_space, env.action_space
    if not isinstance(space, gymnasium.spaces.Dict) or not hasattr(env.unwrapped, "compute_reward"):
        raise UserError(
            f"{name} has no goals: hindsight replay needs observations of {', '.join(GOAL_KEYS)} "
            "and compute_reward"
        )
    if env.spec is None or env.spec.max_episode_steps is None:
        raise UserError(
            f"{name} has no max_episode_steps: episodes must have a fixed length; register the "
            "environment with max_episode_steps and make it with gymnasium.make"
        )
    for key in GOAL_KEYS:
        found = space.spaces.get(key)
        if not isinstance(found, Box) or len(found.shape) != 1:
            raise UserError(f"{name}: {key} is {found}, expected a Box with one axis")
    achieved, desired = space["achieved_goal"].shape, space["desired_goal"].shape
    if achieved != desired:
        raise UserError(f"{name}: achieved_goal has {achieved}, desired_goal {desired}, not equal")
    if not isinstance(box, Box) or len(box.shape) != 1 or box.dtype not in (np.float32, np.float64):
        raise UserError(f"{name}: actions are {box}, expected a Box of floats with one axis")
    if not box.is_bounded("both"):
        raise UserError(f"{name}: actions are {box}, expected finite bounds to scale [-1, 1] to")
    return box


def reward_shift(
    compute_reward: Callable[..., Any], observed: dict[str, Array], lowest: float, name: str
) -> float:
    """Returns what is added to rewards so that they are 0 at the goal and not above elsewhere.

    Args:
        compute_reward: of the environment.
        observed: the observation after a reset.
        lowest: reward after the shift.
        name: of the environment.

    Raises:
        ConfigError: rewards are neither in [lowest, 0] nor in {0, 1}, or not vectorised.
    """
    goal = np.asarray(observed["desired_goal"])
    pairs = np.stack([goal, np.asarray(observed["achieved_goal"])]), np.stack([goal, goal])
    try:
        rewards = np.asarray(compute_reward(*pairs, {}), np.float64)
    except Exception as error:
        raise ConfigError(
            f"{name}: compute_reward fails for goals {pairs[0].shape} without info ({error!r}), "
            "expected rewards [N] of goals [N, G]"
        ) from error
    if rewards.shape != (2,):
        raise ConfigError(
            f"{name}: compute_reward of goals {pairs[0].shape} has shape {rewards.shape}, expected "
            "(2,), rewards [N] of goals [N, G]"
        )
    at_goal, at_start = rewards.tolist()
    if at_goal == 0 and lowest <= at_start <= 0:
        return 0.0
    if at_goal == 1 and at_start in (0, 1):
        return -1.0
    raise ConfigError(
        f"{name}: reward {at_goal:g} at the goal and {at_start:g} at the start of an episode, "
        f"expected 0 at the goal and {lowest:g} to 0 elsewhere, or 1 at the goal and 0 elsewhere"
    )


def rotation_block(blocks: dict[str, slice], block: str, size: int, name: str) -> slice | None:
    """Returns the entries of a block that holds a rotation; None: there is no such block.

    Args:
        blocks: of the observation, the goal or the action.
        block: its name.
        size: entries of the rotation: 6 for two columns of a matrix, 9 for all, row by row.
        name: of the environment.

    Raises:
        ConfigError: the block has another size.
    """
    entries = blocks.get(block)
    if entries is not None and entries.stop - entries.start != size:
        found, form = entries.stop - entries.start, {6: "first two columns of a", 9: "whole"}[size]
        raise ConfigError(
            f"{name}: block {block} has {found} entries, expected {size}, the {form} rotation "
            "matrix: give another form another name"
        )
    return entries


def declared_symmetry(env: Any, sizes: dict[str, int], name: str) -> Symmetry | None:
    """Returns the symmetries that an environment declares, see `envs.symmetry.Symmetry`.

    Args:
        env: the environment, without wrappers.
        sizes: numbers of entries of "observation", "goal" and "action".
        name: of the environment.

    Raises:
        ConfigError: what is declared is no symmetry, or one of vectors of other sizes.
    """
    declared = getattr(env, "symmetry", None)
    if declared is None:
        return None
    parts = []
    for part, size in sizes.items():
        try:
            found = make_vector_symmetry(
                getattr(declared, part),
                declared.center,
                [getattr(involution, part) for involution in declared.involutions],
            )
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{name}: symmetry of {part}: {error}; expected what envs.symmetry.Symmetry holds"
            ) from error
        if len(found.center) != size:
            raise ConfigError(
                f"{name}: symmetry of {part} has blocks of {len(found.center)} entries in all, "
                f"expected {size}"
            )
        parts.append(found)
    return Symmetry(*parts)


def named_slices(blocks: Sequence[tuple[str, int, str]]) -> dict[str, slice]:
    """Returns where each block (name, size, unit) lies."""
    slices, start = {}, 0
    for name, size, _ in blocks:
        slices[name] = slice(start, start + size)
        start += size
    return slices
