"""Builds the parts of a run from its settings: networks, hyper-parameters, how updates are run."""

from functools import partial
from typing import Any, NamedTuple, TypeVar

from grasp_func.config.load import Config
from grasp_func.config.schema import ROTATION_BLOCKS
from grasp_func.core.ddpg import AgentState, DDPGConfig, Learner, make_learner
from grasp_func.core.jit import Jit, eager, trace
from grasp_func.core.networks import Networks, NetworkSpec, make_networks
from grasp_func.core.noise import NoiseProcess, make_noise_process
from grasp_func.core.replay import ReplayBuffer
from grasp_func.core.rng import Key, Stream, fold_in
from grasp_func.core.types import EnvSpec
from grasp_func.errors import ConfigError
from grasp_func.runtime.aot import compile_graph
from grasp_func.runtime.comm import Comm, on_root
from grasp_func.runtime.workers import Workers
from grasp_func.training.goal_env import GoalEnv

T = TypeVar("T")


class Run(NamedTuple):
    """What stays fixed during a run."""

    cfg: Config
    env: GoalEnv
    workers: Workers
    nets: Networks
    learner: Learner
    noise: NoiseProcess
    key: Key

    @property
    def env_spec(self) -> EnvSpec:
        """Sizes of the environment."""
        return self.env.spec

    @property
    def steps_per_cycle(self) -> int:
        """Environment steps of all workers in a cycle."""
        return self.cfg.rollouts * self.workers.total * self.env_spec.horizon


def make_run(cfg: Config, env: GoalEnv, workers: Workers) -> Run:
    """Binds a configuration to an environment.

    Args:
        cfg: settings, with a seed.
        env: the environment; training sets its angle tolerance, if it has one.
        workers: the logical workers, and this process's among them.

    Raises:
        ConfigError: the configuration does not fit the environment.
    """
    if cfg.seed is None:
        raise ConfigError("seed = null: draw one on the first process before training")
    try:
        nets = make_networks(env.spec, network_spec(cfg, env.spec))
        noise = make_noise_process(cfg.noise_process, cfg.noise_process_params)
    except ValueError as error:
        raise ConfigError(f"{env.name}: {error}") from error
    learner = make_learner(
        nets, env.spec, ddpg_config(cfg, env.spec), workers.mean, jit_of(cfg, workers.comm)
    )
    return Run(cfg, env, workers, nets, learner, noise, Key(cfg.seed))


def initial_state(run: Run) -> AgentState:
    """Returns the first process's initial state on every process."""
    state = run.learner.init(fold_in(run.key, Stream.INIT))
    return run.workers.comm.bcast(state)  # type: ignore[no-any-return]


def empty_buffers(run: Run) -> list[ReplayBuffer]:
    """Returns an empty replay buffer for each worker of this process."""
    return [ReplayBuffer(run.env_spec, run.cfg.buffer_size) for _ in run.workers.local_workers]


def select(part: type[T], cfg: Config, **given: Any) -> T:
    """Builds a part's settings from the keys of the same names.

    Args:
        part: NamedTuple whose fields are named as keys of the configuration.
        cfg: settings of the run.
        given: values of the other fields.
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
        ConfigError: the configuration names entries that the environment does not have.
    """
    return select(
        DDPGConfig,
        cfg,
        lowest_reward=env_spec.lowest_reward,
        obs_exclude=_excluded_obs(cfg, env_spec),
        goal_exclude=_all_but(cfg.goal_norm_idx, env_spec.goal, "goal_norm_idx"),
    )


def jit_of(cfg: Config, comm: Comm) -> Jit:
    """Returns the function that prepares the learner's gradient; the first process compiles."""
    compiled = partial(compile_graph, compile_on_root=partial(on_root, comm))
    choices: dict[str, Jit] = {
        # Left undecided: what needs no compiler.
        "auto": trace,
        "eager": eager,
        "traced": trace,
        "compiled": partial(trace, build=compiled),
    }
    return choices[cfg.updates]


def _excluded_obs(cfg: Config, env_spec: EnvSpec) -> tuple[int, ...]:
    """Returns the observation entries that are not normalised."""
    if cfg.state_norm_idx is not None:
        return _all_but(cfg.state_norm_idx, env_spec.obs, "state_norm_idx")
    blocks, names = env_spec.obs_blocks, cfg.state_norm_exclude
    if names == "auto":
        names = [name for name in ROTATION_BLOCKS if name in blocks]
    unknown = sorted(set(names) - set(blocks))
    if unknown:
        raise ConfigError(
            f"state_norm_exclude: no block {', '.join(unknown)} in the observation, "
            f"expected some of {', '.join(blocks) or 'none'}"
        )
    entries = range(env_spec.obs)
    return tuple(i for name in names for i in entries[blocks[name]])


def _all_but(indices: list[int] | None, size: int, name: str) -> tuple[int, ...]:
    """Returns the entries of [0, size) that are not listed; None lists all."""
    if indices is None:
        return ()
    if max(indices, default=0) >= size:
        raise ConfigError(f"{name} = {indices}: expected entries of [0, {size})")
    return tuple(i for i in range(size) if i not in indices)
