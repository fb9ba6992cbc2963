"""The NumPy policy against its reference, the torch networks."""

import numpy as np
import pytest
import torch

from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import Scaling, normalize
from grasp_func.core.numpy_policy import act, make_policy, policy_of
from grasp_func.core.rng import Key
from helpers import DEGENERATE, ENV_SPEC, TURNING

OBS = Scaling(torch.tensor([0.1, -2.0, 0.0, 5.0]), torch.tensor([1.0, 0.5, 0.01, 3.0]), 2.0)
GOAL = Scaling(torch.tensor([0.3, 0.0]), torch.tensor([0.2, 1.0]), 1.0)


def inputs(seed, size=50):
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 3, (size, n)).astype(np.float32) for n in (ENV_SPEC.obs, ENV_SPEC.goal))


def torch_actions(nets, actor, obs, goal):
    obs, goal = torch.from_numpy(obs), torch.from_numpy(goal)
    x = torch.cat([normalize(obs, OBS), normalize(goal, GOAL)], dim=-1)
    return nets.actor(actor, x)[0].numpy()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("spec", [NetworkSpec("PosePolicyNet", 4, 32), NetworkSpec("DDP", 2, 32)])
def test_act_agrees_with_the_actor_network(spec, relative, seed):
    nets = make_networks(TURNING, spec._replace(relative_rotation=relative))
    actor = nets.init(Key(seed))["actor"]
    policy = policy_of(nets, actor, (OBS, GOAL))
    obs, goal = inputs(seed)
    found = np.stack([act(policy, *pair) for pair in zip(obs, goal, strict=True)])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, torch_actions(nets, actor, obs, goal), rtol=0, atol=1e-5)


@pytest.mark.parametrize("embedding", DEGENERATE.values(), ids=DEGENERATE)
def test_degenerate_embeddings_fall_back_to_the_same_axes(embedding):
    nets = make_networks(ENV_SPEC, NetworkSpec("PosePolicyNet", 2, 8))
    actor = nets.init(Key(0))["actor"]
    # With zero weights the outputs are tanh(bias) for any input.
    bias = np.arctanh([0.1, 0.2, *embedding])
    actor["layers.2.bias"] = torch.tensor(bias, dtype=torch.float32)
    actor["layers.2.weight"] = torch.zeros_like(actor["layers.2.weight"])
    obs, goal = inputs(0, size=1)
    found = act(policy_of(nets, actor, (OBS, GOAL)), obs[0], goal[0])
    expected = torch_actions(nets, actor, obs, goal)[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    matrix = found[ENV_SPEC.rotation].reshape(3, 3)
    np.testing.assert_allclose(matrix.T @ matrix, np.eye(3), atol=1e-6)


def test_without_a_rotation_the_outputs_are_the_action():
    nets = make_networks(ENV_SPEC, NetworkSpec("PosePolicyNet", 2, 8))
    policy = make_policy(nets.init(Key(0))["actor"], OBS, GOAL, None)
    obs, goal = inputs(0, size=1)
    assert act(policy, obs[0], goal[0]).shape == (ENV_SPEC.action - 3,)


def test_a_policy_is_a_callable_copy_and_leaves_its_inputs_unchanged():
    nets = make_networks(ENV_SPEC, NetworkSpec("DDP", 2, 8))
    actor = nets.init(Key(0))["actor"]
    policy = policy_of(nets, actor, (OBS, GOAL))
    obs, goal = (x[0] for x in inputs(0, size=1))
    before = obs.copy(), goal.copy()
    action = act(policy, obs, goal)
    np.testing.assert_array_equal(np.concatenate(before), np.concatenate([obs, goal]))
    actor["layers.0.weight"] += 1
    np.testing.assert_array_equal(policy(obs, goal), action)
