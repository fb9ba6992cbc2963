"""The environment as the trainer sees it, and the adapter that makes it of a Gymnasium environment.

No other file of the trainer steps a Gymnasium environment. What the adapter cannot use is refused
when it is built, in one line that says what is expected.
"""

from inspect import signature
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary

import gymnasium
import numpy as np
from gymnasium.spaces import Box

from grasp_func.core.networks import EMBEDDING, MATRIX
from grasp_func.core.types import Array, EnvSpec
from grasp_func.errors import ConfigError, UserError
from grasp_func.training.env_checks import (
    check_spaces,
    declared_symmetry,
    named_slices,
    reward_shift,
    rotation_block,
)

ROTATION_BLOCK = "grip_rot_matrix"
# Blocks of a goal. Without names, a goal of up to three entries is a position.
GOAL_POSITION, GOAL_ROTATION = "object_pos", "object_rot"
T = TypeVar("T", bool, float)


class Observation(NamedTuple):
    """What the trainer learns at a reset and after a step."""

    obs: Array  # [S]
    achieved: Array  # [G]
    goal: Array  # [G]
    success: bool  # whether the goal is achieved now
    air: bool | None  # whether the goal requires lifting; None: the environment does not say
    # How much higher above the ground below it the object is than at the start (m); None: the
    # environment does not say.
    lift: float | None


class GoalEnv(Protocol):
    """What the trainer needs of an environment: goals, sparse rewards, episodes of one length.

    Attributes:
        name: id of the environment.
        spec: sizes, names of blocks, length of an episode.
        starts: names that `reset` accepts as `start`.
        gripper_type: name of the end effector; agents of one gripper can start from each other.
        true_angle_tolerance: of the task (rad); it never changes. None: goals name no rotation.
        angle_tolerance: in use (rad); training sets it, and `compute_reward` follows it.
        object_name: of the object in the present episode; None: the environment does not say.
        notes: what the user should know about the adaptation, one line each.
    """

    name: str
    spec: EnvSpec
    starts: tuple[str, ...]
    gripper_type: str
    true_angle_tolerance: float | None
    angle_tolerance: float | None
    notes: tuple[str, ...]

    @property
    def object_name(self) -> str | None: ...  # noqa: D102

    def reset(self, seed: int, start: str | None = None) -> Observation:
        """Begins the episode that `seed` defines, from one of `starts`; None: the usual start."""

    def step(self, action: Array) -> Observation:
        """Takes an action [A] in [-1, 1]; called exactly `spec.horizon` times an episode."""

    def compute_reward(
        self,
        achieved: Array,
        desired: Array,
        info: dict[str, Any],
        tolerance_share: float = 1.0,
    ) -> Array:
        """Rewards [...] in [spec.lowest_reward, 0] of goals [..., G]; 0 where achieved.

        `tolerance_share` is the share of the position's tolerance within which they are.
        """


# Training changes an environment's tolerance, so the task's own is recorded when an environment is
# adapted for the first time.
_task_tolerances: WeakKeyDictionary[Any, float | None] = WeakKeyDictionary()


class GymGoalEnv:
    """A `GoalEnv` made of any Gymnasium environment with goals.

    The environment has an observation of `observation`, `achieved_goal` and `desired_goal` (Boxes
    with one axis), a bounded Box of actions, `max_episode_steps`, and a vectorised
    `compute_reward(achieved_goal, desired_goal, info)` with rewards -1 and 0 or 0 and 1.

    * An episode that the environment terminates, for example on success, is played on to its fixed
      length. With hindsight replay and a reward of 0 for as long as the goal is achieved this is
      the same task, and no value has to be bootstrapped at an end that is none.
    * Actions in [-1, 1] are scaled linearly to the environment's box.
    * Rewards of 0 and 1 are shifted to -1 and 0.
    * Without `info["is_success"]` an episode succeeds where the reward is that of the goal.
    * A reward within a share of the tolerance needs `compute_reward` to have an argument
      `tolerance_share`; without it the whole tolerance counts.
    * `info["air_goal"]` says whether the goal requires lifting, and `info["object_lift"]` how much
      higher above the ground below it the object is than at the start (m). Both are optional.
    * Equal bits on any number of processes and after a resume need episodes that depend on their
      seed alone. This is not checked.

    Attributes that are used if the environment has them: `observation_layout`, `action_layout` and
    `goal_layout` (blocks of name, size and unit), `starts`, `gripper_type`, `lowest_reward`,
    `symmetry`, `object_info()`, whose `name` is that of the object, and `angle_tolerance`, whose
    value at the first adaptation is the true task's.

    Args:
        env: the environment; it is reset once.

    Raises:
        UserError: the environment is of another kind.
        ConfigError: its rewards or its `symmetry` are.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        """Checks the environment and reads what it says of itself."""
        inner: Any = env.unwrapped
        self.name = str(env) if env.spec is None else env.spec.id
        box = check_spaces(env, self.name)
        self._env = env
        self._box = None if (box.low == -1).all() and (box.high == 1).all() else box
        self._t, self._terminated_at = 0, 0
        self.spec = _spec_of(env)
        self.starts: tuple[str, ...] = tuple(getattr(inner, "starts", ()))
        self.gripper_type: str = getattr(inner, "gripper_type", self.name)
        self._takes_share = "tolerance_share" in signature(inner.compute_reward).parameters
        self.true_angle_tolerance = _task_tolerances.setdefault(inner, self.angle_tolerance)
        first, _ = env.reset(seed=0)
        self._shift = reward_shift(inner.compute_reward, first, self.spec.lowest_reward, self.name)
        shifted = f"{self.name}: rewards of 0 and 1 are shifted to -1 and 0"
        self.notes: tuple[str, ...] = (shifted,) if self._shift else ()

    @property
    def angle_tolerance(self) -> float | None:
        """Angle (rad) within which a goal's rotation counts as achieved; None: no rotation."""
        return getattr(self._env.unwrapped, "angle_tolerance", None)

    @angle_tolerance.setter
    def angle_tolerance(self, value: float | None) -> None:
        self._env.unwrapped.angle_tolerance = value  # type: ignore[attr-defined]

    @property
    def object_name(self) -> str | None:
        """Name of the object in the present episode; None: the environment does not say."""
        return object_name(self._env)

    def reset(self, seed: int, start: str | None = None) -> Observation:
        """Begins the episode that `seed` defines."""
        self._t = self._terminated_at = 0
        options = {"start": start} if start else None
        return self._observation(*self._env.reset(seed=seed, options=options))

    def step(self, action: Array) -> Observation:
        """Takes an action [A] in [-1, 1], also after the environment has terminated the episode.

        Raises:
            UserError: the environment truncates episodes before `max_episode_steps`, or cannot go
                on after a termination.
        """
        self._t += 1
        try:
            after = self._env.step(action if self._box is None else _scaled(action, self._box))
        except Exception as error:
            if not self._terminated_at:
                raise
            raise UserError(
                f"{self.name}: step() fails after the environment has terminated an episode at "
                f"step {self._terminated_at} of {self.spec.horizon} ({error!r}): episodes are "
                "played to their full length, so step() must go on working"
            ) from error
        observation, _, terminated, truncated, info = after
        if terminated and not self._terminated_at:
            self._terminated_at = self._t
        if truncated and self._t < self.spec.horizon:
            raise UserError(
                f"{self.name}: truncated an episode at step {self._t}, expected only at "
                f"max_episode_steps = {self.spec.horizon}"
            )
        return self._observation(observation, info)

    def compute_reward(
        self,
        achieved: Array,
        desired: Array,
        info: dict[str, Any],
        tolerance_share: float = 1.0,
    ) -> Array:
        """Returns rewards [...] of goals [..., G], in [lowest_reward, 0].

        Raises:
            ConfigError: a reward is out of that range.
        """
        inner: Any = self._env.unwrapped
        share = {"tolerance_share": tolerance_share} if self._takes_share else {}
        rewards = np.asarray(inner.compute_reward(achieved, desired, info, **share))
        if self._shift:
            rewards = rewards + self._shift
        low = self.spec.lowest_reward
        if rewards.size and not (low <= rewards.min() and rewards.max() <= 0):
            raise ConfigError(
                f"{self.name}: compute_reward gave {rewards.min() - self._shift:g} to "
                f"{rewards.max() - self._shift:g}, expected {low - self._shift:g} to "
                f"{0 - self._shift:g}; declare a lower bound other than -1 in the environment's "
                "attribute lowest_reward"
            )
        return rewards

    def close(self) -> None:
        """Closes the environment."""
        self._env.close()

    def _observation(self, observed: dict[str, Array], info: dict[str, Any]) -> Observation:
        achieved, goal = observed["achieved_goal"], observed["desired_goal"]
        success = info.get("is_success")
        if success is None:
            success = self.compute_reward(achieved, goal, info) == 0
        air, lift = info.get("air_goal"), info.get("object_lift")
        return Observation(
            observed["observation"],
            achieved,
            goal,
            self._one("is_success", success, bool),
            None if air is None else bool(air),
            None if lift is None else self._one("object_lift", lift, float),
        )

    def _one(self, key: str, value: Any, kind: type[T]) -> T:
        """Returns an entry of `info`, a number or an array of one, as a bool or a float."""
        values = np.asarray(value)
        if values.size != 1:
            raise UserError(f'{self.name}: info["{key}"] = {value}, expected one {kind.__name__}')
        return kind(values.item())


def object_name(env: gymnasium.Env[Any, Any]) -> str | None:
    """Returns the name of the object in the present episode; None: the environment does not say."""
    describe = getattr(env.unwrapped, "object_info", None)
    return str(describe().name) if callable(describe) else None


def make_env(
    env_id: str, kwargs: dict[str, Any], render_mode: str | None = None
) -> gymnasium.Env[Any, Any]:
    """Makes a registered Gymnasium environment.

    Raises:
        ConfigError: there is none of that id, or it does not accept the arguments or the render
            mode.
    """
    given = kwargs if render_mode is None else {**kwargs, "render_mode": render_mode}
    try:
        env = gymnasium.make(env_id, **given)
    except (ValueError, TypeError) as error:
        # Gymnasium appends the id and the arguments, which this message begins with.
        reason, _, _ = str(error).partition(" was raised from the environment creator")
        raise ConfigError(f"{env_id}: kwargs {given} not accepted: {reason}") from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        raise ConfigError(f"{env_id}: cannot be made: {error}") from error
    # Gymnasium only warns of it.
    if render_mode not in (None, *env.metadata.get("render_modes", ())):
        env.close()
        raise ConfigError(
            f"{env_id}: has no render mode {render_mode}, so it cannot be shown or filmed: leave "
            "out --render and --record, and set --film-every 0"
        )
    return env


def _spec_of(env: gymnasium.Env[Any, Any]) -> EnvSpec:
    """Returns sizes and names of an environment whose spaces were checked."""
    inner, spaces = env.unwrapped, env.observation_space
    assert env.spec is not None and env.spec.max_episode_steps is not None
    sizes = {
        "observation": spaces["observation"].shape[0],  # type: ignore[index]
        "goal": spaces["desired_goal"].shape[0],  # type: ignore[index]
        "action": env.action_space.shape[0],  # type: ignore[index]
    }
    goal = sizes["goal"]
    unnamed = {GOAL_POSITION: slice(0, goal)} if goal <= 3 else {}
    goal_blocks = named_slices(getattr(inner, "goal_layout", ())) or unnamed
    obs_blocks = named_slices(getattr(inner, "observation_layout", ()))
    action_blocks = named_slices(getattr(inner, "action_layout", ()))
    goal_rotation = rotation_block(goal_blocks, GOAL_ROTATION, EMBEDDING, env.spec.id)
    # An observation may hold a rotation in any form, as long as no goal does.
    wanted = obs_blocks if goal_rotation else {}
    return EnvSpec(
        obs=sizes["observation"],
        goal=goal,
        action=sizes["action"],
        rotation=rotation_block(action_blocks, ROTATION_BLOCK, MATRIX, env.spec.id),
        obs_blocks=obs_blocks,
        horizon=env.spec.max_episode_steps,
        lowest_reward=getattr(inner, "lowest_reward", -1.0),
        symmetry=declared_symmetry(inner, sizes, env.spec.id),
        goal_position=goal_blocks.get(GOAL_POSITION),
        goal_rotation=goal_rotation,
        achieved_rotation=rotation_block(wanted, GOAL_ROTATION, EMBEDDING, env.spec.id),
    )


def _scaled(action: Array, box: Box) -> Array:
    """Maps [-1, 1] to a box, linearly; what lies outside goes to the nearest bound."""
    scaled = box.low + (np.asarray(action, np.float64) + 1) / 2 * (box.high - box.low)
    return np.clip(scaled, box.low, box.high).astype(box.dtype)
