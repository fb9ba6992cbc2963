"""The command `grasp-func`, whose sub-commands the examples start too."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from grasp_func.cli.arguments import Parser

# Sub-command -> its module in this package, and a line of help.
COMMANDS = {
    "train": ("train", "train an agent; start it with mpirun to use several processes"),
    "evaluate": ("evaluate", "measure the success of an agent; show or film its episodes"),
    "export": ("export", "write an agent for other programs, or for Dext-Gen"),
    "import": ("import_agent", "convert an agent of Dext-Gen"),
    "envs": ("list_envs", "list the environments"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the sub-command that the arguments begin with; returns its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(
        prog="grasp-func",
        description="Learns dexterous grasping from sparse rewards.",
        epilog="`grasp-func COMMAND --help` lists the arguments of a command.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary) in COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    command = parser.parse_args(argv[:1]).command
    return run_command(command, argv[1:], f"{parser.prog} {command}")


def run_command(command: str, argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Limits this process to one thread and runs a command; returns its exit code.

    NumPy and torch read the limits when they are loaded, so the command's module is imported
    afterwards. More than one thread per process makes training 20 times slower.

    Args:
        command: one of COMMANDS.
        argv: its arguments; None: those of this process.
        prog: the name in its usage line; None: that of the program's file.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    module = import_module(f"grasp_func.cli.{COMMANDS[command][0]}")
    return int(module.main(argv, prog))
