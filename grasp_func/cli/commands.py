"""The sub-commands of `grasp-func`, and how their mistakes are reported."""

import os
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import rich_click as click

from grasp_func.cli.arguments import Command, Context
from grasp_func.errors import UserError
from grasp_func.runtime.launch import launcher_rank

# Sub-command -> its module in this package, and a line of help.
COMMANDS = {
    "train": ("train", "train an agent, with -n N on several processes"),
    "evaluate": ("evaluate", "measure the success of an agent; show or film its episodes"),
    "export": ("export", "write an agent for other programs, or for Dext-Gen"),
    "import": ("import_agent", "convert an agent of Dext-Gen"),
    "plot": ("plot", "compare runs in one picture"),
    "envs": ("list_envs", "list the environments"),
    "info": ("info", "show versions, this machine, and how to train on it"),
    "schema": ("schema", "print the JSON schema of configuration files"),
    "completion": ("completion", "print the script that completes commands in a shell"),
}
USER_ERROR = 2  # exit code
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
        return name, None if name is None else _load(name), rest


GROUP = LazyGroup(
    name="grasp-func",
    commands={name: Command(name=name, help=line) for name, (_, line) in COMMANDS.items()},
    help="Learns dexterous grasping from sparse rewards.",
    epilog="`grasp-func COMMAND --help` lists the arguments of a command.",
)


def run(name: str, argv: Sequence[str] | None) -> int:
    """Runs `grasp-func`, or one of its sub-commands as a program; returns the exit code."""
    if "_GRASP_FUNC_COMPLETE" in os.environ:
        import_module("grasp_func.cli.completion")
    try:
        if name == GROUP.name:
            return GROUP.main(argv, name, standalone_mode=False) or 0
        return _load(name).main(argv, f"python {sys.argv[0]}", standalone_mode=False) or 0
    except click.ClickException as error:
        # On one line, also where click lists choices below each other.
        _refuse(" ".join(error.format_message().split()))
    except UserError as error:
        _refuse(str(error))
    except click.Abort as abort:
        # click takes an EOFError, which is a defect, for the end of the input.
        raise abort.__context__ or abort from None


def _load(name: str) -> click.Command:
    """Returns a sub-command; its module has it under the name `command`."""
    module = import_module(f"grasp_func.cli.{COMMANDS[name][0]}")
    command: click.Command = module.command
    return command


def _refuse(message: str) -> NoReturn:
    """Prints an error and ends the process with exit code 2.

    Other processes than the first wait before: if the first meets the same error, it ends, and the
    launcher ends the others before they print. A launcher would end the first one, still silent, if
    another were faster.
    """
    if launcher_rank():
        time.sleep(GRACE_SECONDS)
    print(f"error: {message}", file=sys.stderr)
    sys.exit(USER_ERROR)
