"""Trains an agent: `mpirun -n 16 python examples/train.py --env FlatPJCube-v0`."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy and torch load; more cost 20 times the speed
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import argparse
from functools import partial
from pathlib import Path

import envs
import grasp_func
from envs import ENV_IDS
from grasp_func.cli import launch
from grasp_func.runtime import comm, consistency, matmul_precision
from grasp_func.runtime.workers import make_workers
from grasp_func.training import loop, recorder, resume

DEFAULT_CONFIG = Path(__file__).parents[1] / "configs" / "experiment_config.yaml"


def main() -> None:
    """Sets every process up alike, then trains and records."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, metavar="ID", help="one of envs.ENV_IDS")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
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
        help="resume saves/<env>/checkpoints/<run>[/<epoch>], the newest one by default",
    )
    parser.add_argument(
        "--without-replay",
        action="store_true",
        help="with --resume: begin with an empty replay buffer; training takes another course",
    )
    world = comm.connect()
    args = launch.parse_arguments(parser, world)
    launch.tune_process()
    with launch.user_errors(world):
        consistency.assert_alike(
            world, consistency.program_facts(envs, grasp_func), os.uname().nodename
        )
        cfg, paths = comm.on_root(world, lambda: launch.configure(args, ENV_IDS))
        comm.on_each(world, lambda: matmul_precision.use(cfg.matmul))
        workers = make_workers(world, cfg.workers)
        env = launch.make_env(args.env, cfg)
        run = loop.make_run(cfg, env, workers)
        launch.check_memory(run)
        launch.compile_updates(run)
        if paths is not None and paths.resume_from is not None:
            start = resume.restore(run, paths.resume_from, not args.without_replay)
        else:
            start = resume.fresh(run)
            if cfg.load_pretrained:
                load = partial(resume.load_pretrained, run, start.state, args.save_dir, args.env)
                state, origin = comm.on_root(world, load)
                start = start._replace(state=state, history=[origin])
            paths = comm.on_root(world, lambda: launch.new_run_paths(args, cfg))
    facts, start_line = recorder.describe(run, args.env), launch.start_line(run, args.env)
    record_epoch = recorder.Recorder(run, facts, paths, start)
    with launch.stop_requests(world) as asked_to_stop:
        if workers.is_root:
            print(*start.history[-1:], start_line, sep="\n", flush=True)
        for report in loop.train(run, start.state, start.progress, start.buffers):
            with launch.user_errors(world):
                record_epoch(report)
            if not report.is_last(cfg) and asked_to_stop():
                with launch.user_errors(world):
                    record_epoch.stop()
                if workers.is_root:
                    print(launch.stop_line(report.progress.epoch, cfg.save), flush=True)
                break


if __name__ == "__main__":
    main()
