"""Full text of what people asked and were answered, found alike on SQLite and PostgreSQL.

`index` writes what can be found of a run, in the transaction that writes the run; `find` looks.
"""

from .entries import forget, index, index_begun
from .facets import owner_named
from .finding import Found, Hit, find, find_of_the_team
from .queries import Filters, Query, read_query
from .showing import FoundRun, shown

__all__ = [
    "Filters",
    "Found",
    "FoundRun",
    "Hit",
    "Query",
    "find",
    "find_of_the_team",
    "forget",
    "index",
    "index_begun",
    "owner_named",
    "read_query",
    "shown",
]
