"""Prints the JSON schema of configuration files, for editors: `grasp-func schema > schema.json`."""

import json

import rich_click as click

from grasp_func.cli.arguments import Command
from grasp_func.config.schema import config_schema


@click.command(cls=Command, help=__doc__)
def command() -> None:
    """Prints the schema."""
    print(json.dumps(config_schema(), indent=1))
