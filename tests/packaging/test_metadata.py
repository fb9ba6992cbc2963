"""The metadata of a release agrees with the files that name it."""

import re
import tomllib

import yaml

from command_line import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_the_same_everywhere():
    version = PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    released = re.findall(
        r"^## \[(\d\S+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M
    )
    assert released[0] == version
    wheels = re.findall(r"grasp_func-([\d.]+)-py3", (ROOT / "docs/install.md").read_text())
    assert set(wheels) == {version}


def test_every_python_of_the_classifiers_is_allowed():
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert named == [f"3.{minor}" for minor in range(int(low), int(high))]


def test_the_conda_environment_names_what_pip_would_install():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = {line.split()[0] for line in environment["dependencies"] if isinstance(line, str)}
    needed = {re.split(r"[<>=]", line)[0] for line in PROJECT["dependencies"]}
    assert conda - {"python", "pip", "openmpi", "pytorch"} <= needed
