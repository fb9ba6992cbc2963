"""One thread per process, before NumPy and torch load; equal Hypothesis examples in every run."""

import os
import shutil

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import hypothesis
import pytest
import torch

from grasp_func.core import jit
from grasp_func.training import setup
from resumable import config, paths, play

torch.set_num_threads(1)
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def eager(monkeypatch):
    """Learners without trace: equal bits, and faster where a run makes few updates."""
    monkeypatch.setattr(setup, "trace", jit.eager)


@pytest.fixture(scope="module")
def original_checkpoints(tmp_path_factory):
    """Returns the checkpoint folder of a run of two epochs."""
    folder = tmp_path_factory.mktemp("original")
    play(folder, config(epochs=2), 1)
    return paths(folder).checkpoints


@pytest.fixture
def checkpoints(original_checkpoints, tmp_path):
    """Returns a copy of that folder."""
    return shutil.copytree(original_checkpoints, tmp_path / "checkpoints" / "run")
