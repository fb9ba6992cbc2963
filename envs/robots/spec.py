"""What a table of a robot hand holds.

Links, joints and actuators are given in the hand's own frame (z points along the hand), from
published dimensions; no assets are copied. What moves and is observed is the grip frame: x points
along the hand, its origin lies where an object is held, and the free-floating base is welded there
(Dext-Gen's mocap weld). Hands differ only in their tables.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ..sim.rotations import Quaternion, Vector
from ..sim.types import Stepping
from ..sim.urdf import Link
from .rotation_actions import MATRIX, RotationAction

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
ObservationLayout = tuple[tuple[str, int, str], ...]
Basis = tuple[tuple[float, ...], ...]

STEP_LENGTH = 0.05  # m a full position action moves the target ahead


class Actuator(NamedTuple):
    """A position motor.

    Attributes:
        joint: name of the link that the joint moves.
        control: range that -1..1 spans (m or rad).
        force: greatest force (N or N m).
        gain: share of the error closed per substep.
    """

    joint: str
    control: tuple[float, float]
    force: float
    gain: float


class Coupling(NamedTuple):
    """A gear between two revolute joints of one hand.

    Attributes:
        follower: name of the link whose joint has no motor.
        leader: name of the link whose joint drives it.
        ratio: follower's angle over the leader's.
        erp: share of the error closed per substep; long substeps need more.
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
    """A hand.

    Attributes:
        name: gripper type.
        links: base first; the order of the others is the order of the joint observations.
        actuators: in the order of the columns of `basis`.
        basis: one row per entry of the hand's action:
            targets = centre + half range * clip(hand_action @ basis, -1, 1).
        start_joints: targets of the actuators when an episode begins (m or rad); an open hand.
        grip_position: origin of the grip frame in the hand's frame (m).
        grip_rotation: of the grip frame in the hand's frame, quaternion xyzw.
        start_height: of the grip frame above the surface when an episode begins (m).
        grasp_height: of the grip frame above an object's centre when closing the hand lifts it (m);
            fingertips must clear the surface.
        grasp_tilt: of the grip frame about its y axis then, away from pointing down (rad).
        workspace: box that the target of the grip frame's origin is kept in (world, m).
        joint_unit: "m" or "rad".
        weld_force: largest force of the weld (N).
        stepping: physics settings that hold and move objects with this hand.
        couplings: joints that follow others.
        touching: pairs of links that collide with each other; no others of the hand do.
        rotation_action: how an action names an orientation.
        rotation_share: part of the way to the action's orientation that is targeted at each step.
        symmetries: changes of the grip frame after which the gripper looks the same.
    """

    name: str
    links: tuple[Link, ...]
    actuators: tuple[Actuator, ...]
    basis: Basis
    start_joints: tuple[float, ...]
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
    rotation_share: float = 0.05
    symmetries: tuple[BodySymmetry, ...] = ()

    @property
    def action_layout(self) -> ObservationLayout:
        """Blocks (name, size, unit) of an action; a unit with a number says what 1 stands for."""
        turn = self.rotation_action
        return (
            ("grip_pos", 3, f"{STEP_LENGTH} m"),
            *([(turn.block, turn.size, "-")] if turn.size else []),
            ("grip_joints", len(self.basis), "-"),
        )

    def swapped_actions(self, body: BodySymmetry) -> list[int]:
        """For each entry of the joints' action the one that takes its place."""
        names = [actuator.joint for actuator in self.actuators]
        partners = [body.partner(name) for name in names]
        places = [names.index(p if p in names else n) for p, n in zip(partners, names, strict=True)]
        return [self.basis.index(tuple(row[place] for place in places)) for row in self.basis]


def full_control(n: int) -> Basis:
    """The basis that gives each of `n` actuators an action of its own."""
    return tuple(tuple(float(i == j) for j in range(n)) for i in range(n))
