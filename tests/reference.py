"""DDPG as it is usually written, with modules and backward(): a reference for the core.

It imports only types of the core, on purpose. The benchmarks measure it too.
"""

import itertools

import torch
from torch import nn

from grasp_func.core.networks import NetworkSpec
from grasp_func.core.types import EnvSpec, Transition


class Mlp(nn.Module):
    """Linear layers and activations; parameters are named layers.<i>.weight|bias."""

    def __init__(self, sizes: list[int], last: list[nn.Module]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1], *last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


class Actor(Mlp):
    """Tanh outputs; six of them become the rotation matrix of a PosePolicyNet."""

    def __init__(self, env_spec: EnvSpec, spec: NetworkSpec) -> None:
        self.rotation = env_spec.rotation if spec.actor_net_type == "PosePolicyNet" else None
        outputs = env_spec.action - 3 * (self.rotation is not None)
        hidden = [spec.actor_net_layer_width] * (spec.actor_net_nlayers - 1)
        super().__init__([env_spec.obs + env_spec.goal, *hidden, outputs], [nn.Tanh()])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out = super().forward(x)
        if self.rotation is None:
            return out, out
        start = self.rotation.start
        embedding = out[:, start : start + 6]
        first, second = embedding[:, :3], embedding[:, 3:]
        b1 = nn.functional.normalize(first, dim=1)
        b2 = nn.functional.normalize(second - (second * b1).sum(1, keepdim=True) * b1, dim=1)
        matrix = torch.stack([b1, b2, torch.linalg.cross(b1, b2)], dim=2).reshape(-1, 9)
        return torch.cat([out[:, :start], matrix, out[:, start + 6 :]], dim=1), embedding


class Critic(Mlp):
    """Q of the joined observation, goal and action."""

    def __init__(self, env_spec: EnvSpec, spec: NetworkSpec) -> None:
        inputs = env_spec.obs + env_spec.goal + env_spec.action
        super().__init__(
            [inputs, *[spec.critic_net_layer_width] * (spec.critic_net_nlayers - 1), 1], []
        )


class Agent:
    """Networks and their targets; gradients are computed one network at a time."""

    def __init__(self, env_spec: EnvSpec, spec: NetworkSpec, params, target) -> None:
        nets = [make(env_spec, spec) for make in (Actor, Critic, Actor, Critic)]
        self.actor, self.critic, self.target_actor, self.target_critic = nets
        self.actor.load_state_dict(params["actor"], strict=True)
        self.critic.load_state_dict(params["critic"], strict=True)
        self.target_actor.load_state_dict(target["actor"], strict=True)
        self.target_critic.load_state_dict(target["critic"], strict=True)

    def backward(
        self, batch: Transition, gamma: float, action_norm: float, action_l2: float = 0.0
    ) -> None:
        """Sets the gradients of both networks; inputs are normalised already."""
        x = torch.cat([batch.obs, batch.goal], dim=1)
        next_x = torch.cat([batch.next_obs, batch.goal], dim=1)
        with torch.no_grad():
            next_action, _ = self.target_actor(next_x)
            next_q = self.target_critic(torch.cat([next_x, next_action], dim=1))
            target_q = (batch.reward + gamma * next_q).clamp(-1 / (1 - gamma), 0)
        action, regularised = self.actor(x)
        loss = -self.critic(torch.cat([x, action], dim=1)).mean()
        self.actor.zero_grad()
        loss = loss + action_norm * regularised.pow(2).mean()
        if action_l2:
            rest, matrix = action, self.actor.rotation
            if matrix is not None:
                rest = torch.cat([action[:, : matrix.start], action[:, matrix.stop :]], dim=1)
            loss = loss + action_l2 * rest.pow(2).mean()
        loss.backward()
        # The actor's loss has left gradients in the critic.
        self.critic.zero_grad()
        q = self.critic(torch.cat([x, batch.action], dim=1))
        nn.functional.mse_loss(q, target_q).backward()
