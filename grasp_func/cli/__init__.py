"""Commands: arguments, messages, exit codes and films."""
