"""RobotSpec, the data that define a gripper.

Links, joints and actuators are given in the gripper's own frame, whose z axis is the approach axis,
from published dimensions; no assets are copied. Actions and observations refer to the grip frame:
its x axis is the approach axis, its origin lies where an object is held, and the free-floating base
is welded there, like Dext-Gen's mocap weld. Grippers differ only in these data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..sim.rotations import Quaternion, Vector
from ..sim.surfaces import Look
from ..sim.types import Stepping
from ..sim.urdf import Link
from .rotation_actions import MATRIX, RotationAction

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
# Blocks (name, size, unit) of an observation, or of an action.
ObservationLayout = tuple[tuple[str, int, str], ...]
Basis = tuple[tuple[float, ...], ...]

# A position action of 1 moves the target this far (m).
STEP_LENGTH = 0.05


class Actuator(NamedTuple):
    """A motor that controls the position of a joint.

    Attributes:
        joint: name of the link that the joint moves.
        control: targets (m or rad) that correspond to actions of -1 and 1.
        force: greatest force (N or N m).
        gain: fraction of the position error that a substep corrects.
    """

    joint: str
    control: tuple[float, float]
    force: float
    gain: float


class Coupling(NamedTuple):
    """A gear between two revolute joints of a gripper.

    Attributes:
        follower: name of the link whose joint has no motor.
        leader: name of the link whose joint drives it.
        ratio: angle of the follower divided by that of the leader.
        erp: fraction of the position error that a substep corrects; long substeps need more.
    """

    follower: str
    leader: str
    ratio: float
    erp: float = 0.2


class BodySymmetry(NamedTuple):
    """A change of the grip frame after which the gripper looks the same.

    Attributes:
        signs: of the frame's x, y and z axis.
        swaps: pairs of names of links that change places.
    """

    signs: tuple[float, float, float]
    swaps: tuple[tuple[str, str], ...] = ()

    @property
    def is_mirror(self) -> bool:
        """Whether it is a mirror image of the gripper, not a rotation."""
        x, y, z = self.signs
        return x * y * z < 0.0

    def partner(self, name: str) -> str:
        """The link that takes the place of the named one."""
        return {**dict(self.swaps), **{b: a for a, b in self.swaps}}.get(name, name)


@dataclass(frozen=True)
class RobotSpec:
    """A gripper.

    Attributes:
        name: the gripper type.
        links: base first; joint observations follow the order of the other links.
        actuators: in the order of the columns of `basis`.
        basis: one row per entry of the joint action:
            targets = centre + half range * clip(joint_action @ basis, -1, 1).
        start_joints: targets of the actuators at the start of an episode (m or rad), an open
            posture.
        grasp_joints: targets of the actuators that hold an object (m or rad).
        grip_position: origin of the grip frame in the gripper's frame (m).
        grip_rotation: of the grip frame in the gripper's frame, quaternion xyzw.
        start_height: of the grip frame above the surface at the start of an episode (m).
        grasp_height: of the grip frame above an object's centre in a grasp (m); the fingertips must
            not touch the surface.
        grasp_tilt: of the grip frame in a grasp, about its y axis and away from pointing down
            (rad).
        workspace: box that limits the target of the grip frame's origin (world, m).
        joint_unit: "m" or "rad".
        weld_force: greatest force of the weld (N).
        stepping: physics settings with which this gripper holds and moves objects.
        couplings: joints that are driven by other joints.
        touching: pairs of links that collide with each other; all other pairs do not.
        rotation_action: the part of an action that sets the target orientation.
        rotation_rate: fraction of the rotation to the target orientation made in one step.
        symmetries: changes of the grip frame after which the gripper looks the same.
        look: of the links by their names; a link without one looks like its collision shapes.
            In windows, PyBullet gives a link the colour of its last surface.
    """

    name: str
    links: tuple[Link, ...]
    actuators: tuple[Actuator, ...]
    basis: Basis
    start_joints: tuple[float, ...]
    grasp_joints: tuple[float, ...]
    grip_position: Vector
    grip_rotation: Quaternion
    start_height: float
    grasp_height: float
    grasp_tilt: float
    workspace: Bounds
    joint_unit: str
    weld_force: float
    stepping: Stepping
    couplings: tuple[Coupling, ...] = ()
    touching: tuple[tuple[str, str], ...] = ()
    rotation_action: RotationAction = MATRIX
    rotation_rate: float = 0.05
    symmetries: tuple[BodySymmetry, ...] = ()
    look: Mapping[str, Look] = field(default_factory=dict)

    @property
    def action_layout(self) -> ObservationLayout:
        """Blocks (name, size, unit) of an action; a unit such as "0.05 m" is what 1 stands for."""
        rotation = self.rotation_action
        return (
            ("grip_pos", 3, f"{STEP_LENGTH} m"),
            *([(rotation.block, rotation.size, "-")] if rotation.size else []),
            ("grip_joints", len(self.basis), "-"),
        )

    def swapped_actions(self, body: BodySymmetry) -> list[int]:
        """For each entry of the joints' action the one that takes its place."""
        names = [actuator.joint for actuator in self.actuators]
        partners = [body.partner(name) for name in names]
        places = [names.index(p if p in names else n) for p, n in zip(partners, names, strict=True)]
        return [self.basis.index(tuple(row[place] for place in places)) for row in self.basis]


def full_control(n: int) -> Basis:
    """Returns the basis that gives each of `n` actuators an action entry of its own."""
    return tuple(tuple(float(i == j) for j in range(n)) for i in range(n))
