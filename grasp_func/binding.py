"""What a configuration means: sizes of networks, hyper-parameters of DDPG, how updates are run."""

from functools import partial

from grasp_func.aot import compile_graph
from grasp_func.comm import Comm, on_root
from grasp_func.config import Config
from grasp_func.ddpg import DDPGConfig
from grasp_func.jit import Jit, capture, eager
from grasp_func.networks import NetworkSpec
from grasp_func.types import Layout


def network_spec(cfg: Config) -> NetworkSpec:
    """Returns the sizes of the networks."""
    return NetworkSpec(
        cfg.actor_net_type,
        cfg.actor_net_nlayers,
        cfg.actor_net_layer_width,
        cfg.critic_net_nlayers,
        cfg.critic_net_layer_width,
    )


def ddpg_config(cfg: Config, layout: Layout) -> DDPGConfig:
    """Returns the learner's hyper-parameters.

    Raises:
        ValueError: the configuration names entries that the layout does not have.
    """
    return DDPGConfig(
        gamma=cfg.gamma,
        actor_lr=cfg.actor_lr,
        critic_lr=cfg.critic_lr,
        tau=cfg.tau,
        grad_clip=cfg.grad_clip,
        action_norm=cfg.action_norm,
        action_l2=cfg.action_l2,
        obs_clip=cfg.state_clip,
        goal_clip=cfg.goal_clip,
        lowest_reward=layout.lowest_reward,
        obs_exclude=_excluded_obs(cfg, layout),
        goal_exclude=_all_but(cfg.goal_norm_idx, layout.goal, "goal_norm_idx"),
    )


def jit_of(cfg: Config, comm: Comm) -> Jit:
    """Returns how the learner's gradient is run; the first process compiles for all."""
    compiled = partial(compile_graph, share=partial(on_root, comm))
    ways: dict[str, Jit] = {
        "eager": eager,
        "captured": capture,
        "compiled": partial(capture, build=compiled),
    }
    return ways[cfg.updates]


def _excluded_obs(cfg: Config, layout: Layout) -> tuple[int, ...]:
    """Returns the observation entries that are not normalised."""
    if cfg.state_norm_idx is not None:
        return _all_but(cfg.state_norm_idx, layout.obs, "state_norm_idx")
    unknown = set(cfg.state_norm_exclude) - set(layout.obs_blocks)
    if unknown:
        raise ValueError(
            f"state_norm_exclude: no block {', '.join(sorted(unknown))} in the observation, "
            f"expected some of {', '.join(layout.obs_blocks) or 'none'}"
        )
    entries = range(layout.obs)
    return tuple(i for name in cfg.state_norm_exclude for i in entries[layout.obs_blocks[name]])


def _all_but(indices: list[int] | None, size: int, name: str) -> tuple[int, ...]:
    if indices is None:
        return ()
    if max(indices, default=0) >= size:
        raise ValueError(f"{name} = {indices}: expected entries of [0, {size})")
    return tuple(i for i in range(size) if i not in indices)
