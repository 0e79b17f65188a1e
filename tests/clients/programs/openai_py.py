import json

from asked import KEY, MODEL, PICTURE, PROMPT, REPORT, SCHEMA, URL, WEATHER, carry_out, weather
from openai import OpenAI

client = OpenAI(base_url=URL, api_key=KEY)
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}


def ask(**more):
    messages = [{"role": "user", "content": PROMPT}]
    return client.chat.completions.create(model=MODEL, messages=messages, **more)


def plain():
    return {"text": ask().choices[0].message.content}


def stream():
    chunks = ask(stream=True, stream_options={"include_usage": True})
    return {"text": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)}


def tools():
    messages, called, choice = [{"role": "user", "content": PROMPT}], 0, "required"
    while True:
        answer = client.chat.completions.create(
            model=MODEL, messages=messages, tools=[TOOL], tool_choice=choice
        )
        message, choice = answer.choices[0].message, "auto"
        if not message.tool_calls:
            return {"text": message.content, "called": called}
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls:
            called += 1
            content = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": content})


def structured():
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}
    return {"structured": json.loads(ask(response_format=form).choices[0].message.content)}


def files():
    parts = [
        {"type": "text", "text": PROMPT},
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "file", "file": {"filename": "report.pdf", "file_data": REPORT}},
    ]
    messages = [{"role": "user", "content": parts}]
    answer = client.chat.completions.create(model=MODEL, messages=messages)
    told = answer.model_extra["fusion"]["warnings"]
    return {"text": answer.choices[0].message.content, "structured": told}


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
