"""Arenas, initial poses, goals and rewards."""
