"""The tables of an environment's page."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from envs.observation import bounds, observation_layout
from envs.options import Options
from envs.robots.spec import STEP_LENGTH, RobotSpec
from envs.suite import EnvRow
from envs.tasks.goals import Avoid, Orient

NBSP = "\N{NO-BREAK SPACE}"
ROTATIONS = {
    "grip_rot_matrix": "target orientation as a rotation matrix, row by row; the first two columns "
    "are orthonormalised",
    "grip_rot_euler": "target orientation as Euler angles about x, y and z; 1 is pi, pi/2 and pi",
    "grip_rot_quat": "target orientation as a quaternion x, y, z, w of any length",
    "grip_rot_axis_angle": "target orientation as an axis x, y, z of any length and an angle; 1 is "
    "pi",
}
BLOCKS = {
    "grip_pos": "position of the grip frame x, y, z",
    "grip_rot": "orientation of the grip frame: first, then second column of its matrix",
    "grip_state": "positions of the joints, see below",
    "grip_velp": "velocity of the grip frame",
    "object_pos": "position of the object's centre",
    "object_rel_pos": "the same, from the grip frame",
    "object_rot": "orientation of the object: first, then second column of its matrix",
    "object_rel_rot": "the same, seen from the grip frame",
    "object_velp": "velocity of the object minus that of the grip frame",
    "object_velr": "angular velocity of the object",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def actions(robot: RobotSpec) -> Iterable[tuple[str, ...]]:
    """Yields a row for each block of an action."""
    rotation, limits = robot.rotation_action, _range(-1, 1)
    yield _span(0, 3), "move the grip frame along x, y, z (world)", f"{STEP_LENGTH} m", limits
    if rotation.size:
        yield _span(3, rotation.size), ROTATIONS[rotation.block], "-", limits
    start, n = 3 + rotation.size, len(robot.basis)
    joints = "both fingers: -1 closed, 1 open" if n == 1 else "joint targets, see below"
    yield _span(start, n), joints, "half the control range", limits


def observations(robot: RobotSpec) -> Iterable[tuple[str, ...]]:
    """Yields a row for each block of an observation."""
    low, high = bounds(robot)
    start = 0
    for name, size, unit in observation_layout(robot):
        part = slice(start, start + size)
        limits = {_range(a, b) for a, b in zip(low[part], high[part], strict=True)}
        shown = limits.pop() if len(limits) == 1 else "by joint"
        yield _span(start, size), f"`{name}`", BLOCKS[name], unit, shown
        start += size


def joints(robot: RobotSpec) -> Iterable[tuple[str, ...]]:
    """Yields a row for each joint; observations of them begin after 3 + 6 entries."""
    first_action = 3 + robot.rotation_action.size
    single = len(robot.basis) == 1
    actuators = {
        a.joint: (f"action {first_action + (0 if single else i)}", _range(*a.control))
        for i, a in enumerate(robot.actuators)
    }
    followers = {c.follower: (f"{number(c.ratio)} x `{c.leader}`", "") for c in robot.couplings}
    for i, link in enumerate(robot.links[1:]):
        driver, control = {**followers, **actuators}[link.name]
        limits = f"{_range(*link.limits)} {robot.joint_unit}"
        yield f"`{link.name}`", str(9 + i), limits, driver, control


def arguments(row: EnvRow) -> str:
    """Returns a table of the constructor's arguments."""
    options = [field for field in fields(Options) if _applies(field.name, row)]
    rows = [(f"`{field.name}`", f"`{field.default!r}`") for field in options]
    link = "[Environments](../environments.md#arguments) explains them."
    return f"{table(('Name', 'Default'), rows)}\n\n{link}"


def _applies(name: str, row: EnvRow) -> bool:
    if name == "angle_tolerance":
        return isinstance(row.task, Orient)
    if name == "violation_cost":
        return isinstance(row.task, Avoid)
    return name != "n_eigengrasps" or row.robot.name != "ParallelJaw"


def rates(result: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    """Yields a row for each kind of goal of an evaluation."""
    for key, name in (("", "all"), ("_table", "on the table"), ("_air", "in the air")):
        low, high = np.round([result[f"success{key}_low"], result[f"success{key}_high"]], 3)
        rate, n = result[f"success{key}"], result[f"n{key}"]
        yield name, f"{rate:.3f}", f"[{low:.3f}, {high:.3f}]", str(n)


def _span(start: int, size: int) -> str:
    return str(start) if size == 1 else f"{start}{NBSP}to{NBSP}{start + size - 1}"


def _range(low: float, high: float) -> str:
    return f"[{number(low)},{NBSP}{number(high)}]"


def number(value: float) -> str:
    """Returns a number with four digits."""
    return f"{value:.4g}"
