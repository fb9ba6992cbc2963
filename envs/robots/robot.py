"""Robot, a gripper in a simulation.

It converts actions to targets of the weld and the motors, and reads the states of the grip frame
and the joints. spec.py defines the frames.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..sim import rotations
from ..sim.collision_masks import link_masks
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from ..sim.types import BodyState, Contact
from ..sim.urdf import urdf
from .rotation_actions import POINTING_DOWN
from .spec import STEP_LENGTH, Bounds, RobotSpec


class GripperInfo(NamedTuple):
    """State of a gripper.

    Attributes:
        name: the gripper type.
        position: of the grip frame (world, m).
        rotation: of the grip frame (world), quaternion xyzw.
        linear: velocity of the grip frame (world, m/s).
        angular: velocity of the grip frame (world, rad/s).
        joints: positions (m or rad) by the name of the link that the joint moves.
    """

    name: str
    position: Vector
    rotation: Quaternion
    linear: Vector
    angular: Vector
    joints: dict[str, float]


class Robot:
    """A gripper in a simulation, driven by actions in [-1, 1].

    Args:
        spec: the gripper.
        sim: the world it is added to.
        workspace: box that limits the target of the grip frame's origin (world, m).
    """

    def __init__(self, spec: RobotSpec, sim: Simulation, workspace: Bounds) -> None:
        """Loads the gripper and welds it to the world."""
        self.spec = spec
        look = spec.look if sim.visuals else None
        text = urdf(spec.name, spec.links, spec.grip_position, spec.grip_rotation, look)
        # The index of the base is -1.
        index = {link.name: i for i, link in enumerate(spec.links, start=-1)}
        masks = link_masks([link.name for link in spec.links], spec.touching)
        self.body = sim.add_urdf(text, masks if spec.touching else ())
        self._sim = sim
        self._workspace = workspace
        self._weld = sim.weld(self.body)
        self.joints = tuple(range(len(spec.links) - 1))
        self._motors = [index[actuator.joint] for actuator in spec.actuators]
        self._gears = [(index[c.follower], index[c.leader], c.ratio) for c in spec.couplings]
        for coupling in spec.couplings:
            leader, follower = index[coupling.leader], index[coupling.follower]
            sim.gear(self.body, leader, follower, coupling.ratio, coupling.erp)
        low, high = np.array([actuator.control for actuator in spec.actuators]).T
        self._centre, self._half_range = (low + high) / 2.0, (high - low) / 2.0
        self._basis = np.array(spec.basis)
        self._forces = [actuator.force for actuator in spec.actuators]
        self._gains = [actuator.gain for actuator in spec.actuators]

    def reset(
        self,
        position: Vector,
        rotation: Quaternion = POINTING_DOWN,
        targets: Sequence[float] = (),
    ) -> None:
        """Sets pose and posture of the gripper and stops it.

        Args:
            position: of the grip frame (world, m). It is clipped to the workspace, because the weld
                would pull the gripper there abruptly.
            rotation: of the grip frame (world), quaternion xyzw.
            targets: of the actuators (m or rad), taken on at once; if empty, the start posture.
        """
        position = self._clip(*position)
        targets = targets or self.spec.start_joints
        by_joint = dict(zip(self._motors, targets, strict=True))
        by_joint |= {follower: ratio * by_joint[leader] for follower, leader, ratio in self._gears}
        self._sim.reset_body(self.body, position, rotation)
        self._sim.reset_joints(self.body, self.joints, [by_joint.get(j, 0.0) for j in self.joints])
        self.drive(position, rotation, targets)

    def command(self, action: list[float], grip: BodyState) -> None:
        """Sets all targets from an action.

        Args:
            action: position change (3 entries), then the entries of `rotation_action`, then those
                of the joints; all in [-1, 1]. If they define no orientation, the present one is
                kept.
            grip: present state of the grip frame; the targets are relative to it.
        """
        x, y, z = grip.position
        position = (
            x + STEP_LENGTH * action[0],
            y + STEP_LENGTH * action[1],
            z + STEP_LENGTH * action[2],
        )
        rotation, rotation_action = grip.rotation, self.spec.rotation_action
        joints = 3 + rotation_action.size
        target = rotation_action.orientation(action[3:joints])
        if target is not None:
            rotation = rotations.nlerp(rotation, target, self.spec.rotation_rate)
        self.drive(position, rotation, self.joint_targets(action[joints:]))

    def drive(self, position: Vector, rotation: Quaternion, targets: Sequence[float]) -> None:
        """Sets the targets of the grip frame (world, m, xyzw) and of the actuators (m or rad).

        The position is clipped to the workspace.
        """
        self._sim.drive_weld(self._weld, self._clip(*position), rotation, self.spec.weld_force)
        self._sim.drive_joints(self.body, self._motors, targets, self._gains, self._forces)

    def joint_targets(self, joint_action: list[float]) -> list[float]:
        """Returns the targets of the actuators (m or rad) for the joints' part of an action."""
        posture = np.minimum(np.maximum(np.dot(joint_action, self._basis), -1.0), 1.0)
        targets: list[float] = (self._centre + self._half_range * posture).tolist()
        return targets

    def state(self) -> BodyState:
        """Returns the state of the grip frame (world)."""
        return self._sim.state(self.body)

    def joint_positions(self) -> list[float]:
        """Returns the positions of all joints (m or rad), in the order of the links."""
        return self._sim.joint_positions(self.body, self.joints)

    def info(self) -> GripperInfo:
        """Returns pose, velocity and joints of the gripper."""
        names = [link.name for link in self.spec.links[1:]]
        joints = dict(zip(names, self.joint_positions(), strict=True))
        return GripperInfo(self.spec.name, *self.state(), joints)

    def contacts(self, body: int) -> list[Contact]:
        """Returns the points where the gripper touches a body."""
        return self._sim.contacts(self.body, body, [link.name for link in self.spec.links])

    def _clip(self, x: float, y: float, z: float) -> Vector:
        """Returns the nearest point in the workspace."""
        (x0, x1), (y0, y1), (z0, z1) = self._workspace
        return min(max(x, x0), x1), min(max(y, y0), y1), min(max(z, z0), z1)
