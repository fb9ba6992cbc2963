"""The tables of the documentation name everything that there is, with its true value."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import yaml

import grasp_func
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


def test_every_argument_of_the_environments_is_documented():
    text = text_of("docs/environments.md")
    assert [field.name for field in fields(Options) if f"`{field.name}`" not in text] == []


def test_every_public_name_is_in_the_reference():
    documented = re.findall(r"auto\w+:: grasp_func\.(\w+)", text_of("docs/api.md"))
    assert sorted(documented) == grasp_func.__all__


def test_every_page_of_the_site_can_be_reached():
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")} - {"index", "commands"}
    contents = re.findall(r"^[\w-]+$", text_of("docs/index.md"), re.M)
    assert pages <= set(contents)


def test_the_architecture_page_matches_the_folders():
    text = text_of("docs/architecture.md")
    paths = re.findall(r"`((?:grasp_func|envs|tests)/[\w/.]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for package in ("grasp_func", "envs"):
        folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
        assert {f"{package}/{name}" for name in folders} <= set(paths)


def test_every_link_leads_somewhere():
    pages = (*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/results").glob("*.md"))
    for page in (ROOT / "README.md", *pages):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_tables_of_results_are_those_of_the_statistics_and_evaluations():
    command = [sys.executable, str(ROOT / "docs" / "results_tables.py"), "--check"]
    job = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert job.returncode == 0, job.stderr


def test_the_readme_is_short():
    assert len(text_of("README.md").splitlines()) < 120
