"""Options that change settings, one for each key of the settings model.

They hand text to `config.load`, which merges and checks the settings.
"""

import json
import re
from typing import Any

import rich_click as click

from grasp_func.config.load import expectation, load_config
from grasp_func.config.schema import Config
from grasp_func.shipped import DEFAULT_CONFIG

KEYS = [key for key in Config.model_fields if key != "kwargs"]


def options() -> list[click.Option]:
    """Returns an option for each key, in panels as the model is divided into parts."""
    shipped, found = load_config(DEFAULT_CONFIG, "Default"), list[click.Option]()
    # pydantic lists the keys of the last base first
    for part in reversed(Config.__bases__):
        panel = re.sub(r"\B[A-Z]", lambda match: f" {match[0].lower()}", part.__name__)
        for key in part.__annotations__:
            name, expected = key.replace("_", "-"), expectation(key)
            default = json.dumps(getattr(shipped, key)).strip('"')
            article, kind, *_ = expected.split()
            metavar = kind.upper() if article in ("a", "an") else "CHOICE"
            switch = expected == "true or false"
            found.append(
                click.RichOption(
                    [f"--{name}/--no-{name}" if switch else f"--{name}"],
                    default=None,
                    metavar=None if switch else metavar,
                    help=f"{Config.model_fields[key].description}; {expected} [default: {default}]",
                    panel=panel,
                    shell_complete=complete_value,
                )
            )
    return found


def changes(options: dict[str, Any]) -> list[str]:
    """Removes the settings from a command's options and returns them as `--KEY=VALUE`."""
    values = {key.replace("_", "-"): options.pop(key) for key in KEYS}
    return [f"--{name}={value}" for name, value in values.items() if value is not None]


def complete_value(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    """Completes the value of a key, where it is a word such as `auto` or `null`."""
    return _words(str(option.name), incomplete)


def complete_change(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    """Completes KEY=VALUE."""
    key, equals, value = incomplete.partition("=")
    if not equals:
        return [f"{key}=" for key in KEYS if key.startswith(incomplete)]
    return [f"{key}={word}" for word in _words(key, value)] if key in KEYS else []


def _words(key: str, beginning: str) -> list[str]:
    words = expectation(key).split(" or ")
    return [word for word in words if word.startswith(beginning) and " " not in word]
