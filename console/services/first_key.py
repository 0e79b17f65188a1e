"""The key that somebody has in hand when a site is new: told by its beginning, tried, kept."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import Credential
from ..providers import kinds
from ..providers.kinds import KeyGiver
from ..providers.listing import CredentialTest
from ..providers.secret import Secret
from .credentials import credential_add, credential_for, credential_try, new_slug
from .errors import Refused


class WhoseKey(Refused):
    """Its beginning does not say whose it is."""


@dataclass(frozen=True)
class KeyTried:
    giver: KeyGiver
    result: CredentialTest
    # Whose keys begin as it does: it may be one of theirs.
    others: tuple[KeyGiver, ...] = ()

    @property
    def sentence(self) -> str:
        said = f"{self.giver.name}: {self.result.sentence}"
        if self.result.ok or not self.others:
            return said
        names = " and ".join(giver.name for giver in self.others)
        return f"{said} Keys of {names} begin like this one: if it is theirs, choose so."


def key_use(*, key: Secret, giver: str = "") -> KeyTried:
    """Tried at its server, which costs nothing, and kept where that takes it. `giver` is the slug
    of whose it is said to be. Raises Refused, and WhoseKey where nobody knows."""
    chosen = kinds.giver_named(giver)
    alike = kinds.givers_of(key.reveal())
    giver_of = chosen or next(iter(alike), None)
    if giver_of is None:
        raise WhoseKey("Whose key this is cannot be told from its beginning: choose it.")
    credential = credential_of(giver_of, key)
    result = credential_try(credential)
    if result.ok:
        credential.base_url = result.base_url or credential.base_url
        credential_add(credential=credential, result=result)
    others = tuple(g for g in alike if g is not giver_of)
    return KeyTried(giver_of, result, others)


def giver_address(giver: KeyGiver) -> str:
    """Where its key is tried."""
    server = kinds.server_named(giver.slug)
    return kinds.usual_address(server) if server else giver.address


def credential_of(giver: KeyGiver, key: Secret) -> Credential:
    """What its key would be kept in. Unsaved."""
    kind, server = next(
        ((kind, server) for kind, server in kinds.servers() if server.slug == giver.slug),
        (kinds.OPENAI_COMPATIBLE, None),
    )
    if server is None:
        return credential_for(kind=kind.slug, name=giver.name, base_url=giver.address, key=key)
    address = kinds.usual_address(server)
    if kind.has_home:
        return credential_for(kind=kind.slug, name=server.name, base_url=address, key=key)
    # The row that every site has for it, unless it is in use for something else.
    row = Credential.objects.filter(environment=server.slug).first()
    if row is None or row.from_environment or row.secret:
        row = Credential(slug=new_slug(server.name), name=server.name, kind=kind.slug)
    row.enabled, row.base_url = True, address
    row.secret, row.secret_origin = key, ""
    return row
