"""Writes the page of the commands, from the commands."""

import rich_click as click

from grasp_func.cli.main import COMMANDS, load

_CONTEXT = click.Context(click.Command("grasp-func"))


def commands_page() -> str:
    """Returns the options of all commands."""
    parts = [
        "# Commands",
        "Each command has `--help`. `python -m grasp_func` is the same as `grasp-func`, and the "
        "scripts in `examples/` start one command each. A mistake of the user ends in one line "
        "`error: ...` and exit code 2.",
    ]
    for name, (_, line) in COMMANDS.items():
        rows = ["| Option | Meaning | Default |", "|---|---|---|"]
        rows += [_row(param) for param in load(name).params if isinstance(param, click.Option)]
        parts += [f"## grasp-func {name}", f"{line[0].upper()}{line[1:]}.", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" {option.make_metavar(_CONTEXT)}".replace("|", ", ")
    shown = option.default if isinstance(option.default, str | int) and not option.is_flag else ""
    return f"| {names}{value} | {option.help or ''} | {shown} |".replace("<", "&lt;")
