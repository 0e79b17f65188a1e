import json

from asked import KEY, MODEL, PICTURE, PROMPT, REPORT, SCHEMA, URL, WEATHER, carry_out, weather
from openrouter import OpenRouter

client = OpenRouter(api_key=KEY, server_url=URL)
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
ASKED = [{"role": "user", "content": PROMPT}]


def with_cost(usage, **told):
    if usage is None or usage.total_tokens is None:
        told["error"] = "no usage"
    return told


def plain():
    answer = client.chat.send(model=MODEL, messages=ASKED)
    return with_cost(answer.usage, text=answer.choices[0].message.content)


def stream():
    text, usage = "", None
    with client.chat.send(model=MODEL, messages=ASKED, stream=True) as chunks:
        for chunk in chunks:
            if getattr(chunk, "error", None):
                raise RuntimeError(chunk.error.message)
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
    return with_cost(usage, text=text)


def tools():
    messages, called, choice = list(ASKED), 0, "required"
    while True:
        answer = client.chat.send(model=MODEL, messages=messages, tools=[TOOL], tool_choice=choice)
        message, choice = answer.choices[0].message, "auto"
        if not message.tool_calls:
            return {"text": message.content, "called": called}
        messages.append(message.model_dump(exclude_none=True, by_alias=True))
        for call in message.tool_calls:
            called += 1
            content = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}
    answer = client.chat.send(model=MODEL, messages=ASKED, response_format=form)
    return {"structured": json.loads(answer.choices[0].message.content)}


def files():
    parts = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": REPORT}},
    ]
    answer = client.chat.send(model=MODEL, messages=[{"role": "user", "content": parts}])
    return with_cost(answer.usage, text=answer.choices[0].message.content)


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
        "files": files,
    }
)
