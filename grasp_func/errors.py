"""Mistakes that the user can mend: each message is one line that names the cause and the remedy.

Commands print a `UserError` as one line and exit with code 2. Any other exception is a defect and
ends the whole job with its traceback.
"""


class UserError(ValueError):
    """The user gave a value, a file or a machine that cannot be used."""


class ConfigError(UserError):
    """A configuration cannot be used."""


class SaveError(UserError):
    """A file cannot be written, or must not be read."""


class CompileError(UserError):
    """The C++ compiler is missing or does not work."""
