"""What can be found, as it is looked for: folded texts (`search/folding.py`) by kind, object and
part.

On SQLite an FTS5 table stands on this one and is kept by three triggers of the migration: whoever
makes this table anew (on SQLite, each change of a column does) makes the triggers anew. PostgreSQL
has an index of its words, on the very expression `WORDS`.
"""

from __future__ import annotations

from django.db import models

from .runs import Run

# The words of a row, as PostgreSQL's index has them, with one for the six days or so that it is of:
# its number (`search/entries.py`) without the lowest bits.
TIME, DAYS = "·d", 49
WORDS = (
    "array_to_tsvector(array_remove(string_to_array("
    "heading || ' ' || prompt || ' ' || fused || ' ' || rest || ' ' || facets"
    f" || ' {TIME}' || (id >> {DAYS})::text, ' '), ''))"
)


class SearchEntry(models.Model):
    """A run is one, and of a very long one each further piece another."""

    # Ascends with the time of what it is about, so that the newest are found first.
    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=40)
    object = models.CharField(max_length=64)
    part = models.PositiveIntegerField(default=0)
    # Whose readers may find it.
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, null=True, blank=True, related_name="search_entries"
    )
    heading = models.TextField(blank=True)
    prompt = models.TextField(blank=True)
    fused = models.TextField(blank=True)
    rest = models.TextField(blank=True)
    # Owner, readers, preset, state: words that nobody can type.
    facets = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "object", "part"], name="search_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object} {self.part}"


class SearchFill(models.Model):
    """One row: how far what was stored before has been read, from the newest back."""

    position = models.CharField(max_length=80, blank=True, default="", db_default="")
    is_done = models.BooleanField(default=False, db_default=False)
    claimed_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return "read" if self.is_done else f"read down to {self.position}"


class SearchStale(models.Model):
    """A facet of what is not there any more, such as a project: entries that have it still are
    written anew, the newest first."""

    facet = models.CharField(max_length=80, unique=True)
    before = models.BigIntegerField(null=True, blank=True)  # the entry from which it goes on
    claimed_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.facet
