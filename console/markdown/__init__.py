"""The one way from text somebody else wrote to HTML on our pages.

A *document* is a whole text; `render` turns it into HTML. A *block* is one of its
top-level parts: a paragraph, a list, a fence. `StreamRenderer` renders a document while it
is still being written. A *plain* rendering shows the text as it is, escaped: the answer to
whatever would cost too much to format.

Everything leaves through the sanitiser, whose allow-list is the only list of what a model
may put on a page. Nothing here reads settings or keeps state between calls, so all of it may
run in a worker thread, and should: a long document costs hundreds of milliseconds.
"""

from console.markdown.document import render
from console.markdown.stream import StreamRenderer

__all__ = ["StreamRenderer", "render"]
