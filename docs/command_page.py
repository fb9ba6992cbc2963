"""Writes the page of the commands, from the commands."""

import rich_click as click

from grasp_func.cli import settings
from grasp_func.cli.commands import COMMANDS, GROUP

_CONTEXT = click.Context(GROUP)
_SETTINGS = (
    "Each key of the [configuration](configuration.md#keys) is an option: `--batch-size 256`."
)


def commands_page() -> str:
    """Returns the arguments of all commands."""
    parts = [
        "# Commands",
        "`grasp-func COMMAND --help` prints the same. `python -m grasp_func` is `grasp-func`, and "
        "`train.py`, `evaluate.py`, `export.py` and `import_agent.py` in `examples/` start one "
        "command each. A mistake of the user ends in one line `error: ...` and exit code 2; "
        "several mistakes in a configuration have a line each.",
    ]
    for name, (_, line) in COMMANDS.items():
        command = GROUP.resolve_command(_CONTEXT, [name])[1]
        assert command is not None
        keys = {opt for key in settings.options() for opt in key.opts} if name == "train" else set()
        rows = [_row(param) for param in command.params if keys.isdisjoint(param.opts)]
        parts += [f"## grasp-func {name}", f"{line[0].upper()}{line[1:]}."]
        if rows:
            parts.append("\n".join(["| Argument | Meaning | Default |", "|---|---|---|", *rows]))
        if keys:
            parts.append(_SETTINGS)
    return "\n\n".join(parts) + "\n"


def _row(param: click.Parameter) -> str:
    """Returns the row of an option or a positional argument."""
    is_flag, value = getattr(param, "is_flag", False), param.make_metavar(_CONTEXT)
    names = [f"`{name}`" for name in param.opts] if isinstance(param, click.Option) else []
    shown = param.default if isinstance(param.default, str | int) and not is_flag else ""
    first = " ".join([", ".join(names), "" if is_flag else value]).strip().replace("|", ", ")
    return f"| {first} | {getattr(param, 'help', '') or ''} | {shown} |".replace("<", "&lt;")
