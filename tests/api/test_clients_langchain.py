"""`langchain-openai` against the live server."""

from __future__ import annotations

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.upstream import Script

from .conftest import OPUS, Api, tool_call


def model(api: Api) -> ChatOpenAI:
    return ChatOpenAI(
        model="fusion", base_url=api.url, api_key=SecretStr(api.key), max_retries=0, timeout=60
    )


def test_plain_and_usage(api: Api) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    said = model(api).invoke("What is the answer?")
    assert said.text == "Forty-two."
    assert isinstance(said, AIMessage) and said.usage_metadata
    assert said.usage_metadata["total_tokens"] > 0


async def test_streamed(api: Api) -> None:
    api.script(OPUS, Script(text="Forty-two, slowly.", tokens_per_second=50))
    pieces = [chunk.text async for chunk in model(api).astream("What is the answer?")]
    assert "".join(pieces) == "Forty-two, slowly."


def test_tools(api: Api) -> None:
    @tool
    def weather(city: str) -> str:
        """The weather in a city."""
        return f"Warm in {city}."

    api.script(
        OPUS, lambda body: tool_call("weather", '{"city":"Oslo"}') if "tools" in body else Script()
    )
    said = model(api).bind_tools([weather]).invoke("How is the weather in Oslo?")
    assert isinstance(said, AIMessage)
    (call,) = said.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Oslo"})


def test_structured_output(api: Api) -> None:
    class City(BaseModel):
        name: str

    found = model(api).with_structured_output(City).invoke("Name a city.")
    assert isinstance(found, City) and found.name
