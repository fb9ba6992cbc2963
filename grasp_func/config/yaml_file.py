"""Reads YAML that a stranger may have written: safely, and of bounded size.

Every mistake becomes a `ConfigError` of one line that names file, line and remedy. Departs from
plain PyYAML: no Python objects, `1e-3` is a number, keys are text and may be given only once, and
aliases may not blow a small file up to a large one.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from grasp_func.errors import ConfigError

MAX_FILE_BYTES = 200_000
MAX_NODES = 20_000  # entries of a file with all YAML aliases written out
MAX_SCALAR = 1_000  # characters of one value
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


def read_yaml(path: Path) -> Any:
    """Returns the content of a YAML file; None if it is empty.

    Raises:
        ConfigError: missing, not a file, not readable, too large, not UTF-8 or not YAML.
    """
    name = show_name(str(path))
    if not path.exists():
        raise ConfigError(f"{name}: there is no such file, name one with --config FILE")
    if not path.is_file():
        raise ConfigError(f"{name}: this is not a file, name one with --config FILE")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{name}: cannot be read ({error.strerror}), name another with --config FILE"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not UTF-8 at byte {error.start}, save it as UTF-8") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{name}: larger than {MAX_FILE_BYTES} bytes, is it a configuration?")
    return parse_yaml(text, name)


def parse_yaml(text: str, where: str) -> Any:
    """Returns the one document in `text`, None if there is none; errors begin with `where`.

    Raises:
        ConfigError: not YAML, or larger than allowed when its aliases are written out.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _measure(node, {}, where) > MAX_NODES:
            raise ConfigError(f"{where}: over {MAX_NODES} entries once its aliases are written out")
        return loader.construct_document(node)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise ConfigError(f"{where}: {line}not valid YAML ({error.problem})") from None
    except RecursionError:
        raise ConfigError(f"{where}: not valid YAML (nested too deeply)") from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0][:80]
        raise ConfigError(f"{where}: not valid YAML ({reason})") from None


def show_name(name: str) -> str:
    """Writes a name on one line, whatever it contains."""
    return name if name and name.isprintable() else json.dumps(name)


def show_value(value: Any) -> str:
    """Writes a value on one line, shortened to about 60 characters."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


class _Loader(yaml.SafeLoader):
    """Safe loader that also reads `1e-3` as a number, which YAML 1.1 calls text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _measure(node: yaml.Node, sizes: dict[int, int], where: str) -> int:
    """Counts the nodes below `node` with aliases written out; refuses cycles."""
    line = f"{where}: line {node.start_mark.line + 1}"
    known = sizes.get(id(node))
    if known == 0:
        raise ConfigError(f"{line}: an alias contains itself")
    if known is not None:
        return known
    sizes[id(node)] = 0
    children: list[yaml.Node] = []
    if isinstance(node, yaml.ScalarNode) and len(node.value) > MAX_SCALAR:
        raise ConfigError(f"{line}: a value of more than {MAX_SCALAR} characters")
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node, where)
        children = [child for pair in node.value for child in pair]
    sizes[id(node)] = 1 + sum(_measure(child, sizes, where) for child in children)
    return sizes[id(node)]


def _check_keys(node: yaml.MappingNode, where: str) -> None:
    names: set[str] = set()
    for key, _ in node.value:
        line = f"{where}: line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or key.tag not in _KEY_TAGS:
            raise ConfigError(f"{line}: names of keys must be text")
        if key.value in names:
            raise ConfigError(f"{line}: {show_name(key.value)} is given twice, remove one")
        names.add(key.value)
