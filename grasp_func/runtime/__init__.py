"""MPI processes, logical workers, compilation and process settings."""
