"""A model that answers with a picture: programs get it in OpenRouter's form, and by its hash."""

from __future__ import annotations

import base64
from typing import Any

import openai

from tests.api.conftest import Api
from tests.api.test_mcp import ask, over_http, words
from tests.api.test_runs import ended
from tests.files import making
from tests.upstream import Script
from tests.upstream.sse import STOP, event, text

DRAWN = making.picture(640, 480)
ADDRESS = "data:image/png;base64," + base64.b64encode(DRAWN).decode()
DRAWS = Script(
    raw=[event({"content": "", "images": [{"type": "image_url", "image_url": {"url": ADDRESS}}]})]
    + [STOP]
)
IMAGE = {"type": "image_url", "image_url": {"url": ADDRESS}}
MARK = f"[picture: PNG, {len(DRAWN) / 1000:.0f} kB]"
ASKS: Any = [{"role": "user", "content": "Draw rain."}]


def test_chat_has_the_pictures_of_the_answer(api: Api, program: openai.OpenAI) -> None:
    api.script("good", DRAWS, DRAWS)
    message = program.chat.completions.create(model="good", messages=ASKS).choices[0].message
    assert (message.content, message.images) == (MARK, [IMAGE])  # type: ignore[attr-defined]
    told, images = "", []
    for chunk in program.chat.completions.create(model="good", messages=ASKS, stream=True):
        for choice in chunk.choices:
            told += choice.delta.content or ""
            images += getattr(choice.delta, "images", None) or []
    assert (told, images) == (MARK, [IMAGE | {"index": 0}])


def test_responses_have_them_as_items_and_take_them_back(api: Api, program: openai.OpenAI) -> None:
    api.script("good", DRAWS, DRAWS)
    answer = program.responses.create(model="good", input="Draw rain.")
    message, picture = answer.output
    assert (message.type, picture.type) == ("message", "image_generation_call")
    assert base64.b64decode(picture.result or "") == DRAWN  # type: ignore[union-attr]
    with program.responses.stream(model="good", input="Draw rain.") as stream:
        kinds = [e.item.type for e in stream if e.type == "response.output_item.done"]
        assert kinds == ["message", "image_generation_call"]
        assert stream.get_final_response().output[1].result == picture.result  # type: ignore[union-attr]
    items: Any = [*ASKS, *(item.model_dump() for item in answer.output)]
    items.append({"role": "user", "content": "And snow?"})
    program.responses.create(model="good", input=items)
    assert ADDRESS not in str(api.upstream.calls_of("good")[-1].body)


async def test_each_answer_of_a_panel_keeps_its_own(api: Api) -> None:
    """By its hash; the judge is told in words. An MCP client is shown those of the answer."""
    own = Script(raw=[text("Here it is. "), DRAWS.raw[0], STOP])  # type: ignore[index]
    api.script("echo", own)
    panel = {"panel": ["echo", "writer"], "judge": "good"}
    body = {"model": "fusion", "messages": ASKS, "fusion": panel}
    run = ended(api, api.post("/runs", json=body).json()["id"])
    [drawn] = [c for c in run["calls"] if c["seat"] == "A" and c["step"] == "panel"]
    [kept] = drawn["attachments"]
    assert (kept["type"], kept["width"], kept["height"]) == ("image/png", 640, 480)
    served = api.get(f"/runs/{run['id']}/pictures/{kept['hash']}")
    assert (served.content, served.headers["content-type"]) == (DRAWN, "image/png")
    assert api.get(f"/runs/{run['id']}/pictures/{'0' * 64}").status_code == 404
    judged = [c for c in api.upstream.calls_of("good") if c.wants_json][0]
    assert "[With it came a picture (PNG, " in str(judged.body)
    assert ADDRESS not in str(judged.body) and not run.get("images")
    api.script("echo", own)
    alone = {"panel": ["openrouter:echo"], "judge": "openrouter:fault-401"}
    async with over_http(api) as client:
        result = await ask(client, "fusion_ask", prompt="Draw rain.", **alone)
    assert not result.is_error, words(result)
    [image] = [one for one in result.content if one.type == "image"]
    assert base64.b64decode(image.data) == DRAWN
