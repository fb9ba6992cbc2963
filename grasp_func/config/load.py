"""Reads the configuration of a run from a YAML file and the command line.

`load_config` merges three layers (the file's section `Default`, the environment's own section, the
command line) and validates the result; nothing below the training loop sees a dictionary or argv.
Departs from Dext-Gen: an unknown key, a wrong type or a value out of range is an error that names
file, key, value and range, and all such problems of a file are reported together.
"""

import difflib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from grasp_func.config.schema import RENAMED, Config
from grasp_func.config.yaml_file import MAX_BYTES, one_line, parse_yaml
from grasp_func.errors import ConfigError

__all__ = ["Config", "ConfigError", "expectation", "load_config", "recorded_config"]

Values = dict[str, Any]
Origins = dict[str, str]  # key -> where its value comes from
_TYPES = {
    "array": "a list of {}s",
    "boolean": "true or false",
    "integer": "an integer",
    "number": "a number",
    "object": "a mapping",
}


def load_config(
    path: str | os.PathLike[str],
    env_id: str,
    overrides: Iterable[str] = (),
    known_envs: Collection[str] | None = None,
) -> Config:
    """Returns the configuration of one environment.

    Args:
        path: YAML file with sections `Default` and environment ids.
        env_id: environment whose section is merged over `Default`.
        overrides: `KEY=VALUE` or `--KEY=VALUE` as on the command line; `kwargs.NAME=VALUE` sets
            one argument of the environment's constructor.
        known_envs: valid environment ids; None accepts any.

    Raises:
        ConfigError: with all problems of the file, or else of the overrides.
    """
    if known_envs is not None and env_id not in known_envs:
        _refuse([f"--env {env_id} is not a known environment{_closest(env_id, known_envs)}"])
    name = os.fspath(path)
    sections, problems = _read_sections(name, known_envs)
    for section in sections:
        problems += _problems(*_layers(name, sections, section))
    _refuse(problems)
    return _with_overrides(*_layers(name, sections, env_id), overrides)


def recorded_config(values: Mapping[str, Any], overrides: Iterable[str]) -> Config:
    """Returns a configuration that was dumped with `Config.model_dump`, with overrides applied.

    Raises:
        ConfigError: as `load_config`.
    """
    origins = dict.fromkeys(values, "recorded configuration: ")
    return _with_overrides(dict(values), origins, overrides)


def expectation(key: str) -> str:
    """Says in words which values a key takes, for example `a number in [0, 1)`."""
    schema = _schema()[key]
    return " or ".join(_describe(option) for option in schema.get("anyOf", [schema]))


@cache
def _schema() -> dict[str, Any]:
    """Returns the JSON schema of each key."""
    return Config.model_json_schema()["properties"]  # type: ignore[no-any-return]


def _describe(schema: Mapping[str, Any]) -> str:
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices:
        return " or ".join(map(str, choices))
    if schema.get("pattern") == "/":
        return "a folder with a / in its name"
    kind = str(schema["type"])
    words = _TYPES.get(kind, kind).format(schema.get("items", {}).get("type"))
    return words + _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if high is None and below is None:
        return f" >= {low:g}" if low is not None else "" if above is None else f" > {above:g}"
    left = f"[{low:g}" if low is not None else f"({above:g}"
    return f" in {left}, {high:g}]" if high is not None else f" in {left}, {below:g})"


def _read_sections(
    name: str, known_envs: Collection[str] | None
) -> tuple[dict[str, Values], list[str]]:
    """Returns the sections of a file, and the problems of sections as a whole."""
    try:
        with open(name, "rb") as file:
            content = parse_yaml(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        hint = "name another file with --config FILE"
        _refuse([f"{name}: cannot be read ({error.strerror}), {hint}"])
    if not isinstance(content, dict):
        found = "empty" if content is None else _show(content)
        _refuse([f"{name}: {found}, expected sections named Default or as environments"])
    known = list(content) if known_envs is None else ["Default", *known_envs]
    problems = []
    for section, values in content.items():
        if not isinstance(values, dict | None):
            hint = ", put it under Default" if section in Config.model_fields else ""
            found = f"{section} = {_show(values)}"
            problems.append(f"{name}: {found}, expected a section with keys{hint}")
        elif section not in known:
            hint = _closest(section, known) or ", remove it"
            problems.append(f"{name}: {section} is neither Default nor a known environment{hint}")
    return {key: value for key, value in content.items() if isinstance(value, dict)}, problems


def _layers(name: str, sections: Mapping[str, Values], env_id: str) -> tuple[Values, Origins]:
    """Merges an environment's section over `Default`."""
    values: Values = {}
    origins: Origins = {}
    for section in ("Default", env_id):
        for key, value in sections.get(section, {}).items():
            _set(values, key, value)
            origins[key] = f"{name}: {section}."
    return values, origins


def _with_overrides(values: Values, origins: Origins, overrides: Iterable[str]) -> Config:
    for override in overrides:
        target, equals, text = override.partition("=")
        key, dot, name = target.removeprefix("--").replace("-", "_").partition(".")
        given = override if override.startswith("--") else f"--set {override}"
        if not (equals and key) or (dot and not name):
            _refuse([f"{given}: expected KEY=VALUE, for example --set batch_size=512"])
        value, old = parse_yaml(text, given), values.get(key)
        _set(values, key, {**(old if isinstance(old, dict) else {}), name: value} if dot else value)
        origins[key] = f"{given}: "
    _refuse(_problems(values, origins))
    return Config.model_validate(values)


def _set(values: Values, key: str, value: Any) -> None:
    """Sets one key in place; arguments of the environment are merged one by one."""
    old = values.get(key)
    if key == "kwargs" and isinstance(old, dict) and isinstance(value, dict | None):
        value = {**old, **(value or {})}
    values[key] = value


def _problems(values: Values, origins: Origins) -> list[str]:
    """Describes each key that is unknown or has a value that cannot be used."""
    try:
        Config.model_validate(values)
    except ValidationError as error:
        # a key that takes several types has one error for each of them
        found = {str(item["loc"][0]): item for item in error.errors()}
        return [origins[key] + _explain(key, values[key], item) for key, item in found.items()]
    return []


def _explain(key: str, value: Any, error: Mapping[str, Any]) -> str:
    if error["type"] != "extra_forbidden":
        expected = error.get("ctx", {}).get("error", expectation(key))
        return f"{key} = {_show(value)}, expected {expected}"
    if key in RENAMED:
        return f"{key} is now called {RENAMED[key]}"
    return f"{key} is not a known key{_closest(key, Config.model_fields)}"


def _refuse(problems: Iterable[str]) -> None:
    """Raises a ConfigError if there are problems; several stand on a line each."""
    lines = list(dict.fromkeys(map(one_line, problems)))
    if len(lines) == 1:
        raise ConfigError(lines[0])
    if lines:
        raise ConfigError("\n  ".join([f"{len(lines)} problems:", *lines]))


def _closest(name: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean {matches[0]}?" if matches else ""


def _show(value: Any) -> str:
    """Writes a value on one line, shortened to about 60 characters."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
