"""The learning core: pure functions of arrays. Imports only torch, NumPy, jax and chex."""
