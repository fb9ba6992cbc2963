"""Damaged and hostile checkpoints are refused in one line; nothing in them is run or believed."""

import io
import json
import os
import shutil

import numpy as np
import pytest
import torch

import hostile
from grasp_func.errors import SaveError
from grasp_func.storage import parts
from grasp_func.storage.checkpoint import checkpoints_of, open_checkpoint, save_checkpoint
from grasp_func.training import resume
from helpers import POINT_REACH, assert_same, make_run
from resumable import config, paths, play, seal


def refusal(checkpoints, epoch="2"):
    before = {path: path.lstat().st_mtime_ns for path in checkpoints.rglob("*")}
    with pytest.raises(SaveError) as caught:
        resume.restore(make_run(config(epochs=4)), checkpoints / epoch)
    message = str(caught.value)
    assert "\n" not in message and "\x1b" not in message and len(message) < 600
    assert str(checkpoints) in message
    after = {path: path.lstat().st_mtime_ns for path in checkpoints.rglob("*")}
    assert after == before  # nothing was written
    return message


def npy(array, **options):
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def header(text):
    """Returns an npy file with that header and 64 bytes of data."""
    data = text.encode("latin-1").ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little") + data + bytes(64)


SEGMENTS = {
    "objects": lambda sentinel: npy(np.array([hostile.Payload(sentinel)]), allow_pickle=True),
    "pickle": lambda sentinel: hostile.pickle.dumps(hostile.Payload(sentinel)),
    "zip": lambda sentinel: b"PK\x03\x04" + bytes(100),
    "huge": lambda _: header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 10000000000)}"),
    "overflow": lambda _: header(
        f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**63},)}}"
    ),
    "negative": lambda _: header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}"),
    "code": lambda _: header("__import__('os').system('true')"),
    "deep": lambda _: header("(" * 100),
    "long header": lambda _: b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + b" " * 1000,
    "structured": lambda _: npy(np.zeros(4, [("\x1b[2J", "<f4")])),
    "double": lambda _: npy(np.zeros((4, 90))),
    "half": lambda _: npy(np.zeros((4, 90), np.float32))[:-4],
    "empty": lambda _: b"",
    "text": lambda _: b"hello",
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_hostile_segments_are_refused(checkpoints, name, tmp_path):
    sentinel = tmp_path / "sentinel"
    segment = checkpoints / "replay" / "worker_00000" / "epoch_0000002.npy"
    assert np.load(segment).shape == (4, 90)
    segment.write_bytes(SEGMENTS[name](sentinel))
    assert "damaged" in refusal(checkpoints)
    seal(checkpoints / "2")
    assert "replay" in refusal(checkpoints)
    assert not sentinel.exists()


@pytest.mark.parametrize("target", ["/dev/zero", "/nowhere", "epoch_0000002.npy"])
def test_segments_that_are_no_files_are_not_opened(checkpoints, target):
    segment = checkpoints / "replay" / "worker_00001" / "epoch_0000002.npy"
    segment.unlink()
    segment.symlink_to(target)
    assert "epoch_0000002.npy: damaged" in refusal(checkpoints)
    segment.unlink()
    os.mkfifo(segment)
    assert "epoch_0000002.npy: damaged" in refusal(checkpoints)


def files_of(checkpoints):
    """Returns the names of all files of the newest checkpoint, its shards and statistics."""
    files = [path for path in checkpoints.rglob("*") if path.is_file() and path.stat().st_size]
    names = [path.relative_to(checkpoints).as_posix() for path in files]
    return sorted(name for name in names if not name.startswith("1/"))


def test_one_flipped_byte_is_refused_and_named(checkpoints):
    """In every part at its beginning, in its middle and at its end."""
    names = files_of(checkpoints)
    kinds = {"2/manifest.json", "2/facts.json", "stats.jsonl"}
    assert kinds < set(names) and len([n for n in names if n.startswith("2/state/")]) > 5
    assert len([name for name in names if name.startswith("replay/")]) == 4
    for name in names:
        data = (checkpoints / name).read_bytes()
        for position in sorted({0, len(data) // 3, len(data) // 2, len(data) - 1}):
            flipped = bytearray(data)
            flipped[position] ^= 1
            (checkpoints / name).write_bytes(flipped)
            assert f"{checkpoints / name}: damaged" in refusal(checkpoints), (name, position)
        (checkpoints / name).write_bytes(data)
    resume.restore(make_run(config(epochs=4)), checkpoints / "2")


def test_the_whole_checkpoint_before_is_offered_and_can_be_resumed(tmp_path):
    folder = tmp_path / "run"
    straight = play(tmp_path / "straight", config(epochs=4), 1)
    play(folder, config(epochs=3), 1)
    checkpoints = paths(folder).checkpoints
    flip(checkpoints / "3" / "facts.json")
    message = refusal(checkpoints, "3")
    offered = f"--resume {checkpoints / '2'}"
    assert message.endswith(f"epoch 2 is whole, go on from there: {offered}")
    cfg = resume.resumed_config(checkpoints / "2", POINT_REACH, ["epochs=4"])
    assert cfg == config(epochs=4)
    assert_same(play(folder, cfg, 2, resumed="2"), straight)
    assert [path.name for path in checkpoints_of(checkpoints)] == ["3", "4"]


def test_nothing_is_offered_where_nothing_is_whole(checkpoints):
    flip(checkpoints / "replay" / "worker_00001" / "epoch_0000001.npy")
    message = refusal(checkpoints)
    assert "worker_00001/epoch_0000001.npy: damaged" in message
    assert "no checkpoint before it is whole" in message and "--without-replay" in message
    resume.restore(make_run(config(epochs=4)), checkpoints / "2", with_replay=False)


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "name", ["2/facts.json", "stats.jsonl", "replay/worker_00000/epoch_0000002.npy"]
)
def test_parts_that_the_manifest_does_not_list_are_refused(checkpoints, name):
    manifest = checkpoints / "2" / "manifest.json"
    listed = parts.parse_manifest(manifest.read_bytes())
    del listed[name]
    manifest.write_bytes(parts.manifest_bytes(listed))
    assert f"{name}: damaged, manifest.json does not list it" in refusal(checkpoints)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "..", "\x1b"]
)
def test_manifests_that_lead_elsewhere_are_refused(checkpoints, name):
    manifest = checkpoints / "2" / "manifest.json"
    listed = parts.parse_manifest(manifest.read_bytes())
    manifest.write_bytes(parts.manifest_bytes({**listed, name: listed["stats.jsonl"]}))
    assert "lists something else than files" in refusal(checkpoints)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"[" * 100_000, b"\xff", b'{"parts": {"a": 1}}']
)
def test_manifests_that_are_none_are_refused(checkpoints, data):
    (checkpoints / "2" / "manifest.json").write_bytes(data)
    assert "manifest.json: damaged, not a manifest" in refusal(checkpoints)
    (checkpoints / "2" / "manifest.json").unlink()
    assert "manifest.json: damaged, missing" in refusal(checkpoints)


def test_every_damaged_part_of_a_sealed_state_is_found(checkpoints, original_checkpoints):
    """Parts are emptied, cut in half, replaced and removed; the checksums are made to fit."""
    refused = 0
    for path in sorted(original_checkpoints.glob("2/state/**/*")):
        if not path.is_file() or not path.stat().st_size:
            continue
        relative, data = path.relative_to(original_checkpoints), path.read_bytes()
        for content in (b"", data[: len(data) // 2], b"hello", bytes(len(data)), None):
            shutil.rmtree(checkpoints)
            shutil.copytree(original_checkpoints, checkpoints)
            (checkpoints / relative).unlink()
            if content is not None:
                (checkpoints / relative).write_bytes(content)
            seal(checkpoints / "2")
            try:
                start = resume.restore(make_run(config(epochs=4)), checkpoints / "2")
            except SaveError as error:
                refused += 1
                assert "damaged" in str(error) and "\n" not in str(error)
            else:  # a copy of what another file holds as well
                whole = resume.restore(make_run(config(epochs=4)), original_checkpoints / "2")
                assert torch.equal(start.state.params, whole.state.params)
                assert torch.equal(start.state.opt.mean, whole.state.opt.mean)
    assert refused >= 10


def rewrite_state(checkpoints, **changes):
    """Replaces leaves of the newest checkpoint's state; checksums are made to fit."""
    state = resume.restore(make_run(config(epochs=4)), checkpoints / "2").state
    facts = json.loads((checkpoints / "2" / "facts.json").read_text())
    outside = open_checkpoint(checkpoints / "2").outside
    changed = state.replace(**{name: change(state) for name, change in changes.items()})
    save_checkpoint(checkpoints, 2, changed, facts, outside)


def test_sizes_are_checked_before_anything_is_read(checkpoints):
    """A file of a few kilobytes can promise terabytes."""
    rewrite_state(checkpoints, target=lambda _: torch.zeros(1).expand(10**6))
    assert "target is float32 (1000000,), this run needs" in refusal(checkpoints)


def test_numbers_that_are_not_finite_are_refused(checkpoints):
    rewrite_state(checkpoints, params=lambda state: state.params * torch.nan)
    assert "params has entries that are not finite" in refusal(checkpoints)


def test_a_folder_that_only_looks_like_a_checkpoint_is_named(checkpoints):
    (checkpoints / "7").mkdir()
    message = refusal(checkpoints, "7")
    assert f"{checkpoints / '7' / 'manifest.json'}: damaged, missing" in message
    assert f"--resume {checkpoints / '2'}" in message
