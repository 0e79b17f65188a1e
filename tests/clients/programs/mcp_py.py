import asyncio

import httpx2 as httpx
from asked import KEY, PROMPT, SCENARIO, URL, carry_out
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

PRESET = {"error whole": "failing", "one failed seat": "degraded", "silence": "silent"}


async def ask():
    at = URL.removesuffix("/v1") + "/mcp"
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        httpx.AsyncClient(headers=headers, timeout=300) as http,
        Client(streamable_http_client(at, http_client=http)) as session,
    ):
        asked = {"prompt": PROMPT, "preset": PRESET.get(SCENARIO, "good")}
        result = await session.call_tool("fusion_ask", asked)
        while "fusion_get_run" in (text := _text(result)) and not result.is_error:
            run_id = result.structured_content["run_id"]
            await asyncio.sleep(5)
            result = await session.call_tool("fusion_get_run", {"run_id": run_id})
        return {"error" if result.is_error else "text": text}


def _text(result):
    return " ".join(getattr(part, "text", "") for part in result.content)


carry_out(
    dict.fromkeys(
        ("plain", "error whole", "silence", "one failed seat"), lambda: asyncio.run(ask())
    )
)
