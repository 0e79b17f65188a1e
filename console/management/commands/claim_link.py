from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.urls import reverse

from console.services.people import claim_make


class Command(BaseCommand):
    help = "Prints the path of the one-time page that makes the first admin, while there is nobody."

    def handle(self, *args: Any, **options: Any) -> None:
        if token := claim_make():
            self.stdout.write(reverse("claim", args=[token]))
