"""Conversions between an agent's state, its files and a policy."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from grasp_func.core.ddpg import AgentState, Learner
from grasp_func.core.networks import EMBEDDING, MATRIX, ROTATION_START, n_products
from grasp_func.core.normalizer import NormState, scaling
from grasp_func.core.numpy_policy import Policy
from grasp_func.core.tree import flatten
from grasp_func.core.types import EnvSpec, Params
from grasp_func.errors import SaveError
from grasp_func.storage.agent_files import AgentFiles, read_agent
from grasp_func.storage.atomic import StrPath


def to_files(learner: Learner, state: AgentState) -> AgentFiles:
    """Returns the networks that act, and the normalizers."""
    networks = learner.agent(state)
    obs, goal = learner.scalings(state)
    return AgentFiles(
        networks["actor"],
        networks["critic"],
        obs,
        state.obs_norm,
        goal,
        state.goal_norm,
        learner.products,
    )


def from_files(
    learner: Learner, state: AgentState, files: AgentFiles, source: StrPath
) -> AgentState:
    """Returns `state` with networks, targets and normalizers of `files`, and its own optimizer.

    Raises:
        SaveError: the agent has other sizes; names the first part that differs.
    """
    loaded, misfits = fitting_from_files(learner, state, files)
    for network, layers in learner.unravel(state.params).items():
        found, needed = len(getattr(files, network)) // 2, len(layers) // 2
        if found != needed:
            misfits = {network: f"has {found} layers, this run needs {needed}"}
    for part, misfit in misfits.items():
        if misfit:
            raise SaveError(
                f"{source}: {part} {misfit}: pre-train with the same network sizes on an "
                "environment with the same observation, goal and action, or load only the layers "
                "that fit, from saves/pretrain/<env>: --set load_pretrained=fitting"
            )
    return loaded


def fitting_from_files(
    learner: Learner, state: AgentState, files: AgentFiles
) -> tuple[AgentState, dict[str, str]]:
    """Returns `state` with those parts of `files` that fit, and why the others do not.

    A layer fits if its shape is that of the state's layer. An input layer fits only if observation
    and goal have the same sizes and products as well, since its inputs would mean something else.

    Returns:
        the state, and for each layer and normalizer the difference in shape; empty where it fits.
    """
    misfits = {
        "obs_norm": _misfit(files.obs_moments.mean, state.obs_norm.mean),
        "goal_norm": _misfit(files.goal_moments.mean, state.goal_norm.mean),
    }
    same = files.products == learner.products
    products = "" if same else f"has products {files.products}, this run {learner.products}"
    inputs = misfits["obs_norm"] or misfits["goal_norm"] or products
    networks = learner.unravel(state.params)
    for network, layers in networks.items():
        found = getattr(files, network)
        for i in range(0, len(layers), 2):
            weight, bias = f"layers.{i}.weight", f"layers.{i}.bias"
            misfit = _misfit(found.get(weight), layers[weight]) or (inputs if i == 0 else "")
            misfits[f"{network} layers.{i}"] = misfit
            if not misfit:
                layers |= {weight: found[weight], bias: found[bias]}
    params = flatten(networks)
    loaded = replace(
        state,
        params=params,
        target=params.clone(),
        obs_norm=state.obs_norm if misfits["obs_norm"] else files.obs_moments,
        goal_norm=state.goal_norm if misfits["goal_norm"] else files.goal_moments,
    )
    return loaded, misfits


def with_more_inputs(
    files: AgentFiles,
    env_spec: EnvSpec,
    goal_moments: Callable[[], NormState],
    products: tuple[int, ...] = (),
) -> AgentFiles:
    """Returns an agent that takes the environment's goals, and acts on its own inputs as before.

    Where a task adds to the goal, such as a rotation to a position, training can go on from there:
    the weights of the new inputs are 0, and their moments those of the environment's goals. An
    agent of other observations is returned as it is, and so is one that already has products or a
    longer goal.

    Args:
        files: the agent.
        env_spec: of the environment.
        goal_moments: called where they are needed; returns the moments of the environment's goals.
        products: further inputs, see `networks.with_products`.
    """
    more = env_spec.goal - len(files.goal_moments.mean)
    new = more + n_products(products)
    known = len(files.obs_moments.mean) == env_spec.obs and not files.products
    if more < 0 or not new or not known:
        return files

    def widened(params: Params) -> Params:
        weight = params["layers.0.weight"]
        before, after = weight.tensor_split([files.inputs], dim=1)
        blank = weight.new_zeros(len(weight), new)
        return {**params, "layers.0.weight": torch.cat([before, blank, after], dim=1)}

    longer = _with_more_goal(files, more, goal_moments()) if more else files
    return longer._replace(
        actor=widened(files.actor), critic=widened(files.critic), products=products
    )


def _with_more_goal(files: AgentFiles, more: int, found: NormState) -> AgentFiles:
    """Returns an agent whose normalizer also has the last `more` entries of the moments `found`."""
    moments, scale = files.goal_moments, files.goal_scaling
    new = scaling(found, scale.clip)

    def extended(known: Tensor, values: Tensor) -> Tensor:
        return torch.cat([known, values[-more:]])

    return files._replace(
        goal_moments=replace(
            moments,
            mean=extended(moments.mean, found.mean),
            m2=extended(moments.m2, found.m2 / found.count * moments.count),
        ),
        goal_scaling=scale._replace(
            mean=extended(scale.mean, new.mean), std=extended(scale.std, new.std)
        ),
    )


def load_policy(directory: StrPath, env_spec: EnvSpec | None = None) -> Policy:
    """Reads a trained agent and returns its greedy policy: observation and goal to action.

    Args:
        directory: holds the four files of an agent, of grasp_func or of Dext-Gen.
        env_spec: of the environment to act in, which must fit; None: any whose actions begin with
            three entries of position, then the rotation if there is one, as all of ours do.

    Raises:
        SaveError: files missing, unusable, or of an agent for other sizes.
    """
    files = read_agent(directory)
    if env_spec is None:
        has_head = files.actions > files.outputs
        rotation = slice(ROTATION_START, ROTATION_START + MATRIX) if has_head else None
    else:
        rotation = rotation_of(files, env_spec, directory)
    return files.policy(rotation)


def rotation_of(files: AgentFiles, env_spec: EnvSpec, source: StrPath) -> slice | None:
    """Returns where the actor's action holds a rotation that it orthonormalises.

    Raises:
        SaveError: the agent is of other sizes than the environment.
    """
    sizes = len(files.obs_scaling.mean), len(files.goal_scaling.mean)
    outputs = files.outputs
    has_head = env_spec.rotation is not None and outputs == env_spec.action - (MATRIX - EMBEDDING)
    if sizes != (env_spec.obs, env_spec.goal) or not (has_head or outputs == env_spec.action):
        raise SaveError(
            f"{source}: for observation {sizes[0]}, goal {sizes[1]}, {outputs} outputs, "
            f"the environment has observation {env_spec.obs}, goal {env_spec.goal}, action "
            f"{env_spec.action}: name an agent of this environment"
        )
    return env_spec.rotation if has_head else None


def _misfit(found: Tensor | None, needed: Tensor) -> str:
    """Returns how a tensor's shape differs from the one that is needed; empty if it fits."""
    shape = None if found is None else tuple(found.shape)
    needed_shape = tuple(needed.shape)
    return "" if shape == needed_shape else f"is {shape}, this run needs {needed_shape}"
