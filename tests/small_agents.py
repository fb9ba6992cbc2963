"""Small agents and a way to compare them, shared by the tests of agent files."""

import itertools

import torch

from grasp_func.core import normalizer
from grasp_func.storage.agent_files import AgentFiles

OBS, GOAL, ACTION, WIDTH = 5, 3, 4, 6
FILES = ("actor.pt", "critic.pt", "state_norm.pkl", "goal_norm.pkl")


def mlp(sizes, seed):
    rng = torch.Generator().manual_seed(seed)
    params = {}
    for i, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
        params[f"layers.{2 * i}.weight"] = torch.randn(n_out, n_in, generator=rng)
        params[f"layers.{2 * i}.bias"] = torch.randn(n_out, generator=rng)
    return params


def agent(seed=0, action=ACTION, critic_action=None, sizes=(OBS, GOAL)):
    rng = torch.Generator().manual_seed(seed)
    obs, goal = (normalizer.batch_moments(torch.randn(50, n, generator=rng)) for n in sizes)
    inputs = sum(sizes)
    return AgentFiles(
        actor=mlp([inputs, WIDTH, action], seed),
        critic=mlp([inputs + (critic_action or action), WIDTH, WIDTH, 1], seed + 1),
        obs_scaling=normalizer.scaling(obs, 200.0),
        obs_moments=obs,
        goal_scaling=normalizer.scaling(goal, 7.5),
        goal_moments=goal,
    )


def assert_same(a, b):
    assert a.products == b.products
    for left, right in zip((a.actor, a.critic), (b.actor, b.critic), strict=True):
        assert list(left) == list(right)
        assert all(torch.equal(left[name], right[name]) for name in left)
    for name in ("obs", "goal"):
        left, right = getattr(a, f"{name}_scaling"), getattr(b, f"{name}_scaling")
        assert torch.equal(left.mean, right.mean) and torch.equal(left.std, right.std)
        assert left.clip == right.clip
        left, right = getattr(a, f"{name}_moments"), getattr(b, f"{name}_moments")
        assert torch.equal(left.count, right.count) and left.count.dtype == right.count.dtype
        assert torch.equal(left.mean, right.mean) and torch.equal(left.m2, right.m2)
