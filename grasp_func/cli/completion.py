"""Prints the script that completes commands in a shell: `eval "$(grasp-func completion bash)"`."""

import rich_click as click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    get_completion_class,
)

from grasp_func.cli.arguments import Command


class Bash(BashComplete):
    """Completes `KEY=VALUE`, which bash splits at `=` and separates from `KEY=` by a space."""

    source_template = BashComplete.source_template.replace(
        "    return 0", "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n    return 0"
    )
    before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Returns the words before the one that is completed, and the beginning of that one."""
        args, incomplete = super().get_completion_args()
        if incomplete == "=":
            args, incomplete = [*args, "="], ""
        if args[-1:] == ["="]:
            self.before = f"{args[-2]}="
            args, incomplete = args[:-2], self.before + incomplete
        return args, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Returns a line for the script, without what bash took for another word."""
        item.value = item.value.removeprefix(self.before)
        return super().format_completion(item)


add_completion_class(Bash)


@click.command(cls=Command, help=__doc__)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Prints the script."""
    completion = get_completion_class(shell)
    assert completion is not None
    print(completion(ctx.find_root().command, {}, "grasp-func", "_GRASP_FUNC_COMPLETE").source())
