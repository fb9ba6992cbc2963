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
from grasp_func.storage.checkpoint import save_checkpoint
from grasp_func.training import resume
from helpers import make_run
from resumable import config


def refusal(checkpoints):
    before = {path: path.lstat().st_mtime_ns for path in checkpoints.rglob("*")}
    with pytest.raises(SaveError) as caught:
        resume.restore(make_run(config(epochs=4)), checkpoints)
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
    "double": lambda _: npy(np.zeros((4, 88))),
    "half": lambda _: npy(np.zeros((4, 88), np.float32))[:-4],
    "empty": lambda _: b"",
    "text": lambda _: b"hello",
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_hostile_segments_are_refused(checkpoints, name, tmp_path):
    sentinel = tmp_path / "sentinel"
    segment = checkpoints / "replay" / "worker_00000" / "epoch_0000002.npy"
    assert np.load(segment).shape == (4, 88)
    segment.write_bytes(SEGMENTS[name](sentinel))
    assert "replay" in refusal(checkpoints)
    assert not sentinel.exists()


@pytest.mark.parametrize("target", ["/dev/zero", "/nowhere", "epoch_0000002.npy"])
def test_segments_that_are_no_files_are_not_opened(checkpoints, target):
    segment = checkpoints / "replay" / "worker_00001" / "epoch_0000002.npy"
    segment.unlink()
    segment.symlink_to(target)
    assert "cannot be read (no such file)" in refusal(checkpoints)
    segment.unlink()
    os.mkfifo(segment)
    assert "cannot be read (no such file)" in refusal(checkpoints)


def state_files(checkpoints):
    return sorted(path for path in (checkpoints / "2" / "state").rglob("*") if path.is_file())


def test_every_damaged_part_of_a_state_is_found(checkpoints, original_checkpoints):
    """Parts are emptied, cut in half, replaced and removed one by one."""
    refused = 0
    for path in state_files(original_checkpoints):
        relative, data = path.relative_to(original_checkpoints), path.read_bytes()
        if not data:
            continue
        for content in (b"", data[: len(data) // 2], b"hello", bytes(len(data)), None):
            shutil.rmtree(checkpoints)
            shutil.copytree(original_checkpoints, checkpoints)
            (checkpoints / relative).unlink()
            if content is not None:
                (checkpoints / relative).write_bytes(content)
            try:
                start = resume.restore(make_run(config(epochs=4)), checkpoints)
            except SaveError as error:
                refused += 1
                assert "damaged" in str(error) and "\n" not in str(error)
            else:  # a copy of what another file holds as well
                whole = resume.restore(make_run(config(epochs=4)), original_checkpoints)
                assert torch.equal(start.state.params, whole.state.params)
                assert torch.equal(start.state.opt.mean, whole.state.opt.mean)
    assert refused >= 10


def test_sizes_are_checked_before_anything_is_read(checkpoints, original_checkpoints):
    """A file of a few kilobytes can promise terabytes."""
    run = make_run(config(epochs=4))
    state = resume.restore(run, original_checkpoints).state
    content = json.loads((checkpoints / "2" / "facts" / "metadata").read_text())
    wide = state.replace(target=torch.zeros(1).expand(10**6))
    save_checkpoint(checkpoints, 3, wide, content)
    assert "target is float32 (1000000,), this run needs" in refusal(checkpoints)


def test_numbers_that_are_not_finite_are_refused(checkpoints, original_checkpoints):
    state = resume.restore(make_run(config(epochs=4)), original_checkpoints).state
    content = json.loads((checkpoints / "2" / "facts" / "metadata").read_text())
    broken = state.params.clone()
    broken[3] = torch.nan
    save_checkpoint(checkpoints, 3, state.replace(params=broken), content)
    assert "params has entries that are not finite" in refusal(checkpoints)


def test_a_folder_that_only_looks_like_a_checkpoint_is_named(checkpoints):
    (checkpoints / "7").mkdir()
    assert f"{checkpoints / '7'}: damaged" in refusal(checkpoints)
