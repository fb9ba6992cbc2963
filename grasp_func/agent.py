"""An agent's way between memory and disk: state -> files, files -> state, files -> policy."""

from dataclasses import replace
from pathlib import Path

from grasp_func.ddpg import AgentState, Learner
from grasp_func.networks import EMBEDDING, MATRIX, ROTATION_START
from grasp_func.policy import Policy, make_policy
from grasp_func.run_folders import pretrain_directory
from grasp_func.saves import AgentFiles, SaveError, read_agent
from grasp_func.train import Run
from grasp_func.tree import flatten
from grasp_func.types import Layout


def to_files(learner: Learner, state: AgentState) -> AgentFiles:
    """Returns what is written of a state: networks and normalizers."""
    networks = learner.unravel(state.params)
    obs, goal = learner.scalings(state)
    return AgentFiles(
        networks["actor"], networks["critic"], obs, state.obs_norm, goal, state.goal_norm
    )


def from_files(learner: Learner, state: AgentState, files: AgentFiles, source: Path) -> AgentState:
    """Returns `state` with networks, targets and normalizers of `files`; the optimizer starts anew.

    Raises:
        SaveError: the files are of an agent with other sizes; names the first that differs.
    """
    expected = learner.unravel(state.params)
    found = {"actor": files.actor, "critic": files.critic}
    for network, layers in expected.items():
        if len(layers) != len(found[network]):
            found_layers = f"has {len(found[network]) // 2} layers"
            raise _misfit(source, network, found_layers, str(len(layers) // 2))
        for name, tensor in layers.items():
            shape = tuple(found[network][name].shape)
            if shape != tensor.shape:
                raise _misfit(source, f"{network} {name}", f"is {shape}", str(tuple(tensor.shape)))
    if files.obs_moments.mean.shape != state.obs_norm.mean.shape:
        raise SaveError(
            f"{source}: state_norm.pkl is of another observation than this environment's"
        )
    params = flatten(found)
    return replace(
        state,
        params=params,
        target=params.clone(),
        obs_norm=files.obs_moments,
        goal_norm=files.goal_moments,
    )


def load_pretrained(run: Run, state: AgentState, save_dir: Path, env_id: str) -> AgentState:
    """Returns `state` with the agent of saves/pretrain/<env_id>, else of its gripper.

    Raises:
        SaveError: there is none, its files are unusable, or they are of an agent of other sizes.
    """
    gripper = getattr(run.env.unwrapped, "gripper_type", env_id)
    directory = pretrain_directory(save_dir, env_id, gripper)
    return from_files(run.learner, state, read_agent(directory), directory)


def load_policy(directory: Path, layout: Layout | None = None) -> Policy:
    """Reads a trained agent as a function of observation and goal that returns the greedy action.

    Args:
        directory: holds the four files of an agent.
        layout: of the environment to act in, which must fit; None: any whose actions begin with
            three entries of position, then the rotation if there is one, as all of ours do.

    Raises:
        SaveError: files missing, unusable, or of an agent for other sizes.
    """
    files = read_agent(directory)
    if layout is None:
        has_head = files.actions > files.outputs
        rotation = slice(ROTATION_START, ROTATION_START + MATRIX) if has_head else None
    else:
        rotation = rotation_of(files, layout, directory)
    return make_policy(files.actor, files.obs_scaling, files.goal_scaling, rotation)


def rotation_of(files: AgentFiles, layout: Layout, source: Path) -> slice | None:
    """Returns where the actor's action holds a rotation that it orthonormalises.

    Raises:
        SaveError: the agent is of other sizes than the environment.
    """
    sizes = len(files.obs_scaling.mean), len(files.goal_scaling.mean)
    outputs = files.outputs
    has_head = layout.rotation is not None and outputs == layout.action - (MATRIX - EMBEDDING)
    if sizes != (layout.obs, layout.goal) or not (has_head or outputs == layout.action):
        raise SaveError(
            f"{source}: for observation {sizes[0]}, goal {sizes[1]}, {outputs} outputs, "
            f"the environment has observation {layout.obs}, goal {layout.goal}, action "
            f"{layout.action}: name an agent of this environment with --load DIR"
        )
    return layout.rotation if has_head else None


def _misfit(source: Path, part: str, found: str, needed: str) -> SaveError:
    """Returns the error for an agent of other sizes."""
    return SaveError(
        f"{source}: {part} {found}, this run needs {needed}: pre-train with the same network sizes "
        "on an environment with the same observation, goal and action"
    )
