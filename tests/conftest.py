"""One thread per process, before NumPy and torch load; equal Hypothesis examples in every run."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import hypothesis
import pytest
import torch

from grasp_func import ddpg

torch.set_num_threads(1)
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def eager(monkeypatch):
    """Learners without capture: equal bits, and faster where a run makes few updates."""
    monkeypatch.setattr(ddpg, "capture", lambda function: function)
