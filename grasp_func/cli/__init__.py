"""The commands: arguments, messages and films."""
