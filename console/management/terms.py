"""What a command takes of data handling: the same options wherever calls are bounded."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from console.engine.terms import Terms
from console.models.terms import provider_names


def add_terms(parser: ArgumentParser, of: str) -> None:
    """`of` says of what it is asked."""
    group = parser.add_argument_group(f"what is asked {of}; refused where nobody promises it")
    group.add_argument("--zero-retention", action="store_true", help="nothing sent is kept")
    group.add_argument("--no-training", action="store_true", help="no model is trained on it")
    group.add_argument("--only-local", action="store_true", help="only on this machine")
    group.add_argument("--only-providers", default="", help="NAME,… as OpenRouter names them")


def terms_of(options: dict[str, Any]) -> Terms:
    return Terms(
        only_local=bool(options["only_local"]),
        zero_retention=bool(options["zero_retention"]),
        no_training=bool(options["no_training"]),
        only_providers=provider_names(options["only_providers"]),
    )
