"""Which trait of a request a server names as its reason for refusing it.

Servers have many words for the same few things. A pattern too many costs one more call
that is refused for nothing; one too few costs the answer. What a model does not take is
told by its sentence alone, without what that quotes.
"""

from __future__ import annotations

import re

from .error_body import ErrorBody
from .forms import (
    JSON_OBJECT,
    LENIENT,
    OPTIONAL,
    OUTPUT_LIMITS,
    WITHOUT,
    Body,
    Change,
    has_instructions,
    has_late_instructions,
    has_neighbours,
)

# Within one sentence: a dot within a name ends none.
S = r"(?:[^.\n]|\.(?=\w)){0,160}"
NOT = (
    r"(?:not (?:be |been |currently |yet |natively )?"
    r"(?:support|allow|permit|enabl|accept|avail|valid|recogni|implement)\w*"
    r"|can ?not\b|can'?t\b|n[o']t (?:support|allow|accept|take)\w*"
    r"|no longer supported|only supports?\b"
    r"|must not|may not|un(?:supported|available|known|expected|recogni[sz]ed)"
    r"|invalid|disabled|disallowed|forbidden|不支持|不允许|无效|非法)"
)
Q = r"['\"`]?"


def any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


def refused(thing: str) -> str:
    """It and a negation in one sentence, whichever comes first."""
    return rf"{thing}{S}{NOT}|{NOT}{S}{thing}"


SYSTEM = any_of(
    # vLLM, SGLang, Hugging Face with Gemma's template: "System role not supported"; Bedrock: "This
    # model doesn't support system messages"; Google: "Developer instruction is not enabled for …"
    # https://github.com/vllm-project/vllm/pull/2964, https://github.com/0xPlaygrounds/rig/issues/788
    # https://github.com/Mintplex-Labs/anything-llm/issues/2486
    refused(rf"\b(?:system|developer)\b{Q} ?(?:role|message|prompt|instruction)s?"),
    # OpenAI's o1: "Unsupported value: 'messages[0].role' does not support 'system' with this model"
    # https://github.com/janhq/jan/issues/4392
    refused(rf"\broles?\b['\"`:]*{S}\b(?:system|developer)\b"),
    refused(rf"\bsystem\b{S}角色"),
    # Mistral's templates: "Only user and assistant roles are supported!"; vLLM: "Unexpected message
    # role."; Anthropic: "messages: first message must use the \"user\" role"
    rf"\bsystem{Q} is not one of",
    rf"(?:n[o']t have|\b(?:has|have) no) (?:a |any )?{Q}system{Q} (?:role|prompt|message)",
    rf"\bonly (?:supports? )?(?:the )?{Q}user{Q} and {Q}(?:assistant|model)",
    r"\broles? other than",
    r"\bunexpected message role",
    rf"\bfirst message must (?:be|use|have|come){S}\buser\b",
    r"\brole\b.{0,40}(?:(?:must|should|can only|may only) be|:) (?:either |one of )?['\"`\[(]*"
    r"(?:user|assistant|model)\b(?!.{0,60}system)",
    rf"\bmust have (?:the |a )?roles? (?:of )?{Q}user\b(?!.{{0,60}}system)",
    rf"\brole\b{S}\b(?:got|but (?:was|found|got|received|is)) {Q}(?:system|developer)\b",
)
# Qwen's template: "System message must be at the beginning."
# https://github.com/ggml-org/llama.cpp/issues/20429
SYSTEM_FIRST = any_of(
    rf"\b(?:system|developer)\b{S}\b(?:must|should|only|has to|have to)"
    rf"{S}\b(?:first|beginning|start)\b"
)
# https://github.com/vllm-project/vllm/issues/2112: templates that count turns
ALTERNATE = any_of(
    r"roles must alternate",
    r"alternat\w+ (?:between )?(?:user|roles)",
    r"(?:consecutive|successive|same) \w*(?: \w+)? ?(?:roles?|messages)",
)
# https://github.com/lobehub/lobehub/issues/9385
# https://github.com/ChatGPTNextWeb/NextChat/issues/5410
STREAM = any_of(
    # Bedrock: "The model is unsupported for streaming"; OpenAI: "'stream' does not support true"
    refused(r"\bstream(?:ing|ed)?\b(?!_)"),
    # OpenAI: "Your organization must be verified to stream this model"
    r"must be verified to stream",
    rf"\bstream(?:ing)?\b{Q}(?:{S}\bfalse\b| ?= ?false)",
    rf"\bstream(?:ing)?\b{S}\bnot? possible",
)
# DashScope: "This model only support stream mode, please enable the stream parameter"
STREAM_ONLY = any_of(
    r"only supports? (?:the )?stream",
    r"\benable (?:the )?stream",
    rf"\b(?:set|use|with) {Q}stream(?:ing)?{Q}(?: to|:| ?=) ?true\b",
    rf"\bstream(?:ing)?{Q} (?:must|should|has to) be (?:set to )?true\b",
)
# https://github.com/llm-exe/llm-exe/issues/662, https://github.com/dzhng/deep-research/issues/127
SCHEMA_TYPE = any_of(
    # DeepSeek: "This response_format type is unavailable now"; Groq: "does not support response
    # format `json_schema`", "'response_format.type' : value is not one of the allowed values …"
    rf"response[_ ]format(?:\.type|{S}\btype\b|{S}json_?schema)",
    r"unknown variant `?json_schema",
    refused(r"\bjson_schema\b"),
    # Mistral: "Structured output is not supported"; xAI: "does not support formatted output"
    refused(r"\b(?:structured|formatted) outputs?"),
)
# https://github.com/vllm-project/vllm/issues/15236, https://console.groq.com/docs/structured-outputs
SCHEMA_FEATURES = any_of(
    # vLLM: "features not supported by xgrammar"; llama.cpp: "failed to parse grammar"
    r"\b(?:xgrammar|outlines|lm[- ]?format[- ]?enforcer|llguidance)\b",
    r"\bguided[_ ](?:json|decoding|grammar)\b|\bgrammar\b|\bconstrained (?:decoding|generation)\b",
    # Together, Fireworks: "JSON mode is not supported"; Groq: "Failed to validate JSON"
    r"\bjson[_ ]mode\b|\bfailed to (?:generate|validate) json\b",
    # Google: "too many states for serving", "Unknown name … at 'generation_config.response_schema'"
    r"response_?schema",
    # Anthropic: "output_config.format: Extra inputs are not permitted"
    refused(r"\boutput_(?:config\.format|format|config(?!\.))\b"),
    refused(r"\bschemas?\b"),
    rf"\bschemas?\b{S}(?:not permitted|fail|too (?:complex|deep|many|large|long)|exceed|recursi)",
    rf"(?:fail\w*|unable|error){S}\bschema\b",
)
OF_A_TOOL = any_of(r"\b(?:functions?|tools?|tool_choice)\b")
# Anthropic: "The compiled grammar is too large … Simplify your tool schemas", tools or none.
GRAMMAR = any_of(r"\bcompiled grammar\b")
# Fields that servers call by other names, too. Ollama: "\"gemma\" does not support thinking";
# Google: "Thinking level is not supported for this model"; Anthropic: "This model does not support
# the effort parameter."
ALSO_CALLED = {
    "reasoning_effort": any_of(
        refused(r"\b(?:thinking|reasoning|effort)\b"), refused(r"\boutput_config\b(?!\.format)")
    ),
    "reasoning": any_of(refused(r"\b(?:thinking|reasoning)\b")),
}
# How a model of Anthropic's wants to be told to think; the newer ones refuse what the older want.
# https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
THINKING = {
    "adaptive": any_of(rf"\bthinking\.type\.enabled\b{S}{NOT}"),
    "budget": any_of(rf"\badaptive thinking\b{S}{NOT}", rf"\bthinking\.type\.adaptive\b{S}{NOT}"),
    "always": any_of(rf"\bthinking\.type\.disabled\b{S}{NOT}"),
}


def refused_trait(error: ErrorBody, body: Body, changed: dict[str, str]) -> Change | None:
    """The change that is an answer to the refusal of `body`, which has `changed` already; None
    where none is."""
    message = f"{error.message} ({error.param})" if error.param else error.message
    counts_turns = ALTERNATE.search(message)
    if counts_turns and has_neighbours(body):
        return "roles", "alternate"
    if SYSTEM_FIRST.search(message) and has_late_instructions(body):
        return "system_role", "first"
    of_system = SYSTEM_FIRST.search(message) or SYSTEM.search(message)
    if (counts_turns or of_system) and has_instructions(body):
        return "system_role", "user"
    if "thinking" in body and (value := _of_thinking(message, body, changed)):
        return "thinking", value
    if "response_format" in body and (value := _of_schema(message, changed)):
        return "response_format", value
    for name, other in OUTPUT_LIMITS.items():
        if _names(message, name) and name in body and "limit_field" not in changed:
            return "limit_field", other
    for name in OPTIONAL:
        alias = ALSO_CALLED.get(name)
        if name in body and (_names(message, name) or (alias and alias.search(message))):
            return name, WITHOUT
    of_stream = error.param == "stream" or STREAM.search(message)
    if body.get("stream") and of_stream and not STREAM_ONLY.search(message):
        return "stream", WITHOUT
    return None


def _of_thinking(message: str, body: Body, changed: dict[str, str]) -> str:
    """How to ask for thoughts next; "" where that is not the reason, or nothing is left."""
    for value, pattern in THINKING.items():
        if pattern.search(message):
            return value if value not in (body["thinking"], changed.get("thinking")) else ""
    return ""


def _of_schema(message: str, changed: dict[str, str]) -> str:
    """How to ask for JSON next; "" where the schema is not the reason."""
    now = changed.get("response_format", "")
    named = _names(message, "response[_ ]format")
    if not named and OF_A_TOOL.search(message) and not GRAMMAR.search(message):
        return ""
    if now in ("", LENIENT) and SCHEMA_TYPE.search(message):
        return JSON_OBJECT
    if named:
        return LENIENT if now == "" else WITHOUT
    if SCHEMA_FEATURES.search(message) or (now and SCHEMA_TYPE.search(message)):
        return WITHOUT
    return ""


def _names(message: str, field: str) -> bool:
    return re.search(rf"(?<!\w){field}(?!\w)", message) is not None
