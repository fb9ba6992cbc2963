"""Ranks that run different programs raise an error."""

from types import SimpleNamespace

import pytest

import grasp_func
from grasp_func.errors import ConfigError
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.consistency import assert_alike, cpu_names, program_facts, source_hash
from helpers import run_twins


@pytest.mark.parametrize("wrong", [1, 2])
def test_the_first_difference_is_named_on_every_rank(wrong):
    def program(comm):
        facts = {"arguments": "--env X", "torch": "2.13.0"}
        if comm.Get_rank() == wrong:
            facts["torch"] = "2.12.0"
        return assert_alike(comm, facts, f"host{comm.Get_rank()}")

    for error in run_twins(3, program):
        assert isinstance(error, ConfigError)
        expected = f"torch: '2.12.0' on rank {wrong} (host{wrong}), '2.13.0' on rank 0 (host0)"
        assert str(error).startswith(expected)


def test_equal_programs_pass():
    facts = program_facts(grasp_func)
    assert run_twins(3, lambda comm: assert_alike(comm, facts, "host")) == [None] * 3
    assert {"arguments", "python", "torch", "source code of grasp_func"} <= set(facts)


def test_every_line_and_name_of_the_source_counts(tmp_path):
    package = SimpleNamespace(__path__=[str(tmp_path)])
    (tmp_path / "a.py").write_text("x = 1\n")
    hashes = [source_hash(package.__path__[0])]
    (tmp_path / "a.py").write_text("x = 2\n")
    hashes.append(source_hash(package.__path__[0]))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    hashes.append(source_hash(package.__path__[0]))
    (tmp_path / "note.txt").write_text("not source")
    assert source_hash(package.__path__[0]) == hashes[-1]
    assert len(set(hashes)) == 3


def test_cpus_are_named_once():
    assert run_twins(3, cpu_names) == [cpu_names(SoloComm())] * 3
    assert len(cpu_names(SoloComm())) == 1
