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
    has_neighbours,
)

# Within one sentence: a dot within a name ends none.
S = r"(?:[^.\n]|\.(?=\w)){0,160}"
NOT = (
    r"(?:not (?:be |been |currently |yet |natively )?(?:support|allow|permit|enabl|accept|avail|"
    r"valid|"
    r"recogni|implement)\w*|n[o']t (?:support|allow|accept|take)\w*|cannot|unsupported|unavailable|"
    r"unknown|unexpected|unrecogni[sz]ed|invalid|disabled|disallowed|no longer supported|"
    r"only support"
    r"\w*|must not|may not|forbidden)"
)


def either(one: str, other: str) -> re.Pattern[str]:
    """Both in one sentence."""
    return re.compile(rf"{one}{S}{other}|{other}{S}{one}", re.IGNORECASE)


# vLLM, SGLang and Hugging Face with Gemma's template: "System role not supported"; OpenAI's o1:
# "'messages[0].role' does not support 'system' with this model"; Google: "Developer instruction is
# not enabled for models/gemma-3-27b-it"; Bedrock: "This model doesn't support system messages";
# Mistral's templates: "Only user and assistant roles are supported!"
# https://github.com/vllm-project/vllm/pull/2964, https://github.com/janhq/jan/issues/4392,
# https://github.com/0xPlaygrounds/rig/issues/788,
# https://github.com/Mintplex-Labs/anything-llm/issues/2486
SYSTEM = re.compile(
    rf"(?:\b(?:system|developer)\b['\"`]? ?(?:role|message|prompt|instruction)s?|"
    rf"\broles?\b['\"`]?{S}\b(?:system|developer)\b){S}{NOT}|"
    rf"{NOT}{S}(?:\b(?:system|developer)\b['\"`]? ?(?:role|message|prompt|instruction)s?|"
    rf"\broles?\b['\"`:]*{S}\b(?:system|developer)\b)|"
    r"only (?:the )?['\"`]?user['\"`]? and ['\"`]?(?:assistant|model)['\"`]? roles|"
    r"\brole\b.{0,40}(?:(?:must|should|can only|may only) be|:) (?:either |one of )?['\"`\[(]*"
    r"(?:user|assistant|model)\b(?!.{0,60}system)",
    re.IGNORECASE,
)
# https://github.com/vllm-project/vllm/issues/2112: templates that count turns
ALTERNATE = re.compile(
    r"roles must alternate|alternat\w+ (?:between )?(?:user|roles)|"
    r"(?:consecutive|successive|same) \w*(?: \w+)? ?(?:roles?|messages)",
    re.IGNORECASE,
)
# OpenAI: "Your organization must be verified to stream this model", "'stream' does not support
# true";
# Bedrock: "The model is unsupported for streaming".
# https://github.com/lobehub/lobehub/issues/9385,
# https://github.com/ChatGPTNextWeb/NextChat/issues/5410
STREAM = either(r"\bstream(?:ing|ed)?\b(?!_)", rf"(?:{NOT}|must be verified|not? possible)")
STREAM_ONLY = re.compile(
    r"only support\w* (?:the )?stream|(?:enable|set) (?:the )?stream", re.IGNORECASE
)
# DeepSeek: "This response_format type is unavailable now"; Groq: "does not support response format
# `json_schema`", "'response_format.type' : value is not one of the allowed values
# ['text','json_object']"
# https://github.com/llm-exe/llm-exe/issues/662, https://github.com/dzhng/deep-research/issues/127
SCHEMA_TYPE = re.compile(
    rf"response[_ ]format(?:\.type|{S}\btype\b|{S}json_?schema)|\bjson_schema\b{S}{NOT}|"
    rf"{NOT}{S}\bjson_schema\b|"
    rf"(?:structured|formatted) outputs?{S}{NOT}|{NOT}{S}(?:structured|formatted) outputs?|"
    r"unknown variant `?json_schema",
    re.IGNORECASE,
)
# vLLM: "features not supported by xgrammar"; Google: "too many states for serving", "Unknown name
# \"additionalProperties\" at 'generation_config.response_schema'"; llama.cpp: "failed to parse
# grammar";
# Together, Fireworks: "JSON mode is not supported".
# https://github.com/vllm-project/vllm/issues/15236
SCHEMA_FEATURES = re.compile(
    r"\b(?:xgrammar|outlines|lm[- ]?format[- ]?enforcer|llguidance|guided[_ ](?:json|decoding|"
    r"grammar))\b|"
    rf"\bgrammar\b|json[_ ]mode|response_?schema|"
    rf"(?:json[_ ])?schema\b{S}(?:{NOT}|not permitted|fail|too (?:complex|deep|many|large|long)|"
    rf"exceed|"
    rf"recursi)|(?:{NOT}|fail\w*|unable){S}(?:json[_ ])?schema\b",
    re.IGNORECASE,
)
OF_A_TOOL = re.compile(r"\b(?:functions?|tools?|tool_choice)\b", re.IGNORECASE)
# Fields that servers call by other names, too.
# Ollama: "\"gemma\" does not support thinking"; Google: "Thinking level is not supported".
ALSO_CALLED = {
    "reasoning_effort": rf"\b(?:thinking|reasoning effort|reasoning\.effort)\b{S}{NOT}|"
    rf"{NOT}{S}\b(?:thinking|reasoning)\b",
    "reasoning": rf"\b(?:thinking|reasoning)\b{S}{NOT}|{NOT}{S}\b(?:thinking|reasoning)\b",
}


def refused_trait(error: ErrorBody, body: Body, changed: dict[str, str]) -> Change | None:
    """The change that is an answer to the refusal of `body`, which has `changed` already; None
    where none is."""
    message = f"{error.message} ({error.param})" if error.param else error.message
    counts_turns = ALTERNATE.search(message)
    if counts_turns and has_neighbours(body):
        return "roles", "alternate"
    if (counts_turns or SYSTEM.search(message)) and has_instructions(body):
        return "system_role", "user"
    if "response_format" in body and (value := _of_schema(message, changed)):
        return "response_format", value
    for name, other in OUTPUT_LIMITS.items():
        if _names(message, name) and name in body and "limit_field" not in changed:
            return "limit_field", other
    for name in OPTIONAL:
        if name in body and (
            _names(message, name)
            or (name in ALSO_CALLED and re.search(ALSO_CALLED[name], message, re.IGNORECASE))
        ):
            return name, WITHOUT
    of_stream = error.param == "stream" or STREAM.search(message)
    if body.get("stream") and of_stream and not STREAM_ONLY.search(message):
        return "stream", WITHOUT
    return None


def _of_schema(message: str, changed: dict[str, str]) -> str:
    """How to ask for JSON next; "" where the schema is not the reason."""
    now = changed.get("response_format", "")
    named = _names(message, "response_format")
    if not named and OF_A_TOOL.search(message):
        return ""
    if now in ("", LENIENT) and SCHEMA_TYPE.search(message):
        return JSON_OBJECT
    if SCHEMA_FEATURES.search(message) and not (named and now == ""):
        return WITHOUT
    if not named:
        return WITHOUT if now and SCHEMA_TYPE.search(message) else ""
    return LENIENT if now == "" else WITHOUT


def _names(message: str, field: str) -> bool:
    return re.search(rf"(?<!\w){field}(?!\w)", message) is not None
