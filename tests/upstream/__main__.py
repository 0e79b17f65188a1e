"""python -m tests.upstream --port 9900 [--strict] [--api-key KEY]"""

import argparse
import asyncio
import contextlib

from . import Upstream

parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=__doc__)
parser.add_argument("--port", type=int, default=9900)
parser.add_argument("--strict", action="store_true", help="unknown models get 404")
parser.add_argument("--api-key", default="", help="any other key gets 401")
options = parser.parse_args()


async def main() -> None:
    async with Upstream(options.strict, options.api_key, options.port) as up:
        print(up.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main())
