"""Symmetries of an environment as plain data: what stays true when a scene is turned or mirrored.

On a flat table the task looks the same from all sides: gripper, object, goal and action may all be
turned about the vertical axis through the table's centre. A gripper with a plane of symmetry may
also be mirrored, and one that half a turn maps onto itself may be described either way round. A
trainer can derive new transitions from recorded ones. The workspace is a box, not a disc, so the
symmetry is approximate at its border. Not in Dext-Gen.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from .objects.spec import ObjectSpec
from .robots.rotation_actions import MATRIX, QUATERNION, RotationAction
from .robots.spec import BodySymmetry, ObservationLayout, RobotSpec
from .sim import rotations
from .sim.types import Mesh
from .tasks.arenas import ArenaSpec
from .tasks.goals import Task

Blocks = tuple[tuple[str, int], ...]
Image = tuple[tuple[int, ...], tuple[float, ...]]
Signs = tuple[float, float, float]

_KINDS = {
    "grip_pos": "point",
    "grip_rot": "rotation",
    "grip_state": "invariant",
    "grip_velp": "vector",
    "object_pos": "point",
    "object_rel_pos": "vector",
    "object_rot": "rotation",
    "object_rel_rot": "invariant",
    "object_velp": "vector",
    "object_velr": "vector",
    "obstacle_pos": "point",
}
_ACTION = {
    "grip_pos": "vector",
    MATRIX.block: "rotation",
    QUATERNION.block: "rotation",
    "grip_joints": "invariant",
}
_SAME: Signs = (1.0, 1.0, 1.0)
# of the world and of the object's frame: y changes its sign
_MIRRORED: Signs = (1.0, -1.0, 1.0)
_MIRRORED_SPIN: Signs = (-1.0, 1.0, -1.0)


class Involution(NamedTuple):
    """A mirror image, or another description of the same scene.

    Attributes:
        observation: (source entry, sign) of each entry of the image; positions count from the axis.
        goal: likewise.
        action: likewise.
    """

    observation: Image
    goal: Image
    action: Image


class Symmetry(NamedTuple):
    """Symmetries about a vertical axis.

    Attributes:
        center: x and y of the axis (world, m).
        observation: (kind, size) of each block; a kind is "point", "vector", "rotation" (two
            columns of a matrix, a matrix row by row, or a quaternion xyzw) or "invariant".
        goal: likewise.
        action: likewise.
        involutions: each may be applied or not, before turning.
    """

    center: tuple[float, float]
    observation: Blocks
    goal: Blocks
    action: Blocks
    involutions: tuple[Involution, ...]


def make_symmetry(
    robot: RobotSpec,
    observation: ObservationLayout,
    objects: Sequence[ObjectSpec],
    arena: ArenaSpec,
    task: Task,
) -> Symmetry | None:
    """The symmetries of an environment; None where there are none.

    Uneven ground has none, and rotations of actions must be matrices or quaternions: other forms
    do not turn by linear maps. Only objects that are their own mirror image are mirrored, so no
    meshes.
    """
    if arena.bed or robot.rotation_action not in (MATRIX, QUATERNION):
        return None
    mirrors = not any(isinstance(spec.shape, Mesh) for spec in objects)
    usable = [s for s in robot.symmetries if mirrors or not s.is_mirror]
    return Symmetry(
        arena.centre,
        tuple((_KINDS[name], size) for name, size, _ in observation),
        tuple((_KINDS[name], size) for name, size, _ in task.goal_layout),
        tuple((_ACTION[name], size) for name, size, _ in robot.action_layout),
        tuple(_involution(robot, task, symmetry) for symmetry in usable),
    )


def _involution(robot: RobotSpec, task: Task, body: BodySymmetry) -> Involution:
    """The image of a scene in which the gripper changes by `body`.

    If that is a mirror image, the world is mirrored with it (y changes its sign), and so is the
    object's own frame: its rotation must stay a rotation. Angular velocities are pseudovectors.
    """
    grip = body.signs
    world = _MIRRORED if body.is_mirror else _SAME
    spin = _MIRRORED_SPIN if body.is_mirror else _SAME
    links = [link.name for link in robot.links[1:]]
    joints = [links.index(body.partner(name)) for name in links]
    signs = (
        *(*world, *_columns(grip, world), *[1.0] * len(joints), *world),
        *(*world, *world, *_columns(world, world), *_columns(world, grip), *world, *spin),
    )
    goal = [
        sign
        for name, _, _ in task.goal_layout
        for sign in (_columns(world, world) if _KINDS[name] == "rotation" else world)
    ]
    actions = robot.swapped_actions(body)
    rotation, rotation_signs = _rotation_image(robot.rotation_action, grip, world, spin)
    order = (*range(3), *(3 + i for i in rotation), *(3 + len(rotation) + i for i in actions))
    return Involution(
        (_permutation(len(signs), 9, joints), signs),
        (_permutation(len(goal)), tuple(goal)),
        (order, (*world, *rotation_signs, *[1.0] * len(actions))),
    )


def _rotation_image(action: RotationAction, grip: Signs, world: Signs, spin: Signs) -> Image:
    """(source entry, sign) of each entry of diag(world) R diag(grip), for a target rotation R."""
    if action is MATRIX:
        return tuple(range(9)), tuple(w * g for w in world for g in grip)
    x, y, z = (w * g for w, g in zip(world, grip, strict=True))
    half_turn = rotations.quaternion((x, 0.0, 0.0, 0.0, y, 0.0, 0.0, 0.0, z))
    # entries numbered from 1 show by their image where each goes, and with which sign
    image = rotations.multiply((spin[0] * 1.0, spin[1] * 2.0, spin[2] * 3.0, 4.0), half_turn)
    return tuple(round(abs(i)) - 1 for i in image), tuple(math.copysign(1.0, i) for i in image)


def _columns(body: Signs, world: Signs) -> tuple[float, ...]:
    """Signs of the first two columns of a rotation matrix from a body's frame to the world's."""
    return tuple(b * w for b in body[:2] for w in world)


def _permutation(size: int, start: int = 0, inner: Sequence[int] = ()) -> tuple[int, ...]:
    """The identity of `size` entries, but for `inner` from `start` on."""
    order = list(range(size))
    order[start : start + len(inner)] = [start + i for i in inner]
    return tuple(order)
