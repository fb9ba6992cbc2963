"""A traced function returns the bits of the eager one, for networks of any width."""

import pytest
import torch

from grasp_func.core.ddpg import DDPGConfig, make_gradient, make_learner
from grasp_func.core.jit import eager, trace
from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import batch_moments
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec
from helpers import assert_same, make_batch

PARALLEL_JAW = EnvSpec(38, 3, 13, slice(3, 12), {}, 50)
SHADOW_HAND = EnvSpec(60, 3, 19, slice(3, 12), {}, 50)


@pytest.mark.parametrize(
    ("env_spec", "width"),
    [(PARALLEL_JAW, 16), (PARALLEL_JAW, 128), (PARALLEL_JAW, 256), (SHADOW_HAND, 256)],
    ids=["PJ-16", "PJ-128", "PJ-256", "SH-256"],
)
@pytest.mark.parametrize("actor_type", ["PosePolicyNet", "DDP"])
def test_traced_gradient_has_the_eager_bits(actor_type, env_spec, width):
    """At width 256, TorchScript's optimiser would change the last bits: it splits addmm."""
    nets = make_networks(env_spec, NetworkSpec(actor_type, 4, width, 4, width))
    learner = make_learner(nets, env_spec, DDPGConfig())
    state = learner.init(Key(0)).replace(target=learner.init(Key(1)).params)
    gradient = make_gradient(nets, learner.unravel, DDPGConfig())
    traced = trace(gradient)
    for seed in range(3):
        batch = make_batch(env_spec, 256, seed)
        with torch.no_grad():
            expected = gradient(state, batch)
        assert_same(traced(state, batch), expected)
        state = learner.update_normalizers(state, *map(batch_moments, (batch.obs, batch.goal)))


def test_traced_updates_equal_eager_updates():
    nets = make_networks(PARALLEL_JAW, NetworkSpec("PosePolicyNet", 4, 256, 4, 256))
    learners = [make_learner(nets, PARALLEL_JAW, DDPGConfig(), jit=jit) for jit in (eager, trace)]
    states = [learner.init(Key(0)) for learner in learners]
    for step in range(30):
        batch = [make_batch(PARALLEL_JAW, 256, step)]
        pairs = zip(learners, states, strict=True)
        states = [
            learner.soft_update_targets(learner.update(state, batch)[0]) for learner, state in pairs
        ]
    assert_same(states[1], states[0])


def test_each_structure_and_combination_of_shapes_is_traced_once():
    calls = []

    def double(x):
        calls.append(tuple(x.shape))
        return (2 * x,)

    traced = trace(double)
    for shape in ((2,), (3,), (2,), (3,), (3, 1)):
        assert_same(traced(torch.ones(shape)), (torch.full(shape, 2.0),))
    assert calls == [(2,), (3,), (3, 1)]

    named = trace(lambda pair: pair["a"] - pair.get("b", pair["a"]))
    three, one = torch.tensor(3.0), torch.tensor(1.0)
    assert float(named({"a": three, "b": one})) == 2.0
    assert float(named({"a": three})) == 0.0
    assert float(named({"a": one, "b": three})) == -2.0


def test_no_input_becomes_a_constant_of_the_trace():
    traced = trace(lambda x, y: (x * y, x + y))
    traced(torch.tensor(2.0), torch.tensor(3.0))
    assert_same(
        traced(torch.tensor(5.0), torch.tensor(7.0)), (torch.tensor(35.0), torch.tensor(12.0))
    )
