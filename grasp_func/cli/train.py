"""Trains an agent: `mpirun -n 16 grasp-func train --env FlatPJCube-v0`."""

import argparse
import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from grasp_func.cli import arguments
from grasp_func.cli.arguments import KnownEnvs

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.storage.run_dir import RunPaths


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Trains on all processes of the job; returns the exit code."""
    parser = arguments.make_parser(__doc__, prog)
    for name, value, meaning in (
        ("--eager", "eager", "updates operator by operator: the same bits, slower"),
        ("--compile", "compiled", "updates in machine code: faster, other bits; takes a compiler"),
    ):
        const = f"updates={value}"
        parser.add_argument(name, dest="set", action="append_const", const=const, help=meaning)
    parser.add_argument("--save-dir", type=Path, default=Path("saves"), metavar="DIR")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="DIR",
        help="resume saves/<env>/checkpoints/<run>[/<epoch>]; by default the newest",
    )
    parser.add_argument(
        "--without-replay",
        action="store_true",
        help="with --resume: begin with an empty replay buffer, which gives another result",
    )
    args, known = arguments.parse(parser, argv)
    if args.resume is not None and args.config is not None:
        parser.error("--resume --config: a resumed run keeps its configuration; leave out --config")
    if args.without_replay and args.resume is None:
        parser.error("--without-replay: only with --resume")
    return _train(args, known)


def _train(args: argparse.Namespace, known: KnownEnvs) -> int:
    import envs
    from grasp_func.cli import messages
    from grasp_func.runtime import comm, consistency, process
    from grasp_func.training import resume, session

    world = comm.connect()
    packages = [module for module in known.modules if hasattr(module, "__path__")]
    with process.user_errors(world):
        facts = consistency.program_facts(envs, import_module("grasp_func"), *packages)
        consistency.assert_alike(world, facts, os.uname().nodename)
        cfg, paths = comm.on_root(world, lambda: _configure(args, known))
        run = session.prepare(cfg, args.env, world)
        if paths is not None and paths.resume_from is not None:
            start = resume.restore(run, paths.resume_from, not args.without_replay)
        else:
            start = session.begin(run, args.save_dir)
            paths = session.new_paths(run, args.save_dir) if cfg.save else None
        start_lines = messages.start_lines(run)
        with process.stop_requests(world) as asked_to_stop:
            if run.workers.is_root:
                print(*start.history[-1:], start_lines, sep="\n", flush=True)
            results = session.train_and_record(run, start, paths)
            for result in results:
                if not result.is_last(cfg) and asked_to_stop():
                    results.close()
                    if run.workers.is_root:
                        line = messages.stop_line(result.schedule.epoch, saved=cfg.save)
                        print(line, flush=True)
                    break
    return 0


def _configure(args: argparse.Namespace, known: KnownEnvs) -> "tuple[Config, RunPaths | None]":
    """Returns the configuration, and the folders of the run that is resumed.

    Raises:
        ConfigError: an argument names a value that is not allowed.
        SaveError: there is no such run, or it is still running.
    """
    from grasp_func.config.load import load_config
    from grasp_func.storage.run_dir import reopen_run
    from grasp_func.training import resume, session

    if args.resume is not None:
        source = resume.find_run(args.save_dir, args.env, args.resume)
        cfg = resume.resumed_config(source, args.env, args.set)
        return cfg, reopen_run(source)
    config = args.config or arguments.DEFAULT_CONFIG
    return session.decided(load_config(config, args.env, args.set, known.ids)), None
