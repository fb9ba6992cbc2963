"""The tables of the documentation name everything that there is, with its true value."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import yaml

from envs import ENV_IDS
from envs.options import Options
from grasp_func.config.load import load_config
from grasp_func.config.schema import Config

ROOT = Path(__file__).parents[1]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_key_of_the_configuration_is_documented_with_its_values():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", text_of("docs/configuration.md"), re.M)
    shipped = load_config(ROOT / "configs/experiment_config.yaml", "Default")
    assert [name for name, _, _ in rows] == list(Config.model_fields)
    for name, published, ours in rows:
        default = Config.model_fields[name].default
        if isinstance(default, list):
            assert published.split(", ") == default
            continue
        assert yaml.safe_load(published) == default, name
        assert yaml.safe_load(ours or published) == getattr(shipped, name), name


def test_every_environment_and_argument_is_documented():
    text = text_of("docs/environments.md")
    named = {f"`{name}`" for name in (*ENV_IDS, *(field.name for field in fields(Options)))}
    assert {name for name in named if name not in text} == set()


def test_the_architecture_page_matches_the_folders():
    text = text_of("docs/architecture.md")
    paths = re.findall(r"`((?:grasp_func|envs|tests)/[\w/.]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for package in ("grasp_func", "envs"):
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert {f"{package}/{name}" for name in folders} <= set(paths)


def test_every_link_leads_somewhere():
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_tables_of_results_are_those_of_the_statistics_and_evaluations():
    command = [sys.executable, str(ROOT / "docs" / "results_tables.py"), "--check"]
    job = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert job.returncode == 0, job.stderr
