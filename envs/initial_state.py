"""InitialState: the result of all random choices at the start of an episode, as one plain value.

It can be saved and loaded elsewhere to repeat the start of the episode. Departs from Dext-Gen,
which saves MuJoCo's internal state; PyBullet's internal state would not reproduce the same bits.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .objects.spec import ObjectSpec
from .observation import POSITION_BOUND
from .options import MAX_SIZE, MIN_SIZE, N_SIZES, Options
from .sim.rotations import Quaternion, Vector
from .tasks.goals import Task
from .tasks.placement import Ground
from .tasks.pregrasp import MAX_RAISED, sample_hold, sample_offset

STARTS = ("default", "pregrasp", "grasp")
_LENGTHS = {
    "object_position": 3,
    "object_rotation": 4,
    "gripper": 2,
    "pregrasp": 3,
}


class InitialState(NamedTuple):
    """Everything that is random about an episode.

    Attributes:
        object_name: of the object.
        object_size: factor on its standard size.
        object_position: of its centre (world, m).
        object_rotation: quaternion xyzw (world).
        gripper: x and y of the grip frame (world, m).
        goal: goal of the task; its first three numbers are a position of the object (world, m).
        pregrasp: offset of the gripper from its grasp of the object (world, m); None: the gripper
            starts at `gripper` and points down.
        raised: how high the gripper has raised the object (m), closed around it at `pregrasp`;
            None: it is open and has not touched the object.
    """

    object_name: str
    object_size: float
    object_position: Vector
    object_rotation: Quaternion
    gripper: tuple[float, float]
    goal: tuple[float, ...]
    pregrasp: Vector | None = None
    raised: float | None = None


def sample_initial_state(
    rng: np.random.Generator,
    ground: Ground,
    task: Task,
    objects: tuple[ObjectSpec, ...],
    options: Options,
    kind: str = "default",
) -> InitialState:
    """Samples an initial state with the object at rest.

    Args:
        rng: random generator.
        ground: the ground on which the object rests.
        task: the task that samples the goal.
        objects: the object is one of these, all equally likely.
        options: sizes and probability of goals above the table.
        kind: one of STARTS; object and goal do not depend on it.

    Raises:
        ResetError: no initial state satisfies the arena's constraints.
    """
    spec = objects[int(rng.integers(len(objects)))]
    low, high = options.sizes
    size = low + (high - low) * (int(N_SIZES * rng.random()) / (N_SIZES - 1))
    gripper = ground.arena.sample_gripper(rng)
    resting, rotation = ground.sample_resting_pose(rng, spec, size, gripper)
    goal = task.sample_goal(rng, ground.arena, resting, rotation, options.air_goal_share)
    pregrasp, raised = None, None
    if kind == "pregrasp":
        pregrasp = sample_offset(rng)
    elif kind == "grasp":
        pregrasp, raised = sample_hold(rng)
    return InitialState(spec.name, size, resting, rotation, gripper, goal, pregrasp, raised)


def save_initial_state(state: InitialState, env_id: str) -> dict[str, Any]:
    """Returns an initial state and the id of its environment as a dict of built-in types."""
    return {"env_id": env_id, **state._asdict()}


def parse_reset_options(
    options: Mapping[str, Any] | None, env_id: str, object_names: Sequence[str], goal_size: int
) -> InitialState | str:
    """Returns the kind of start, or the saved initial state, that the options of `reset` ask for.

    Args:
        options: the argument of `reset`.
        env_id: see `load_initial_state`.
        object_names: see `load_initial_state`.
        goal_size: see `load_initial_state`.

    Raises:
        ValueError: an option is unknown, or its value is invalid.
    """
    unknown = set(options or {}) - {"start"}
    if unknown:
        raise ValueError(f"reset options {sorted(unknown)}, expected only 'start'")
    start = (options or {}).get("start", "default")
    if isinstance(start, dict):
        return load_initial_state(start, env_id, object_names, goal_size)
    if start not in STARTS:
        raise ValueError(f"start = {start!r}, expected one of {STARTS} or what save_reset returned")
    return str(start)


def load_initial_state(
    saved: Mapping[str, Any], env_id: str, object_names: Sequence[str], goal_size: int
) -> InitialState:
    """Returns the initial state that `save_initial_state` saved.

    Args:
        saved: what `save_initial_state` returned; lists may replace tuples, as in JSON. Without
            `raised`, as in version 0.2, it is None.
        env_id: id of the environment that loads it.
        object_names: names of the environment's objects.
        goal_size: length of the environment's goals.

    Raises:
        ValueError: an entry is missing, unknown or invalid.
    """
    expected = ["env_id", *InitialState._fields]
    if {"raised", *saved} != set(expected):
        raise ValueError(f"start has the keys {list(saved)}, expected {expected}")
    if saved["env_id"] != env_id:
        raise ValueError(f"start belongs to {saved['env_id']!r}, expected {env_id!r}")
    if saved["object_name"] not in object_names:
        raise _error(saved, "object_name", f"one of {sorted(set(object_names))}")
    size = saved["object_size"]
    if not (isinstance(size, int | float) and MIN_SIZE <= size <= MAX_SIZE):
        raise _error(saved, "object_size", f"a value in [{MIN_SIZE}, {MAX_SIZE}]")
    optional = {"pregrasp"} if saved["pregrasp"] is None else set()
    lengths = {**_LENGTHS, "goal": goal_size}
    numbers = {key: _numbers(saved, key, n) for key, n in lengths.items() if key not in optional}
    if abs(math.hypot(*numbers["object_rotation"]) - 1.0) > 1e-6:
        raise _error(saved, "object_rotation", "a quaternion of length 1")
    return InitialState(saved["object_name"], float(size), **numbers, raised=_raised(saved))


def _raised(saved: Mapping[str, Any]) -> float | None:
    """Returns the entry of that name."""
    raised = saved.get("raised")
    if raised is None:
        return None
    is_height = isinstance(raised, int | float) and 0.0 <= raised <= MAX_RAISED
    if saved["pregrasp"] is None or not is_height:
        raise _error(saved, "raised", f"None, or at a pregrasp a number in [0, {MAX_RAISED}]")
    return float(raised)


def _numbers(saved: Mapping[str, Any], key: str, n: int) -> Any:
    """Returns an entry as a tuple of `n` numbers within the bounds of positions."""
    values = saved[key]
    if not (
        isinstance(values, Sequence)
        and len(values) == n
        and all(isinstance(v, int | float) and abs(v) <= POSITION_BOUND for v in values)
    ):
        raise _error(saved, key, f"{n} numbers in [-{POSITION_BOUND}, {POSITION_BOUND}]")
    return tuple(float(value) for value in values)


def _error(saved: Mapping[str, Any], key: str, expected: str) -> ValueError:
    return ValueError(f"start: {key} = {saved[key]!r}, expected {expected}")
