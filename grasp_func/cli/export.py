"""Exports a trained agent: `grasp-func export --env FlatPJCube-v0 --out exported`."""

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path

from grasp_func.cli import arguments
from grasp_func.cli.arguments import KnownEnvs

FORMATS = ("dextgen", "safetensors", "torchscript")


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Writes the agent in one or all formats and prints the files; returns the exit code."""
    parser = arguments.make_parser(__doc__, prog)
    arguments.add_agent_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--format", choices=[*FORMATS, "all"], default="all")
    return _export(*arguments.parse(parser, argv))


def _export(args: argparse.Namespace, known: KnownEnvs) -> int:
    from grasp_func.config.load import load_config
    from grasp_func.runtime.comm import SoloComm
    from grasp_func.runtime.process import user_errors
    from grasp_func.storage import agent, agent_files, export, run_dir
    from grasp_func.training.goal_env import GymGoalEnv, make_env

    directory = args.load or run_dir.best_or_latest(run_dir.SAVES / args.env)
    with user_errors(SoloComm()):
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.set]
        config = args.config or arguments.DEFAULT_CONFIG
        cfg = load_config(config, args.env, changes, known.ids)
        with contextlib.closing(GymGoalEnv(make_env(args.env, cfg.kwargs))) as env:
            env_spec = env.spec
        files = agent_files.read_agent(directory)
        exported = export.Agent(files, agent.rotation_of(files, env_spec, directory))
        formats = FORMATS if args.format == "all" else [args.format]
        print(f"{args.env}, agent {directory}")
        for path in export.export_agent(exported, args.out, formats):
            print(path)
    return 0
