"""The targets and losses of deep deterministic policy gradients.

Source: Lillicrap et al. 2015, arXiv:1509.02971, eq. 4-6. Clipped targets and the penalty on actions
come from hindsight experience replay, Andrychowicz et al. 2017, arXiv:1707.01495, appendix A. That
paper penalises the inputs of tanh; here the outputs are penalised.
"""

import chex
import torch
from torch import Tensor

from grasp_func.core.networks import Networks
from grasp_func.core.types import Metrics, Params


def td_target(reward: Tensor, next_q: Tensor, gamma: float, lowest_reward: float = -1.0) -> Tensor:
    """Returns r + gamma Q', clipped to the possible discounted returns.

    Args:
        reward: [B, 1] in [lowest_reward, 0].
        next_q: Q of the next state and the target actor's action [B, 1].
        gamma: discount factor in [0, 1).
        lowest_reward: lowest reward of a step.

    Returns:
        [B, 1] in [lowest_reward / (1 - gamma), 0].
    """
    # [B, 1] + [B] would broadcast to [B, B].
    chex.assert_equal_shape([reward, next_q])
    return (reward + gamma * next_q).clamp(lowest_reward / (1.0 - gamma), 0.0)


def critic_loss(
    critic: Params, x: Tensor, action: Tensor, target_q: Tensor, *, nets: Networks
) -> tuple[Tensor, Metrics]:
    """Mean squared TD error.

    Args:
        critic: parameters that are differentiated.
        x: normalised observation and goal [B, S + G].
        action: [B, A] in [-1, 1].
        target_q: constant regression targets [B, 1].
        nets: network functions.

    Returns:
        (loss [], {"critic_loss", "q_mean"}).
    """
    q = nets.critic(critic, x, action)
    chex.assert_equal_shape([q, target_q])
    loss = (q - target_q).square().mean()
    return loss, {"critic_loss": loss.detach(), "q_mean": q.detach().mean()}


def actor_loss(
    actor: Params,
    critic: Params,
    x: Tensor,
    *,
    nets: Networks,
    action_norm: float,
    action_l2: float = 0.0,
) -> tuple[Tensor, Metrics]:
    """Negative mean Q of the actor's own actions, plus penalties on saturated outputs.

    Args:
        actor: parameters that are differentiated.
        critic: constant parameters.
        x: normalised observation and goal [B, S + G].
        nets: network functions.
        action_norm: weight of the mean square of the rotation embedding (PosePolicyNet) or of the
            whole action (DDP, a plain tanh MLP).
        action_l2: weight of the mean square of the entries outside of the rotation matrix, or of
            the whole action (DDP). Dext-Gen has no such penalty.

    Returns:
        (loss [], {"actor_loss"}).
    """
    action, regularised = nets.actor(actor, x)
    penalty = action_norm * regularised.square().mean()
    penalty = penalty + action_l2 * _all_but(action, nets.rotation).square().mean()
    loss = penalty - nets.critic(critic, x, action).mean()
    return loss, {"actor_loss": loss.detach()}


def _all_but(action: Tensor, rotation: slice | None) -> Tensor:
    """Returns the entries [B, A - 9] outside of the rotation matrix, or all [B, A] without one."""
    if rotation is None:
        return action
    return torch.cat([action[:, : rotation.start], action[:, rotation.stop :]], dim=-1)
