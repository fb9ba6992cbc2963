"""The learning core: pure functions of arrays. Imports torch, NumPy, jax and chex only."""
