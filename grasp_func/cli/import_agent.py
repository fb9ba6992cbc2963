"""Converts an agent of Dext-Gen: `grasp-func import --from theirs --out saves/FlatPJCube-v0`."""

from pathlib import Path

import rich_click as click

from grasp_func.cli import arguments


@click.command(cls=arguments.Command, help=__doc__)
@click.option(
    "--from",
    "source",
    type=arguments.FOLDER,
    required=True,
    metavar="DIR",
    help="Holds actor.pt, critic.pt, state_norm.pkl and goal_norm.pkl as Dext-Gen wrote them.",
)
@click.option("--out", "target", type=arguments.FOLDER, required=True, metavar="DIR")
def command(source: Path, target: Path) -> None:
    """Converts the four files, executing nothing in them."""
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import agent_files

    with user_errors(SoloComm()):
        agent_files.import_agent(source, target)
        for name in agent_files.FILES:
            print(target / name)
