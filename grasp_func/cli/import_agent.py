"""Converts an agent of Dext-Gen: `grasp-func import --from theirs --out saves/FlatPJCube-v0`."""

from collections.abc import Sequence
from pathlib import Path

from grasp_func.cli.arguments import Parser

# Storage names the options of other commands as the remedy.
OPTIONS = {"--load DIR": "--from DIR", "--save-dir DIR": "--out DIR"}


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Converts the four files, executing nothing in them; returns the exit code."""
    parser = Parser(prog=prog, description=__doc__)
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        required=True,
        metavar="DIR",
        help="holds actor.pt, critic.pt, state_norm.pkl and goal_norm.pkl as Dext-Gen wrote them",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    return _import(args.source, args.out)


def _import(source: Path, target: Path) -> int:
    from grasp_func.errors import SaveError
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import agent_files

    with user_errors(SoloComm()):
        try:
            agent_files.import_agent(source, target)
        except SaveError as error:
            message = str(error)
            for theirs, ours in OPTIONS.items():
                message = message.replace(theirs, ours)
            raise SaveError(message) from error
        for name in agent_files.FILES:
            print(target / name)
    return 0
