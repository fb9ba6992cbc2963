"""Networks against nn.Module; initial parameters; invalid specifications."""

import pytest
import torch

from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.rng import Key
from helpers import ENV_SPEC, TURNING, assert_same
from reference import Actor, Critic

SPECS = [
    NetworkSpec("PosePolicyNet", 2, 16, 3, 8),
    NetworkSpec("DDP", 4, 8, 2, 16),
]


def inputs(size=32):
    rng = torch.Generator().manual_seed(0)
    return torch.randn(size, ENV_SPEC.obs + ENV_SPEC.goal, generator=rng)


@pytest.mark.parametrize("spec", SPECS)
def test_networks_compute_what_the_modules_do(spec):
    nets = make_networks(ENV_SPEC, spec)
    params = nets.init(Key(0))
    actor, critic = Actor(ENV_SPEC, spec), Critic(ENV_SPEC, spec)
    actor.load_state_dict(params["actor"], strict=True)
    critic.load_state_dict(params["critic"], strict=True)
    action, regularised = nets.actor(params["actor"], inputs())
    q = nets.critic(params["critic"], inputs(), action)
    expected_action, expected_regularised = actor(inputs())
    torch.testing.assert_close(action, expected_action, rtol=0, atol=1e-6)
    torch.testing.assert_close(regularised, expected_regularised, rtol=0, atol=1e-6)
    expected_q = critic(torch.cat([inputs(), action], dim=1))
    torch.testing.assert_close(q, expected_q, rtol=0, atol=1e-6)
    assert (action.shape, q.shape) == ((32, ENV_SPEC.action), (32, 1))


def test_pose_policy_net_regularises_the_embedding_before_orthonormalisation():
    nets = make_networks(ENV_SPEC, SPECS[0])
    params = nets.init(Key(0))["actor"]
    action, embedding = nets.actor(params, inputs())
    assert embedding.shape == (32, 6)
    matrix = action[:, ENV_SPEC.rotation].reshape(-1, 3, 3)
    cosine = torch.nn.functional.cosine_similarity(matrix[:, :, 0], embedding[:, :3])
    torch.testing.assert_close(cosine, torch.ones(32))


@pytest.mark.parametrize("start", [0, 1])
def test_the_matrix_has_the_position_of_the_env_spec(start):
    env_spec = ENV_SPEC._replace(action=10, rotation=slice(start, start + 9))
    nets = make_networks(env_spec, SPECS[0])
    action, _ = nets.actor(nets.init(Key(0))["actor"], inputs())
    matrix = action[:, env_spec.rotation].reshape(-1, 3, 3)
    eye = torch.eye(3).expand(32, 3, 3)
    torch.testing.assert_close(matrix.transpose(1, 2) @ matrix, eye, rtol=0, atol=1e-5)


def test_products_of_rotations_are_further_inputs_of_both_networks():
    nets = make_networks(TURNING, NetworkSpec("DDP", 1, 8, 1, 8, relative_rotation=True))
    assert nets.products == (1, 4, 4, 6)
    x, action = inputs(), torch.ones(32, 11)
    params = nets.init(Key(0))
    known = torch.stack([x[:, i] * x[:, j] for i in (1, 2, 3) for j in (4, 5)], dim=1)
    for network, rest, found in (
        ("actor", [], nets.actor(params["actor"], x)[0]),
        ("critic", [action], nets.critic(params["critic"], x, action)),
    ):
        weight, bias = params[network]["layers.0.weight"], params[network]["layers.0.bias"]
        out = torch.cat([x, known, *rest], dim=1) @ weight.T + bias
        expected = torch.tanh(out) if network == "actor" else out
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("env_spec", "relative"), [(TURNING, False), (ENV_SPEC, True)])
def test_there_are_no_products_unless_asked_for_and_goals_have_a_rotation(env_spec, relative):
    nets = make_networks(env_spec, NetworkSpec("DDP", 1, 8, 1, 8, relative_rotation=relative))
    assert nets.products == ()
    assert nets.init(Key(0))["actor"]["layers.0.weight"].shape == (11, 6)


def test_initial_parameters_are_uniform_in_pytorchs_bounds():
    params = make_networks(ENV_SPEC, NetworkSpec("DDP", 3, 256, 3, 256)).init(Key(0))
    for network in params.values():
        for index, n_in in ((0, network["layers.0.weight"].shape[1]), (2, 256), (4, 256)):
            for part in ("weight", "bias"):
                scaled = network[f"layers.{index}.{part}"] * n_in**0.5
                assert scaled.abs().max() <= 1.0
        hidden = network["layers.2.weight"] * 16  # 65,536 numbers from U(-1, 1)
        assert abs(float(hidden.mean())) < 4 * 3**-0.5 / 256
        assert float(hidden.std()) == pytest.approx(3**-0.5, rel=0.01)


def test_initial_parameters_depend_on_the_key_alone():
    init = make_networks(ENV_SPEC, SPECS[0]).init
    torch.manual_seed(0)
    first = init(Key(0))
    torch.manual_seed(1)
    assert_same(init(Key(0)), first)
    other = init(Key(1))
    for network, params in first.items():
        assert all(not torch.equal(p, other[network][name]) for name, p in params.items())
    weights = (params["layers.0.weight"] for params in first.values())
    drawn = [weight.flatten()[:8] * weight.shape[1] ** 0.5 for weight in weights]  # U(-1, 1)
    assert not torch.allclose(*drawn)


@pytest.mark.parametrize(
    ("env_spec", "spec", "message"),
    [
        (ENV_SPEC._replace(rotation=None), NetworkSpec("PosePolicyNet"), "expected DDP"),
        (ENV_SPEC, NetworkSpec("MLP"), "'MLP' is not one of PosePolicyNet, DDP"),
    ],
)
def test_invalid_specifications_are_errors(env_spec, spec, message):
    with pytest.raises(ValueError, match=message):
        make_networks(env_spec, spec)
