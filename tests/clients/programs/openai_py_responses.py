import json

from asked import KEY, MODEL, PICTURE, PROMPT, REPORT, SCHEMA, URL, WEATHER, carry_out, weather
from openai import OpenAI

client = OpenAI(base_url=URL, api_key=KEY)
TOOL = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}


def plain():
    return {"text": client.responses.create(model=MODEL, input=PROMPT).output_text}


def stream():
    text = ""
    with client.responses.stream(model=MODEL, input=PROMPT) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                text += event.delta
        events.get_final_response()
    return {"text": text}


def tools():
    items, called, choice = [{"role": "user", "content": PROMPT}], 0, "required"
    while True:
        answer = client.responses.create(model=MODEL, input=items, tools=[TOOL], tool_choice=choice)
        choice, calls = "auto", [i for i in answer.output if i.type == "function_call"]
        if not calls:
            return {"text": answer.output_text, "called": called}
        items += [i.model_dump(exclude_none=True) for i in answer.output]
        for call in calls:
            called += 1
            output = weather(**json.loads(call.arguments))
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )


def structured():
    form = {"format": {"type": "json_schema", "name": "weather", "schema": SCHEMA}}
    answer = client.responses.create(model=MODEL, input=PROMPT, text=form)
    return {"structured": json.loads(answer.output_text)}


def files():
    parts = [
        {"type": "input_text", "text": PROMPT},
        {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
        {"type": "input_file", "filename": "report.pdf", "file_data": REPORT},
    ]
    answer = client.responses.create(model=MODEL, input=[{"role": "user", "content": parts}])
    return {"text": answer.output_text, "structured": answer.model_extra["fusion"]["warnings"]}


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
