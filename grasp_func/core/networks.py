"""Actor and critic as pure functions of named parameters.

Parameters are named as in Dext-Gen's modules: `layers.<i>.weight` and `layers.<i>.bias`, where even
i are linear layers and odd i the activations between them. There are two types of actor.
`PosePolicyNet` predicts a rotation as six numbers and returns a rotation matrix. `DDP`, Dext-Gen's
name, is a plain MLP with tanh outputs; it has nothing to do with DistributedDataParallel. Departs
from Dext-Gen: a forward pass draws no random numbers, and products of inputs may be inputs, too.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

from grasp_func.core.rng import Key, fold_in, torch_rng
from grasp_func.core.rotations import embedding_to_matrix
from grasp_func.core.types import EnvSpec, Params

# Numbers of a rotation in the network's output and in the action.
EMBEDDING = 6
MATRIX = 9
# First entry of the rotation in the published networks: their actions begin with a position.
ROTATION_START = 3


class NetworkSpec(NamedTuple):
    """Type of the actor (PosePolicyNet or DDP), and sizes and inputs of both networks."""

    actor_net_type: str = "PosePolicyNet"
    actor_net_nlayers: int = 4
    actor_net_layer_width: int = 256
    critic_net_nlayers: int = 4
    critic_net_layer_width: int = 256
    relative_rotation: bool = False


class Networks(NamedTuple):
    """Pure functions of parameters and `x`, the normalised observation and goal [B, S + G].

    Attributes:
        init: key -> {"actor": parameters, "critic": parameters}.
        actor: (parameters, x) -> (action [B, A], outputs to regularise [B, R]).
        critic: (parameters, x, action [B, A]) -> Q [B, 1].
        rotation: entries of the action that hold an orthonormalised rotation matrix, or None.
        products: entries of `x` whose products are further inputs, see `with_products`.
    """

    init: Callable[[Key], dict[str, Params]]
    actor: Callable[[Params, Tensor], tuple[Tensor, Tensor]]
    critic: Callable[[Params, Tensor, Tensor], Tensor]
    rotation: slice | None
    products: tuple[int, ...] = ()


def make_networks(env_spec: EnvSpec, spec: NetworkSpec) -> Networks:
    """Builds the networks for an environment.

    Raises:
        ValueError: the actor type is unknown, or the actor is a PosePolicyNet and the actions hold
            no rotation matrix.
    """
    if spec.actor_net_type not in ("PosePolicyNet", "DDP"):
        raise ValueError(f"actor_net_type {spec.actor_net_type!r} is not one of PosePolicyNet, DDP")
    rotation = env_spec.rotation if spec.actor_net_type == "PosePolicyNet" else None
    if spec.actor_net_type == "PosePolicyNet" and rotation is None:
        raise ValueError(
            "actor_net_type = PosePolicyNet needs actions that hold a rotation matrix, expected DDP"
        )
    products = _rotation_products(env_spec) if spec.relative_rotation else ()
    inputs = env_spec.obs + env_spec.goal + n_products(products)
    head = head_sizes(env_spec.action, rotation)
    outputs = sum(head) or env_spec.action
    actor_hidden = [spec.actor_net_layer_width] * (spec.actor_net_nlayers - 1)
    critic_hidden = [spec.critic_net_layer_width] * (spec.critic_net_nlayers - 1)

    def init(key: Key) -> dict[str, Params]:
        return {
            "actor": _init_mlp(fold_in(key, 0), [inputs, *actor_hidden, outputs]),
            "critic": _init_mlp(fold_in(key, 1), [inputs + env_spec.action, *critic_hidden, 1]),
        }

    def actor(params: Params, x: Tensor) -> tuple[Tensor, Tensor]:
        return actor_forward(layers_of(params), with_products(x, list(products)), head)

    def critic(params: Params, x: Tensor, action: Tensor) -> Tensor:
        x = with_products(x, list(products))
        return mlp(layers_of(params), torch.cat([x, action], dim=-1))

    return Networks(init, actor, critic, rotation, products)


def layers_of(params: Params) -> list[tuple[Tensor, Tensor]]:
    """Returns (weight [out, in], bias [out]) of each linear layer, first layer first."""
    names = [f"layers.{2 * i}" for i in range(len(params) // 2)]
    return [(params[f"{name}.weight"], params[f"{name}.bias"]) for name in names]


def head_sizes(n_actions: int, rotation: slice | None) -> list[int]:
    """Returns the numbers of actor outputs before, in and after the rotation embedding.

    Args:
        n_actions: entries of the action.
        rotation: those that hold a rotation matrix; None: the list is empty.
    """
    if rotation is None:
        return []
    return [rotation.start, EMBEDDING, n_actions - MATRIX - rotation.start]


def n_products(products: Sequence[int]) -> int:
    """Returns the number of inputs that `with_products` adds."""
    if not products:
        return 0
    a, b, c, d = products
    return (b - a) * (d - c)


def with_products(x: Tensor, products: list[int]) -> Tensor:
    """Appends the products of two ranges of inputs; `torch.jit.script` can compile it.

    Args:
        x: normalised observation and goal [..., S + G].
        products: (a, b, c, d): each of the entries [a, b) times each of [c, d); empty: none.

    Returns:
        [..., S + G + (b - a) (d - c)].
    """
    if len(products) == 0:
        return x
    a, b, c, d = products
    pairs = x[..., a:b].unsqueeze(-1) * x[..., c:d].unsqueeze(-2)
    return torch.cat([x, pairs.flatten(-2)], dim=-1)


def mlp(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
    """Applies linear layers with ReLU between them; `torch.jit.script` can compile it."""
    for i, (weight, bias) in enumerate(layers):
        x = linear(torch.relu(x) if i > 0 else x, weight, bias)
    return x


def actor_forward(
    layers: list[tuple[Tensor, Tensor]], x: Tensor, head: list[int]
) -> tuple[Tensor, Tensor]:
    """Computes the actor; `torch.jit.script` can compile it.

    Args:
        layers: of `layers_of`.
        x: normalised observation and goal, with their products [..., I].
        head: of `head_sizes`.

    Returns:
        (action [..., A], outputs to regularise [..., R]); the latter are the rotation embedding or,
        without a rotation, the action.
    """
    out = torch.tanh(mlp(layers, x))
    if len(head) == 0:
        return out, out
    before, embedding, after = out.split(head, dim=-1)
    matrix = embedding_to_matrix(embedding).flatten(-2)
    return torch.cat([before, matrix, after], dim=-1), embedding


def _rotation_products(env_spec: EnvSpec) -> tuple[int, ...]:
    """Returns the entries of `x` that hold the achieved and the desired rotation; empty: none.

    The rotation that is left to the goal is a sum of such products, which layers of ReLU can only
    approximate.
    """
    found, desired = env_spec.achieved_rotation, env_spec.goal_rotation
    if found is None or desired is None:
        return ()
    return found.start, found.stop, env_spec.obs + desired.start, env_spec.obs + desired.stop


def _init_mlp(key: Key, sizes: list[int]) -> Params:
    """Draws from U(-1/sqrt(n_in), 1/sqrt(n_in)), the default of torch.nn.Linear."""
    rng = torch_rng(key)
    params = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        bound = n_in**-0.5
        params[f"layers.{2 * i}.weight"] = (torch.rand(n_out, n_in, generator=rng) * 2 - 1) * bound
        params[f"layers.{2 * i}.bias"] = (torch.rand(n_out, generator=rng) * 2 - 1) * bound
    return params
