"""PyBullet worlds: bodies, physics, rendering, windows. Only this package imports pybullet."""
