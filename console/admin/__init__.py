"""What admins can look at and change. Loaded by Django's autodiscovery."""

from . import catalog, credentials, people, presets, runs, tokens

__all__ = ["catalog", "credentials", "people", "presets", "runs", "tokens"]
