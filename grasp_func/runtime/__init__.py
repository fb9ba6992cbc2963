"""MPI processes, logical workers, compiling, and the state of the process."""
