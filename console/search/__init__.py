"""Full text of what people asked and were answered, found alike on SQLite and PostgreSQL.

`index` writes what can be found of a run, in the transaction that writes the run; `find` looks.
"""

from .entries import forget, index
from .finding import Found, Hit, find
from .queries import Filters, Query, read_query

__all__ = ["Filters", "Found", "Hit", "Query", "find", "forget", "index", "read_query"]
