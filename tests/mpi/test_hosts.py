"""Two hosts under mpirun, 2 processes on each: the same bits as one process alone.

The hosts have two names, share no memory and communicate over TCP. They are not different machines,
CPUs or networks.
"""

import subprocess
from pathlib import Path

import pytest

from mpi_jobs import JOB, MEANS, MPIRUN, lines, run_job

pytestmark = [pytest.mark.mpi, pytest.mark.slow]
TWO_HOSTS = Path(__file__).with_name("two_hosts.sh")


def obstacle():
    """Returns what prevents two hosts on this machine; None: nothing."""
    if MPIRUN is None:
        return "no mpirun: pip install 'grasp_func[mpi]'"
    try:
        subprocess.run(["ip", "netns", "add", "gftest"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces need root and iproute2: {error}"
    subprocess.run(["ip", "netns", "del", "gftest"], check=True)
    return None


def run_on_two_hosts(script, *arguments):
    return run_job(*arguments, script=script, launcher=[TWO_HOSTS, MPIRUN])


@pytest.fixture(autouse=True)
def needs_namespaces():
    reason = obstacle()
    if reason is not None:
        pytest.skip(reason)


def test_training_on_two_hosts_gives_the_bits_of_one_process():
    assert lines(run_on_two_hosts(JOB, "train")) == lines(run_job("train"))


def test_means_between_hosts_are_messages():
    assert lines(run_on_two_hosts(MEANS)) == ["equal: ExchangedMean"]


def test_different_versions_on_another_host_are_one_line():
    job = run_on_two_hosts(JOB, "mixed")
    assert job.returncode == 2
    assert "error: torch: '2.12.0' on rank 3" in job.stderr
