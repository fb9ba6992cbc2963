"""Robot: turns a hand's table and a simulation into motion.

Actions become targets of the weld and the motors; states of the grip frame and the joints are read
back. See envs.robots.spec for frames.
"""

from collections.abc import Sequence

import numpy as np

from ..sim import rotations
from ..sim.collision_masks import link_masks
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from ..sim.types import BodyState, Contact
from ..sim.urdf import urdf
from .rotation_actions import POINTING_DOWN
from .spec import STEP_LENGTH, Bounds, RobotSpec


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
        index = {link.name: i for i, link in enumerate(spec.links, start=-1)}  # -1: the base
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
        """Puts the hand into a posture, at rest.

        Args:
            position: of the grip frame (world, m); outside the workspace it is moved to its border,
                because the weld would yank it there.
            rotation: of the grip frame, quaternion xyzw (world).
            targets: of the actuators (m or rad), reached at once; none: the start posture.
        """
        position = self._inside(*position)
        targets = targets or self.spec.start_joints
        by_joint = dict(zip(self._motors, targets, strict=True))
        by_joint |= {follower: ratio * by_joint[leader] for follower, leader, ratio in self._gears}
        self._sim.reset_body(self.body, position, rotation)
        self._sim.reset_joints(self.body, self.joints, [by_joint.get(j, 0.0) for j in self.joints])
        self.drive(position, rotation, targets)

    def command(self, action: list[float], grip: BodyState) -> None:
        """Sets all targets from an action.

        Args:
            action: 3 position deltas, the entries of the hand's `rotation_action`, then the hand;
                all in [-1, 1]. Where they name no orientation the hand keeps the present one.
            grip: present state of the grip frame, which the targets start from.
        """
        x, y, z = grip.position
        position = self._inside(
            x + STEP_LENGTH * action[0], y + STEP_LENGTH * action[1], z + STEP_LENGTH * action[2]
        )
        rotation, turn = grip.rotation, self.spec.rotation_action
        hand = 3 + turn.size
        goal = turn.orientation(action[3:hand])
        if goal is not None:
            rotation = rotations.nlerp(rotation, goal, self.spec.rotation_share)
        self.drive(position, rotation, self.joint_targets(action[hand:]))

    def drive(self, position: Vector, rotation: Quaternion, targets: Sequence[float]) -> None:
        """Sets the targets of the grip frame (world, m) and of the actuators (m or rad)."""
        self._sim.drive_weld(self._weld, position, rotation, self.spec.weld_force)
        self._sim.drive_joints(self.body, self._motors, targets, self._gains, self._forces)

    def joint_targets(self, hand_action: list[float]) -> list[float]:
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

    def contacts(self, thing: int) -> list[Contact]:
        """The points where the hand touches a body."""
        return self._sim.contacts(self.body, thing, [link.name for link in self.spec.links])

    def _inside(self, x: float, y: float, z: float) -> Vector:
        """The workspace's nearest point."""
        (x0, x1), (y0, y1), (z0, z1) = self._workspace
        return min(max(x, x0), x1), min(max(y, y0), y1), min(max(z, z0), z1)
