"""All settings of a run: each key with its type, range, meaning and default.

The keys are grouped into small models by the part of the program that uses them; `Config` combines
the models into the flat set of keys that a configuration file has. Defaults are the values
published with Dext-Gen, arXiv:2206.13966; keys that Dext-Gen does not have leave its method
unchanged, except for `actor_net_type` and `confirm_episodes`. Departs from Dext-Gen: a wrong type
or a value out of range is an error, and 0 is a seed like any other.
"""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from grasp_func.config.types import (
    NOISE_PARAMS,
    AboveOne,
    Angle,
    Count,
    Discount,
    Folder,
    Fraction,
    Indices,
    Kwargs,
    Layers,
    Natural,
    NoiseParams,
    NonNegative,
    Positive,
    PositiveFraction,
)

# Keys of earlier versions; a configuration that holds one is refused.
RENAMED = {
    "sync_targets_every": "soft_update_every",
    "quiet_share": "p_low_noise",
    "quiet_eps": "low_noise_eps",
    "quiet_action_noise": "low_noise_action_noise",
    "late_quiet_eps": "late_low_noise_eps",
    "late_quiet_action_noise": "late_low_noise_action_noise",
    "moved_share": "p_moved",
    "lifted_share": "p_lifted",
    "pregrasp_until": "easy_start_until",
    "late_action_l2": "action_l2",
}
ROTATION_BLOCKS = ["grip_rot", "object_rot", "object_rel_rot"]


def _key(default: Any, meaning: str) -> Any:
    return Field(default, description=meaning)


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Budget(_Keys):
    """How much data and how many gradient steps, and when training ends."""

    epochs: Count = _key(5000, "maximum number of epochs; each epoch ends with an evaluation")
    cycles: Count = _key(50, "cycles per epoch: rollouts, then gradient steps")
    rollouts: Count = _key(2, "training episodes per worker and cycle")
    batches: Count = _key(40, "gradient steps per cycle")
    batch_size: Count = _key(256, "transitions per worker and gradient step")
    evals: Count = _key(10, "evaluation episodes per worker and epoch, without exploration noise")
    early_stop: Fraction = _key(0.95, "success rate at which training ends")
    confirm_episodes: Natural = _key(
        200,
        "size of a second evaluation that must also reach early_stop: new episodes, in total over "
        "all workers; 0: early_stop needs none",
    )
    patience: Count | None = _key(
        None,
        "training also ends after this many epochs without a better agent, counted from the late "
        "phase on; null: never",
    )


class Learning(_Keys):
    """Hyper-parameters of DDPG."""

    gamma: Discount = _key(0.98, "discount factor per step")
    actor_lr: Positive = _key(1e-3, "learning rate of the actor (Adam)")
    critic_lr: Positive = _key(1e-3, "learning rate of the critic (Adam)")
    tau: PositiveFraction = _key(
        0.05, "weight of the new parameters in a soft update of the target networks"
    )
    soft_update_every: Literal["cycle", "update"] = _key(
        "cycle", "soft update of the target networks once per cycle or after every gradient step"
    )
    target_policy: bool = _key(
        False,
        "act with, evaluate and export the target networks, which average the latest gradient "
        "steps; false: the networks that the gradient steps change",
    )
    grad_clip: Positive | None = _key(
        5.0, "maximum gradient norm of each network; null: no clipping"
    )
    action_norm: NonNegative = _key(
        1.0,
        "weight of the L2 penalty on the actor's rotation embedding (PosePolicyNet) or on the "
        "whole action (DDP)",
    )
    action_l2: NonNegative = _key(
        0.0, "weight of the L2 penalty on the rest of the action, or on all of it (DDP)"
    )


class NetworkSizes(_Keys):
    """Types and sizes of the networks."""

    actor_net_type: Literal["auto", "PosePolicyNet", "DDP"] = _key(
        "auto",
        "PosePolicyNet: actor with a rotation head; DDP: plain MLP with tanh outputs (Dext-Gen's "
        "name, not DistributedDataParallel); auto: PosePolicyNet where the action holds a rotation "
        "matrix, else DDP",
    )
    actor_net_nlayers: Layers = _key(4, "number of linear layers of the actor")
    actor_net_layer_width: Count = _key(256, "width of the actor's hidden layers")
    critic_net_nlayers: Layers = _key(4, "number of linear layers of the critic")
    critic_net_layer_width: Count = _key(256, "width of the critic's hidden layers")
    relative_rotation: bool = _key(
        False,
        "both networks also get the products of the object's and the goal's rotation, where goals "
        "have one: the rotation that is left is a sum of them",
    )


class Normalization(_Keys):
    """Normalisation of observations and goals."""

    state_clip: Positive = _key(200.0, "normalised observations are clipped to [-x, x]")
    goal_clip: Positive = _key(200.0, "normalised goals are clipped to [-x, x]")
    state_norm_exclude: list[str] | Literal["auto"] = _key(
        "auto",
        "names of observation blocks that are not normalised; auto: the observation's rotation "
        f"blocks ({', '.join(ROTATION_BLOCKS)})",
    )
    state_norm_idx: Indices | None = _key(
        None, "indices of the observation entries to normalise; replaces state_norm_exclude"
    )
    goal_norm_idx: Indices | None = _key(
        None, "indices of the goal entries to normalise; null: all"
    )


class ExplorationNoise(_Keys):
    """Noise on the actions of training episodes."""

    eps: Fraction = _key(0.3, "probability that a training action is random")
    noise_process: Literal["Uniform", "Gaussian", "OrnsteinUhlenbeck"] = _key(
        "Uniform", "process that the random actions are drawn from"
    )
    noise_process_params: NoiseParams = _key(
        {},
        "Gaussian: mu, sigma; OrnsteinUhlenbeck: mu, sigma, theta, dt; Uniform: none. Dext-Gen's "
        "lists are accepted: [mu, sigma] for Gaussian, any list for Uniform, which ignores it",
    )
    action_noise: NonNegative = _key(
        0.2, "standard deviation of the Gaussian noise on all other training actions"
    )
    p_low_noise: Fraction = _key(0.0, "probability that a training episode uses low noise")
    low_noise_eps: Fraction = _key(0.1, "eps of a low-noise episode")
    low_noise_action_noise: NonNegative = _key(0.1, "action_noise of a low-noise episode")
    action_clip: PositiveFraction = _key(
        1.0, "training actions are clipped to [-x, x]; environments clip at 1"
    )

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


class Replay(_Keys):
    """The replay buffer and hindsight relabelling."""

    buffer_size: Count = _key(
        1_000_000, "transitions kept per worker; the oldest episodes are overwritten first"
    )
    k: NonNegative = _key(
        4.0, "hindsight goals per original goal: the fraction k / (k + 1) is relabelled"
    )
    p_moved: Fraction = _key(
        0.0, "probability of replaying from the episodes in which the object moved"
    )
    p_lifted: Fraction = _key(
        0.0, "probability of then replaying from those in which the object was lifted"
    )
    replay_tolerance: PositiveFraction = _key(
        1.0,
        "share of the goal's tolerance within which a replayed transition is rewarded, where the "
        "environment knows one; evaluations use the whole tolerance",
    )
    p_symmetry: Fraction = _key(
        0.0,
        "probability that a replayed transition is replaced by a symmetric copy (turned about the "
        "vertical axis, mirrored), where the environment declares symmetries",
    )


class Schedule(_Keys):
    """Settings that change with success: starts, angle tolerance, late and fine phase."""

    pregrasp_start: Fraction = _key(
        0.0,
        "probability that a training episode starts just above a grasp, where the environment has "
        "such starts; falls linearly as the success rate of the best evaluation rises",
    )
    grasp_start: Fraction = _key(0.0, "likewise, for starts with the object in the gripper")
    easy_start_until: PositiveFraction = _key(
        0.8, "success rate at which both probabilities reach 0"
    )
    angle_tolerance_start: Angle = _key(
        math.pi,
        "first angle tolerance (rad) where goals have a rotation; it shrinks to the task's own",
    )
    angle_tolerance_factor: AboveOne = _key(
        1.25, "the angle tolerance is divided by this after a successful epoch"
    )
    angle_tolerance_success: Fraction = _key(
        0.75, "an epoch is successful in that sense above this success rate"
    )
    late_success: Fraction | None = _key(
        None,
        "the late phase begins after two evaluations with at least this success rate, or with a "
        "pre-trained agent that has it for certain; null: never",
    )
    late_lr: PositiveFraction = _key(1.0, "factor on both learning rates in the late phase")
    late_k: NonNegative | None = _key(None, "k in the late phase; null: unchanged")
    late_eps: Fraction | None = _key(None, "eps in the late phase; null: unchanged")
    late_action_noise: NonNegative | None = _key(
        None, "action_noise in the late phase; null: unchanged"
    )
    late_low_noise_eps: Fraction | None = _key(
        None, "low_noise_eps in the late phase; null: unchanged"
    )
    late_low_noise_action_noise: NonNegative | None = _key(
        None, "low_noise_action_noise in the late phase; null: unchanged"
    )
    fine_success: Fraction | None = _key(
        None,
        "the fine phase begins after two evaluations with at least this success rate, or with a "
        "pre-trained agent that has it for certain; null: never",
    )
    fine_lr: PositiveFraction = _key(1.0, "factor on both learning rates in the fine phase")

    @field_validator("grasp_start")
    @classmethod
    def _check_starts(cls, grasp_start: float, info: ValidationInfo) -> float:
        if grasp_start + info.data.get("pregrasp_start", 0.0) > 1.0:
            raise ValueError("pregrasp_start and grasp_start add up to at most 1")
        return grasp_start


class Files(_Keys):
    """What a run reads and writes."""

    save: bool = _key(True, "write the agent, statistics and checkpoints")
    load_pretrained: bool | Literal["fitting"] | Folder = _key(
        False,
        "start from the agent in saves/pretrain, or from the one that comes with grasp_func; "
        "a folder with a / in its name: from the agent in it; "
        "fitting: copy only the layers and normalizers whose sizes fit",
    )


class Execution(_Keys):
    """How a run is computed."""

    seed: Natural | None = _key(
        None, "seed of all random numbers; null: a random seed, which the run records"
    )
    workers: Count | None = _key(
        None,
        "number of logical workers; null: the same number on each process, in all at least "
        "min_workers",
    )
    min_workers: Count = _key(
        1, "least number of logical workers where workers is null; 1: one on each MPI process"
    )
    matmul: Literal["auto", "highest", "medium"] = _key(
        "auto", "float32 matrix products by MKL (highest) or oneDNN (medium); auto: by CPU model"
    )
    updates: Literal["auto", "eager", "traced", "compiled"] = _key(
        "auto",
        "traced: gradient steps recorded once, then replayed; eager: the same bits, slower, for "
        "debugging; compiled: machine code, faster, different bits, needs a C++ compiler; auto: "
        "compiled for more than 100,000 gradients of all workers, where a compiler works and all "
        "CPUs are of one kind; else traced",
    )

    @field_validator("updates", mode="before")
    @classmethod
    def _check_updates(cls, value: Any) -> Any:
        if value == "captured":
            raise ValueError("traced, the new name of captured")
        return value


# pydantic lists the keys of the last base first
class Config(
    Execution,
    Files,
    Schedule,
    Replay,
    ExplorationNoise,
    Normalization,
    NetworkSizes,
    Learning,
    Budget,
):
    """All settings of a run, validated and immutable."""

    kwargs: Kwargs = _key({}, "arguments of the environment's constructor")


def config_schema() -> dict[str, Any]:
    """Returns the JSON schema of a configuration file, for editors that complete and check YAML."""
    section = {"anyOf": [{"$ref": "#/$defs/Section"}, {"type": "null"}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of grasp_func",
        "type": "object",
        "properties": {"Default": {"description": "applies to all environments", **section}},
        "additionalProperties": {"description": "overrides of one environment", **section},
        "$defs": {"Section": Config.model_json_schema()},
    }
