"""The environments, one row each: adding an environment means adding a row."""

from dataclasses import replace
from typing import NamedTuple

from .robots import ROBOTS
from .robots.rotation_actions import AXIS_ANGLE, DOWN, EULER, MATRIX, QUATERNION
from .robots.spec import RobotSpec
from .tasks.arenas import FLAT, UNEVEN, ArenaSpec
from .tasks.goals import AVOID, LIFT, ORIENT, Task


class EnvRow(NamedTuple):
    """An environment: gripper, names of objects (one is sampled per reset), arena and task."""

    env_id: str
    robot: RobotSpec
    objects: tuple[str, ...]
    arena: ArenaSpec
    task: Task


_KINDS = ("Cube", "Sphere", "Cylinder", "Mesh")
_SETS = {**{kind: (kind,) for kind in _KINDS}, "All": _KINDS}
_FIXED_PJ = replace(ROBOTS["PJ"], rotation_action=DOWN, rotation_rate=1.0)
_FAST_SH = replace(ROBOTS["SH"], rotation_rate=0.2)
_ROTATION_ACTIONS = {"": MATRIX, "Euler": EULER, "Quat": QUATERNION, "AxisAngle": AXIS_ANGLE}

_FLAT = (
    EnvRow(f"Flat{key}{name}-v0", robot, kinds, FLAT, LIFT)
    for key, robot in ROBOTS.items()
    for name, kinds in _SETS.items()
)
_UNEVEN = (
    EnvRow("UnevenPJFixedCube-v0", _FIXED_PJ, ("Cube",), UNEVEN, LIFT),
    EnvRow("UnevenPJRotCube-v0", ROBOTS["PJ"], ("Cube",), UNEVEN, LIFT),
    EnvRow("UnevenBarrettCube-v0", ROBOTS["Barrett"], ("Cube",), UNEVEN, LIFT),
    EnvRow("UnevenBarrettMesh-v0", ROBOTS["Barrett"], ("Mesh",), UNEVEN, LIFT),
    EnvRow("UnevenSHCube-v0", ROBOTS["SH"], ("Cube",), UNEVEN, LIFT),
    EnvRow("UnevenSHMesh-v0", ROBOTS["SH"], ("Mesh",), UNEVEN, LIFT),
)
_ORIENT = (
    *(
        EnvRow(
            f"FlatPJOrient{name}-v0",
            replace(ROBOTS["PJ"], rotation_action=rotation_action),
            ("Cube",),
            FLAT,
            ORIENT,
        )
        for name, rotation_action in _ROTATION_ACTIONS.items()
    ),
    EnvRow("FlatSHOrient-v0", _FAST_SH, ("Cube",), FLAT, replace(ORIENT, tilt=1.0)),
)
_OBSTACLE = (EnvRow("ObstacleSHCube-v0", ROBOTS["SH"], ("Cube",), FLAT, AVOID),)
SUITE: dict[str, EnvRow] = {row.env_id: row for row in (*_FLAT, *_ORIENT, *_UNEVEN, *_OBSTACLE)}
