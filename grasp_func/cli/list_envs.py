"""Lists the environments: `grasp-func envs --gripper ParallelJaw`."""

import rich_click as click

from grasp_func.cli import arguments
from grasp_func.cli.environments import SUITE, Avoid, EnvRow, Orient


def _describe(row: EnvRow) -> tuple[str, ...]:
    """Returns id, gripper, task, ground, rotation block of the action, and objects."""
    names = {Orient: "orient", Avoid: "avoid"}
    return (
        row.env_id,
        row.robot.name,
        names.get(type(row.task), "lift"),
        "uneven" if row.arena.bed else "flat",
        row.robot.rotation_action.block.removeprefix("grip_"),
        ", ".join(row.objects),
    )


ROWS = [_describe(row) for row in SUITE.values()]
# Each once, in the order of the rows.
GRIPPERS, TASKS = (click.Choice(list(dict.fromkeys(row[i] for row in ROWS))) for i in (1, 2))


@click.command(cls=arguments.Command, help=__doc__)
@click.option("--gripper", type=GRIPPERS, help="List only environments of a gripper.")
@click.option("--task", type=TASKS, help="List only environments of a task.")
def command(gripper: str | None, task: str | None) -> None:
    """Prints one line for each environment."""
    for row in ROWS:
        if gripper in (None, row[1]) and task in (None, row[2]):
            print("{:24} {:12} {:7} {:7} {:17} {}".format(*row))
