"""Converts an agent of Dext-Gen: `python examples/import_agent.py --from theirs --out ours`."""

import sys

from grasp_func.cli.main import run_command

if __name__ == "__main__":
    sys.exit(run_command("import"))
