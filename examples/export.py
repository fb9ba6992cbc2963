"""Exports a trained agent: `python examples/export.py --env FlatPJCube-v0 --out exported`."""

import argparse
from pathlib import Path

from envs import ENV_IDS
from grasp_func.cli import launch
from grasp_func.config import load
from grasp_func.runtime import comm
from grasp_func.storage import agent, agent_files, export, run_dir
from grasp_func.training import rollout

DEFAULT_CONFIG = Path(__file__).parents[1] / "configs" / "experiment_config.yaml"


def main() -> None:
    """Writes the agent in one or all formats and prints what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, metavar="ID", help="one of envs.ENV_IDS")
    parser.add_argument("--load", type=Path, metavar="DIR", help="default: saves/<env>")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--format", choices=[*export.FORMATS, "all"], default="all")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    with launch.user_errors(comm.SoloComm()):
        directory = args.load or Path("saves") / args.env
        changes = [*run_dir.recorded_kwargs(directory, args.env), *args.set]
        cfg = load.load_config(args.config, args.env, changes, ENV_IDS)
        env_spec = rollout.env_spec_of(launch.make_env(args.env, cfg))
        files = agent_files.read_agent(directory)
        what = export.Agent(files, agent.rotation_of(files, env_spec, directory))
        formats = list(export.FORMATS) if args.format == "all" else [args.format]
        for path in export.export_agent(what, args.out, formats):
            print(path)


if __name__ == "__main__":
    main()
