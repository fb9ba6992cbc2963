"""Every environment of the project, one row each: adding an environment means adding a row."""

from typing import NamedTuple

from envs.arenas import ARENAS, ArenaSpec
from envs.hands import ROBOTS
from envs.hands.spec import RobotSpec
from envs.objects import OBJECTS, ObjectSpec
from envs.tasks import LIFT, Task


class EnvRow(NamedTuple):
    """An environment: robot, objects (one is drawn at each reset), arena and task."""

    env_id: str
    robot: RobotSpec
    objects: tuple[ObjectSpec, ...]
    arena: ArenaSpec
    task: Task


SUITE: dict[str, EnvRow] = {
    row.env_id: row
    for row in (
        EnvRow(f"Flat{key}{name}-v0", robot, (spec,), ARENAS["Flat"], LIFT)
        for key, robot in ROBOTS.items()
        for name, spec in OBJECTS[robot.name].items()
    )
}
