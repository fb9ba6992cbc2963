"""The cache of compiled programs: what is loaded, what is refused, what is kept."""

import os
import threading

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from grasp_func.errors import CompileError
from grasp_func.runtime import aot, compile_cache
from grasp_func.runtime.compile_cache import load_or_build

KEY = "0a" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Returns the folder of the entries, which does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return compile_cache.folder_path()


def stored(entry=b"first"):
    assert load_or_build(KEY, lambda: entry) == entry


def assert_loaded(capsys, entry=b"first"):
    capsys.readouterr()
    assert load_or_build(KEY, lambda: pytest.fail("built anew")) == entry
    assert capsys.readouterr().out.startswith("compiled updates loaded from ")


def assert_refused(capsys, message, replaced=True):
    capsys.readouterr()
    assert load_or_build(KEY, lambda: b"second") == b"second"
    *complaint, compiling = capsys.readouterr().out.splitlines()
    assert len(complaint) == 1
    assert message in complaint[0]
    assert compiling.startswith("compiling the updates")
    if replaced:
        assert_loaded(capsys, b"second")


def test_an_entry_is_built_once(folder, capsys):
    stored()
    assert capsys.readouterr().out == "compiling the updates: about half a minute\n"
    assert_loaded(capsys)
    assert load_or_build("0b" * 32, lambda: b"other") == b"other"
    assert len(list(folder.iterdir())) == 2


def test_folder_and_entry_are_private(folder):
    before = os.umask(0)
    try:
        stored()
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + b"x"])
def test_a_damaged_entry_is_rebuilt(folder, capsys, damage):
    stored()
    (folder / KEY).write_bytes(damage((folder / KEY).read_bytes()))
    assert_refused(capsys, "is damaged")


def test_an_entry_under_another_key_is_refused(folder, capsys):
    stored()
    load_or_build("0b" * 32, lambda: b"other")
    (folder / KEY).write_bytes((folder / ("0b" * 32)).read_bytes())
    assert_refused(capsys, "is damaged")


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_an_entry_that_others_can_write_is_rebuilt(folder, capsys, mode):
    stored()
    (folder / KEY).chmod(mode)
    assert_refused(capsys, "other users can write")


def test_a_symbolic_link_is_replaced_and_its_target_left_alone(folder, tmp_path, capsys):
    stored()
    target = (folder / KEY).rename(tmp_path / "target")
    (folder / KEY).symlink_to(target)
    content = target.read_bytes()
    assert_refused(capsys, "symbolic link")
    assert target.read_bytes() == content


def test_a_named_pipe_is_refused(folder, capsys):
    folder.mkdir(parents=True)
    os.mkfifo(folder / KEY)
    assert_refused(capsys, "not a regular file")


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_is_not_used(folder, capsys, mode):
    stored()
    folder.chmod(mode)
    assert_refused(capsys, "other users can write", replaced=False)
    assert [path.name for path in folder.iterdir()] == [KEY]


def test_what_belongs_to_another_user_is_not_used(folder, monkeypatch, capsys):
    stored()
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert_refused(capsys, "belongs to another user", replaced=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_entry_of_another_user_is_rebuilt(folder, capsys):
    stored()
    os.chown(folder / KEY, 12345, 12345)
    assert_refused(capsys, "belongs to another user")


def test_a_folder_behind_a_symbolic_link_is_not_used(folder, tmp_path, capsys):
    stored()
    folder.symlink_to(folder.rename(tmp_path / "elsewhere"))
    assert_refused(capsys, "not cached", replaced=False)


def test_a_cache_that_cannot_be_created_is_no_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert_refused(capsys, "not cached: ", replaced=False)


def test_an_entry_that_cannot_be_written_is_no_error(folder, monkeypatch, capsys):
    def full(*arguments, **options):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full)
    stored()
    assert capsys.readouterr().out.endswith("not cached: no space left\n")
    assert not list(folder.iterdir())


def test_an_error_of_the_compiler_leaves_nothing(folder):
    def fail():
        raise CompileError("no compiler")

    with pytest.raises(CompileError, match="no compiler"):
        load_or_build(KEY, fail)
    assert not list(folder.iterdir())


def test_the_entries_used_last_are_kept(folder, monkeypatch, capsys):
    monkeypatch.setattr(compile_cache, "MAX_FILES", 3)
    stored()
    (folder / "left.part").touch()
    for age, path in enumerate(folder.iterdir()):
        os.utime(path, (1000 - age, 1000 - age))
    assert_loaded(capsys)
    for key in ("1", "2"):
        load_or_build(key, lambda: b"")
    assert {path.name for path in folder.iterdir()} == {KEY, "1", "2"}


def test_concurrent_writers_leave_one_whole_entry(folder, capsys):
    barrier = threading.Barrier(8)
    entry = bytes(10**6)

    def build():
        barrier.wait()
        return entry

    results = []
    threads = [
        threading.Thread(target=lambda: results.append(load_or_build(KEY, build))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [entry] * 8
    assert [path.name for path in folder.iterdir()] == [KEY]
    assert_loaded(capsys, entry)


# --- the key


def key_of(function=lambda a, b: a @ b, inputs=None):
    inputs = inputs or (torch.ones(3, 3), torch.ones(3, 3))
    return aot.program_key(make_fx(function)(*inputs), inputs)


def test_equal_programs_have_equal_keys():
    assert key_of() == key_of()


def test_the_key_depends_on_code_and_constants():
    ones, twos = torch.ones(3, 3), torch.full((3, 3), 2.0)
    keys = {
        key_of(),
        key_of(lambda a, b: b @ a),
        key_of(lambda a, b: a @ b + ones),
        key_of(lambda a, b: a @ b + twos),
    }
    assert len(keys) == 4


def test_the_key_depends_on_shapes_layouts_and_types():
    square = torch.ones(3, 3)
    others = (torch.ones(3, 4), torch.ones(3, 3).t().contiguous().t(), square.double())
    keys = {key_of(lambda a: a + 1, (x,)) for x in (square, *others)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("torch.__version__", "0.0"),
        ("torch.get_float32_matmul_precision", lambda: "low"),
        ("torch.are_deterministic_algorithms_enabled", lambda: "yes"),
        ("sys.version", "3.99"),
        ("grasp_func.runtime.aot.source_hash", lambda package: "0"),
        ("grasp_func.runtime.aot.SETTINGS", {}),
        ("grasp_func.runtime.aot.cpu_facts", lambda: {"flags": "sse"}),
        ("grasp_func.runtime.aot.cpu_facts", lambda: {"model name": "another"}),
        ("grasp_func.runtime.aot.compiler_version", lambda: "another"),
    ],
)
def test_the_key_depends_on_the_surroundings(monkeypatch, target, value):
    before = key_of()
    monkeypatch.setattr(target, value)
    assert key_of() != before


def test_the_key_depends_on_the_compiler_and_on_variables(monkeypatch):
    keys = {key_of()}
    for name, value in (("CXX", "/no/such/compiler"), ("TORCHINDUCTOR_CPP_MARCH", "x86-64")):
        monkeypatch.setenv(name, value)
        keys.add(key_of())
    assert len(keys) == 3


def test_the_key_ignores_the_clock(monkeypatch):
    facts = {**aot.cpu_facts(), "cpu MHz": "1.0"}
    before = key_of()
    monkeypatch.setattr(aot, "cpu_facts", lambda: facts)
    assert key_of() == before
