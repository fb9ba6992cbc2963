"""Arguments that several commands share, and their checks, which need no heavy import.

Loading torch and jax takes seconds, so commands import them only after their arguments were found
to be good.
"""

import difflib
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import rich_click as click
from click.shell_completion import CompletionItem

from grasp_func.runtime.launch import launcher_rank

# Suggestions for an unknown id: their number, and their least similarity in [0, 1].
N_SUGGESTIONS, MIN_SIMILARITY = 3, 0.5
PRETRAINED = Path("pretrained")  # of --load: the agent that comes with grasp_func
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


class Context(click.RichContext):
    """Prints help on the first process only."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Adds the short form of --help."""
        super().__init__(*args, help_option_names=["-h", "--help"], **settings)

    def get_help(self) -> str:
        """Returns the help; ends the program on other processes than the first."""
        if launcher_rank():
            self.exit()
        return super().get_help()


class Command(click.RichCommand):
    """A sub-command."""

    context_class = Context


def known_envs(modules: Sequence[ModuleType]) -> tuple[str, ...]:
    """Returns the ids of the environments that a command can use, some of imported modules."""
    from grasp_func.cli.environments import ENV_IDS

    if not modules:
        return ENV_IDS
    import gymnasium

    return (*ENV_IDS, *gymnasium.registry)


def agent_directory(load: Path | None, env_id: str) -> Path:
    """Returns the folder of the agent that --load names.

    Raises:
        SaveError: there is none.
    """
    from grasp_func.cli.environments import SUITE
    from grasp_func.errors import SaveError
    from grasp_func.storage import run_dir

    gripper = SUITE[env_id].robot.name if env_id in SUITE else env_id
    if load is not None:
        shipped = load == PRETRAINED
        return run_dir.pretrain_directory(run_dir.SAVES, env_id, gripper) if shipped else load
    latest = run_dir.best_or_latest(run_dir.SAVES / env_id)
    if env_id in SUITE and not run_dir.holds_agent(latest):
        raise SaveError(
            f"{latest}: no {', '.join(run_dir.FILES)}: train first, name another folder with "
            "--load DIR, or take the agent that comes with grasp_func: --load pretrained"
        )
    return latest


class _Module(click.ParamType[ModuleType]):
    """The name of a module, which is imported."""

    name = "module"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> ModuleType:
        if not all(name.isidentifier() for name in value.split(".")):
            self.fail(f"--import {value}: expected the name of a module, not a file", param, ctx)
        # modules of the working directory, after all installed ones
        sys.path.append(str(Path.cwd()))
        try:
            return importlib.import_module(value)
        except ImportError as error:
            self.fail(f"--import {value}: {error}", param, ctx)


class _EnvId(click.ParamType[str]):
    """The id of an environment, of our own or of a module that --import names."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        # click handles --import first, because it is eager
        modules = ctx.params["modules"] if ctx else ()
        ids = known_envs(modules)
        if value not in ids:
            close = _nearest(value, ids)
            hint = f"did you mean {', '.join(close)}? " if close else _import_hint(modules)
            raise click.UsageError(
                f"--env {value} is not a known environment, {hint}`grasp-func envs` lists ours"
            )
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Returns the ids that begin so."""
        ids = known_envs(ctx.params.get("modules") or ())
        return [CompletionItem(env_id) for env_id in ids if env_id.startswith(incomplete)]


def _nearest(name: str, ids: Sequence[str]) -> list[str]:
    """Returns the ids that are spelled most like a name, ignoring case.

    The others come after the nearest and those of its gripper. An id that differs only in case
    comes alone.
    """
    from grasp_func.cli.environments import SUITE

    lower = {env_id.lower(): env_id for env_id in ids}
    if name.lower() in lower:
        return [lower[name.lower()]]
    close = difflib.get_close_matches(name.lower(), lower, n=len(lower), cutoff=MIN_SIMILARITY)
    found = [lower[env_id] for env_id in close]
    grippers = {env_id: row.robot.name for env_id, row in SUITE.items()}
    # Sorting keeps the order of similarity among ids of the same gripper.
    found = sorted(found, key=lambda env_id: grippers.get(env_id) != grippers.get(found[0]))
    return found[:N_SUGGESTIONS]


def _complete_change(ctx: click.Context, option: click.Parameter, incomplete: str) -> list[str]:
    from grasp_func.cli.settings import complete_change

    return complete_change(ctx, option, incomplete)


def _import_hint(modules: Sequence[ModuleType]) -> str:
    if modules:
        return f"nor registered by --import {', '.join(module.__name__ for module in modules)}; "
    return "register environments of other packages with --import MODULE; "


# Of every command that uses an environment.
ENV_OPTIONS = (
    click.RichOption(
        ["--env"],
        type=_EnvId(),
        required=True,
        help="Its id, as `grasp-func envs` lists it or --import registers it.",
    ),
    click.RichOption(
        ["--import", "modules"],
        type=_Module(),
        multiple=True,
        is_eager=True,
        help="Import a module that registers Gymnasium goal environments; repeatable.",
    ),
    click.RichOption(
        ["--config"],
        type=FILE,
        metavar="FILE",
        help="Default: the experiment_config.yaml that comes with grasp_func.",
    ),
    click.RichOption(
        ["--set", "changes"],
        metavar="KEY=VALUE",
        multiple=True,
        help="Change a key of the configuration; repeatable.",
        shell_complete=_complete_change,
    ),
)
# Of every command that reads a trained agent.
AGENT_OPTIONS = (
    *ENV_OPTIONS,
    click.RichOption(
        ["--load"],
        type=FOLDER,
        metavar="DIR",
        help="`pretrained` takes the agent that comes with grasp_func. Default: saves/<env>/best, "
        "or saves/<env> if there is none.",
    ),
)
