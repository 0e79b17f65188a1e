import asyncio

from asked import KEY, MODEL, PROMPT, URL, carry_out, weather
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=URL, api_key=KEY))


class final_weather(BaseModel):
    city: str
    degrees: int


def plain():
    return {"text": Agent(model).run_sync(PROMPT).output}


def stream():
    async def read():
        async with Agent(model).run_stream(PROMPT) as answer:
            return [text async for text in answer.stream_text()][-1]

    return {"text": asyncio.run(read())}


def tools():
    agent, called = Agent(model), []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        called.append(city)
        return weather(city)

    return {"text": agent.run_sync(PROMPT).output, "called": len(called)}


def structured():
    """By its usual way: a tool that must be called."""
    return {
        "structured": Agent(model, output_type=final_weather).run_sync(PROMPT).output.model_dump()
    }


carry_out(
    {
        "plain": plain,
        "stream": stream,
        "tools": tools,
        "structured": structured,
        "error": stream,
        "error whole": plain,
        "silence": plain,
        "silence stream": stream,
        "one failed seat": stream,
        "agent": tools,
    }
)
