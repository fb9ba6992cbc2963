"""Parses untrusted YAML: no Python objects are created, and size, nesting and aliases are limited.

Departs from plain PyYAML: `1e-3` is a number, keys are text, and a key may be given only once.
"""

import re
from typing import Any

import yaml

from grasp_func.errors import ConfigError

MAX_BYTES = 200_000
MAX_NODES = 20_000  # keys and values of a document, counted again for each alias
MAX_CHARACTERS = 1_000  # of one value
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


def parse_yaml(text: str | bytes, source: str) -> Any:
    """Returns the content of the single YAML document in `text`; None if there is none.

    Raises:
        ConfigError: `text` is not valid YAML or exceeds the limits; the message names `source`.
    """
    try:
        if len(text) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES} bytes")
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node)
        return loader.construct_document(node)
    # a value that does not match its tag can make PyYAML raise almost any exception
    except Exception as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        reason = getattr(error, "problem", None) or str(error).split("\n")[0][:80]
        raise ConfigError(one_line(f"{source}: {line}not valid YAML ({reason})")) from None


def one_line(text: str) -> str:
    """Escapes line breaks and all other characters that cannot be printed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class _Loader(yaml.SafeLoader):
    """Safe loader that also reads `1e-3` as a number, as YAML 1.2 does."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _check(root: yaml.Node) -> None:
    """Checks keys and sizes before any value is built; a cycle exceeds the limit, too."""
    stack, total = [root], 1
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.ScalarNode):
            _require(len(node.value) <= MAX_CHARACTERS, node, "a value is too long")
            continue
        children = node.value
        if isinstance(node, yaml.MappingNode):
            names = set()
            for key, _ in node.value:
                _require(key.tag in _KEY_TAGS, key, "a key is not text")
                _require(key.value not in names, key, f"{key.value} is given twice")
                names.add(key.value)
            children = [child for pair in node.value for child in pair]
        stack += children
        total += len(children)
        _require(total <= MAX_NODES, node, "too many values, with aliases written out")


def _require(condition: bool, node: yaml.Node, problem: str) -> None:
    if not condition:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
