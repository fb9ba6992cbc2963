"""Exports a trained agent to other programs: safetensors, TorchScript and Dext-Gen's own files.

Each format is a dictionary of file names and contents; all files are complete before the first
gets its name. TorchScript rather than ONNX: it needs no other package to write and check, runs
without Python, and keeps the layers in float64.
Departs from Dext-Gen, whose saves need its classes.
"""

import io
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from grasp_func.core.networks import (
    EMBEDDING,
    MATRIX,
    ROTATION_START,
    actor_forward,
    head_sizes,
    layers_of,
    with_products,
)
from grasp_func.core.normalizer import Scaling, normalize
from grasp_func.core.numpy_policy import act
from grasp_func.core.types import Params, as_float32
from grasp_func.errors import SaveError
from grasp_func.storage.agent_files import AgentFiles
from grasp_func.storage.atomic import StrPath, cannot_write, replace_all
from grasp_func.storage.dextgen import dextgen_normalizer_bytes
from grasp_func.storage.run_dir import FILES

MAX_ERROR = 1e-6  # of an exported action
INPUTS = (
    "clip((x - mean) / std, -clip, clip) of state and goal, joined; then the products of each of "
    "the entries [a, b) with each of [c, d), if products = [a, b, c, d]; then the action, if any"
)


class Agent(NamedTuple):
    """An agent to export."""

    files: AgentFiles
    rotation: slice | None  # where its action holds a rotation that the network orthonormalises


def export_agent(agent: Agent, directory: StrPath, formats: Sequence[str]) -> list[Path]:
    """Writes an agent in the given formats, all of them or none, and returns the files.

    Args:
        agent: to export.
        directory: created if it does not exist.
        formats: some of FORMATS.

    Raises:
        SaveError: the agent does not fit a format, a package is missing, or a file cannot be
            written.
    """
    contents: dict[Path, bytes] = {}
    for name in formats:
        contents |= {Path(directory, path): data for path, data in FORMATS[name](agent).items()}
    try:
        for path in contents:
            path.parent.mkdir(parents=True, exist_ok=True)
        replace_all(contents)
    except OSError as error:
        raise cannot_write(directory, error) from error
    return list(contents)


def safetensors_files(agent: Agent) -> dict[str, bytes]:
    """Returns both networks with the scaling of their inputs as safetensors."""
    try:
        from safetensors.torch import save
    except ImportError:
        remedy = 'pip install "grasp_func[export]", or choose another --format'
        raise SaveError(f"safetensors is not installed: {remedy}") from None
    files, rotation = agent
    scalings = {
        f"{part}_norm.{field}": torch.as_tensor(value, dtype=torch.float32)
        for part, scaling in (("state", files.obs_scaling), ("goal", files.goal_scaling))
        for field, value in scaling._asdict().items()
    }
    facts = {
        "inputs": INPUTS,
        "rotation": rotation and [rotation.start, rotation.stop],
        "products": list(files.products) or None,
    }
    # One entry, since the library does not keep an order.
    metadata = {"grasp_func": json.dumps(facts)}
    return {
        f"{name}.safetensors": save({**_plain(params), **scalings}, metadata)
        for name, params in (("actor", files.actor), ("critic", files.critic))
    }


def torchscript_files(agent: Agent) -> dict[str, bytes]:
    """Returns the greedy policy as a TorchScript module that needs nothing else."""
    module = PolicyModule(agent)
    stream = io.BytesIO()
    # Superseded, yet the only form that runs without Python.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script = torch.jit.script(module.eval())
        torch.jit.save(script, stream)
    _check_actions(script, agent)
    return {"policy.torchscript": stream.getvalue()}


def _check_actions(module: nn.Module, agent: Agent) -> None:
    """Compares a module with `numpy_policy.act` on inputs like those of training.

    Raises:
        SaveError: their actions differ.
    """
    files = agent.files
    policy = files.policy(agent.rotation)
    rng = np.random.default_rng(0)
    obs, goal = (
        as_float32(rng.normal(scaling.mean, scaling.std, (100, len(scaling.mean))))
        for scaling in (files.obs_scaling, files.goal_scaling)
    )
    expected = np.stack([act(policy, *pair) for pair in zip(obs, goal, strict=True)])
    error = np.abs(module(torch.from_numpy(obs), torch.from_numpy(goal)).numpy() - expected).max()
    if not error <= MAX_ERROR:
        raise SaveError(f"policy.torchscript: actions differ by {error:.0e}, expected {MAX_ERROR}")


def dextgen_misfit(agent: Agent) -> str:
    """Returns why Dext-Gen's networks cannot hold an agent; empty: they can."""
    rotation = agent.rotation
    if rotation is not None and rotation.start != ROTATION_START:
        found = f"the action's rotation begins at {rotation.start}"
        return f"{found}, Dext-Gen's networks expect {ROTATION_START}"
    if agent.files.products:
        return "Dext-Gen's networks take no products of inputs (relative_rotation: true)"
    return ""


def dextgen_files(agent: Agent) -> dict[str, bytes]:
    """Returns the four files as Dext-Gen writes them, in a folder of their own."""
    files, misfit = agent.files, dextgen_misfit(agent)
    if misfit:
        raise SaveError(f"{misfit}: choose another --format")
    contents = (
        _torch_bytes(files.actor),
        _torch_bytes(files.critic),
        dextgen_normalizer_bytes(files.obs_moments, files.obs_scaling),
        dextgen_normalizer_bytes(files.goal_moments, files.goal_scaling),
    )
    return {f"dextgen/{name}": data for name, data in zip(FILES, contents, strict=True)}


FORMATS: Mapping[str, Callable[[Agent], dict[str, bytes]]] = {
    "dextgen": dextgen_files,
    "safetensors": safetensors_files,
    "torchscript": torchscript_files,
}


class PolicyModule(nn.Module):
    """The greedy policy as a module: observation [..., S] and goal [..., G] to action [..., A].

    Inputs are normalised in float32; the network is computed in float64, as in `numpy_policy.act`.
    """

    obs_mean: Tensor  # [S]
    obs_std: Tensor
    goal_mean: Tensor  # [G]
    goal_std: Tensor
    head: list[int]
    products: list[int]

    def __init__(self, agent: Agent) -> None:
        """Copies the actor's parameters and the scaling of its inputs."""
        super().__init__()
        files, obs, goal = agent.files, agent.files.obs_scaling, agent.files.goal_scaling
        self.layers = nn.ModuleDict()
        for i, (weight, _) in enumerate(layers_of(files.actor)):
            n_outputs, n_inputs = weight.shape
            self.layers[str(2 * i)] = nn.Linear(n_inputs, n_outputs)
        self.load_state_dict(_plain(files.actor))
        self.layers.double().requires_grad_(False)
        for name, scaling in (("obs", obs), ("goal", goal)):
            self.register_buffer(f"{name}_mean", scaling.mean.clone())
            self.register_buffer(f"{name}_std", scaling.std.clone())
        self.obs_clip, self.goal_clip = float(obs.clip), float(goal.clip)
        self.head = head_sizes(n_outputs + MATRIX - EMBEDDING, agent.rotation)
        self.products = list(files.products)

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        """Returns the greedy action, float32."""
        obs_scaling = Scaling(self.obs_mean, self.obs_std, self.obs_clip)
        goal_scaling = Scaling(self.goal_mean, self.goal_std, self.goal_clip)
        normal_obs = normalize(observation.to(torch.float32), obs_scaling)
        normal_goal = normalize(goal.to(torch.float32), goal_scaling)
        layers: list[tuple[Tensor, Tensor]] = []
        for layer in self.layers.values():
            layers.append((layer.weight, layer.bias))  # type: ignore[arg-type]
        x = torch.cat([normal_obs, normal_goal], dim=-1).to(torch.float64)
        x = with_products(x, self.products)
        return actor_forward(layers, x, self.head)[0].to(torch.float32)


def _plain(params: Params) -> Params:
    return {name: tensor.detach().float().contiguous() for name, tensor in params.items()}


def _torch_bytes(params: Params) -> bytes:
    stream = io.BytesIO()
    torch.save(_plain(params), stream)
    return stream.getvalue()
