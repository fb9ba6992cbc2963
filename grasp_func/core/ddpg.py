"""Deep deterministic policy gradients (DDPG) as pure functions of one immutable state.

Source: Lillicrap et al. 2015, arXiv:1509.02971, Algorithm 1. Departs from Dext-Gen: the workers'
gradients are averaged instead of summed, `grad_clip` is applied, and nothing is mutable.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import chex
import torch
from torch import Tensor
from torch.func import grad_and_value

from grasp_func.core import normalizer
from grasp_func.core.jit import Jit, trace
from grasp_func.core.losses import actor_loss, critic_loss, td_target
from grasp_func.core.networks import Networks
from grasp_func.core.normalizer import NormState, Scaling
from grasp_func.core.optim import AdamState, Optimizer, adam, clip_by_norm
from grasp_func.core.rng import Key
from grasp_func.core.tree import flatten, polyak, ravel
from grasp_func.core.types import EnvSpec, Metrics, Params, Transition

METRICS = ("actor_loss", "critic_loss", "q_mean")


@chex.dataclass(frozen=True, kw_only=True, mappable_dataclass=False)
class AgentState:
    """Everything that learning changes.

    Equal states and equal batches give equal new states, bit for bit.

    Parameters and the optimizer's moments are flat vectors [P]. `Learner.unravel` returns views of
    such a vector as {"actor": {name: tensor}, "critic": {name: tensor}}.

    Attributes:
        params: parameters of both networks [P].
        target: Polyak average of `params` [P].
        opt: state of the optimizer.
        obs_norm: moments of the observations.
        goal_norm: moments of the goals.
        lr_scale: factor on both learning rates [].
        step: gradient steps taken, int64 [].
    """

    params: Tensor
    target: Tensor
    opt: AdamState
    obs_norm: NormState
    goal_norm: NormState
    lr_scale: Tensor
    step: Tensor


class DDPGConfig(NamedTuple):
    """Hyper-parameters bound into the learner's functions.

    Attributes:
        gamma: discount factor.
        actor_lr: learning rate of the actor.
        critic_lr: learning rate of the critic.
        tau: weight of the parameters in each update of the targets.
        target_policy: whether the agent is the target networks.
        grad_clip: largest norm of each network's gradient; None: unbounded.
        action_norm: see `losses.actor_loss`.
        action_l2: see `losses.actor_loss`.
        state_clip: bound of normalised observations.
        goal_clip: bound of normalised goals.
        obs_exclude: entries of the observation that are not normalised.
        goal_exclude: entries of the goal that are not normalised.
        lowest_reward: lowest reward of a step; the highest is 0.
    """

    gamma: float = 0.98
    actor_lr: float = 1e-3
    critic_lr: float = 1e-3
    tau: float = 0.05
    target_policy: bool = False
    grad_clip: float | None = 5.0
    action_norm: float = 1.0
    action_l2: float = 0.0
    state_clip: float = 200.0
    goal_clip: float = 200.0
    obs_exclude: tuple[int, ...] = ()
    goal_exclude: tuple[int, ...] = ()
    lowest_reward: float = -1.0


# One vector [N] for each worker of this process -> the mean over all workers [N].
GradReducer = Callable[[Sequence[Tensor]], Tensor]


class Learner(NamedTuple):
    """DDPG's pure functions. No input is modified.

    Attributes:
        init: key -> initial state.
        update: (state, one batch for each local worker) -> (state after a gradient step, metrics).
        soft_update_targets: moves the targets towards the parameters by `tau`.
        update_normalizers: merges moments of new observations and goals into the state.
        scalings: state -> (scaling of observations, scaling of goals).
        unravel: flat vector [P] -> {"actor": parameters, "critic": parameters}, as views.
        agent: state -> the networks, as `unravel` gives them, that act and are exported.
        products: further inputs of the networks, see `networks.with_products`.
    """

    init: Callable[[Key], AgentState]
    update: Callable[[AgentState, Sequence[Transition]], tuple[AgentState, Metrics]]
    soft_update_targets: Callable[[AgentState], AgentState]
    update_normalizers: Callable[[AgentState, NormState, NormState], AgentState]
    scalings: Callable[[AgentState], tuple[Scaling, Scaling]]
    unravel: Callable[[Tensor], dict[str, Params]]
    agent: Callable[[AgentState], dict[str, Params]]
    products: tuple[int, ...] = ()


def mean_of_workers(values: Sequence[Tensor]) -> Tensor:
    """Averages vectors [N], added in worker order; the reference of every `GradReducer`."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values) if len(values) > 1 else total


def make_learner(
    nets: Networks,
    env_spec: EnvSpec,
    cfg: DDPGConfig,
    reduce_grads: GradReducer = mean_of_workers,
    jit: Jit = trace,
) -> Learner:
    """Builds the learner for an environment.

    Args:
        nets: network functions.
        env_spec: sizes of the environment.
        cfg: hyper-parameters.
        reduce_grads: averages the gradients over all workers, those on other processes included.
        jit: transforms the gradient function, which takes nearly all of an update's time.
    """
    template = nets.init(Key(0))
    _, unravel = ravel(template)
    parts = _parts(template)
    rates = {"actor": cfg.actor_lr, "critic": cfg.critic_lr}
    optimizer = adam((parts[name], rate) for name, rate in rates.items())
    gradient = jit(make_gradient(nets, unravel, cfg))

    def init(key: Key) -> AgentState:
        return _initial_state(flatten(nets.init(key)), optimizer, env_spec, cfg)

    @torch.no_grad()
    def update(state: AgentState, batches: Sequence[Transition]) -> tuple[AgentState, Metrics]:
        grads = [gradient(state, batch) for batch in batches]
        grad, metrics, _ = reduce_grads(grads).tensor_split(
            [len(state.params), len(state.params) + len(METRICS)]
        )
        grad = clip_by_norm(grad, parts.values(), cfg.grad_clip)
        params, opt = optimizer.update(grad, state.opt, state.params, float(state.lr_scale))
        new = replace(state, params=params, opt=opt, step=state.step + 1)
        # A view would keep the whole gradient in memory.
        return new, dict(zip(METRICS, metrics.clone(), strict=True))

    return Learner(
        init=init,
        update=update,
        soft_update_targets=partial(_soft_update_targets, tau=cfg.tau),
        update_normalizers=_update_normalizers,
        scalings=partial(_scalings, cfg=cfg),
        unravel=unravel,
        agent=lambda state: unravel(state.target if cfg.target_policy else state.params),
        products=nets.products,
    )


def _initial_state(
    params: Tensor, optimizer: Optimizer, env_spec: EnvSpec, cfg: DDPGConfig
) -> AgentState:
    """Returns the state of an agent that has learned nothing."""
    return AgentState(
        params=params,
        target=params.clone(),
        opt=optimizer.init(params),
        obs_norm=normalizer.init(env_spec.obs),
        goal_norm=normalizer.init(env_spec.goal),
        lr_scale=torch.ones(()),
        step=torch.zeros((), dtype=torch.int64),
    )


def make_gradient(
    nets: Networks, unravel: Callable[[Tensor], dict[str, Params]], cfg: DDPGConfig
) -> Callable[[AgentState, Transition], Tensor]:
    """Builds the gradient of one batch, a pure function that returns one flat vector.

    The vector holds the gradient [P], the metrics [3] and zeros for alignment. One reduction
    therefore averages gradient and metrics over the same workers. Actor and critic have no
    parameter in common, and the critic is constant in the actor's loss. The gradient of the sum of
    both losses therefore consists of both gradients, and one backward pass computes it.
    """

    def loss(
        params: dict[str, Params],
        critic: Params,
        target_q: Tensor,
        x: Tensor,
        action: Tensor,
    ) -> tuple[Tensor, Tensor]:
        c_loss, c_aux = critic_loss(params["critic"], x, action, target_q, nets=nets)
        a_loss, a_aux = actor_loss(
            params["actor"],
            critic,
            x,
            nets=nets,
            action_norm=cfg.action_norm,
            action_l2=cfg.action_l2,
        )
        aux = {**c_aux, **a_aux}
        return c_loss + a_loss, torch.stack([aux[name] for name in METRICS])

    derivative = grad_and_value(loss, has_aux=True)

    def gradient(state: AgentState, batch: Transition) -> Tensor:
        obs_scale, goal_scale = _scalings(state, cfg)
        goal = normalizer.normalize(batch.goal, goal_scale)
        x = torch.cat([normalizer.normalize(batch.obs, obs_scale), goal], dim=-1)
        next_x = torch.cat([normalizer.normalize(batch.next_obs, obs_scale), goal], dim=-1)
        target = unravel(state.target)
        next_action, _ = nets.actor(target["actor"], next_x)
        next_q = nets.critic(target["critic"], next_x, next_action)
        target_q = td_target(batch.reward, next_q, cfg.gamma, cfg.lowest_reward)
        params = unravel(state.params)
        grads, (_, metrics) = derivative(params, params["critic"], target_q, x, batch.action)
        return flatten([grads, metrics])

    return gradient


def _soft_update_targets(state: AgentState, tau: float) -> AgentState:
    return replace(state, target=polyak(state.target, state.params, tau))


def _update_normalizers(state: AgentState, obs: NormState, goal: NormState) -> AgentState:
    obs, goal = normalizer.merge(state.obs_norm, obs), normalizer.merge(state.goal_norm, goal)
    return replace(state, obs_norm=obs, goal_norm=goal)


def _scalings(state: AgentState, cfg: DDPGConfig) -> tuple[Scaling, Scaling]:
    """Returns the scalings of observations and of goals."""
    obs = normalizer.scaling(state.obs_norm, cfg.state_clip, cfg.obs_exclude)
    return obs, normalizer.scaling(state.goal_norm, cfg.goal_clip, cfg.goal_exclude)


def _parts(template: dict[str, Params]) -> dict[str, slice]:
    """Returns each network's slice of the flat vector, which `jax.tree` sorts by name."""
    parts, start = {}, 0
    for name in sorted(template):
        size = flatten(template[name]).numel()
        parts[name] = slice(start, start + size)
        start += size
    return parts
