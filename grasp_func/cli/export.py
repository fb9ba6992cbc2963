"""Exports a trained agent: `grasp-func export --env FlatPJCube-v0 --out exported`."""

import contextlib
from types import SimpleNamespace
from typing import Any

import rich_click as click

from grasp_func.cli import arguments
from grasp_func.shipped import DEFAULT_CONFIG

FORMATS = ("dextgen", "safetensors", "torchscript")


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.AGENT_OPTIONS))
@click.option("--out", type=arguments.FOLDER, required=True, metavar="DIR")
@click.option("--format", type=click.Choice([*FORMATS, "all"]), default="all", show_default=True)
def command(**options: Any) -> None:
    """Writes the agent in one format, or in all that can hold it, and prints the files."""
    args = SimpleNamespace(**options)
    from grasp_func.config.load import load_config
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import agent, agent_files, export, run_dir
    from grasp_func.training.goal_env import GymGoalEnv, make_env

    directory = arguments.agent_directory(args.load, args.env)
    with user_errors(SoloComm()):
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.changes]
        config = args.config or DEFAULT_CONFIG
        cfg = load_config(config, args.env, changes, arguments.known_envs(args.modules))
        with contextlib.closing(GymGoalEnv(make_env(args.env, cfg.kwargs))) as env:
            env_spec = env.spec
        files = agent_files.read_agent(directory)
        exported = export.Agent(files, agent.rotation_of(files, env_spec, directory))
        print(f"{args.env}, agent {directory}")
        formats = list(FORMATS) if args.format == "all" else [args.format]
        misfit = export.dextgen_misfit(exported)
        if misfit and args.format == "all":
            formats.remove("dextgen")
            print(f"dextgen left out: {misfit}")
        for path in export.export_agent(exported, args.out, formats):
            print(path)
