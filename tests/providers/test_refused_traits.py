"""Traits of a request that a model does not take: named in many words, and done without."""

from __future__ import annotations

from typing import Any

import pytest

from console.providers.wire.error_body import ErrorBody
from console.providers.wire.refused_traits import refused_trait

SCHEMA = {"type": "object", "properties": {"winner": {"enum": ["A", "B"]}}}
SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Why is rain wet?"}
BODY = {
    "model": "m",
    "messages": [SYSTEM, USER],
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_tokens": 8000,
    "temperature": 0.5,
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"strict": True, "schema": SCHEMA}},
}


def named(message: str, changed: dict[str, str] | None = None, param: str = "") -> Any:
    return refused_trait(ErrorBody(message=message, param=param), BODY, changed or {})


@pytest.mark.parametrize(
    "message",
    [
        "System role not supported",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "This model doesn't support system messages. Try again without a system message.",
        "Only user and assistant roles are supported!",
        "Error rendering prompt with jinja template: Only user and assistant roles are supported!",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Invalid role: system. Must be user or assistant.",
        "messages.0.role: Input should be 'user' or 'assistant'",
        'messages: Unexpected role "system".',
        "Please use a valid role: user, model.",
        "role 'system' is not supported by this model",
        "system prompts are not allowed here",
        "The system message is not supported for gemma2-9b.",
        "The 'system' role is not supported.",
        "This model only supports user and assistant messages.",
        "Messages must have role user or assistant",
        "'system' is not one of ['user', 'assistant'] - 'messages.0.role'",
        "Model 'gemma2' doesn't have a system role",
        "Sorry, system prompts can't be used with this model",
        "System message must be at the beginning.",
        "Roles other than user and assistant are not accepted.",
        "Unexpected message role.",
        'messages: first message must use the "user" role',
        "Invalid role at 0: expected user but got system",
        "该模型不支持 system 角色",
    ],
)
def test_the_role_of_a_system(message: str) -> None:
    assert named(message) == ("system_role", "user")


@pytest.mark.parametrize(
    "message",
    [
        "The system is not available at the moment.",
        "Our system does not support this operation.",
        "Unsupported operating system.",
        "System error: invalid request.",
        "The role of the user is unknown to this organization.",
        "messages[2].content must not be empty",
    ],
)
def test_not_every_system_is_a_role(message: str) -> None:
    assert named(message) is None


def test_a_system_that_must_come_first_comes_first() -> None:
    late = BODY | {"messages": [SYSTEM, USER, SYSTEM, USER]}
    error = ErrorBody(message="System message must be at the beginning.")
    assert refused_trait(error, late, {}) == ("system_role", "first")


@pytest.mark.parametrize(
    ("message", "then"),
    [
        ("The provided JSON schema contains features not supported by xgrammar.", "without"),
        ("Failed to convert the grammar from JSON schema", "without"),
        ("Error compiling the schema with outlines", "without"),
        ("failed to parse grammar", "without"),
        ("The specified schema produces a constraint that has too many states.", "without"),
        ("Unknown name \"additionalProperties\" at 'generation_config.response_schema'", "without"),
        ("JSON mode is not enabled for this model", "without"),
        ("Failed to validate JSON. Please adjust your prompt.", "without"),
        ("Unsupported JSON schema fields: {'maxLength'}", "without"),
        ("guided_json is not supported", "without"),
        ("constrained decoding is not supported", "without"),
        ("The response format is not supported", "lenient"),
        ("This model does not support structured outputs", "json_object"),
        ("For 'array' type, property 'maxItems' is not supported in the schema", "without"),
        ("This response_format type is unavailable now", "json_object"),
        ("response_format: response_format.type `json_schema` is unavailable now", "json_object"),
        ("This model does not support response format `json_schema`. See docs.", "json_object"),
        ("'response_format.type' : value is not one of the allowed values ['text','json_object']",
         "json_object"),
        ("json_schema is not supported", "json_object"),
        ("Structured output is not supported for this model", "json_object"),
        ("unknown variant `json_schema`, expected `text` or `json_object`", "json_object"),
        ("Invalid schema for response_format 'answer': 'maxItems' is not permitted.", "lenient"),
        ("The response_format parameter is unsupported at the moment.", "lenient"),
    ],
)  # fmt: skip
def test_a_schema(message: str, then: str) -> None:
    assert named(message) == ("response_format", then)


def test_a_schema_is_given_up_by_and_by() -> None:
    message = "This response_format type is unavailable now"
    now = {"response_format": "json_object"}
    assert named(message, now) == ("response_format", "without")
    must = "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'."
    assert named(must, now) == ("response_format", "without")
    assert named(message, {"response_format": "lenient"}) == ("response_format", "json_object")


@pytest.mark.parametrize(
    "message",
    [
        "Invalid schema for function 'look_up': 'type' is missing.",
        "tools[0]: the JSON schema is not supported",
        "The prompt does not mention a scheme.",
    ],
)
def test_a_schema_of_a_tool_is_another(message: str) -> None:
    assert named(message) is None


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Your organization must be verified to stream this model.", "stream"),
        ("Your organization must be verified to stream this model.", ""),
        ("Unsupported value: 'stream' does not support true with this model.", "stream"),
        ("The model is unsupported for streaming", ""),
        ("Streaming is not supported for this model.", ""),
        ("This model does not support streaming", ""),
        ("Please set stream to false.", ""),
        ("This model can't be streamed", ""),
        ("stream=true is not allowed", ""),
        ("Only supports non-streaming requests.", ""),
        ("stream must be false: streaming is disabled for o-models", ""),
    ],
)
def test_a_model_that_may_not_be_streamed(message: str, param: str) -> None:
    assert named(message, param=param) == ("stream", "without")


@pytest.mark.parametrize(
    "message",
    [
        "This model only support stream mode, please enable the stream parameter.",
        "The upstream is not available",
        "Not available: set stream to true.",
        "The stream broke.",
    ],
)
def test_not_every_stream_is_one(message: str) -> None:
    assert named(message) is None


@pytest.mark.parametrize(
    ("message", "change"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
         "'max_completion_tokens' instead.", ("limit_field", "max_completion_tokens")),
        ("Unknown parameter: 'stream_options'.", ("stream_options", "without")),
        ("The 'stream_options' parameter is only allowed when 'stream' is enabled.",
         ("stream_options", "without")),
        ("Unsupported value: 'temperature' does not support 0.5 with this model. Only the default "
         "(1) value is supported.", ("temperature", "without")),
        ("invalid temperature: only 1 is allowed for this model", ("temperature", "without")),
        ("`temperature` and `top_p` cannot both be specified", ("temperature", "without")),
        ('"gemma" does not support thinking', ("reasoning_effort", "without")),
        ("Thinking level is not supported for this model.", ("reasoning_effort", "without")),
        ("Reasoning effort 'low' is not supported.", ("reasoning_effort", "without")),
        ("reasoning is not supported by this model", ("reasoning_effort", "without")),
        ("top_p must be between 0 and 1", None),
    ],
)  # fmt: skip
def test_fields_by_their_names(message: str, change: Any) -> None:
    assert named(message) == change
