from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.services.credentials import credentials_rotate
from console.services.errors import Refused


class Command(BaseCommand):
    help = (
        "Encrypts every stored API key anew with the first of FUSION_ENCRYPTION_KEYS. "
        "Put the new key in front, run this, then remove the old one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = credentials_rotate()
        except Refused as e:
            raise CommandError(str(e)) from None
        keys = "1 stored key" if count == 1 else f"{count} stored keys"
        self.stdout.write(f"{keys} encrypted with the first encryption key.")
