"""A scripted upstream: a real local server that speaks OpenAI's API, and Anthropic's, and
misbehaves on purpose.

The whole product runs against it unchanged: what a model does is chosen by its name.

In a test, in the test's own event loop or in a thread beside it:

    async with Upstream() as up: ...        # async code
    with Upstream() as up: ...              # sync code; the server has its own thread
    base_url = up.url                       # http://127.0.0.1:<port>/v1, any key accepted

    up.script("alpha", Script(text="Forty-two.", tokens_per_second=20))
    up.script("beta", Script(status=500), Script(text="second"))  # one a request, the last repeats
    up.script("gamma", lambda body: Script(text=body["messages"][-1]["content"]))

A script's `text` is for people. A request for JSON (a judge's) is answered with JSON made
from the schema it sent; `Script(judge=Script(...))` says something else for those requests.
At `/v1/messages` the same scripts answer in Anthropic's events; what Anthropic's API refuses of a
request is refused there, in its words (`anthropic.py`, which has its events as bytes, too).

    up.calls                   # what was asked, see `Received`
    up.open_connections        # sockets open now
    up.hold(); up.release()    # every stream stops after its first delta until released
    await up.until(lambda: len(up.calls) == 3)       # or up.wait_until(...) in sync code

One that lives longer than a test begins anew after each (`tests/conftest.py`): what is scripted
for a whole folder is scripted before it is entered, or kept by `up.keep()`.

By name alone, also from outside: `good`, `good-slow`, `good-long`, `echo`, `fault-<status>` and the
other built-in names in `script.py`. Options ride on any name, each a field of `Script`:
`good--tokens_per_second=20--stall_after=3`. A name nobody knows gets a short answer that names
it, or 404 with `Upstream(strict=True)`. As a program:

    python -m tests.upstream --port 9900
"""

from .received import Received
from .script import Script
from .server import Upstream

__all__ = ["Received", "Script", "Upstream"]
