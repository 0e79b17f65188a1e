"""A request in the words of chat completions, as Anthropic's Messages API takes it.

What a system says is a field of its own; turns of one role in a row are one turn, the first is
the user's, and none is blank. Thinking is asked for in one of the forms of `THINKING`
(`forms.py`), which a model's refusal tells apart. The temperature is of no use beside thoughts,
`top_p` beside a temperature: either is refused there.
https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import json
import re
from typing import Any

from console.engine.errors import ProviderError, Reason

from .anthropic_schema import with_its_words
from .forms import INSTRUCTIONS, Body

# Those that were there before models decided by themselves how long they think.
BY_BUDGET = re.compile(
    r"claude-(?:[23]\b|instant|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:[-@]\d{8})?$)"
)
# Those from 4.7 on take neither a temperature nor `top_p`; of names that are not known a refusal
# says so. https://platform.claude.com/docs/en/about-claude/model-deprecations
UNSAMPLED = re.compile(
    r"claude-(?:fable|mythos|(?:opus|sonnet|haiku)-(?:4-(?:[7-9]|[1-9]\d)|[5-9]|[1-9]\d)(?!\d))"
)
LEAST_BUDGET = 1024
# Of the output limit, which bounds thoughts and answer together: as OpenRouter shares it,
# https://openrouter.ai/docs/use-cases/reasoning-tokens
SHARES = {"minimal": 0.1, "low": 0.2, "medium": 0.5, "high": 0.8}
EFFORTS = {"minimal": "low"}  # where its own word is another
HOTTEST = 1  # elsewhere it is 2
BEGINNING = "(The conversation begins with your message.)"
ONE_OBJECT = "Answer with one JSON object and nothing else."
SIGNED = ("thinking", "redacted_thinking")
CHOICES = {"required": "any", "auto": "auto", "none": "none"}


def usual_thinking(model: str) -> str:
    return "budget" if BY_BUDGET.search(model) else "adaptive"


def says_how_to_think(body: Body) -> bool:
    return bool(body.get("reasoning_effort")) or _forces_a_tool(body)


def messages_body(body: Body) -> Body:
    """Raises ProviderError (`bad_request`) where there is nothing to ask."""
    instructions, turns = _conversation(body["messages"])
    format = body.get("response_format") or {}
    if format.get("type") == "json_object":
        instructions.append(ONE_OBJECT)
    schema = (format.get("json_schema") or {}).get("schema")
    tools = _tools(body)
    thinking, effort = _thinking(body, turns)
    output = {
        "effort": effort,
        "format": schema and {"type": "json_schema", "schema": with_its_words(schema)},
    }
    wire = {
        "model": body["model"],
        "max_tokens": body["max_tokens"],
        "system": "\n\n".join(instructions),
        "messages": turns,
        "stream": body.get("stream"),
        "stop_sequences": _stops(body.get("stop")),
        "thinking": thinking,
        "output_config": {name: value for name, value in output.items() if value},
        **tools,
        **_sampling(body, thinking),
    }
    return {name: value for name, value in wire.items() if value not in (None, "", [], {})}


# ---- what was said


def _conversation(messages: list[Body]) -> tuple[list[str], list[Body]]:
    instructions: list[str] = []
    turns: list[Body] = []
    for message in messages:
        role = message.get("role")
        if role in INSTRUCTIONS:
            instructions += filter(str.strip, [_words(message.get("content"))])
            continue
        said = _blocks(message)
        if not said:
            continue
        role = "assistant" if role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += said
        else:
            turns.append({"role": role, "content": said})
    if not turns and instructions:
        turns, instructions = [_user("\n\n".join(instructions))], []
    if not turns:
        raise ProviderError(Reason.BAD_REQUEST, "There is no word in the request to be answered.")
    if turns[0]["role"] == "assistant":
        turns.insert(0, _user(BEGINNING))
    last = turns[-1]["content"][-1]
    if turns[-1]["role"] == "assistant" and last["type"] == "text":
        last["text"] = last["text"].rstrip()  # refused at the end of what it is to go on with
    return instructions, turns


def _user(text: str) -> Body:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def _blocks(message: Body) -> list[Body]:
    words = _words(message.get("content"))
    if message.get("role") == "tool":
        block = {"type": "tool_result", "tool_use_id": _number(message.get("tool_call_id"))}
        return [block | ({"content": words} if words.strip() else {})]
    if blocks := message.get("blocks"):
        return _as_it_came(blocks, message)
    blocks = _beside(message.get("content"))
    if words.strip():
        blocks.append({"type": "text", "text": words})
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        blocks.append(
            {
                "type": "tool_use",
                "id": _number(call.get("id")),
                "name": function.get("name") or "",
                "input": _arguments(function.get("arguments")),
            }
        )
    return blocks


def _as_it_came(blocks: list[Body], message: Body) -> list[Body]:
    """With thoughts that are signed for their place; calls have the ids that are answered."""
    ids = iter([call.get("id") for call in message.get("tool_calls") or ()])
    return [
        block | {"id": _number(next(ids, block.get("id")))}
        if block["type"] == "tool_use"
        else block
        for block in blocks
        if block["type"] != "text" or block.get("text", "").strip()
    ]


def _words(content: Any) -> str:
    """Of content that `wire_messages` has let through: a text, or parts."""
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if part.get("text"))
    return content or ""


def _beside(content: Any) -> list[Body]:
    """Pictures and documents, before the words about them.
    https://platform.claude.com/docs/en/build-with-claude/pdf-support"""
    blocks: list[Body] = []
    for part in content if isinstance(content, list) else ():
        file = part.get("file") or {}
        uri = (part.get("image_url") or {}).get("url") or file.get("file_data")
        if not uri:
            continue
        type, _, data = uri.removeprefix("data:").partition(";base64,")
        source = {"type": "base64", "media_type": type, "data": data}
        if file:
            blocks.append({"type": "document", "source": source, "title": file.get("filename")})
        else:
            blocks.append({"type": "image", "source": source})
    return blocks


def _number(of_a_call: Any) -> str:
    """Other servers number their calls in other letters."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", str(of_a_call or ""))[:200] or "call"


def _arguments(text: Any) -> Body:
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        return value
    return {"arguments": value} if value else {}


# ---- what is asked for


def _tools(body: Body) -> Body:
    functions = [tool.get("function") or {} for tool in body.get("tools") or ()]
    # https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
    most = body.get("search")
    search = [{"type": "web_search_20250305", "name": "web_search", "max_uses": most}]
    tools = [
        {
            "name": function.get("name"),
            "input_schema": {"type": "object", **(function.get("parameters") or {})},
        }
        | ({"description": words} if (words := function.get("description")) else {})
        for function in functions
    ]
    if not tools:
        return {"tools": search} if most else {}
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        chosen = {"type": "tool", "name": (choice.get("function") or {}).get("name")}
    else:
        chosen = {"type": CHOICES.get(choice, "auto")}
    one_at_a_time = body.get("parallel_tool_calls") is False and chosen["type"] != "none"
    more = {"disable_parallel_tool_use": True} if one_at_a_time else {}
    return {"tools": tools, "tool_choice": chosen | more}


def _forces_a_tool(body: Body) -> bool:
    choice = body.get("tool_choice")
    return bool(body.get("tools")) and (choice == "required" or isinstance(choice, dict))


def _thinking(body: Body, turns: list[Body]) -> tuple[Body | None, str | None]:
    """(how it thinks, how hard it tries)."""
    form, effort = body.get("thinking"), body.get("reasoning_effort")
    if effort == "none" or _forces_a_tool(body):  # which is refused beside thoughts
        if form == "always":
            return None, "low" if effort == "none" else None
        return {"type": "disabled"}, None
    if not effort:
        return None, None
    if form != "budget":
        return {"type": "adaptive", "display": "summarized"}, EFFORTS.get(effort, effort)
    # What it had thought before it called a tool has to come back, signed: else it thinks no more.
    is_answered = any(block["type"] == "tool_result" for block in turns[-1]["content"])
    is_answered &= not (len(turns) > 1 and turns[-2]["content"][0]["type"] in SIGNED)
    limit = body["max_tokens"]
    budget = max(LEAST_BUDGET, int(limit * SHARES.get(effort, SHARES["high"])))
    if is_answered or budget >= limit:
        return None, None
    return {"type": "enabled", "budget_tokens": budget}, None


def _sampling(body: Body, thinking: Body | None) -> Body:
    """What a program asked for by name comes before a usual temperature."""
    if (thinking and thinking["type"] != "disabled") or UNSAMPLED.search(body["model"]):
        return {}
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if top_p not in (None, 1):  # many programs send the latter along, and it says nothing
        return {"top_p": top_p}
    return {} if temperature is None else {"temperature": min(temperature, HOTTEST)}


def _stops(stop: Any) -> list[str]:
    """A blank one is refused."""
    stops = [stop] if isinstance(stop, str) else stop or []
    return [text for text in stops if isinstance(text, str) and text.strip()]
