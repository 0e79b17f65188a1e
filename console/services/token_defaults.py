"""What a token carries so that its program need not send it: a request's own word wins."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from ..models import Preset, Project, Visibility
from .errors import Refused
from .presets import preset_names

FANOUTS = ("once", "every")


@dataclass(frozen=True)
class TokenDefaults:
    """`preset` is a slug, "": the site's; `project` one, "": none; the rest as
    the fields of `fusion` in a request."""

    preset: str = ""
    visibility: str = Visibility.PRIVATE.value
    fanout: str = "once"
    cancel_on_disconnect: bool = False
    project: str = ""

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Self:
        """What a later version may have added is none of this one's."""
        known = {k: v for k, v in (stored or {}).items() if k in cls.__dataclass_fields__}
        return cls(**known)

    def to_stored(self) -> dict[str, Any] | None:
        """Only what is other than usual, so that what is usual may change."""
        usual = asdict(TokenDefaults())
        return {k: v for k, v in asdict(self).items() if v != usual[k]} or None

    @property
    def words(self) -> list[str]:
        """As the list of tokens has them."""
        said = [f"preset {self.preset}"] if self.preset else []
        if self.visibility == Visibility.TEAM:
            said.append("runs for the team to read")
        if self.fanout == "every":
            said.append("a panel with every turn")
        if self.cancel_on_disconnect:
            said.append("stopped when its client goes")
        if self.project:
            said.append(f"in the project {self.project}")
        return said


NOTHING_SAID = TokenDefaults()


def preset_choices() -> list[tuple[str, str]]:
    """As a form offers them."""
    return [("", "The site’s"), *preset_names()]


def project_choices() -> list[tuple[str, str]]:
    """As a form offers them."""
    return [("", "none"), *Project.objects.values_list("slug", "name")]


def checked(defaults: TokenDefaults) -> TokenDefaults:
    """Raises Refused."""
    slug = defaults.preset.strip().removeprefix("fusion/")
    if slug and not Preset.objects.filter(slug=slug, enabled=True).exists():
        raise Refused(f"There is no preset “{slug}”.")
    if defaults.visibility not in (Visibility.PRIVATE, Visibility.TEAM):
        raise Refused("What a token's requests start is either for its owner alone or the team's.")
    if defaults.project and not Project.objects.filter(slug=defaults.project).exists():
        raise Refused(f"There is no project “{defaults.project}”.")
    if defaults.fanout not in FANOUTS:
        raise Refused(f"fanout is {' or '.join(FANOUTS)}.")
    return replace(defaults, preset=slug)
