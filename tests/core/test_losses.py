"""Targets and losses by hand, on networks of one line each."""

import pytest
import torch
from torch.func import grad

from grasp_func.core.losses import actor_loss, critic_loss, td_target
from grasp_func.core.networks import Networks
from helpers import assert_same


def scale_x(params, x):
    """Actor: a = w x, regularised part 2 a."""
    action = params["w"] * x
    return action, 2 * action


def weighted_sum(params, x, action):
    """Critic: Q = u x + v a."""
    return params["u"] * x + params["v"] * action


NETS = Networks(init=None, actor=scale_x, critic=weighted_sum, rotation=None)
CRITIC = {"u": torch.tensor(1.0), "v": torch.tensor(10.0)}
ACTOR = {"w": torch.tensor(0.5)}
X = torch.tensor([[1.0], [3.0]])
ACTION = torch.tensor([[0.2], [-0.1]])


def test_td_target_is_clipped_to_possible_returns():
    reward = torch.tensor([[-1.0], [-1.0], [0.0]])
    next_q = torch.tensor([[-4.0], [-1.0], [3.0]])
    # -1 + 0.5 * -4 = -3 lies below -1 / (1 - 0.5) = -2; -1 + 0.5 * -1 = -1.5; 0.5 * 3 = 1.5 above 0
    assert_same(td_target(reward, next_q, 0.5), torch.tensor([[-2.0], [-1.5], [0.0]]))


def test_td_target_inside_its_bounds():
    # -1 + 0.9 * -4 = -4.6 and 0 + 0.9 * -4 = -3.6 lie in [-10, 0]
    found = td_target(torch.tensor([[-1.0], [0.0]]), torch.tensor([[-4.0], [-4.0]]), 0.9)
    torch.testing.assert_close(found, torch.tensor([[-4.6], [-3.6]]))


def test_td_target_with_a_lower_reward():
    # -2 + 0.5 * -3 = -3.5 lies above -2 / (1 - 0.5) = -4; -2 + 0.5 * -9 = -6.5 does not
    found = td_target(torch.tensor([[-2.0], [-2.0]]), torch.tensor([[-3.0], [-9.0]]), 0.5, -2.0)
    assert_same(found, torch.tensor([[-3.5], [-4.0]]))


def test_critic_loss():
    # Q = 1 * 1 + 10 * 0.2 = 3 and 1 * 3 + 10 * -0.1 = 2; errors 3 - 1 = 2 and 2 - 5 = -3
    loss, metrics = critic_loss(CRITIC, X, ACTION, torch.tensor([[1.0], [5.0]]), nets=NETS)
    torch.testing.assert_close(loss, torch.tensor(6.5))  # (4 + 9) / 2
    assert_same(metrics["critic_loss"], loss)
    torch.testing.assert_close(metrics["q_mean"], torch.tensor(2.5))


def test_critic_gradient():
    gradient, _ = grad(critic_loss, has_aux=True)(
        CRITIC, X, ACTION, torch.tensor([[1.0], [5.0]]), nets=NETS
    )
    # d/du mean(e^2) = mean(2 e x) = (2 * 2 * 1 + 2 * -3 * 3) / 2 = -7
    # d/dv mean(e^2) = mean(2 e a) = (2 * 2 * 0.2 + 2 * -3 * -0.1) / 2 = 0.7
    torch.testing.assert_close(gradient, {"u": torch.tensor(-7.0), "v": torch.tensor(0.7)})


def test_actor_loss():
    # a = 0.5 and 1.5, Q = 1 + 5 = 6 and 3 + 15 = 18: -mean = -12; regularised 1 and 3: 5 squared
    loss, metrics = actor_loss(ACTOR, CRITIC, X, nets=NETS, action_norm=0.1)
    torch.testing.assert_close(loss, torch.tensor(-11.5))
    assert set(metrics) == {"actor_loss"}
    assert_same(metrics["actor_loss"], loss)


def test_actor_loss_with_all_actions_penalised():
    # as above, and 0.4 * (0.25 + 2.25) / 2 = 0.5 for actions 0.5 and 1.5
    loss, _ = actor_loss(ACTOR, CRITIC, X, nets=NETS, action_norm=0.1, action_l2=0.4)
    torch.testing.assert_close(loss, torch.tensor(-11.0))


def test_entries_of_a_rotation_matrix_are_not_penalised():
    def actor(params, x):
        # One entry, a matrix, two entries.
        return params["w"].expand(len(x), 12), x

    def critic(params, x, action):
        return 0 * action[:, :1]

    nets = NETS._replace(actor=actor, critic=critic, rotation=slice(1, 10))
    out = torch.tensor([3.0, *[100.0] * 9, 1.0, 2.0])
    loss, _ = actor_loss({"w": out}, {}, X, nets=nets, action_norm=0.0, action_l2=0.3)
    torch.testing.assert_close(loss, torch.tensor(1.4))  # 0.3 * (9 + 1 + 4) / 3


def test_actor_gradient():
    gradient, _ = grad(actor_loss, has_aux=True)(ACTOR, CRITIC, X, nets=NETS, action_norm=0.1)
    # d/dw -mean(10 w x) = -10 * 2 = -20; d/dw 0.1 mean(4 w^2 x^2) = 0.1 * 8 * 0.5 * (1 + 9) / 2 = 2
    torch.testing.assert_close(gradient, {"w": torch.tensor(-18.0)})


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(AssertionError):
        td_target(torch.zeros(2, 1), torch.zeros(2), 0.9)
    with pytest.raises(AssertionError):
        critic_loss(CRITIC, X, ACTION, torch.zeros(2), nets=NETS)


def test_metrics_carry_no_gradient():
    params = {name: value.clone().requires_grad_() for name, value in CRITIC.items()}
    loss, metrics = critic_loss(params, X, ACTION, torch.zeros(2, 1), nets=NETS)
    assert loss.requires_grad
    assert not any(metric.requires_grad for metric in metrics.values())
