"""Lines that the first process prints before and after training."""

import torch

from grasp_func.core.replay import buffer_bytes
from grasp_func.runtime.aot import compiler_problem
from grasp_func.runtime.comm import host_names
from grasp_func.runtime.consistency import cpu_names
from grasp_func.training.session import GIB, compiling_pays
from grasp_func.training.setup import Run


def start_lines(run: Run) -> str:
    """Returns what is printed before training; every process must call it."""
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
            f"result faster: mpirun -n {workers.total} grasp-func train"
        )
    elif processes == 1:
        lines.append(
            "WARNING: this is ONE process: slower than several, and another number of workers "
            "gives another result. Start several: mpirun -n 16 grasp-func train"
        )
    return "\n".join(lines)


def stop_line(epoch: int, saved: bool) -> str:
    """Returns what is printed when a run stops on request, before its end."""
    rest = "continue with --resume" if saved else "nothing was saved"
    return f"stopped on request after epoch {epoch}: {rest}"
