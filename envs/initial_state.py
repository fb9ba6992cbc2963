"""How an episode begins, as one plain value: chance is drawn into it, the environment applies it.

So an episode can be written down and begun again elsewhere. Departs from Dext-Gen, which saves
MuJoCo's internal state; a simulator's internal state would not be enough for equal bits here.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .objects.spec import ObjectSpec
from .observation import POSITION_BOUND
from .options import LARGEST, SIZE_STEPS, SMALLEST, Options
from .sim.rotations import Quaternion, Vector
from .tasks.placement import Ground
from .tasks.pregrasp import sample_offset
from .tasks.tasks import Task

STARTS = ("default", "pregrasp")
_LENGTHS = {
    "object_position": 3,
    "object_rotation": 4,
    "gripper": 2,
    "pregrasp": 3,
}


class InitialState(NamedTuple):
    """All that chance decides about an episode.

    Attributes:
        object_name: of the object.
        object_size: factor on its size.
        object_position: of its centre (world, m).
        object_rotation: quaternion xyzw (world).
        gripper: x and y of the grip frame (world, m).
        goal: of the task, first of all a position for the object's centre (world, m).
        pregrasp: offset of the hand from its grasp of the object (world, m); None: it begins at
            `gripper`, pointing down.
    """

    object_name: str
    object_size: float
    object_position: Vector
    object_rotation: Quaternion
    gripper: tuple[float, float]
    goal: tuple[float, ...]
    pregrasp: Vector | None = None


def sample_start(
    rng: np.random.Generator,
    ground: Ground,
    task: Task,
    objects: tuple[ObjectSpec, ...],
    options: Options,
    kind: str = "default",
) -> InitialState:
    """Draws a start of one of STARTS: gripper above the ground, object at rest on it.

    Object and goal are the same for all kinds.

    Raises:
        ResetError: no start fulfils the arena's distances.
    """
    spec = objects[int(rng.integers(len(objects)))]
    low, high = options.sizes
    size = low + (high - low) * (int(SIZE_STEPS * rng.random()) / (SIZE_STEPS - 1))
    gripper = ground.arena.sample_gripper(rng)
    resting, rotation = ground.lay(rng, spec, size, gripper)
    goal = task.sample_goal(rng, ground.arena, resting, rotation, options.air_goal_share)
    pregrasp = sample_offset(rng) if kind == "pregrasp" else None
    return InitialState(spec.name, size, resting, rotation, gripper, goal, pregrasp)


def save_start(start: InitialState, env_id: str) -> dict[str, Any]:
    """The start as a value of built-in types, with the environment it belongs to."""
    return {"env_id": env_id, **start._asdict()}


def wanted_start(
    options: Mapping[str, Any] | None, env_id: str, names: Sequence[str], goal_size: int
) -> InitialState | str:
    """The kind of start that reset's options name, or the saved one that they hold.

    Args:
        options: of reset.
        env_id: as of `load_start`, like the others.
        names: likewise.
        goal_size: likewise.

    Raises:
        ValueError: neither.
    """
    unknown = set(options or {}) - {"start"}
    if unknown:
        raise ValueError(f"reset options {sorted(unknown)}, expected only 'start'")
    start = (options or {}).get("start", "default")
    if isinstance(start, dict):
        return load_start(start, env_id, names, goal_size)
    if start not in STARTS:
        raise ValueError(f"start = {start!r}, expected one of {STARTS} or a saved start")
    return str(start)


def load_start(
    saved: Mapping[str, Any], env_id: str, names: Sequence[str], goal_size: int
) -> InitialState:
    """The start that `save_start` wrote down; lists may stand for tuples, as in JSON.

    Args:
        saved: what `save_start` returned.
        env_id: the environment that is to begin with it.
        names: of the objects that the environment has.
        goal_size: numbers in its goals.

    Raises:
        ValueError: an entry is missing, unknown, or not what it should be.
    """
    if set(saved) != {"env_id", *InitialState._fields}:
        expected = ["env_id", *InitialState._fields]
        raise ValueError(f"start has {list(saved)}, expected {expected}")
    if saved["env_id"] != env_id:
        raise ValueError(f"start belongs to {saved['env_id']!r}, expected {env_id!r}")
    if saved["object_name"] not in names:
        raise _error(saved, "object_name", f"one of {sorted(set(names))}")
    size = saved["object_size"]
    if not (isinstance(size, int | float) and SMALLEST <= size <= LARGEST):
        raise _error(saved, "object_size", f"a value in [{SMALLEST}, {LARGEST}]")
    optional = {"pregrasp"} if saved["pregrasp"] is None else set()
    lengths = {**_LENGTHS, "goal": goal_size}
    numbers = {key: _numbers(saved, key, n) for key, n in lengths.items() if key not in optional}
    if abs(math.hypot(*numbers["object_rotation"]) - 1.0) > 1e-6:
        raise _error(saved, "object_rotation", "a quaternion of length 1")
    return InitialState(saved["object_name"], float(size), **numbers)


def _numbers(saved: Mapping[str, Any], key: str, n: int) -> Any:
    """A tuple of `n` numbers, bounded as all positions are."""
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
