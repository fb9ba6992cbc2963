# docker build -t grasp_func .
# docker run --rm --shm-size=1g -v "$PWD/saves:/home/grasp/saves" grasp_func \
#     mpirun -n 4 grasp-func train --env FlatPJCube-v0
FROM python:3.11-slim

# The compiler is for compiled updates; without it they are traced.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
# PyTorch without CUDA.
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY . /source
RUN pip install --no-cache-dir "/source[mpi,export,video]" && rm -r /source \
    && useradd --uid 1000 --create-home grasp
USER 1000
WORKDIR /home/grasp
CMD ["grasp-func", "--help"]
