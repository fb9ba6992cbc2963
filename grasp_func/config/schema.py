"""The settings of a run: every key with its type, range, meaning and published default.

Departs from Dext-Gen: a wrong type or a value out of range is an error, and `seed: 0` is a seed.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

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
    soft_update_every: Literal["cycle", "update"] = _key("cycle", "when the targets are updated")
    eps: Share = _key(0.3, "share of training actions drawn from the noise process")
    noise_process: NoiseProcess = _key("Uniform", "process of the random actions")
    noise_process_params: dict[str, float] = _key(
        {}, "Gaussian: mu, sigma; OrnsteinUhlenbeck: mu, sigma, theta, dt; Uniform: none"
    )
    action_noise: NonNegative = _key(0.2, "standard deviation of the noise on all other actions")
    p_low_noise: Share = _key(0.0, "share of training episodes that explore more quietly")
    low_noise_eps: Share = _key(0.1, "eps of the quiet episodes")
    low_noise_action_noise: NonNegative = _key(0.1, "action_noise of the quiet episodes")
    pregrasp_start: Share = _key(
        0.0, "share of training episodes that begin above a grasp, while success is 0"
    )
    pregrasp_until: PositiveShare = _key(
        0.8, "success rate, of the best evaluation so far, at which that share has fallen to 0"
    )
    k: NonNegative = _key(4.0, "hindsight goals per real one; the share k / (k + 1) is relabelled")
    p_moved: Share = _key(0.0, "share of replay drawn from episodes that moved the object")
    p_lifted: Share = _key(0.0, "then, share drawn from episodes that lifted the object")
    p_symmetry: Share = _key(0.0, "probability that a replayed transition is turned and mirrored")
    action_clip: Positive = _key(1.0, "bound of the entries of an action while exploring")
    state_clip: Positive = _key(200.0, "bound of normalised observations")
    goal_clip: Positive = _key(200.0, "bound of normalised goals")
    grad_clip: Positive | None = _key(5.0, "bound of each network's gradient norm; null: none")
    action_norm: NonNegative = _key(1.0, "weight of the penalty on rotation embedding or action")
    action_l2: NonNegative = _key(0.0, "weight of the penalty on all other entries of the action")
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
    late_action_l2: NonNegative | None = _key(None, "action_l2 in the late phase; null: unchanged")
    late_eps: Share | None = _key(None, "eps in the late phase; null: unchanged")
    late_action_noise: NonNegative | None = _key(None, "action_noise in the late phase, likewise")
    late_low_noise_eps: Share | None = _key(None, "low_noise_eps in the late phase, likewise")
    late_low_noise_action_noise: NonNegative | None = _key(
        None, "low_noise_action_noise in the late phase, likewise"
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
    updates: Literal["eager", "traced", "compiled"] = _key(
        "traced",
        "captured: recorded once and replayed; eager: the same bits, slower, for reading along; "
        "compiled: to machine code, faster, other bits, needs a C++ compiler",
    )
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


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)
