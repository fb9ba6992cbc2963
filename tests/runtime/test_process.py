"""Settings and end of a single process; `test_faults.py` covers several."""

import pytest
import torch

from grasp_func.errors import SaveError
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.process import tune_process, user_errors


def test_a_user_error_is_one_line_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as stop, user_errors(SoloComm()):
        raise SaveError("saves: cannot be written")
    assert stop.value.code == 2
    assert capsys.readouterr() == ("", "error: saves: cannot be written\n")


def test_an_interrupt_is_one_line_and_exit_code_130(capsys):
    with pytest.raises(SystemExit) as stop, user_errors(SoloComm()):
        raise KeyboardInterrupt
    assert stop.value.code == 130
    assert capsys.readouterr() == ("", "interrupted\n")


@pytest.mark.parametrize("error", [ValueError("a defect"), SystemExit(3), SystemExit(None)])
def test_other_exceptions_of_a_single_process_propagate(error, capsys):
    with pytest.raises(type(error)) as found, user_errors(SoloComm()):
        raise error
    assert found.value is error
    assert capsys.readouterr() == ("", "")


def test_a_tuned_process_has_one_torch_thread():
    torch.set_num_threads(2)
    tune_process()
    assert torch.get_num_threads() == 1
