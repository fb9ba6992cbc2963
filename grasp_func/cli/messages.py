"""Lines that the first process prints before and after training."""

import shlex
from collections.abc import Sequence
from types import SimpleNamespace

import torch

from grasp_func.cli.status import interval
from grasp_func.core.replay import buffer_bytes
from grasp_func.errors import UserError
from grasp_func.runtime import launch
from grasp_func.runtime.aot import compiler_problem
from grasp_func.runtime.comm import Comm, host_names
from grasp_func.runtime.consistency import cpu_names
from grasp_func.runtime.machine import useful_processes
from grasp_func.storage.run_dir import RunPaths, best_or_latest
from grasp_func.storage.stats_log import Row
from grasp_func.training.loop import EpochResult
from grasp_func.training.metrics import summary
from grasp_func.training.session import GIB, compiling_pays
from grasp_func.training.setup import Run


def start_lines(run: Run, program: str) -> str:
    """Returns what is printed before training; every process must call it.

    Args:
        run: the run.
        program: how this program was called, for example `grasp-func train`.
    """
    workers, replay = run.workers, buffer_bytes(run.env_spec, run.cfg.buffer_size) / GIB
    hosts, processes = host_names(workers.comm), workers.comm.Get_size()
    lines = [
        f"{run.env.name}: {processes} process(es) on {', '.join(hosts)}; "
        f"{workers.total} worker(s), {torch.get_num_threads()} thread(s) each; "
        f"matmul {run.cfg.matmul}; updates {run.cfg.updates}; seed {run.key.seed}",
        f"replay: float32, grows to {replay * len(workers.local_workers):.2f} GiB a process, "
        f"{replay * workers.total:.2f} GiB in all",
        *run.env.notes,
    ]
    cpus = cpu_names(workers.comm)
    if len(cpus) > 1:
        lines.append(
            f"WARNING: CPUs differ ({', '.join(cpus)}): libraries may round differently there, "
            "so the result depends on which host computes which worker"
        )
    pays = run.cfg.updates == "traced" and compiling_pays(run.cfg, workers.total)
    problem = pays and compiler_problem()
    if problem:
        lines.append(f"updates would be faster with a C++ compiler, but none works: {problem}")
    if processes == 1 and workers.total > 1:
        counts = range(2, max(2, useful_processes()) + 1)
        n = max((n for n in counts if workers.total % n == 0), default=workers.total)
        lines.append(
            f"WARNING: one process computes all {workers.total} workers; {n} get the same result "
            f"sooner: {_several(n, program)}"
        )
    elif processes == 1:
        lines.append(
            "WARNING: this is ONE process: slower than several, and another number of workers "
            f"gives another result. Start several: {_several(16, program)}"
        )
    return "\n".join(lines)


def end_lines(
    run: Run,
    paths: RunPaths | None,
    result: EpochResult,
    best: Row | None,
    resuming: str,
    modules: Sequence[str] = (),
) -> list[str]:
    """Returns what is printed after training: why it ended, the best agent, and what to do next.

    Args:
        run: that has ended.
        paths: its folders; None: nothing was saved.
        result: of its last epoch.
        best: row of the epoch with the best agent; None: no agent was confirmed.
        resuming: how the run is resumed.
        modules: imported for the environment.
    """
    lines = [_reason(run, result)]
    if best is None:
        lines.append("best agent: none, because no evaluation with a success was confirmed")
    else:
        lines.append(
            f"best agent: success {interval(best['best'])} of {best['best']['n']} confirming "
            f"episodes, epoch {best['epoch']}"
        )
    if paths is None:
        return [*lines, "files: nothing was saved"]
    env = " ".join([f"--env {run.env.name}", *(f"--import {module}" for module in modules)])
    # An earlier run may have left a best agent there.
    load = best_or_latest(paths.latest) if best else paths.latest
    lines += [
        f"files: {paths.latest}; those of this run alone: {paths.backup}",
        f"evaluate: grasp-func evaluate {env} --load {load} --ntests 1000",
    ]
    if not result.is_last(run.cfg) and result.schedule.epoch:
        lines.append(resuming)
    return lines


def _reason(run: Run, result: EpochResult) -> str:
    cfg, epoch = run.cfg, result.schedule.epoch
    if not result.is_last(cfg):
        return f"stopped on request after epoch {epoch}"
    if result.reached_goal(cfg):
        decisive = result.confirmation or result.eval_result
        said = interval(summary(decisive))
        return (
            f"finished: early stop after epoch {epoch}, success {said} of {decisive.overall.n} "
            f"episodes reaches early_stop = {cfg.early_stop}"
        )
    if result.lost_patience(cfg):
        return f"finished: no better agent for {cfg.patience} epoch(s)"
    return f"finished: all {cfg.epochs} epochs are completed"


def how_to_resume(args: SimpleNamespace, paths: RunPaths | None, comm: Comm) -> str:
    """Returns the command that resumes a run, in words; every process must call it.

    Args:
        args: of the command `train`.
        paths: the folders of the run; None: it is not saved.
        comm: the processes.
    """
    n, program, one_host = comm.Get_size(), args.program, len(host_names(comm)) == 1
    if paths is None:
        return "nothing is saved"
    if n > 1:
        program = f"{program} -n {n}" if one_host else f"mpirun -n {n} --hostfile FILE {program}"
    imports = [word for module in args.modules for word in ("--import", module.__name__)]
    options = ["--env", args.env, *imports, "--resume", str(paths.checkpoints)]
    return f"to resume: {program} {shlex.join(options)}"


def _several(n: int, program: str) -> str:
    """Names the commands that start several processes on this machine."""
    try:
        return f"{program} -n {n} ..., or {launch.mpirun(n, shlex.split(program))} ..."
    except UserError as error:
        return str(error)
