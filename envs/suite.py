"""Every environment of the project, one row each: adding an environment means adding a row."""

from dataclasses import replace
from typing import NamedTuple

from envs.arenas import FLAT, UNEVEN, ArenaSpec
from envs.hands import ROBOTS
from envs.hands.spec import RobotSpec
from envs.rotation_actions import DOWN
from envs.tasks import LIFT, Task


class EnvRow(NamedTuple):
    """An environment: robot, names of objects (one is drawn at each reset), arena and task."""

    env_id: str
    robot: RobotSpec
    objects: tuple[str, ...]
    arena: ArenaSpec
    task: Task


_KINDS = ("Cube", "Sphere", "Cylinder", "Mesh")
_SETS = {**{kind: (kind,) for kind in _KINDS}, "All": _KINDS}
_FIXED_PJ = replace(ROBOTS["PJ"], rotation_action=DOWN, rotation_share=1.0)

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
SUITE: dict[str, EnvRow] = {row.env_id: row for row in (*_FLAT, *_UNEVEN)}
