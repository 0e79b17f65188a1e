"""What an admin does with credentials: enter a key, try it, encrypt all anew."""

from __future__ import annotations

import asyncio
import unicodedata

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from ..catalog.listings import look_up
from ..encryption import CannotDecrypt, Encrypted, encrypt, rotate
from ..models import Credential
from ..models.credentials import origin
from ..providers import kinds
from ..providers.listing import CredentialTest
from ..providers.registry import test_credential as ask_provider
from ..providers.secret import Secret
from ..providers.wire.http import make_client
from .errors import Refused

PATIENCE = 10.0


def clean_key(text: str) -> Secret:
    """A key as pasted. Raises Refused."""
    key = text.strip()
    if not key:
        return Secret("")
    if any(unicodedata.category(c).startswith("C") for c in key):
        raise Refused(
            "The key contains a line break or another control character. Copy it once more."
        )
    if any(c.isspace() for c in key):
        raise Refused("The key contains a space. Copy the key alone.")
    if not key.isascii():
        raise Refused("The key contains a character that no API key has. Copy it once more.")
    try:
        encrypt(Secret(key))
    except ImproperlyConfigured as e:
        raise Refused(f"A key cannot be stored: {e}") from None
    return Secret(key)


def would_lose_key(credential: Credential, base_url: str) -> bool:
    """Whether the stored key belongs to another address than this."""
    return bool(credential.secret) and credential.secret_origin != origin(base_url)


def credential_try(credential: Credential) -> CredentialTest:
    """Asks the provider something that costs nothing; changes nothing."""
    if lacks := credential.lacks:
        return CredentialTest(False, lacks, 0)

    async def ask() -> CredentialTest:
        async with make_client(connect_timeout=PATIENCE) as client:
            return await ask_provider(
                credential.kind,
                base_url=credential.url,
                api_key=credential.key,
                client=client,
                timeout=PATIENCE,
            )

    return asyncio.run(ask())


def credential_test(*, credential: Credential) -> CredentialTest:
    """`credential_try`, remembered in the row."""
    result = credential_try(credential)
    if result.base_url:
        sentence = f"Nothing answers at this address, but at {result.base_url}: change it to that."
        result = CredentialTest(False, sentence, result.latency)
    _remember(credential, result)
    Credential.objects.filter(pk=credential.pk).update(
        tested_at=credential.tested_at,
        test_ok=credential.test_ok,
        test_result=credential.test_result,
    )
    return result


def forget_test(credential: Credential) -> None:
    """On the object only: as it is now it has not been tested."""
    credential.tested_at, credential.test_ok, credential.test_result = None, None, ""


def _remember(credential: Credential, result: CredentialTest) -> None:
    credential.tested_at = timezone.now()
    credential.test_ok, credential.test_result = result.ok, result.sentence[:500]


def credential_for(*, kind: str, name: str, base_url: str, key: Secret) -> Credential:
    """What the keys page would save: the row of a kind's home, or a new one. Unsaved."""
    known = kinds.KINDS.get(kind)
    if known is None:
        raise Refused(kinds.unknown(kind))
    home = known.home
    # An admin may have had a row by that name before its home was known: then it has none.
    given = Credential.objects.filter(environment=home.slug).first() if home else None
    if home and given and given.from_environment:
        raise Refused(
            f"{home.name}'s key comes from the environment ({home.key_variable}), which wins. "
            "Change it there."
        )
    name = home.name if home else name
    credential = given or Credential(slug=new_slug(name), name=name, kind=kind)
    credential.enabled, credential.base_url = True, base_url
    credential.secret, credential.secret_origin = key or "", ""
    return credential


def credential_add(*, credential: Credential, result: CredentialTest) -> None:
    _remember(credential, result)
    credential.save()
    if result.ok:
        look_up([credential])  # so that presets are filled from it at once


def new_slug(name: str) -> str:
    base = slugify(name)[:32].strip("-") or "server"
    taken = set(Credential.objects.values_list("slug", flat=True))
    return next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)


@transaction.atomic
def credentials_rotate() -> int:
    """Encrypts every stored secret with the first key. Raises Refused and changes nothing."""
    count = 0
    for credential in Credential.objects.select_for_update().exclude(secret=""):
        stored = credential.secret
        assert isinstance(stored, Encrypted)
        try:
            token = rotate(stored.token)
        except CannotDecrypt:
            raise Refused(
                f"The key of {credential.name} cannot be read with any of "
                "FUSION_ENCRYPTION_KEYS. Add the key it was encrypted with, or enter it again "
                "in the admin. Nothing was changed."
            ) from None
        Credential.objects.filter(pk=credential.pk).update(secret=Encrypted(token))
        count += 1
    return count


def can_ask_anybody() -> bool:
    """Whether any model's server is there to be asked."""
    return any(credential.is_ready for credential in Credential.objects.all())
