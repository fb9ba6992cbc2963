"""Every environment of the project, one row each: adding an environment means adding a row."""

from typing import NamedTuple

from envs.arenas import ARENAS, ArenaSpec
from envs.hands import ROBOTS
from envs.hands.spec import RobotSpec
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

SUITE: dict[str, EnvRow] = {
    row.env_id: row
    for row in (
        EnvRow(f"Flat{key}{name}-v0", robot, kinds, ARENAS["Flat"], LIFT)
        for key, robot in ROBOTS.items()
        for name, kinds in _SETS.items()
    )
}
