"""Measures a trained agent: `python examples/evaluate.py --env FlatPJCube-v0 --ntests 1000`."""

import os
import sys

# One thread per process, set before NumPy and torch load: more would cost 20 times the speed.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from grasp_func.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main())
