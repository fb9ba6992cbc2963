"""Robot hands as data tables, and Robot, which turns a table and a simulation into motion.

Tables hold links, joints and actuators in the hand's own frame (z is the approach axis), from
published dimensions; no assets are copied. What moves and is observed is the grip frame: x is the
approach axis, its origin lies between the fingers, and the free-floating base is welded there
(Dext-Gen's mocap weld). Hands differ only in their tables.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from envs import rotations
from envs.rotations import Quaternion, Vector
from envs.sim import BodyState, Shape, Simulation, Stepping
from envs.urdf import Link, urdf

Bounds = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
Layout = tuple[tuple[str, int, str], ...]

POINTING_DOWN: Quaternion = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))  # +90 degrees about y
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


@dataclass(frozen=True)
class RobotSpec:
    """A hand.

    Attributes:
        name: gripper type.
        links: base first; the order of the others is the order of the joint observations.
        actuators: in the order of the columns of `basis`.
        basis: one row per entry of the hand's action:
            targets = centre + half range * clip(hand_action @ basis, -1, 1).
        open_hand: hand action held when an episode begins.
        grip_position: origin of the grip frame in the hand's frame (m).
        grip_rotation: of the grip frame in the hand's frame, quaternion xyzw.
        start_height: of the grip frame above the surface when an episode begins (m).
        workspace: box that the target of the grip frame's origin is kept in (world, m).
        joint_unit: "m" or "rad".
        weld_force: largest force of the weld (N).
        stepping: physics settings that hold and move objects with this hand.
        rotation_share: part of the way to the action's orientation that is targeted at each step.
    """

    name: str
    links: tuple[Link, ...]
    actuators: tuple[Actuator, ...]
    basis: tuple[tuple[float, ...], ...]
    open_hand: tuple[float, ...]
    grip_position: Vector
    grip_rotation: Quaternion
    start_height: float
    workspace: Bounds
    joint_unit: str
    weld_force: float
    stepping: Stepping
    rotation_share: float = 0.05

    @property
    def action_layout(self) -> Layout:
        """Blocks (name, size, unit) of an action; a unit with a number says what 1 stands for."""
        return (
            ("grip_pos", 3, f"{STEP_LENGTH} m"),
            ("grip_rot_matrix", 9, "-"),
            ("grip_joints", len(self.basis), "-"),
        )


_GREY, _BLUE, _ORANGE = (0.35, 0.37, 0.42, 1.0), (0.15, 0.45, 0.85, 1.0), (0.95, 0.6, 0.1, 1.0)
_FINGER = (0.0135, 0.007, 0.0385)

PARALLEL_JAW = RobotSpec(
    name="ParallelJaw",
    links=(
        Link("palm", 0.68, (Shape("box", (0.0316, 0.102, 0.046), (0.0, 0.0, 0.02), colour=_GREY),)),
        Link(
            "left_finger",
            1.0,
            (Shape("box", _FINGER, (0.0, -0.008, 0.0), colour=_BLUE),),
            parent="palm",
            joint="prismatic",
            origin=(0.0, 0.0159, 0.1),
            axis=(0.0, 1.0, 0.0),
            limits=(0.0, 0.05),
        ),
        Link(
            "right_finger",
            1.0,
            (Shape("box", _FINGER, (0.0, 0.008, 0.0), colour=_ORANGE),),
            parent="palm",
            joint="prismatic",
            origin=(0.0, -0.0159, 0.1),
            axis=(0.0, -1.0, 0.0),
            limits=(0.0, 0.05),
        ),
    ),
    actuators=(
        Actuator("left_finger", (0.0, 0.05), 200.0, 0.1),
        Actuator("right_finger", (0.0, 0.05), 200.0, 0.1),
    ),
    basis=((1.0, 1.0),),
    open_hand=(1.0,),
    grip_position=(0.0, 0.0, 0.1),
    grip_rotation=(0.0, -math.sqrt(0.5), 0.0, math.sqrt(0.5)),
    start_height=0.2,
    workspace=((0.22, 0.78), (-0.32, 0.32), (0.405, 0.85)),
    joint_unit="m",
    weld_force=150.0,
    stepping=Stepping(substeps=8, time_step=0.005, iterations=20, erp=0.12),
)

ROBOTS = {"PJ": PARALLEL_JAW}


class Robot:
    """A hand in a simulation, driven by actions in [-1, 1].

    Args:
        spec: the hand.
        sim: the world it is added to.
        workspace: box that the target of the grip frame's origin is kept in (world, m).
    """

    def __init__(self, spec: RobotSpec, sim: Simulation, workspace: Bounds) -> None:
        """Loads the hand and welds it to the world."""
        self.spec = spec
        text = urdf(spec.name, spec.links, spec.grip_position, spec.grip_rotation, sim.visuals)
        self.body = sim.add_urdf(text)
        self._sim = sim
        self._workspace = workspace
        self._weld = sim.weld(self.body)
        names = [link.name for link in spec.links[1:]]
        self.joints = tuple(range(len(names)))
        self._motors = [names.index(actuator.joint) for actuator in spec.actuators]
        low, high = np.array([actuator.control for actuator in spec.actuators]).T
        self._centre, self._half_range = (low + high) / 2.0, (high - low) / 2.0
        self._basis = np.array(spec.basis)
        self._forces = [actuator.force for actuator in spec.actuators]
        self._gains = [actuator.gain for actuator in spec.actuators]

    def reset(self, position: Vector) -> None:
        """Puts the grip frame somewhere (world, m), pointing down, at rest, with the hand open.

        A position outside the workspace is moved to its border: the weld would yank it there.
        """
        position = self._inside(*position)
        targets = self.joint_targets(self.spec.open_hand)
        by_joint = dict(zip(self._motors, targets, strict=True))
        self._sim.reset_body(self.body, position, POINTING_DOWN)
        self._sim.reset_joints(self.body, self.joints, [by_joint.get(j, 0.0) for j in self.joints])
        self._drive(position, POINTING_DOWN, targets)

    def command(self, action: list[float], grip: BodyState) -> None:
        """Sets all targets from an action.

        Args:
            action: 3 position deltas, 9 entries of a rotation matrix (row-major), then the hand;
                all in [-1, 1]. Where the matrix names no orientation (orthonormalise) the hand
                keeps the present one.
            grip: present state of the grip frame, which the targets start from.
        """
        x, y, z = grip.position
        position = self._inside(
            x + STEP_LENGTH * action[0], y + STEP_LENGTH * action[1], z + STEP_LENGTH * action[2]
        )
        rotation = grip.rotation
        wanted = rotations.orthonormalise(action[3:12])
        if wanted is not None:
            goal = rotations.quaternion(wanted)
            rotation = rotations.approach(rotation, goal, self.spec.rotation_share)
        self._drive(position, rotation, self.joint_targets(action[12:]))

    def joint_targets(self, hand_action: tuple[float, ...] | list[float]) -> list[float]:
        """Targets of the actuated joints (m or rad) from the hand's part of an action."""
        posture = np.minimum(np.maximum(np.dot(hand_action, self._basis), -1.0), 1.0)
        targets: list[float] = (self._centre + self._half_range * posture).tolist()
        return targets

    def state(self) -> BodyState:
        """State of the grip frame in the world."""
        return self._sim.state(self.body)

    def joint_positions(self) -> list[float]:
        """Positions of all joints (m or rad), in the order of the links."""
        return self._sim.joint_positions(self.body, self.joints)

    def _inside(self, x: float, y: float, z: float) -> Vector:
        """The workspace's nearest point."""
        (x0, x1), (y0, y1), (z0, z1) = self._workspace
        return min(max(x, x0), x1), min(max(y, y0), y1), min(max(z, z0), z1)

    def _drive(self, position: Vector, rotation: Quaternion, targets: list[float]) -> None:
        self._sim.drive_weld(self._weld, position, rotation, self.spec.weld_force)
        self._sim.drive_joints(self.body, self._motors, targets, self._gains, self._forces)
