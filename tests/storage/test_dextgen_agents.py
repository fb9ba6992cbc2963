"""Agents of Dext-Gen are read, act as there, and are converted; nothing in them is executed."""

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

import hostile
import small_agents
from dextgen_class import made_by_the_class
from grasp_func.errors import SaveError
from grasp_func.storage.agent import load_policy
from grasp_func.storage.agent_files import import_agent, read_agent, write_agent
from grasp_func.storage.export import Agent, export_agent
from small_agents import GOAL, OBS


def dextgen_agent(published, folder):
    """Writes the four files of an agent as Dext-Gen itself pickles them."""
    folder.mkdir()
    files = small_agents.agent()
    torch.save(OrderedDict(files.actor), folder / "actor.pt")
    torch.save(OrderedDict(files.critic), folder / "critic.pt")
    rng = np.random.default_rng(0)
    for name, size in (("state_norm.pkl", OBS), ("goal_norm.pkl", GOAL)):
        data = rng.normal(1, 2, (50, size)).astype(np.float32)
        made = made_by_the_class(
            published, size=size, idx=None, clip=5.0,
            eps2=np.full(size, 1e-4, np.float32), lsum=np.zeros(size, np.float32),
            lsum_sq=np.zeros(size, np.float32), coal_buffer=np.zeros(2 * size + 1, np.float32),
            sum=data.sum(0), sum_sq=(data**2).sum(0), mean=data.mean(0), std=data.std(0),
        )  # fmt: skip
        (folder / name).write_bytes(pickle.dumps(made, 4))
    return files


def test_an_agent_of_dextgen_is_read_and_acts_as_there(published, tmp_path):
    files = dextgen_agent(published, tmp_path / "theirs")
    layers = {name: tensor.numpy() for name, tensor in files.actor.items()}
    norms = [
        pickle.loads((tmp_path / "theirs" / name).read_bytes())
        for name in ("state_norm.pkl", "goal_norm.pkl")
    ]
    rng = np.random.default_rng(1)
    policy = load_policy(str(tmp_path / "theirs"))
    for _ in range(20):
        obs, goal = (rng.normal(1, 2, n).astype(np.float32) for n in (OBS, GOAL))
        x = np.concatenate([norm(part) for norm, part in zip(norms, (obs, goal), strict=True)])
        hidden = np.maximum(0, layers["layers.0.weight"] @ x + layers["layers.0.bias"])
        expected = np.tanh(layers["layers.2.weight"] @ hidden + layers["layers.2.bias"])
        np.testing.assert_allclose(policy(obs, goal), expected, atol=1e-6)


@pytest.mark.parametrize("kind", [str, Path])
def test_an_agent_of_dextgen_is_converted(published, tmp_path, kind):
    dextgen_agent(published, tmp_path / "theirs")
    import_agent(kind(tmp_path / "theirs"), kind(tmp_path / "ours"))
    small_agents.assert_same(read_agent(tmp_path / "ours"), read_agent(tmp_path / "theirs"))
    assert b"mp_rl" not in (tmp_path / "ours" / "state_norm.pkl").read_bytes()


def test_our_export_is_read_back_and_acts_the_same(tmp_path):
    files = small_agents.agent()
    export_agent(Agent(files, None), str(tmp_path), ["dextgen"])
    write_agent(tmp_path / "ours", files)
    policies = [load_policy(tmp_path / name) for name in ("ours", "dextgen")]
    rng = np.random.default_rng(1)
    for _ in range(20):
        obs, goal = (rng.normal(0, 2, n).astype(np.float32) for n in (OBS, GOAL))
        ours, theirs = (policy(obs, goal) for policy in policies)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-6)


@pytest.mark.parametrize("protocol", hostile.PROTOCOLS)
def test_code_in_an_agents_normalizer_is_not_run(published, tmp_path, protocol):
    folder = tmp_path / "theirs"
    dextgen_agent(published, folder)
    sentinel = tmp_path / "sentinel"
    for content in (
        hostile.Payload(sentinel),
        made_by_the_class(published, mean=hostile.Payload(sentinel)),
    ):
        (folder / "state_norm.pkl").write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(SaveError, match=r"state_norm\.pkl: .*another folder"):
            read_agent(folder)
        assert not sentinel.exists()
