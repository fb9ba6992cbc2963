"""Where the files that come with grasp_func lie: configurations and trained agents.

In a checkout they are those of `configs/` and `saves/pretrain/`. An installed package holds a copy
of these folders, which the build puts into `grasp_func/data` (see pyproject.toml).
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "data"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

# The settings that are used where no others are named.
DEFAULT_CONFIG = _ROOT / "configs" / "experiment_config.yaml"
# Holds a folder for each shipped agent: of a gripper, or of a single environment.
PRETRAINED = _ROOT / "saves" / "pretrain"
