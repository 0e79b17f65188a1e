import json
import os

from asked import KEY, MODEL, PROMPT, SCHEMA, URL, WEATHER, carry_out, weather

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched
import litellm

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
ASKED = [{"role": "user", "content": PROMPT}]


def ask(messages=ASKED, **more):
    return litellm.completion(
        model=f"openai/{MODEL}", messages=messages, api_base=URL, api_key=KEY, **more
    )


def plain():
    return {"text": ask().choices[0].message.content}


def stream():
    return {"text": "".join(chunk.choices[0].delta.content or "" for chunk in ask(stream=True))}


def tools():
    messages, called, choice = list(ASKED), 0, "required"
    while True:
        message = ask(messages, tools=[TOOL], tool_choice=choice).choices[0].message
        choice = "auto"
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
