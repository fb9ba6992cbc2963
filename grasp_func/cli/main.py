"""The command `grasp-func`, whose sub-commands the examples start too."""

import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import rich_click as click

from grasp_func.cli.arguments import Command, Context, launcher_rank
from grasp_func.errors import UserError

# Sub-command -> its module in this package, and a line of help.
COMMANDS = {
    "train": ("train", "train an agent; start it with mpirun to use several processes"),
    "evaluate": ("evaluate", "measure the success of an agent; show or film its episodes"),
    "export": ("export", "write an agent for other programs, or for Dext-Gen"),
    "import": ("import_agent", "convert an agent of Dext-Gen"),
    "plot": ("plot", "compare runs in one picture"),
    "envs": ("list_envs", "list the environments"),
}
USER_ERROR, INTERRUPTED = 2, 130  # exit codes
GRACE_SECONDS = 5.0


class LazyGroup(click.RichGroup):
    """Imports the module of a sub-command when it is chosen."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the names of the sub-commands, in their own order."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Returns the name of a sub-command, the command itself and its arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest


def load(name: str) -> click.Command:
    """Returns a sub-command; its module has it under the name `command`."""
    module = import_module(f"grasp_func.cli.{COMMANDS[name][0]}")
    command: click.Command = module.command
    return command


GROUP = LazyGroup(
    name="grasp-func",
    commands={name: Command(name=name, help=line) for name, (_, line) in COMMANDS.items()},
    help="Learns dexterous grasping from sparse rewards.",
    epilog="`grasp-func COMMAND --help` lists the arguments of a command.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the sub-command that the arguments begin with; returns its exit code."""
    return _run(GROUP, argv, "grasp-func")


def run_command(name: str, argv: Sequence[str] | None = None) -> int:
    """Runs a sub-command as a program of its own, under the name of the program's file."""
    return _run(load(name), argv, None)


def _run(command: click.Command, argv: Sequence[str] | None, prog: str | None) -> int:
    """Limits this process to one thread and runs a command; returns its exit code.

    NumPy and torch read the limits when they are loaded. More than one thread per process makes
    training 20 times slower.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        return command.main(argv, prog, standalone_mode=False) or 0
    except click.ClickException as error:
        # On one line, also where click lists choices below each other.
        _refuse(" ".join(error.format_message().split()))
    except UserError as error:
        _refuse(str(error))
    except click.Abort as abort:
        # Click also aborts at an EOFError, which is a defect.
        if not isinstance(abort.__context__, KeyboardInterrupt):
            raise
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _refuse(message: str) -> NoReturn:
    """Prints an error and ends the process with exit code 2.

    Other processes than the first wait before: if the first meets the same error, it ends, and the
    launcher ends the others before they print. A launcher would end the first one, still silent, if
    another were faster.
    """
    if launcher_rank() > 0:
        time.sleep(GRACE_SECONDS)
    print(f"error: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)
