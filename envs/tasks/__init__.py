"""Arenas, starts, goals and rewards."""
