"""What admins can look at and change. Loaded by Django's autodiscovery."""

from . import credentials, people, presets, runs, tokens

__all__ = ["credentials", "people", "presets", "runs", "tokens"]
