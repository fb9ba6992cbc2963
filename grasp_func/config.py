"""The configuration: every key with its type, range and meaning, and the function that reads it.

`load_config` puts three layers on top of each other (the file's `Default`, the environment's own
section, the command line) and validates the result once; nothing below the training loop sees a
dictionary or argv. Departs from Dext-Gen: an unknown key, a wrong type or a value out of range is
an error that names file, key, value and range, and `seed: 0` is a seed.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from grasp_func.yaml_file import ConfigError, parse_yaml, read_yaml, show_name, show_value

__all__ = ["Config", "ConfigError", "expectation", "load_config"]

NOISE_PARAMS: dict[str, tuple[str, ...]] = {
    "Uniform": (),
    "Gaussian": ("mu", "sigma"),
    "OrnsteinUhlenbeck": ("mu", "sigma", "theta", "dt"),
}
NoiseProcess = Literal["Uniform", "Gaussian", "OrnsteinUhlenbeck"]
NetType = Literal["PosePolicyNet", "DDP"]
Count = Annotated[int, Field(ge=1)]
Layers = Annotated[int, Field(ge=2)]
Natural = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Discount = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Angle = Annotated[float, Field(gt=0, le=math.pi)]
AboveOne = Annotated[float, Field(gt=1)]
NonNegative = Annotated[float, Field(ge=0)]
NormIndices = list[int] | None
ROTATION_BLOCKS = ["grip_rot", "object_rot", "object_rel_rot"]


def _key(default: Any, meaning: str) -> Any:
    return Field(default, description=meaning)


class Config(BaseModel):
    """All settings of a run, validated; defaults: as published with Dext-Gen, arXiv:2206.13966."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    epochs: Count = _key(5000, "epochs at most; an epoch ends with an evaluation")
    cycles: Count = _key(50, "cycles per epoch")
    rollouts: Count = _key(2, "training episodes per worker and cycle")
    batches: Count = _key(40, "gradient steps per cycle")
    evals: Count = _key(10, "greedy evaluation episodes per worker and epoch")
    batch_size: Count = _key(256, "transitions per worker and gradient step")
    buffer_size: Count = _key(1_000_000, "transitions kept per worker, the oldest replaced first")
    gamma: Discount = _key(0.98, "discount per step")
    actor_lr: Positive = _key(1e-3, "Adam step size of the actor")
    critic_lr: Positive = _key(1e-3, "Adam step size of the critic")
    tau: PositiveShare = _key(0.05, "share of the new network in a target update")
    sync_targets_every: Literal["cycle", "update"] = _key("cycle", "when the targets are updated")
    eps: Share = _key(0.3, "share of training actions drawn from the noise process")
    noise_process: NoiseProcess = _key("Uniform", "process of the random actions")
    noise_process_params: dict[str, float] = _key(
        {}, "Gaussian: mu, sigma; OrnsteinUhlenbeck: mu, sigma, theta, dt; Uniform: none"
    )
    action_noise: NonNegative = _key(0.2, "standard deviation of the noise on all other actions")
    quiet_share: Share = _key(0.0, "share of training episodes that explore more quietly")
    quiet_eps: Share = _key(0.1, "eps of the quiet episodes")
    quiet_action_noise: NonNegative = _key(0.1, "action_noise of the quiet episodes")
    pregrasp_start: Share = _key(
        0.0, "share of training episodes that begin above a grasp, while success is 0"
    )
    pregrasp_until: PositiveShare = _key(
        0.8, "success rate, of the best evaluation so far, at which that share has fallen to 0"
    )
    k: NonNegative = _key(4.0, "hindsight goals per real one; the share k / (k + 1) is relabelled")
    moved_share: Share = _key(0.0, "share of replay drawn from episodes that moved the object")
    lifted_share: Share = _key(0.0, "then, share drawn from episodes that lifted the object")
    action_clip: Positive = _key(1.0, "bound of the entries of an action while exploring")
    state_clip: Positive = _key(200.0, "bound of normalised observations")
    goal_clip: Positive = _key(200.0, "bound of normalised goals")
    grad_clip: Positive | None = _key(5.0, "bound of each network's gradient norm; null: none")
    action_norm: NonNegative = _key(1.0, "weight of the penalty on rotation embedding or action")
    actor_net_type: NetType = _key("PosePolicyNet", "PosePolicyNet: rotation head; DDP: plain tanh")
    actor_net_nlayers: Layers = _key(4, "linear layers of the actor")
    actor_net_layer_width: Count = _key(256, "width of the actor's hidden layers")
    critic_net_nlayers: Layers = _key(4, "linear layers of the critic")
    critic_net_layer_width: Count = _key(256, "width of the critic's hidden layers")
    state_norm_exclude: list[str] = _key(ROTATION_BLOCKS, "observation blocks not normalised")
    state_norm_idx: NormIndices = _key(
        None, "observation entries that are normalised, in place of state_norm_exclude"
    )
    goal_norm_idx: NormIndices = _key(None, "goal entries that are normalised; null: all")
    angle_tolerance_start: Angle = _key(
        math.pi,
        "first angle tolerance (rad) where goals hold a rotation, down to the task's",
    )
    angle_tolerance_factor: AboveOne = _key(1.25, "divides it after an epoch of enough success")
    angle_tolerance_success: Share = _key(0.75, "success rate above which it is divided")
    late_success: Share | None = _key(
        None, "two evaluations at this success rate begin the late phase; null: never"
    )
    late_lr: PositiveShare = _key(1.0, "factor on both learning rates in the late phase")
    late_eps: Share | None = _key(None, "eps in the late phase; null: unchanged")
    late_action_noise: NonNegative | None = _key(None, "action_noise in the late phase, likewise")
    late_quiet_eps: Share | None = _key(None, "quiet_eps in the late phase, likewise")
    late_quiet_action_noise: NonNegative | None = _key(
        None, "quiet_action_noise in the late phase, likewise"
    )
    fine_success: Share | None = _key(
        None, "two evaluations at this success rate begin the fine phase; null: never"
    )
    fine_lr: PositiveShare = _key(1.0, "factor on both learning rates in the fine phase")
    early_stop: Share = _key(0.95, "success rate at which training ends")
    confirm_episodes: Natural = _key(
        200, "fresh episodes over all workers that must confirm early_stop; 0: no confirmation"
    )
    save: bool = _key(True, "write agent, statistics and checkpoints")
    load_pretrained: bool | Literal["fitting"] = _key(
        False, "start from the agent in saves/pretrain; fitting: from those of its layers that fit"
    )
    seed: Natural | None = _key(None, "seed of all random numbers; null: drawn at the start")
    workers: Count | None = _key(None, "logical workers; null: the number of processes")
    matmul: Literal["auto", "highest", "medium"] = _key(
        "auto", "float32 products by MKL (highest) or oneDNN (medium); auto: by the kind of CPU"
    )
    eager: bool = _key(False, "updates without capture: the same bits, slower, for reading along")
    kwargs: dict[str, Any] = _key({}, "arguments of the environment's constructor")

    @field_validator("noise_process_params")
    @classmethod
    def _check_noise(cls, params: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        process = info.data.get("noise_process")
        if process is not None and not set(params) <= set(NOISE_PARAMS[process]):
            names = ", ".join(NOISE_PARAMS[process]) or "none"
            raise ValueError(f"parameters of noise_process {process} ({names})")
        if min(params.get("sigma", 0), params.get("theta", 0)) < 0 or params.get("dt", 1) <= 0:
            raise ValueError("sigma >= 0, theta >= 0 and dt > 0")
        return params

    @field_validator("state_norm_idx", "goal_norm_idx")
    @classmethod
    def _check_indices(cls, idx: NormIndices) -> NormIndices:
        if idx is not None and (min(idx, default=0) < 0 or len(set(idx)) < len(idx)):
            raise ValueError("a list of different integers >= 0 or null")
        return idx

    @field_validator("kwargs")
    @classmethod
    def _check_kwargs(cls, kwargs: dict[str, Any]) -> dict[str, Any]:
        if not _is_plain(kwargs):
            raise ValueError("finite numbers, text, true, false, null, lists or mappings of those")
        return kwargs


def load_config(
    path: str | Path,
    env_id: str,
    overrides: Iterable[str] = (),
    known_envs: Iterable[str] | None = None,
) -> Config:
    """Returns one environment's configuration: `Default` <- its own section <- command line.

    Args:
        path: YAML file of sections `Default` and environment ids.
        env_id: whose section applies.
        overrides: `KEY=VALUE` as on the command line; `kwargs.NAME=VALUE` sets one argument of the
            environment's constructor.
        known_envs: ids allowed as sections and as `env_id`; None allows all.

    Raises:
        ConfigError: in one line, where the mistake is, what was expected, the closest known name.
    """
    sections = _read_sections(Path(path))
    if known_envs is not None:
        _check_names(show_name(str(path)), sections, env_id, list(known_envs))
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}  # key -> where its value was set last
    for name in ("Default", env_id):
        for key, value in sections.get(name, {}).items():
            _set(values, key, value)
            origin[key] = f"{show_name(str(path))}: {name}.{key}"
    return _validated(values, origin, overrides)


def recorded_config(values: Mapping[str, Any], overrides: Iterable[str]) -> Config:
    """Returns a configuration that was dumped with `Config.model_dump`, with overrides applied.

    Raises:
        ConfigError: as `load_config`.
    """
    origin = dict.fromkeys(values, "recorded configuration")
    return _validated(dict(values), origin, overrides)


def _validated(values: dict[str, Any], origin: dict[str, str], overrides: Iterable[str]) -> Config:
    """Applies overrides and validates; `origin` says where each value was set."""
    for override in overrides:
        where = f"--set {show_name(override)}"
        origin[_apply_override(values, override, where)] = where
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        custom = first.get("ctx", {}).get("error")
        expected = custom if isinstance(custom, ValueError) else expectation(key)
        place = origin.get(key, f"recorded configuration: {key}")
        shown = ":" if place.startswith("--set") else f" = {show_value(values.get(key))},"
        raise ConfigError(f"{place}{shown} expected {expected}") from None


def expectation(key: str) -> str:
    """Says in words which values a key takes, for example `a number in [0, 1)`."""
    schema = Config.model_json_schema()["properties"][key]
    return " or ".join(_describe(option) for option in schema.get("anyOf", [schema]))


def _describe(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "array":
        return "a list of names" if schema["items"]["type"] == "string" else "a list of integers"
    words = {
        "boolean": "true or false",
        "integer": "an integer",
        "null": "null",
        "number": "a number",
        "object": "a mapping of names to values",
    }
    if isinstance(schema.get("additionalProperties"), dict):
        return "a mapping of names to numbers"
    return words[schema["type"]] + _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if high is None and below is None:
        return f" >= {low:g}" if low is not None else "" if above is None else f" > {above:g}"
    left = f"[{low:g}" if low is not None else f"({above:g}"
    return f" in {left}, {high:g}]" if high is not None else f" in {left}, {below:g})"


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    """Sets one key in place; arguments of the environment are merged one by one."""
    if key in ("kwargs", "noise_process_params") and value is None:
        value = {}  # "kwargs:" with nothing below it
    if key == "kwargs" and isinstance(value, dict) and isinstance(values.get(key), dict):
        value = {**values[key], **value}
    values[key] = value


def _apply_override(values: dict[str, Any], override: str, where: str) -> str:
    """Sets one `KEY=VALUE` in place and returns the key."""
    target, equals, text = override.partition("=")
    key, dot, name = target.partition(".")
    if not equals or not key:
        raise ConfigError(f"{where}: expected KEY=VALUE, for example --set batch_size=512")
    if key not in Config.model_fields:
        raise ConfigError(f"{where}: {_unknown_key(key)}")
    value = parse_yaml(text, where)
    if not dot:
        _set(values, key, value)
    elif name and key in ("kwargs", "noise_process_params"):
        old = values.get(key)
        values[key] = {**(old if isinstance(old, dict) else {}), name: value}
    else:
        raise ConfigError(f"{where}: expected {key}=VALUE")
    return key


def _read_sections(path: Path) -> dict[str, dict[str, Any]]:
    where = show_name(str(path))
    content = read_yaml(path)
    if content is None:
        raise ConfigError(f"{where}: empty, expected a section Default with keys")
    if not isinstance(content, dict):
        found = show_value(content)
        raise ConfigError(f"{where}: expected sections Default and environment ids, got {found}")
    for name, section in content.items():
        if section is not None and not isinstance(section, dict):
            hint = ", put it under Default" if name in Config.model_fields else ""
            shown = f"{show_name(name)} = {show_value(section)}"
            raise ConfigError(f"{where}: {shown}, expected a section with keys{hint}")
        for key in section or {}:
            if key not in Config.model_fields:
                raise ConfigError(f"{where}: {show_name(name)}.{_unknown_key(key)}")
    return {name: section or {} for name, section in content.items()}


def _check_names(where: str, sections: Iterable[str], env_id: str, known_envs: list[str]) -> None:
    known = ["Default", *known_envs]
    for name in sections:
        if name not in known:
            problem = f"is neither Default nor a known environment{_closest(name, known)}"
            raise ConfigError(f"{where}: {show_name(name)} {problem}")
    if env_id not in known_envs:
        hint = _closest(env_id, known_envs)
        raise ConfigError(f"--env {show_name(env_id)} is not a known environment{hint}")


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _unknown_key(key: str) -> str:
    return f"{show_name(key)} is not a known key{_closest(key, list(Config.model_fields))}"


def _closest(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean {matches[0]}?" if matches else ""
