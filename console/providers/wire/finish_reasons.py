"""Why an answer ended, in the words of servers and in ours.

Words of OpenAI, Anthropic, Google (https://ai.google.dev/api/generate-content#FinishReason),
Mistral, DeepSeek and of vLLM, SGLang and llama.cpp; some write them large, and some say after a
colon what they mean by them. What nobody has said to be anything else is a whole answer.
"""

from __future__ import annotations

from typing import Any, Literal

FinishReason = Literal["stop", "length", "content_filter", "tool_calls", "error"]

_NONE = {"", "null", "none"}  # as some write that there is none yet
_WORDS: dict[FinishReason, str] = {
    "length": "length max_tokens max_output_tokens max_completion_tokens model_length "
    "model_context_window_exceeded context_length incomplete",
    "content_filter": "content_filter content_filtered safety refusal recitation sensitive "
    "blocklist prohibited_content spii image_safety guardrail_intervened error_toxic",
    "tool_calls": "tool_calls tool_use function_call",
    # The server broke it off.
    "error": "error insufficient_system_resource abort aborted cancelled canceled timeout "
    "network_error internal_error server_error error_limit function_call_filter "
    "malformed_function_call",
}
_MEANS = {word: reason for reason, words in _WORDS.items() for word in words.split()}


def finish_reason(choice: dict[str, Any]) -> FinishReason | None:
    """None as long as there is none."""
    said = choice.get("finish_reason")
    if not isinstance(said, str) or (word := said.partition(":")[0].strip().lower()) in _NONE:
        return None
    return _MEANS.get(word, "stop")
