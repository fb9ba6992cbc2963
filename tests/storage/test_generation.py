"""Agent files are replaced as one generation, wherever a writer is killed or the disk is full."""

import errno
import json
import os
import threading
import time

import pytest
import torch

from grasp_func.errors import SaveError
from grasp_func.storage import atomic, generation
from grasp_func.storage.agent_files import FILES, agent_bytes, read_agent, write_agent
from small_agents import agent, assert_same

# The children only write files, none of which needs another thread.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
# What a writer asks of the operating system; each call is a place to be killed at.
STEPS = [(os, "replace"), (os, "fsync"), (os, "open"), (os, "unlink")]
AGENTS = OLD, MIDDLE, NEW = [agent(seed) for seed in range(3)]


def at_step(monkeypatch, number, action):
    """Runs `action` before the `number`-th step and all after it."""
    count = [0]

    def wrap(real):
        def step(*arguments, **options):
            count[0] += 1
            if count[0] >= number:
                action()
            return real(*arguments, **options)

        return step

    for module, name in STEPS:
        monkeypatch.setattr(module, name, wrap(getattr(module, name)))


class Killed(BaseException):
    """Ends a writer that can do nothing more to the disk."""


def dead_at(number, directory, files):
    """As `killed_at` in this process, which is faster."""

    def die():
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, number, die)
        try:
            write_agent(directory, files)
        except Killed:
            return True
    return False


def killed_at(number, directory, files):
    """Writes an agent in a process that is killed at a step; returns whether it was."""
    child = os.fork()
    if child == 0:
        at_step(pytest.MonkeyPatch(), number, lambda: os._exit(9))
        try:
            write_agent(directory, files)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def which(directory):
    """Returns the agent that is read, which must be one of the three."""
    found = read_agent(directory)
    mean = found.obs_moments.mean
    (one,) = [one for one in AGENTS if torch.equal(one.obs_moments.mean, mean)]
    assert_same(found, one)
    return one


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_writer_killed_at_any_step_leaves_a_whole_generation(tmp_path, with_manifest):
    seen, number = set(), 0
    while True:
        number += 1
        folder = tmp_path / str(number)
        write_agent(folder, OLD)
        if not with_manifest:
            (folder / "agent.json").unlink()
        killed = killed_at(number, folder, NEW)
        seen.add(id(which(folder)))
        if not killed:
            break
        write_agent(folder, MIDDLE)
        assert which(folder) is MIDDLE
        assert sorted(os.listdir(folder)) == sorted([".lock", "agent.json", *FILES])
    assert number > 15 and seen == {id(OLD), id(NEW)}


def test_two_writers_killed_one_after_the_other_leave_a_whole_generation(tmp_path, monkeypatch):
    # Waiting for the disk would take a minute.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    first = 0
    while True:
        first += 1
        second = 0
        while True:
            second += 1
            folder = tmp_path / f"{first}_{second}"
            write_agent(folder, OLD)
            killed_first = dead_at(first, folder, MIDDLE)
            before = which(folder)
            killed_second = dead_at(second, folder, NEW)
            after = which(folder)
            assert after is before or after is NEW
            if not killed_second:
                break
        if not killed_first:
            return


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("number", range(1, 30))
def test_a_full_disk_at_any_step_leaves_a_whole_generation(tmp_path, monkeypatch, number, lasting):
    write_agent(tmp_path, OLD)
    calls = []

    def full():
        calls.append(1)
        if len(calls) == 1 or lasting:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        at_step(patch, number, full)
        try:
            write_agent(tmp_path, NEW)
            failed = False
        except SaveError as error:
            assert "No space left on device" in str(error) and "\n" not in str(error)
            failed = True
    found = which(tmp_path)
    assert found is NEW or (failed and found is OLD)
    write_agent(tmp_path, MIDDLE)
    assert which(tmp_path) is MIDDLE


@pytest.mark.parametrize("locked", [True, False])
def test_a_reader_beside_a_writer_gets_whole_generations(tmp_path, monkeypatch, locked):
    write_agent(tmp_path, OLD)
    if not locked:
        monkeypatch.setattr(generation.os, "access", lambda *_: False)
    child = os.fork()
    if child == 0:
        while True:
            for files in (MIDDLE, NEW):
                write_agent(tmp_path, files)
    written, seen, deadline = {id(MIDDLE), id(NEW)}, set(), time.monotonic() + 60

    def enough():
        """A reader that waits for the lock sees few of them."""
        return seen & written if locked else written <= seen

    try:
        reads, least = 0, 15 if locked else 150
        while reads < least or (not enough() and time.monotonic() < deadline):
            seen.add(id(which(tmp_path)))
            reads += 1
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert enough()


def test_a_reader_that_saw_no_manifest_looks_again(tmp_path, monkeypatch):
    """The first generation of a folder is written while its old files are read."""
    write_agent(tmp_path, OLD)
    (tmp_path / "agent.json").unlink()
    monkeypatch.setattr(generation.os, "access", lambda *_: False)
    real = generation.read_bytes

    def slow(path, limit):
        data = real(path, limit)
        if path.name == "actor.pt" and not (tmp_path / "agent.json").exists():
            thread = threading.Thread(target=write_agent, args=(tmp_path, NEW))
            thread.start()
            thread.join()
        return data

    monkeypatch.setattr(generation, "read_bytes", slow)
    assert which(tmp_path) is NEW


def refusal(directory):
    with pytest.raises(SaveError) as caught:
        read_agent(directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_files_copied_over_an_older_generation_are_refused_with_the_remedy(tmp_path, name):
    write_agent(tmp_path, OLD)
    (tmp_path / name).write_bytes(agent_bytes(NEW)[name])
    message = refusal(tmp_path)
    assert message.startswith(f"{tmp_path / name}: not the file that agent.json lists")
    assert "delete agent.json if these files belong together" in message
    for each in FILES:
        (tmp_path / each).write_bytes(agent_bytes(NEW)[each])
    (tmp_path / "agent.json").unlink()
    assert which(tmp_path) is NEW


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_refused(tmp_path, name):
    write_agent(tmp_path, OLD)
    data = (tmp_path / name).read_bytes()
    for position in (0, len(data) // 2, len(data) - 1):
        flipped = bytearray(data)
        flipped[position] ^= 1
        (tmp_path / name).write_bytes(flipped)
        assert refusal(tmp_path).startswith(f"{tmp_path / name}: not the file")


def change(**changes):
    def changed(content):
        files = content["files"]
        return {**content, "files": {**files, "actor.pt": {**files["actor.pt"], **changes}}}

    return changed


MANIFESTS = {
    "no JSON": lambda _: "{",
    "deep": lambda _: "[" * 50_000,
    "list": lambda _: [],
    "another format": lambda content: {**content, "format": 2},
    "no files": lambda content: {**content, "files": {}},
    "no size": change(size="1"),
    "another size": change(size=1),
    "another checksum": change(sha256="00"),
    "a temporary elsewhere": change(temporary="../actor.pt"),
    "a temporary of another name": change(temporary="critic.pt"),
    "no temporary": change(temporary=None),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_damaged_manifests_are_refused(tmp_path, name):
    write_agent(tmp_path, OLD)
    path = tmp_path / "agent.json"
    content = MANIFESTS[name](json.loads(path.read_text()))
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    assert "agent.json" in refusal(tmp_path) and "belong together" in refusal(tmp_path)


# --- symbolic links


@pytest.fixture
def precious(tmp_path):
    path = tmp_path / "precious"
    path.write_text("mine")
    yield path
    assert path.read_text() == "mine" and not path.is_symlink()


@pytest.mark.parametrize("name", [*FILES, "agent.json", ".actor.pt.1.aaaaaaaa.tmp", "stats.json"])
def test_a_link_in_the_folder_is_replaced_not_followed(tmp_path, precious, name):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / name).symlink_to(precious)
    generation.write_generation(folder, agent_bytes(NEW), {"stats.json": b"{}"})
    assert which(folder) is NEW
    assert not [path for path in folder.iterdir() if path.is_symlink()]
    assert (folder / "stats.json").read_bytes() == b"{}"


def test_a_link_at_the_temporary_name_is_not_followed(tmp_path, precious, monkeypatch):
    folder = tmp_path / "agent"
    write_agent(folder, OLD)
    monkeypatch.setattr(atomic.secrets, "token_hex", lambda _: "aaaaaaaa")
    (folder / f".actor.pt.{os.getpid()}.aaaaaaaa.tmp").symlink_to(precious)
    with pytest.raises(SaveError, match="File exists"):
        write_agent(folder, NEW)
    assert which(folder) is OLD


def test_a_link_in_place_of_the_lock_is_refused(tmp_path, precious):
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / ".lock").symlink_to(precious)
    with pytest.raises(SaveError, match="symbolic links"):
        write_agent(folder, NEW)
