"""The learner: against an imperative DDPG, by hand, and on problems with a known answer."""

import pytest
import torch

from grasp_func.core import normalizer
from grasp_func.core.ddpg import METRICS, DDPGConfig, make_gradient, make_learner, mean_of_workers
from grasp_func.core.jit import eager
from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.normalizer import NormState
from grasp_func.core.rng import Key
from helpers import ENV_SPEC, assert_same, make_batch
from reference import Agent

SPECS = {
    "PosePolicyNet": NetworkSpec("PosePolicyNet", 3, 16, 2, 8),
    "DDP": NetworkSpec("DDP", 2, 8, 3, 16),
}

DEFAULT = DDPGConfig()


@pytest.fixture(params=SPECS.values(), ids=SPECS)
def spec(request):
    return request.param


def make(spec=SPECS["DDP"], cfg=DEFAULT, jit=eager, **kwargs):
    nets = make_networks(ENV_SPEC, spec)
    learner = make_learner(nets, ENV_SPEC, cfg, jit=jit, **kwargs)
    return learner, learner.init(Key(0))


def norm_of(mean, std, size):
    """Returns moments with the same mean and standard deviation in every entry."""
    full = torch.full((size,), 1.0, dtype=torch.float64)
    return NormState(count=full[0].clone(), mean=mean * full, m2=std**2 * full)


# --- by a reference


def test_gradient_agrees_with_backward(spec):
    nets = make_networks(ENV_SPEC, spec)
    learner, state = make(spec)
    state = state.replace(target=learner.init(Key(1)).params)
    batch = make_batch(size=32)
    agent = Agent(ENV_SPEC, spec, learner.unravel(state.params), learner.unravel(state.target))
    agent.backward(batch, gamma=0.9, action_norm=0.7, action_l2=0.6)
    cfg = DDPGConfig(gamma=0.9, action_norm=0.7, action_l2=0.6)
    row = make_gradient(nets, learner.unravel, cfg)(state, batch)
    found = learner.unravel(row[: len(state.params)])
    for network in ("actor", "critic"):
        expected = {name: p.grad for name, p in getattr(agent, network).named_parameters()}
        assert min(float(grad.abs().max()) for grad in expected.values()) > 1e-4
        torch.testing.assert_close(found[network], expected, rtol=1e-4, atol=1e-6)
    # Metrics follow, then zeros.
    assert row[len(state.params) :][: len(METRICS)].all()
    assert not row[len(state.params) + len(METRICS) :].any()


def test_updates_follow_an_imperative_learner(spec):
    cfg = DDPGConfig(gamma=0.9, actor_lr=1e-2, critic_lr=3e-3, grad_clip=0.1)
    learner, state = make(spec, cfg)
    params = learner.unravel(state.params)
    agent = Agent(ENV_SPEC, spec, params, params)
    nets = (agent.actor, agent.critic)
    rates = (cfg.actor_lr, cfg.critic_lr)
    optimizers = [torch.optim.Adam(n.parameters(), r) for n, r in zip(nets, rates, strict=True)]
    for seed in range(20):
        batch = make_batch(seed=seed)
        state, _ = learner.update(state, [batch])
        agent.backward(batch, cfg.gamma, cfg.action_norm)
        for net, optimizer in zip(nets, optimizers, strict=True):
            torch.nn.utils.clip_grad_norm_(net.parameters(), cfg.grad_clip)
            optimizer.step()
    for network, net in zip(("actor", "critic"), nets, strict=True):
        expected = {name: p.detach() for name, p in net.named_parameters()}
        found = learner.unravel(state.params)[network]
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
        assert not torch.allclose(
            found["layers.0.weight"], params[network]["layers.0.weight"], atol=1e-2
        )


def test_gradient_normalizes_and_clips_its_inputs():
    """Scaled inputs with a scaling give the same gradient as plain inputs without one."""
    nets = make_networks(ENV_SPEC, SPECS["DDP"])
    learner, state = make()
    gradient = make_gradient(nets, learner.unravel, DDPGConfig(state_clip=0.5, goal_clip=0.25))
    plain = make_batch()
    clipped = plain._replace(
        obs=plain.obs.clamp(-0.5, 0.5),
        next_obs=plain.next_obs.clamp(-0.5, 0.5),
        goal=plain.goal.clamp(-0.25, 0.25),
    )
    scaled = plain._replace(
        obs=plain.obs * 4 + 1, next_obs=plain.next_obs * 4 + 1, goal=plain.goal * 2 - 1
    )
    scaling = dict(obs_norm=norm_of(1.0, 4.0, 4), goal_norm=norm_of(-1.0, 2.0, 2))
    found, expected = gradient(state.replace(**scaling), scaled), gradient(state, clipped)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


# --- by hand


def test_mean_of_workers():
    # (1 + 2 + 6) / 3 = 3, (0 + 3 - 9) / 3 = -2
    grads = torch.tensor([[1.0, 0.0], [2.0, 3.0], [6.0, -9.0]])
    assert_same(mean_of_workers(list(grads)), torch.tensor([3.0, -2.0]))
    # In float32 and worker order 1 + 1e8 - 1e8 = 0, but 1e8 - 1e8 + 3 = 3, a mean of 1.
    assert float(mean_of_workers(torch.tensor([[1.0], [1e8], [-1e8]]))) == 0.0
    assert float(mean_of_workers(torch.tensor([[1e8], [-1e8], [3.0]]))) == 1.0


def test_two_workers_learn_from_the_mean_of_their_gradients():
    seen = []
    learner, state = make(reduce_grads=lambda grads: seen.extend(grads) or mean_of_workers(grads))
    a, b = make_batch(seed=0), make_batch(seed=1)
    both, metrics = learner.update(state, [a, b])
    _, metrics_a = learner.update(state, [a])
    _, metrics_b = learner.update(state, [b])
    assert_same(seen[:2], seen[2:])
    assert not torch.equal(*seen[:2])
    joined = type(a)(*map(torch.cat, zip(a, b, strict=True)))
    # The batches have equal sizes, so the mean of their means is the mean over both.
    expected, _ = learner.update(state, [joined])
    torch.testing.assert_close(both.opt.mean, expected.opt.mean, rtol=1e-4, atol=1e-7)
    for name in METRICS:
        torch.testing.assert_close(metrics[name], (metrics_a[name] + metrics_b[name]) / 2)


def test_learning_rate_scale_scales_the_step():
    learner, state = make()
    full, _ = learner.update(state, [make_batch()])
    half, _ = learner.update(state.replace(lr_scale=torch.tensor(0.5)), [make_batch()])
    expected = state.params + 0.5 * (full.params - state.params)
    torch.testing.assert_close(half.params, expected, rtol=0, atol=1e-7)
    assert_same(half.opt, full.opt)


def test_an_update_changes_only_parameters_moments_and_step():
    learner, state = make()
    new, metrics = learner.update(state, [make_batch()])
    assert_same(state.replace(params=new.params, opt=new.opt, step=new.step), new)
    assert (int(new.step), int(new.opt.count)) == (1, 1)
    assert not torch.equal(new.params, state.params)
    assert set(metrics) == set(METRICS)


def test_targets_move_by_tau():
    learner, state = make(cfg=DDPGConfig(tau=0.25))
    state = state.replace(params=state.params + 1)
    new = learner.soft_update_targets(state)
    torch.testing.assert_close(new.target, state.target + 0.25)
    assert_same(new.replace(target=state.target), state)


@pytest.mark.parametrize("target_policy", [False, True])
def test_the_agent_is_the_target_or_the_trained_networks(target_policy):
    learner, state = make(cfg=DDPGConfig(target_policy=target_policy))
    state = state.replace(params=state.params + 1)
    expected = state.target if target_policy else state.params
    assert_same(learner.agent(state), learner.unravel(expected))


def test_initial_state():
    learner, state = make()
    assert_same(state.target, state.params)
    assert not state.opt.mean.any()
    assert not state.opt.variance.any()
    assert (int(state.step), float(state.lr_scale), float(state.obs_norm.count)) == (0, 1.0, 0.0)
    assert not torch.equal(learner.init(Key(1)).params, state.params)


def test_update_normalizers_merges_moments_and_scalings_follow():
    cfg = DDPGConfig(state_clip=3.0, goal_clip=4.0, obs_exclude=(1, 3), goal_exclude=(0,))
    learner, state = make(cfg=cfg)
    first, second = (make_batch(seed=seed) for seed in range(2))
    for batch in (first, second):
        moments = normalizer.batch_moments(batch.obs), normalizer.batch_moments(batch.goal)
        state = learner.update_normalizers(state, *moments)
    obs, goal = learner.scalings(state)
    data = torch.cat([first.obs, second.obs])
    expected = data.mean(0) * torch.tensor([1.0, 0.0, 1.0, 0.0])
    torch.testing.assert_close(obs.mean, expected)
    assert obs.std[[1, 3]].tolist() == [1.0, 1.0]
    std = data.std(0, correction=0)[[0, 2]]
    torch.testing.assert_close(obs.std[[0, 2]], std)
    assert (float(goal.mean[0]), float(goal.std[0])) == (0.0, 1.0)
    assert float(goal.mean[1]) == pytest.approx(
        float(torch.cat([first.goal, second.goal])[:, 1].mean())
    )
    assert (obs.clip, goal.clip) == (3.0, 4.0)


# --- a problem with a known answer


@pytest.mark.parametrize(
    ("reward", "lowest", "answer"), [(-1.0, -1.0, -5.0), (-2.0, -2.0, -10.0), (0.0, -1.0, 0.0)]
)
def test_constant_reward_gives_its_discounted_sum(reward, lowest, answer):
    """Q = r + gamma r + gamma^2 r + ... = r / (1 - gamma), here r / 0.2."""
    cfg = DDPGConfig(gamma=0.8, critic_lr=1e-2, tau=0.2, grad_clip=None, lowest_reward=lowest)
    learner, state = make(NetworkSpec("DDP", 2, 8, 3, 16), cfg)
    metrics = {}
    for seed in range(600):
        batch = make_batch(size=16, seed=seed)
        batch = batch._replace(reward=torch.full_like(batch.reward, reward))
        state, metrics = learner.update(state, [batch])
        state = learner.soft_update_targets(state)
    assert float(metrics["q_mean"]) == pytest.approx(answer, rel=0.02, abs=0.02)
    assert float(metrics["critic_loss"]) < 0.02
