"""Full and read-only disks: one line on every process, and a run that can still be resumed."""

import json
import os
import subprocess

import pytest

from command_line import launch, settings
from helpers import POINT_REACH

pytestmark = pytest.mark.slow
TINY = settings("actor_net_type=DDP", "state_norm_exclude=[]", "workers=2", "epochs=1000")


@pytest.fixture
def disk(tmp_path):
    """Returns a folder that is a disk of 1 MiB; its mode can be changed by mounting it anew."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or mount(folder, "size=1m"):
        pytest.skip("mounting a disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(folder, options):
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, check=False).returncode


def train(folder, *arguments, processes, wait=True):
    words = ["point_train.py", "--save-dir", str(folder), *arguments]
    return launch(*words, cwd=folder.parent, processes=processes, wait=wait)


def rows_of(folder):
    """Returns the statistics of a run, times aside."""
    rows = json.loads((folder / POINT_REACH / "stats.json").read_text())["epochs"]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def assert_one_error(done, words):
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and words in errors[0]
    assert "Traceback" not in done.stderr


on_processes = pytest.mark.parametrize(
    "processes", [0, pytest.param(2, marks=pytest.mark.mpi)], ids=["alone", "mpirun"]
)


@on_processes
def test_a_full_disk_ends_the_run_in_one_line_and_it_goes_on_when_there_is_room(disk, processes):
    (disk / "ballast").write_bytes(bytes(750_000))
    done = train(disk, *TINY, processes=processes)
    assert_one_error(done, "No space left on device")
    played = done.stdout.count("\nepoch ")
    assert played > 1  # the last one could not be saved
    (disk / "ballast").unlink()
    last = ["--set", f"epochs={played + 1}"]
    again = train(disk, "--resume", *last, processes=processes)
    assert again.returncode == 0, again.stderr
    assert f"resumed after epoch {played - 1} by" in again.stdout
    assert not [path for path in disk.rglob("*") if path.name.endswith("tmp")]
    straight = train(disk.parent / "straight", *TINY, *last, processes=processes)
    assert straight.returncode == 0, straight.stderr
    assert rows_of(disk) == rows_of(disk.parent / "straight")


@on_processes
def test_a_read_only_disk_is_found_before_training(disk, processes):
    begun = train(disk, *TINY, "--set", "epochs=1", processes=processes)
    assert begun.returncode == 0, begun.stderr
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    mount(disk, "remount,ro")
    for arguments in (TINY, ["--resume", "--set", "epochs=2"]):
        done = train(disk, *arguments, processes=processes)
        assert_one_error(done, "Read-only file system")
        assert "epoch " not in done.stdout
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before
