import asyncio

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from asked import KEY, MODEL, PROMPT, SCENARIO, URL, carry_out, weather
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)
client = AsyncOpenAI(base_url=URL, api_key=KEY)
# Its usual way is Responses; streams of tools are tried there, the rest by chat.
responses = OpenAIResponsesModel(MODEL, client)
chat = OpenAIChatCompletionsModel(MODEL, client)
called = []


class Weather(BaseModel):
    city: str
    degrees: int


@function_tool
def get_weather(city: str) -> str:
    """How warm it is."""
    called.append(city)
    return weather(city)


def ask(**more):
    agent = Agent(name="agent", model=responses if SCENARIO != "tools" else chat, **more)
    answer = asyncio.run(Runner.run(agent, PROMPT))
    return answer.final_output


def plain():
    return {"text": ask()}


def stream():
    async def read():
        text, answer = "", Runner.run_streamed(Agent(name="agent", model=responses), PROMPT)
        async for event in answer.stream_events():
            data = getattr(event, "data", None)
            if getattr(data, "type", "") == "response.output_text.delta":
                text += data.delta
        return text

    return {"text": asyncio.run(read())}


def tools():
    settings = ModelSettings(tool_choice="required")
    return {"text": ask(tools=[get_weather], model_settings=settings), "called": len(called)}


def structured():
    return {"structured": ask(output_type=Weather).model_dump()}


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
