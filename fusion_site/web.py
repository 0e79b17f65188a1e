"""The web server: Daphne as Fusion runs it."""

from __future__ import annotations

import sys

from daphne.cli import CommandLineInterface

# Quiet, because its access log would hold the tokens of share links. Closing a page need
# not wait for its consumer.
OPTIONS = ["--verbosity", "0", "--no-server-name", "--application-close-timeout", "3"]
# What a browser sends is small. The limits hold for both directions: console/consumers.py sends
# what is longer in parts.
OPTIONS += ["--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"]


def main() -> None:
    CommandLineInterface().run([*OPTIONS, *sys.argv[1:], "fusion_site.asgi:application"])


if __name__ == "__main__":
    main()
