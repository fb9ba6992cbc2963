"""The wheel works outside of the checkout, and the source distribution is complete."""

import csv
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest

from command_line import ENV, ROOT, settings

pytest.importorskip("hatchling", reason="builds the distributions")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Returns the folder of a wheel and a source distribution, built from the checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(distributions, tmp_path_factory):
    """Returns an environment that holds nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (wheel,) = distributions.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    install = [*pip, "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # The libraries; a path that is added in this way brings no editable installation along.
    purelib = Path(sysconfig.get_path("purelib"))
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(f"{purelib}\n")
    return folder


def run(installed, cwd, *arguments):
    """Runs `grasp-func` in a folder and returns its output."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed / "bin" / "grasp-func"), *arguments]
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_evaluation_and_export_outside_of_the_checkout(installed, tmp_path):
    out = run(installed, tmp_path, "train", "--env", ENV, *settings())
    assert "epoch    1/1" in out
    stats = json.loads((tmp_path / "saves" / ENV / "stats.json").read_text())
    # a value of the shipped configuration, not of the schema
    assert stats["config"]["gamma"] == 0.95 and len(stats["epochs"]) == 1
    out = run(installed, tmp_path, "export", "--env", ENV, "--out", "exported")
    assert {"policy.torchscript"} <= {path.name for path in (tmp_path / "exported").iterdir()}


@pytest.mark.parametrize(
    ("env_id", "agent"),
    [
        (ENV, ENV),
        ("FlatPJAll-v0", "ParallelJaw"),
        ("FlatBarrettAll-v0", "BarrettHand"),
        ("FlatSHAll-v0", "ShadowHand"),
    ],
)
def test_shipped_agents_are_evaluated(env_id, agent, installed, tmp_path):
    arguments = ["--load", "pretrained", "--ntests", "5", "--csv", "episodes.csv"]
    out = run(installed, tmp_path, "evaluate", "--env", env_id, *arguments)
    assert f"{installed}" in out and f"pretrain/{agent}" in out
    rows = list(csv.DictReader((tmp_path / "episodes.csv").open()))
    assert sum(int(row["success"]) for row in rows) >= 3


def test_training_starts_from_a_shipped_agent(installed, tmp_path):
    start = ["--set", "load_pretrained=true", "--set", "actor_net_layer_width=128"]
    wide = [*settings("save=false"), *start, "--set", "critic_net_layer_width=128"]
    out = run(installed, tmp_path, "train", "--env", ENV, *wide)
    assert f"pretrain/{ENV}: pre-trained, networks and normalizers loaded" in out
    assert not list(tmp_path.iterdir())


def test_the_source_distribution_holds_every_file_of_the_repository(distributions, tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True)
    (source,) = distributions.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    missing = {name for name in listed.stdout.decode().split() if (ROOT / name).exists()} - held
    assert not missing
