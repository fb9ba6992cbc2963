"""Builds the parts of a run from its settings: networks, hyper-parameters, how updates are run."""

from functools import partial
from typing import Any, TypeVar

from grasp_func.config.load import Config
from grasp_func.config.schema import ROTATION_BLOCKS
from grasp_func.core.ddpg import DDPGConfig
from grasp_func.core.jit import Jit, eager, trace
from grasp_func.core.networks import NetworkSpec
from grasp_func.core.types import EnvSpec
from grasp_func.runtime.aot import compile_graph
from grasp_func.runtime.comm import Comm, on_root

T = TypeVar("T")


def select(part: type[T], cfg: Config, **given: Any) -> T:
    """Builds a part's settings from the keys of the same names.

    Args:
        part: NamedTuple whose fields are named as keys of the configuration.
        cfg: settings of the run.
        given: fields that the configuration does not hold.
    """
    names = set(part._fields) - set(given)  # type: ignore[attr-defined]
    return part(**{name: getattr(cfg, name) for name in names}, **given)


def network_spec(cfg: Config, env_spec: EnvSpec) -> NetworkSpec:
    """Returns the sizes of the networks.

    The actor type "auto" is the one with a rotation head where actions hold a rotation matrix, and
    the plain network elsewhere.
    """
    kind = cfg.actor_net_type
    if kind == "auto":
        kind = "DDP" if env_spec.rotation is None else "PosePolicyNet"
    return select(NetworkSpec, cfg, actor_net_type=kind)


def ddpg_config(cfg: Config, env_spec: EnvSpec) -> DDPGConfig:
    """Returns the learner's hyper-parameters.

    Raises:
        ValueError: the configuration names entries that the environment does not have.
    """
    return select(
        DDPGConfig,
        cfg,
        lowest_reward=env_spec.lowest_reward,
        obs_exclude=_excluded_obs(cfg, env_spec),
        goal_exclude=_all_but(cfg.goal_norm_idx, env_spec.goal, "goal_norm_idx"),
    )


def jit_of(cfg: Config, comm: Comm) -> Jit:
    """Returns how the learner's gradient is run; the first process compiles for all."""
    compiled = partial(compile_graph, compile_on_root=partial(on_root, comm))
    ways: dict[str, Jit] = {
        "eager": eager,
        "traced": trace,
        "compiled": partial(trace, build=compiled),
    }
    return ways[cfg.updates]


def _excluded_obs(cfg: Config, env_spec: EnvSpec) -> tuple[int, ...]:
    """Returns the observation entries that are not normalised."""
    if cfg.state_norm_idx is not None:
        return _all_but(cfg.state_norm_idx, env_spec.obs, "state_norm_idx")
    blocks, names = env_spec.obs_blocks, cfg.state_norm_exclude
    if names == "auto":
        names = [name for name in ROTATION_BLOCKS if name in blocks]
    unknown = sorted(set(names) - set(blocks))
    if unknown:
        raise ValueError(
            f"state_norm_exclude: no block {', '.join(unknown)} in the observation, "
            f"expected some of {', '.join(blocks) or 'none'}"
        )
    entries = range(env_spec.obs)
    return tuple(i for name in names for i in entries[blocks[name]])


def _all_but(indices: list[int] | None, size: int, name: str) -> tuple[int, ...]:
    if indices is None:
        return ()
    if max(indices, default=0) >= size:
        raise ValueError(f"{name} = {indices}: expected entries of [0, {size})")
    return tuple(i for i in range(size) if i not in indices)
