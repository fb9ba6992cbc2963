"""Actor and critic as pure functions of named parameters.

Parameter names are those of Dext-Gen's modules: `layers.<i>.weight|bias`, i even for linear layers,
odd for the activations between them. `PosePolicyNet` predicts a rotation as six numbers and returns
the matrix; `DDP` is a plain MLP. Departs from Dext-Gen: no random number in a forward pass.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from grasp_func.core.rng import Key, fold_in, torch_rng
from grasp_func.core.rotations import embedding_to_matrix
from grasp_func.core.types import EnvSpec, Params

EMBEDDING = 6
MATRIX = 9
ROTATION_START = 3  # where the published networks have it: actions begin with a position


class NetworkSpec(NamedTuple):
    """Sizes of the two networks."""

    actor_net_type: str = "PosePolicyNet"  # or "DDP"
    actor_net_nlayers: int = 4
    actor_net_layer_width: int = 256
    critic_net_nlayers: int = 4
    critic_net_layer_width: int = 256


class Networks(NamedTuple):
    """Pure functions; `x` is the normalised observation and goal, joined [B, S + G]."""

    init: Callable[[Key], dict[str, Params]]  # {"actor": ..., "critic": ...}
    actor: Callable[
        [Params, Tensor], tuple[Tensor, Tensor]
    ]  # x -> (action [B, A], regularised part [B, R])
    critic: Callable[[Params, Tensor, Tensor], Tensor]  # x, action [B, A] -> Q [B, 1]
    rotation: (
        slice | None
    )  # where the actor's action holds a rotation matrix that it orthonormalises


def make_networks(env_spec: EnvSpec, spec: NetworkSpec) -> Networks:
    """Builds the networks for an environment's env_spec.

    Raises:
        ValueError: unknown actor type, or PosePolicyNet for actions that hold no rotation matrix.
    """
    if spec.actor_net_type not in ("PosePolicyNet", "DDP"):
        raise ValueError(f"actor_net_type {spec.actor_net_type!r} is not one of PosePolicyNet, DDP")
    rotation = env_spec.rotation if spec.actor_net_type == "PosePolicyNet" else None
    if spec.actor_net_type == "PosePolicyNet" and rotation is None:
        raise ValueError(
            "actor_net_type = PosePolicyNet needs actions that hold a rotation matrix, expected DDP"
        )
    inputs = env_spec.obs + env_spec.goal
    outputs = env_spec.action - (MATRIX - EMBEDDING if rotation else 0)
    actor_sizes = [inputs, *[spec.actor_net_layer_width] * (spec.actor_net_nlayers - 1), outputs]
    critic_sizes = [
        inputs + env_spec.action,
        *[spec.critic_net_layer_width] * (spec.critic_net_nlayers - 1),
        1,
    ]

    def init(key: Key) -> dict[str, Params]:
        return {
            "actor": _init_mlp(fold_in(key, 0), actor_sizes),
            "critic": _init_mlp(fold_in(key, 1), critic_sizes),
        }

    def actor(params: Params, x: Tensor) -> tuple[Tensor, Tensor]:
        out = torch.tanh(_mlp(params, x, spec.actor_net_nlayers))
        if rotation is None:
            return out, out
        start = rotation.start
        before, embedding, after = out.split(
            [start, EMBEDDING, outputs - start - EMBEDDING], dim=-1
        )
        matrix = embedding_to_matrix(embedding).flatten(-2)
        return torch.cat([before, matrix, after], dim=-1), embedding

    def critic(params: Params, x: Tensor, action: Tensor) -> Tensor:
        return _mlp(params, torch.cat([x, action], dim=-1), spec.critic_net_nlayers)

    return Networks(init, actor, critic, rotation)


def _init_mlp(key: Key, sizes: list[int]) -> Params:
    """Draws from U(-1/sqrt(n_in), 1/sqrt(n_in)), the default of torch.nn.Linear."""
    rng = torch_rng(key)
    params = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        bound = n_in**-0.5
        params[f"layers.{2 * i}.weight"] = (torch.rand(n_out, n_in, generator=rng) * 2 - 1) * bound
        params[f"layers.{2 * i}.bias"] = (torch.rand(n_out, generator=rng) * 2 - 1) * bound
    return params


def _mlp(params: Params, x: Tensor, n_layers: int) -> Tensor:
    for i in range(n_layers):
        x = torch.addmm(params[f"layers.{2 * i}.bias"], x, params[f"layers.{2 * i}.weight"].T)
        if i < n_layers - 1:
            x = torch.relu(x)
    return x
