import asyncio

from asked import KEY, MODEL, PROMPT, SCHEMA, URL, carry_out, weather
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url=URL, api_key=KEY, model=MODEL)


@tool
def get_weather(city: str) -> str:
    """How warm it is."""
    return weather(city)


def plain():
    return {"text": model.invoke(PROMPT).text}


def stream():
    async def read():
        return "".join([chunk.text async for chunk in model.astream(PROMPT)])

    return {"text": asyncio.run(read())}


def tools():
    messages, called = [HumanMessage(PROMPT)], 0
    first, then = (
        model.bind_tools([get_weather], tool_choice="any"),
        model.bind_tools([get_weather]),
    )
    while True:
        answer = (then if called else first).invoke(messages)
        if not answer.tool_calls:
            return {"text": answer.text, "called": called}
        messages.append(answer)
        for call in answer.tool_calls:
            called += 1
            content = get_weather.invoke(call["args"])
            messages.append(ToolMessage(content, tool_call_id=call["id"]))


def structured():
    schema = {"title": "weather", "description": "How warm it is.", **SCHEMA}
    return {"structured": model.with_structured_output(schema).invoke(PROMPT)}


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
