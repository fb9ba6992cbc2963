"""What a configuration leaves open is chosen before a run begins."""

import numpy as np
import pytest

from grasp_func.runtime import aot
from grasp_func.runtime.comm import SoloComm
from grasp_func.storage.agent import to_files
from grasp_func.storage.agent_files import write_agent
from grasp_func.training import loop, session
from grasp_func.training.setup import initial_state
from helpers import assert_same, make_run, tiny_config


class TwoKindsOfCpu(SoloComm):
    """Two hosts with different CPUs."""

    def allgather(self, value):
        return [value, "another CPU"] if isinstance(value, str) else [value]


@pytest.mark.parametrize(
    ("changes", "comm", "chosen"),
    [
        ({"epochs": 1000, "cycles": 10, "batches": 11}, SoloComm(), "compiled"),
        ({"epochs": 1000, "cycles": 10, "batches": 10}, SoloComm(), "traced"),
        ({"epochs": 100, "cycles": 10, "batches": 10, "workers": 11}, SoloComm(), "compiled"),
        ({"epochs": 100, "cycles": 10, "batches": 10, "workers": 10}, SoloComm(), "traced"),
        ({"epochs": 1000, "cycles": 10, "batches": 11}, TwoKindsOfCpu(), "traced"),
        ({"epochs": 1000, "cycles": 10, "batches": 11, "updates": "eager"}, SoloComm(), "eager"),
        ({"epochs": 1, "updates": "compiled"}, SoloComm(), "compiled"),
    ],
)
def test_long_runs_on_one_kind_of_cpu_are_compiled(monkeypatch, changes, comm, chosen):
    monkeypatch.setattr(session, "compiler_problem", lambda: "")
    cfg = tiny_config(**changes)
    assert session.decided(cfg, comm).updates == chosen


class Processes(SoloComm):
    """The first of `size` processes."""

    def __init__(self, size):
        self.size = size

    def Get_size(self):
        return self.size


@pytest.mark.parametrize(
    ("processes", "least", "workers"),
    [(1, 1, 1), (3, 1, 3), (1, 16, 16), (2, 16, 16), (16, 16, 16), (6, 16, 18), (20, 16, 20)],
)
def test_every_process_gets_the_same_number_of_workers(processes, least, workers):
    cfg = tiny_config(workers=None, min_workers=least)
    assert session.decided(cfg, Processes(processes)).workers == workers
    asked = tiny_config(workers=5, min_workers=least)
    assert session.decided(asked, Processes(processes)).workers == 5


# PyTorch takes CXX as one name, without options.
@pytest.mark.parametrize("compiler", ["/no/such/compiler", "false", "g++ -O1"])
def test_without_a_working_compiler_updates_are_traced(monkeypatch, compiler):
    monkeypatch.setenv("CXX", compiler)
    aot.compiler_problem.cache_clear()
    cfg = session.decided(tiny_config(epochs=10**6), SoloComm())
    aot.compiler_problem.cache_clear()
    assert cfg.updates == "traced"


def test_everything_left_open_is_chosen_once():
    cfg = session.decided(tiny_config(seed=None), SoloComm())
    assert cfg.seed is not None
    assert "auto" not in (cfg.matmul, cfg.updates)
    assert session.decided(cfg, SoloComm()) == cfg


@pytest.mark.parametrize(("threshold", "phase", "scale"), [(0.0, "fine", 0.25), (1.0, "early", 1)])
def test_a_pretrained_agent_is_evaluated_and_begins_in_its_phase(
    threshold, phase, scale, eager, tmp_path
):
    """The success rate of a fresh agent is at least 0 and below 1."""
    changes = {"load_pretrained": f"{tmp_path}/agent", "fine_success": threshold, "fine_lr": 0.25}
    run = make_run(tiny_config(**changes))
    write_agent(tmp_path / "agent", to_files(run.learner, initial_state(run)))
    start = session.begin(run, tmp_path)
    first = next(loop.train(run, start.state, start.progress))
    assert first.schedule.phase == phase and float(first.state.lr_scale) == scale
    assert first.schedule.epoch == first.env_steps == 0 and first.metrics is None
    assert_same(first.state.params, start.state.params)


def test_a_pretrained_agent_is_evaluated_in_the_true_task(eager, tmp_path):
    eased = {"kwargs": {"angle_tolerance": 0.1}, "load_pretrained": f"{tmp_path}/agent"}
    run = make_run(tiny_config(**eased))
    write_agent(tmp_path / "agent", to_files(run.learner, initial_state(run)))
    run.env.angle_tolerance = 3.0  # as an earlier training of the same environment may leave it
    start = session.begin(run, tmp_path)
    first, second, *_ = loop.train(run, start.state)
    assert first.angle_tolerance == 0.1 and not first.curriculum_active
    assert second.angle_tolerance == np.pi and second.curriculum_active
