"""What may be asked about gripper and object, besides the observation.

Costs nothing unless asked, and asking leaves no trace in the physics. Lengths in m, "world" frame,
quaternions x, y, z, w.
"""

from typing import NamedTuple

from .robots.robot import Robot
from .sim.rotations import Quaternion, Vector


class GripperInfo(NamedTuple):
    """The gripper.

    Attributes:
        name: gripper type.
        position: of the grip frame (world, m).
        rotation: of the grip frame, quaternion xyzw.
        linear: velocity of the grip frame (world, m/s).
        angular: velocity of the grip frame (world, rad/s).
        joints: positions by the name of the link that the joint moves (m or rad).
    """

    name: str
    position: Vector
    rotation: Quaternion
    linear: Vector
    angular: Vector
    joints: dict[str, float]


class ObjectInfo(NamedTuple):
    """The object.

    Attributes:
        name: of the object.
        size: factor on its usual size.
        mass: in kg.
        position: of its centre of mass (world, m).
        rotation: quaternion xyzw.
        linear: velocity (world, m/s).
        angular: velocity (world, rad/s).
    """

    name: str
    size: float
    mass: float
    position: Vector
    rotation: Quaternion
    linear: Vector
    angular: Vector


def gripper_info(robot: Robot) -> GripperInfo:
    """Pose, velocity and joints of the gripper."""
    names = [link.name for link in robot.spec.links[1:]]
    joints = dict(zip(names, robot.joint_positions(), strict=True))
    return GripperInfo(robot.spec.name, *robot.state(), joints)
