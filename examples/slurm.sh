#!/usr/bin/env bash
# Trains on a Slurm cluster: sbatch examples/slurm.sh FlatSHCube-v0 [further arguments of train]
#
# Slurm sends SIGUSR1 ten minutes before the time is up. The run then finishes its epoch and saves;
# sbatch the script again to resume it. The environment needs grasp_func and an MPI library.
#SBATCH --job-name=grasp_func
#SBATCH --nodes=1
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=1
#SBATCH --time=08:00:00
#SBATCH --signal=USR1@600
#SBATCH --output=%x-%j.log
set -euo pipefail

env="${1:?name an environment, see: grasp-func envs}"
shift
saves="${SAVES:-saves}"
resume=()
if compgen -G "$saves/$env/checkpoints/*/*/" >/dev/null; then
    resume=(--resume)
fi
# srun starts the processes itself and passes the signal on to each. Where Slurm was built without
# PMIx, write instead: mpirun -n "$SLURM_NTASKS" grasp-func ...
srun --mpi=pmix grasp-func train --env "$env" --save-dir "$saves" "${resume[@]}" "$@"
