"""Lists the environments: `grasp-func envs --gripper ParallelJaw`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grasp_func.cli.arguments import Parser

if TYPE_CHECKING:
    from envs.suite import EnvRow


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Prints one line for each environment; returns the exit code."""
    from envs.suite import SUITE

    rows = [_describe(row) for row in SUITE.values()]
    # Each once, in the order of the rows.
    grippers, tasks = (list(dict.fromkeys(row[i] for row in rows)) for i in (1, 2))
    parser = Parser(prog=prog, description=__doc__)
    parser.add_argument("--gripper", choices=grippers, help="list only environments of a gripper")
    parser.add_argument("--task", choices=tasks, help="list only environments of a task")
    args = parser.parse_args(argv)
    for row in rows:
        if args.gripper in (None, row[1]) and args.task in (None, row[2]):
            print("{:24} {:12} {:7} {:7} {:17} {}".format(*row))
    return 0


def _describe(row: "EnvRow") -> tuple[str, ...]:
    """Returns id, gripper, task, ground, rotation block of the action, and objects."""
    from envs.tasks.goals import Avoid, Orient

    names = {Orient: "orient", Avoid: "avoid"}
    return (
        row.env_id,
        row.robot.name,
        names.get(type(row.task), "lift"),
        "uneven" if row.arena.bed else "flat",
        row.robot.rotation_action.block.removeprefix("grip_"),
        ", ".join(row.objects),
    )
