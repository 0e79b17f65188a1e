"""What admins can look at and change. Loaded by Django's autodiscovery."""

from . import budgets, catalog, credentials, people, presets, runs, site, tokens

__all__ = ["budgets", "catalog", "credentials", "people", "presets", "runs", "site", "tokens"]
