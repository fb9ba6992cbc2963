"""Compiled updates: the mathematics of eager ones, and clear errors where nothing compiles."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from command_line import call
from grasp_func.core.ddpg import DDPGConfig, make_gradient, make_learner
from grasp_func.core.jit import trace
from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import batch_moments
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec
from grasp_func.runtime import aot
from grasp_func.runtime.aot import compile_graph
from grasp_func.training import loop, session
from grasp_func.training.setup import initial_state
from helpers import assert_same, make_batch, make_run, tiny_config
from mpi_jobs import environment, needs_compiler

TRAIN = Path(__file__).parents[2] / "examples" / "train.py"
PARALLEL_JAW = EnvSpec(38, 3, 13, slice(3, 12), {}, 50)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    """Lets each test compile anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.slow
@needs_compiler
def test_compiled_gradient_is_the_eager_one_up_to_rounding():
    nets = make_networks(PARALLEL_JAW, NetworkSpec("PosePolicyNet", 4, 64, 4, 64))
    learner = make_learner(nets, PARALLEL_JAW, DDPGConfig())
    state = learner.init(Key(0)).replace(target=learner.init(Key(1)).params)
    gradient = make_gradient(nets, learner.unravel, DDPGConfig())
    packages = []

    def compile_on_root(build):
        packages.append(build())
        return packages[0]

    compiled = trace(gradient, partial(compile_graph, compile_on_root=compile_on_root))
    for seed in range(3):
        batch = make_batch(PARALLEL_JAW, 64, seed)
        with torch.no_grad():
            expected = gradient(state, batch)
        found = compiled(state, batch)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
        assert_same(compiled(state, batch), found)
        state = learner.update_normalizers(state, *map(batch_moments, (batch.obs, batch.goal)))
    assert len(packages) == 1


def test_compiling_without_a_compiler_is_one_line_and_nothing_written(tmp_path):
    job = subprocess.run(
        [sys.executable, str(TRAIN), "--env", "FlatPJCube-v0", "--compile", "--save-dir", tmp_path],
        env=environment(CXX="/no/such/compiler"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert job.returncode == 2, job.stderr
    assert job.stderr.count("\n") == 1
    assert "error: updates = compiled: " in job.stderr
    assert "/no/such/compiler" in job.stderr
    assert "start a new run with --set updates=traced" in job.stderr
    assert not list(tmp_path.iterdir())


def test_what_a_run_begins_with_is_read_before_compiling(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "/no/such/compiler")
    arguments = "--env FlatPJCube-v0 --compile --load-pretrained no/such/agent"
    job = call("train.py", *arguments.split(), cwd=tmp_path)
    assert job.returncode == 2
    assert "no/such/agent" in job.stderr and "compiler" not in job.stderr


def test_compiling_for_different_cpus_is_refused(monkeypatch):
    monkeypatch.setattr(session, "cpu_names", lambda comm: ["CPU A", "CPU B"])
    run = make_run(tiny_config(updates="compiled"))
    with pytest.raises(ValueError, match=r"updates = compiled: .* CPUs differ \(CPU A, CPU B\)"):
        session.compile_updates(run)


@needs_compiler
def test_training_uses_the_compiled_program(monkeypatch, capsys):
    """It is made before the first episode; a second start loads it and gives the same bits."""

    def train():
        run = make_run(tiny_config(updates="compiled"))
        session.compile_updates(run)
        printed = capsys.readouterr().out
        with monkeypatch.context() as patch:
            patch.setattr("grasp_func.core.jit.make_fx", None)
            return printed, [result.state for result in loop.train(run, initial_state(run))]

    printed, cold = train()
    assert printed.startswith("compiling the updates")
    monkeypatch.setattr(aot, "_package", None)
    printed, warm = train()
    assert printed.startswith("compiled updates loaded from ")
    assert_same(warm, cold)
