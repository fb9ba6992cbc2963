"""Types of the values in a configuration: ranges, and checks that a range cannot express."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

NOISE_PARAMS: dict[str, tuple[str, ...]] = {
    "Uniform": (),
    "Gaussian": ("mu", "sigma"),
    "OrnsteinUhlenbeck": ("mu", "sigma", "theta", "dt"),
}
Count = Annotated[int, Field(ge=1)]
Layers = Annotated[int, Field(ge=2)]
Natural = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveFraction = Annotated[float, Field(gt=0, le=1)]
Discount = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Angle = Annotated[float, Field(gt=0, le=math.pi)]
AboveOne = Annotated[float, Field(gt=1)]
Folder = Annotated[str, Field(pattern="/")]


def _check_indices(indices: list[int]) -> list[int]:
    if min(indices, default=0) < 0 or len(set(indices)) < len(indices):
        raise ValueError("a list of different integers >= 0 or null")
    return indices


def _check_plain(value: Any) -> Any:
    """Lets only values pass that JSON can hold."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _check_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_check_plain(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError("finite numbers, text, true, false, null, lists or mappings of those")


def _read_noise_params(params: Any, info: ValidationInfo) -> Any:
    """Reads Dext-Gen's lists: mean and standard deviation for Gaussian, unused for Uniform."""
    if not isinstance(params, list):
        return {} if params is None else params
    process = info.data.get("noise_process")
    if process == "Uniform":
        return {}
    if process == "Gaussian" and len(params) == 2:
        return dict(zip(NOISE_PARAMS[process], params, strict=True))
    if process == "OrnsteinUhlenbeck":
        raise ValueError("{theta: a, sigma: b, dt: 1} for Dext-Gen's [a, b], without clipping")
    raise ValueError("[mu, sigma]")


Indices = Annotated[list[int], AfterValidator(_check_indices)]
NoiseParams = Annotated[
    dict[str, float],
    BeforeValidator(_read_noise_params, json_schema_input_type=dict[str, float] | list[float]),
]
Kwargs = Annotated[
    dict[str, Any],
    BeforeValidator(lambda kwargs: {} if kwargs is None else kwargs),
    AfterValidator(_check_plain),
]
