"""Reads the settings of a run from a file and the command line.

`load_config` puts three layers on top of each other (the file's `Default`, the environment's own
section, the command line) and validates the result once; nothing below the training loop sees a
dictionary or argv. Departs from Dext-Gen: an unknown key, a wrong type or a value out of range is
an error that names file, key, value and range.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grasp_func.config.schema import Config
from grasp_func.config.yaml_file import parse_yaml, read_yaml, show_name, show_value
from grasp_func.errors import ConfigError

__all__ = ["Config", "ConfigError", "expectation", "load_config"]


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


def _unknown_key(key: str) -> str:
    return f"{show_name(key)} is not a known key{_closest(key, list(Config.model_fields))}"


def _closest(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean {matches[0]}?" if matches else ""
