from __future__ import annotations


class Refused(Exception):
    """What was asked cannot be done; the message is one plain sentence for the user."""


class RunUnderWay(Refused):
    """It can be done when the run has ended."""
