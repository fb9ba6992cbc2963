"""Lines that the first process prints before and after training."""

import shlex
from types import SimpleNamespace

import torch

from grasp_func.core.replay import buffer_bytes
from grasp_func.errors import UserError
from grasp_func.runtime import launch
from grasp_func.runtime.aot import compiler_problem
from grasp_func.runtime.comm import Comm, host_names
from grasp_func.runtime.consistency import cpu_names
from grasp_func.storage.run_dir import RunPaths
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
    problem = run.cfg.updates == "traced" and compiling_pays(run.cfg) and compiler_problem()
    if problem:
        lines.append(f"updates would be faster with a C++ compiler, but none works: {problem}")
    if processes == 1 and workers.total > 1:
        lines.append(
            f"WARNING: one process computes all {workers.total} workers; several get the same "
            f"result faster: {_several(workers.total, program)}"
        )
    elif processes == 1:
        lines.append(
            "WARNING: this is ONE process: slower than several, and another number of workers "
            f"gives another result. Start several: {_several(16, program)}"
        )
    return "\n".join(lines)


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
