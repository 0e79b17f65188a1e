"""A whole run, and the runs that go on from it, as one JSON document that can be taken along.

    {"v": 1, "runs": [{"prompt": …, "spec": …, "calls": […], "fusions": […], …}, …]}

`shape.py` says what stands in it, field by field after the dataclasses of the state; `writing.py`
makes it of rows (without what its reader is not shown: `withheld.py`), `reading.py` reads one and
says in a sentence why it cannot, and `bringing_in.py` makes rows of it, as a worker would have left
them. What a newer version has added is kept beside them (`unknown.py`). A run goes on from an
earlier one of the same document by that one's place, counted from 0. What a document says stays
text: it is rendered and sanitised as what a model says is, and nothing in it names rows of the site
that it comes to.
"""

from .bringing_in import bring_in
from .reading import MAX_BYTES, Malformed, TooNew, read, read_newer
from .shape import VERSION, Document
from .writing import Unfinished, Unwritable, to_json, write

__all__ = [
    "MAX_BYTES",
    "VERSION",
    "Document",
    "Malformed",
    "TooNew",
    "Unfinished",
    "Unwritable",
    "bring_in",
    "read",
    "read_newer",
    "to_json",
    "write",
]
