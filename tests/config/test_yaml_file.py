"""YAML from untrusted files: malicious and broken files end in an error of one line."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grasp_func.config.yaml_file import MAX_BYTES, parse_yaml
from grasp_func.errors import ConfigError


def laughs(levels):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "Default:\n  kwargs:\n" + "\n".join("    " + line for line in lines)


def merges(levels):
    lines = ["a0: &a0 {k0: 0, k1: 1}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, levels)]
    return "Default:\n  kwargs:\n" + "\n".join("    " + line for line in lines)


HOSTILE = {
    "bomb": (laughs(9), "with aliases written out"),
    "merge bomb": (merges(9), "with aliases written out"),
    "wrong tag": ("Default: {seed: !!bool x}", "not valid YAML"),
    "no such tag": ("Default: {seed: !seed 1}", "not valid YAML"),
    "cycle": ("Default: &a {kwargs: {x: *a}}", "with aliases written out"),
    "deep": ("Default: {kwargs: {a: " + "[" * 5000 + "]" * 5000 + "}}", "recursion"),
    "long": ("Default: {seed: 0x" + "f" * 2000 + "}", "a value is too long"),
    "huge": ("#" * (MAX_BYTES + 1), "larger than"),
    "latin-1": ("Default: {}  # Gr\xf6\xdfe".encode("latin-1"), "not valid YAML"),
    "binary": (b"\x00\x01\x02", "not valid YAML"),
    "two documents": ("Default: {}\n---\nDefault: {}", "not valid YAML"),
    "bad date": ("Default: {seed: 2026-13-45}", "not valid YAML"),
    "escape": ('Default: {"a\\e[31m\\n": 1}', "is not a known key"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_in_one_line(write, message_of, name):
    text, expected = HOSTILE[name]
    message = message_of(write(text))
    assert message.startswith("c.yaml: ")
    assert expected in message


@pytest.mark.parametrize(
    "tag", ["object/apply:os.system", "object/new:os.system", "name:os.system"]
)
def test_yaml_cannot_run_code(write, message_of, tag, tmp_path):
    path = write(f'Default: {{kwargs: {{x: !!python/{tag} ["touch {tmp_path}/sentinel"]}}}}')
    assert "not valid YAML" in message_of(path)
    assert not (tmp_path / "sentinel").exists()


def test_missing_file_and_folder(message_of, tmp_path):
    assert "none.yaml: cannot be read (No such file" in message_of(tmp_path / "none.yaml")
    assert "cannot be read (Is a directory)" in message_of(tmp_path)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text):
    try:
        parse_yaml(text, "x")
    except ConfigError as error:
        assert "\n" not in str(error)


@given(st.floats(1e-9, 1e9))
def test_numbers_survive_the_way_through_yaml(number):
    assert parse_yaml(repr(number), "x") == number
    assert parse_yaml(yaml.safe_dump(number), "x") == number
