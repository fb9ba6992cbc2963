"""Agent files: `actor.pt` and its companions in the project's own format, written and read here.

An agent is four files: actor.pt and critic.pt hold a plain dictionary of tensors, the two
normalizers a pickled dictionary of built-in types, or Dext-Gen's pickled class. They are replaced
as one generation. Readers execute no code of a pickle and check all four files before one is used.
Departs from Dext-Gen, which pickles classes, writes in place and replaces networks one by one.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from grasp_func.core.networks import n_products
from grasp_func.core.normalizer import NormState, Scaling
from grasp_func.core.numpy_policy import Policy, make_policy
from grasp_func.core.types import Params
from grasp_func.errors import SaveError
from grasp_func.storage import safe_pickle
from grasp_func.storage.atomic import StrPath, reason
from grasp_func.storage.dextgen import parse_dextgen_normalizer
from grasp_func.storage.generation import read_generation, write_generation
from grasp_func.storage.parts import part_of
from grasp_func.storage.run_dir import FILES

__all__ = [
    "FILES",
    "AgentFiles",
    "SaveError",
    "agent_bytes",
    "import_agent",
    "read_agent",
    "write_agent",
]

FORMAT = 1
MAX_NETWORK_BYTES = 512 * 2**20
MAX_NORMALIZER_BYTES = 2**20
NORMALIZER_KEYS = ("format", "count", "mean", "m2", "scale_mean", "scale_std", "clip")
LIMITS = dict(zip(FILES, (MAX_NETWORK_BYTES,) * 2 + (MAX_NORMALIZER_BYTES,) * 2, strict=True))
# Entry of a network's file that holds the ranges of inputs whose products are inputs, too.
PRODUCTS = "products"
# A rotation takes 9 entries of an action, but 6 outputs of PosePolicyNet.
EMBEDDING_DEFICIT = 3


class AgentFiles(NamedTuple):
    """Networks and normalizers of an agent."""

    actor: Params  # layers.<i>.weight [out, in], layers.<i>.bias [out]; i even
    critic: Params
    obs_scaling: Scaling  # used to act
    obs_moments: NormState  # updated by further training
    goal_scaling: Scaling
    goal_moments: NormState
    products: tuple[int, ...] = ()  # see `networks.with_products`
    actor_sha256: str = ""  # of the file actor.pt that it was read from, hexadecimal

    @property
    def inputs(self) -> int:
        """Inputs of the actor: observation, goal and products."""
        return self.entries + n_products(self.products)

    @property
    def entries(self) -> int:
        """Entries of observation and goal together."""
        return len(self.obs_scaling.mean) + len(self.goal_scaling.mean)

    @property
    def outputs(self) -> int:
        """Outputs of the actor; three fewer than actions where it has a rotation head."""
        return len(list(self.actor.values())[-1])

    @property
    def actions(self) -> int:
        """Entries of an action, as the critic takes them."""
        return self.critic["layers.0.weight"].shape[1] - self.inputs

    def policy(self, rotation: slice | None) -> Policy:
        """Returns the greedy policy; `rotation` as in `Policy`."""
        return make_policy(self.actor, self.obs_scaling, self.goal_scaling, rotation, self.products)


def agent_bytes(files: AgentFiles) -> dict[str, bytes]:
    """Returns the content of the four files by their names."""
    contents = (
        _network_bytes(files.actor, files.products),
        _network_bytes(files.critic, files.products),
        _normalizer_bytes(files.obs_moments, files.obs_scaling),
        _normalizer_bytes(files.goal_moments, files.goal_scaling),
    )
    return dict(zip(FILES, contents, strict=True))


def write_agent(directory: StrPath, files: AgentFiles) -> None:
    """Writes the four files as one generation; see `write_generation`.

    Raises:
        SaveError: no space, no permission, or another process holds the lock for a minute.
    """
    write_generation(directory, agent_bytes(files))


def read_agent(directory: StrPath) -> AgentFiles:
    """Reads and checks all four files, of grasp_func or of Dext-Gen.

    Raises:
        SaveError: a file is missing, damaged, hostile, or does not fit the others.
    """
    directory = Path(directory)
    contents = read_generation(directory, LIMITS)
    (actor, products), (critic, others) = (
        _parse_network(directory / name, contents[name]) for name in FILES[:2]
    )
    (obs_moments, obs_scaling), (goal_moments, goal_scaling) = (
        _parse_normalizer(directory / name, contents[name]) for name in FILES[2:]
    )
    if products != others:
        raise _unusable(directory, f"{FILES[0]} has products {products}, {FILES[1]} has {others}")
    files = AgentFiles(
        actor,
        critic,
        obs_scaling,
        obs_moments,
        goal_scaling,
        goal_moments,
        products,
        part_of(contents[FILES[0]]).sha256,
    )
    _check_fit(directory, files)
    return files


def import_agent(source: StrPath, target: StrPath) -> None:
    """Converts Dext-Gen's four files in the folder `source` to ours in the folder `target`.

    Raises:
        SaveError: a file of `source` is missing or unusable, or `target` cannot be written.
    """
    write_agent(target, read_agent(source))


def _unusable(path: Path, problem: str) -> SaveError:
    """Returns the error for a file whose content must not be used."""
    problem = " ".join(problem.split())[:160]
    remedy = "restore it from a backup, train again, or name another folder"
    return SaveError(f"{path}: {problem}; {remedy}")


def _network_bytes(params: Params, products: tuple[int, ...]) -> bytes:
    plain = {name: tensor.detach().float().contiguous().clone() for name, tensor in params.items()}
    if products:
        plain[PRODUCTS] = torch.tensor(products)
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    return buffer.getvalue()


def _parse_network(path: Path, data: bytes) -> tuple[Params, tuple[int, ...]]:
    """Returns parameters and products."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > len(data):
                raise _unusable(path, "compressed, not a file that PyTorch wrote")
            if archive.testzip() is not None:
                raise _unusable(path, "damaged, a checksum does not match")
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except SaveError:
        raise
    # torch and zipfile raise about ten kinds on damaged files.
    except Exception as error:
        raise _unusable(path, f"not a file of plain tensors ({reason(error)})") from None
    if not isinstance(loaded, dict):
        raise _unusable(path, f"holds a {type(loaded).__name__}, expected a dictionary of tensors")
    products = _check_products(path, loaded.pop(PRODUCTS, None))
    return _check_network(path, loaded, len(data)), products


def _check_products(path: Path, tensor: Any) -> tuple[int, ...]:
    """Returns two ranges (a, b, c, d); empty: the file has none."""
    if tensor is None:
        return ()
    is_plain = type(tensor) is Tensor and tensor.layout == torch.strided
    fits = is_plain and tensor.dtype == torch.int64 and tensor.shape == (4,)
    a, b, c, d = tensor.tolist() if fits and tensor.device.type == "cpu" else (0, 0, 0, 0)
    if not 0 <= a < b <= c < d:
        raise _unusable(path, f"{PRODUCTS} is not four increasing indices of inputs")
    return a, b, c, d


def _check_network(path: Path, loaded: dict[Any, Any], n_bytes: int) -> Params:
    """Returns the parameters in layer order, or raises SaveError."""
    n_layers = len(loaded) // 2
    names = [f"layers.{2 * i}.{part}" for i in range(n_layers) for part in ("weight", "bias")]
    if n_layers < 1 or set(loaded) != set(names):
        found = ", ".join(repr(name)[:40] for name in list(loaded)[:4]) or "nothing"
        raise _unusable(path, f"expected layers.0.weight, layers.0.bias, layers.2..., got {found}")
    params = {name: _check_tensor(path, name, loaded[name], n_bytes) for name in names}
    for i in range(n_layers):
        weight, bias = params[names[2 * i]], params[names[2 * i + 1]]
        before = params[names[2 * i - 2]].shape[0] if i else None
        if weight.ndim != 2 or 0 in weight.shape or bias.shape != weight.shape[:1]:
            shapes = f"weight {tuple(weight.shape)} and bias {tuple(bias.shape)}"
            raise _unusable(path, f"layers.{2 * i} has {shapes}")
        if before not in (None, weight.shape[1]):
            raise _unusable(path, f"layers.{2 * i} takes {weight.shape[1]} of {before} inputs")
    return params


def _check_tensor(path: Path, name: str, tensor: Any, n_bytes: int) -> Tensor:
    if type(tensor) is not Tensor or tensor.layout != torch.strided:
        raise _unusable(path, f"{name} is not a plain tensor")
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise _unusable(path, f"{name} is {tensor.dtype} on {tensor.device}, expected float32")
    # A view can repeat a few numbers.
    if tensor.numel() * 4 > n_bytes:
        raise _unusable(path, f"{name} of shape {tuple(tensor.shape)} is larger than its file")
    if not bool(tensor.isfinite().all()):
        raise _unusable(path, f"{name} has entries that are not finite")
    return tensor.detach().contiguous().clone()


def _normalizer_bytes(moments: NormState, scaling: Scaling) -> bytes:
    content = {
        "format": FORMAT,
        "count": float(moments.count),
        "mean": moments.mean.tolist(),
        "m2": moments.m2.tolist(),
        "scale_mean": scaling.mean.tolist(),
        "scale_std": scaling.std.tolist(),
        "clip": float(scaling.clip),
    }
    return pickle.dumps(content, protocol=4)


def _parse_normalizer(path: Path, data: bytes) -> tuple[NormState, Scaling]:
    try:
        if safe_pickle.names_classes(data):
            return parse_dextgen_normalizer(data)
        content = safe_pickle.load(data)
    except ValueError as error:
        raise _unusable(path, str(error)) from None
    return _check_normalizer(path, content)


def _check_normalizer(path: Path, content: Any) -> tuple[NormState, Scaling]:
    if not isinstance(content, dict) or set(content) != set(NORMALIZER_KEYS):
        raise _unusable(path, f"expected a dictionary with keys {', '.join(NORMALIZER_KEYS)}")
    if content["format"] != FORMAT:
        raise _unusable(path, f"format {content['format']!r}, this version reads {FORMAT}")
    count, clip = (_number(path, key, content[key]) for key in ("count", "clip"))
    mean, m2, scale_mean, scale_std = (
        _vector(path, key, content[key]) for key in ("mean", "m2", "scale_mean", "scale_std")
    )
    if len({len(mean), len(m2), len(scale_mean), len(scale_std)}) > 1:
        raise _unusable(path, "mean, m2, scale_mean and scale_std differ in length")
    scaling = Scaling(scale_mean.float(), scale_std.float(), clip)
    if count < 0 or bool((m2 < 0).any()):
        raise _unusable(path, "count and m2 must be >= 0")
    if clip <= 0 or not bool((scaling.std > 0).all()):
        raise _unusable(path, "clip and scale_std must be > 0")
    if not bool((scaling.mean.isfinite() & scaling.std.isfinite()).all()):
        raise _unusable(path, "scale_mean or scale_std exceed float32")
    moments = NormState(count=torch.tensor(count, dtype=torch.float64), mean=mean, m2=m2)
    return moments, scaling


def _number(path: Path, key: str, value: Any) -> float:
    # Not-a-number compares false.
    if type(value) not in (int, float) or not abs(value) <= 1e300:
        raise _unusable(path, f"{key} is not a finite number")
    return float(value)


def _vector(path: Path, key: str, values: Any) -> Tensor:
    if not isinstance(values, list) or not values:
        raise _unusable(path, f"{key} is not a list of numbers")
    return torch.tensor([_number(path, key, value) for value in values], dtype=torch.float64)


def _check_fit(directory: Path, files: AgentFiles) -> None:
    """Checks that the four files belong to one agent."""
    actor_in = files.actor["layers.0.weight"].shape[1]
    critic_in = files.critic["layers.0.weight"].shape[1]
    critic_out = len(list(files.critic.values())[-1])
    if files.products and files.products[-1] > files.entries:
        sizes = f"products of inputs {files.products}, the normalizers {files.entries} entries"
        raise _unusable(directory, f"{FILES[0]} has {sizes}")
    if actor_in != files.inputs:
        sizes = f"{actor_in} inputs, the normalizers {files.entries} entries"
        raise _unusable(directory, f"{FILES[0]} has {sizes}")
    if critic_out != 1 or files.actions - files.outputs not in (0, EMBEDDING_DEFICIT):
        sizes = f"{critic_in} inputs and {critic_out} outputs"
        raise _unusable(directory, f"{FILES[1]} has {sizes}, which does not fit {FILES[0]}")
