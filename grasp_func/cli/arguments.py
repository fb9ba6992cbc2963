"""Arguments that all commands share, and the checks that need no heavy import.

Loading torch and jax takes seconds, so commands import them only after their arguments were found
to be good.
"""

import argparse
import difflib
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

USER_ERROR = 2  # exit code
GRACE_SECONDS = 5.0
# Suggestions for an unknown id: their number, and their least similarity in [0, 1].
N_SUGGESTIONS, MIN_SIMILARITY = 3, 0.5
RANK_VARIABLES = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK")  # set by MPI's launchers
DEFAULT_CONFIG = Path(__file__).parents[2] / "configs" / "experiment_config.yaml"


class Parser(argparse.ArgumentParser):
    """Prints an error as one line, and help on the first process only."""

    def error(self, message: str) -> NoReturn:
        """Prints an error and ends the process with exit code 2.

        Other processes than the first wait before: if the first meets the same error, it ends, and
        the launcher ends the others before they print. A launcher would end the first one, still
        silent, if another were faster.
        """
        if launcher_rank() > 0:
            time.sleep(GRACE_SECONDS)
        sys.stderr.write(f"error: {message}\n")
        sys.exit(USER_ERROR)

    def _print_message(self, message: str, file: Any = None) -> None:
        if launcher_rank() == 0:
            super()._print_message(message, file)


class KnownEnvs(NamedTuple):
    """The environments that a command can use."""

    ids: tuple[str, ...]
    modules: tuple[ModuleType, ...]  # imported by --import


def launcher_rank() -> int:
    """Returns this process's rank as its launcher says it, before MPI is initialised."""
    return next((int(os.environ[name]) for name in RANK_VARIABLES if name in os.environ), 0)


def make_parser(description: str | None, prog: str | None) -> Parser:
    """Returns a parser with the arguments of every command that uses an environment."""
    parser = Parser(prog=prog, description=description)
    parser.add_argument(
        "--env",
        required=True,
        metavar="ID",
        help="one that `grasp-func envs` or --import names",
    )
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a module that registers Gymnasium goal environments; repeatable",
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="default: configs/experiment_config.yaml"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the configuration; repeatable",
    )
    return parser


def add_agent_arguments(parser: Parser) -> None:
    """Adds the argument that names a trained agent."""
    parser.add_argument(
        "--load",
        type=Path,
        metavar="DIR",
        help="default: saves/<env>/best, or saves/<env> if there is none",
    )


def parse(parser: Parser, argv: Sequence[str] | None) -> tuple[argparse.Namespace, KnownEnvs]:
    """Parses the arguments, imports the modules of --import, and checks the environment's id.

    Ends the process with exit code 2 and one line where the user made a mistake.
    """
    args = parser.parse_args(argv)
    known = _known_envs(parser, args.imports)
    if args.env not in known.ids:
        close = _nearest(args.env, known.ids)
        hint = f"did you mean {', '.join(close)}? " if close else _import_hint(args.imports)
        parser.error(
            f"--env {args.env} is not a known environment, {hint}`grasp-func envs` lists all"
        )
    return args, known


def _nearest(name: str, ids: Sequence[str]) -> list[str]:
    """Returns the ids that are spelled most like a name, ignoring case.

    The others come after the nearest and those of its gripper. An id that differs only in case
    comes alone.
    """
    from envs.suite import SUITE

    lower = {env_id.lower(): env_id for env_id in ids}
    if name.lower() in lower:
        return [lower[name.lower()]]
    close = difflib.get_close_matches(name.lower(), lower, n=len(lower), cutoff=MIN_SIMILARITY)
    found = [lower[env_id] for env_id in close]
    grippers = {env_id: row.robot.name for env_id, row in SUITE.items()}
    # Sorting keeps the order of similarity among ids of the same gripper.
    found = sorted(found, key=lambda env_id: grippers.get(env_id) != grippers.get(found[0]))
    return found[:N_SUGGESTIONS]


def _import_hint(imports: Sequence[str]) -> str:
    if imports:
        return f"nor registered by --import {', '.join(imports)}; "
    return "register environments of other packages with --import MODULE; "


def _known_envs(parser: Parser, imports: Sequence[str]) -> KnownEnvs:
    import envs

    if not imports:
        return KnownEnvs(envs.ENV_IDS, ())
    import gymnasium

    # modules of the working directory, after all installed ones
    sys.path.append(str(Path.cwd()))
    modules = []
    for name in imports:
        try:
            modules.append(importlib.import_module(name))
        except ImportError as error:
            parser.error(f"--import {name}: {error}")
    return KnownEnvs((*envs.ENV_IDS, *gymnasium.registry), tuple(modules))
