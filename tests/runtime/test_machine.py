"""What a machine or a container offers, as its files say it."""

import os

import pytest

from grasp_func.runtime import machine


@pytest.mark.parametrize(("limit", "expected"), [("1000000\n", 10**6), ("max\n", None)])
def test_a_containers_limit_counts_as_memory(limit, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MEMORY_LIMIT", tmp_path / "missing")
    whole = machine.machine_memory()
    assert whole > 10**8
    monkeypatch.setattr(machine, "MEMORY_LIMIT", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text(limit)
    assert machine.machine_memory() == (expected or whole)


@pytest.fixture
def four_threads(tmp_path, monkeypatch):
    """A machine of two cores with two hardware threads each; three threads may be used."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2})
    for thread, siblings in enumerate(["0,2", "1,3", "0,2", "1,3"]):
        (tmp_path / f"cpu{thread}").write_text(siblings)
    monkeypatch.setattr(machine, "TOPOLOGY", f"{tmp_path}/cpu{{}}")


def test_hardware_threads_of_a_core_are_one_core(four_threads):
    assert machine.cpus() == (2, 3)


def test_without_a_topology_each_hardware_thread_is_a_core(four_threads, monkeypatch):
    monkeypatch.setattr(machine, "TOPOLOGY", "/nowhere/cpu{}")
    assert machine.cpus() == (3, 3)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("100000 100000\n", 1), ("50000 100000\n", 1), ("900000 100000\n", 2), ("max 100000\n", 2)],
)
def test_a_containers_limit_counts_for_processes(
    limit, expected, four_threads, tmp_path, monkeypatch
):
    monkeypatch.setattr(machine, "CPU_LIMIT", tmp_path / "cpu.max")
    assert machine.useful_processes() == 2
    (tmp_path / "cpu.max").write_text(limit)
    assert machine.useful_processes() == expected


def test_a_missing_compiler_is_said(monkeypatch):
    monkeypatch.setenv("CXX", "no_such_compiler")
    assert "no_such_compiler" in machine.compiler_version()
