"""What is known of the models at one address: which peculiarities their answers and
refusals have shown.

A provider is given what earlier runs have learned and a way to tell what this one
learns; whoever makes it keeps that, and for how long (`models/traits.py`). A trait is a
name and a value in one's own words: nothing of a prompt, an answer or a key is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

VALUE_LIMIT = 200

# (model, name, value; "" when it is so no longer)
Tell = Callable[[str, str, str], None]


class Traits:
    def __init__(
        self, known: Iterable[tuple[str, str, str]] = (), tell: Tell | None = None
    ) -> None:
        """`known` is (model, name, value)."""
        self._of: dict[str, dict[str, str]] = {}
        self._tell = tell
        for model, name, value in known:
            self._of.setdefault(model, {})[name] = value

    def of(self, model: str) -> dict[str, str]:
        """Name -> value."""
        return dict(self._of.get(model, {}))

    def learn(self, model: str, name: str, value: str) -> None:
        """Told once, when it is new: what is only confirmed ends when it would have."""
        if len(value) > VALUE_LIMIT:
            raise ValueError(f"a trait's value is longer than {VALUE_LIMIT} characters")
        traits = self._of.setdefault(model, {})
        if value and traits.get(name) != value:
            traits[name] = value
            self._say(model, name, value)

    def forget(self, model: str, name: str) -> None:
        if self._of.get(model, {}).pop(name, None) is not None:
            self._say(model, name, "")

    def _say(self, model: str, name: str, value: str) -> None:
        if self._tell:
            self._tell(model, name, value)
