"""How long an answer may be, in the words of those who refused a longer one."""

from __future__ import annotations

import pytest

from console.providers.wire.output_limits import longest_output, what_is_left


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("max_tokens is too large: 8000. This model supports at most 4096 completion tokens, "
         "whereas "
         "you provided 8000.", 4096),
        ("Invalid 'max_tokens': integer above maximum value. Expected a value <= 4,096, but got "
         "8000 instead.", 4096),
        ("max_tokens: 8000 > 4096, which is the maximum allowed number of output tokens for claude",
         4096),
        ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, "
         "4096]", 4096),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 4096]", 4096),
        ("`max_tokens` must be less than or equal to `4096`, the maximum value for `max_tokens` is "
         "less than the `context_window` for this model", 4096),
        ("Unable to submit request because it has a maxOutputTokens value of 8000 but the "
         "supported "
         "range is from 1 (inclusive) to 4097 (exclusive).", 4096),
        ("too many tokens: max tokens must be less than or equal to 4096, the maximum output for "
         "this "
         "model - received 8000.", 4096),
        ("The maximum tokens you requested exceeds the model limit of 4096. Try again with a "
         "maximum "
         "tokens value that is lower than 4096.", 4096),
        ("max_tokens must be between 1 and 4096", 4096),
        ("max_tokens cannot be greater than 4096", 4096),
        ("body.max_tokens: Input should be less than or equal to 4096", 4096),
        ("max_completion_tokens 8000 is over the 4096 that kite-2 has", 4096),
        ("max_tokens 8000 is too many: the maximum output length is 4096 tokens.", 4096),
        ("max_tokens=8000 cannot be greater than max_model_len=4096", 4096),
        ("max_tokens must be less than 4097", 4096),
        ("max_tokens should be less or equal than 4096", 4096),
        ("max_tokens is limited to 4096 for this model", 4096),
        ("This model only supports 4096 output tokens", 4096),
        ("max_tokens must be in [1..4096]", 4096),
        ("max_tokens 8000 > 4096", 4096),
        ("Requested 8000 output tokens, but this model can only produce 4096", 4096),
        ("This model generates at most 4096 tokens.", 4096),
        ("output tokens requested: 8000, max: 4096", 4096),
        ("max_tokens is too large", None),
        ("max_tokens must be at least 1, got -3467.", None),
        ("max_tokens must be an integer, not 4096.5", None),
        ("max_tokens 8000 is refused by rule 12", None),
        ("The prompt is too long: 4096 tokens are the maximum.", None),
        ("max_tokens must be at most 9000", None),
    ],
)  # fmt: skip
def test_what_a_model_writes_at_most(message: str, limit: int | None) -> None:
    assert longest_output(message, 8000) == limit


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Prompt (5000 tokens) plus max_tokens (8000) exceeds the window of 8192 tokens", 3192),
        ("5000 prompt tokens + 8000 max_tokens > 8192 context length", 3192),
        ("The total number of tokens (13000) exceeds the context length (8192)", 3192),
        ("maximum context length is 8192 tokens, but 13000 tokens were requested (5000 prompt "
         "tokens, 8000 completion tokens)", 3192),
        ("input tokens (5000) + max_tokens (8000) must be <= 8192", 3192),
        ("Requested tokens (13000) exceed context window of 8192", 3192),
        ("prompt_tokens=5000 max_tokens=8000 context_window=8192: does not fit", 3192),
        ("The prompt has 9000 tokens, the context window 8192", None),
        ("The prompt has 300 tokens of 8192", None),
        ("This model's maximum context length is 8192 tokens. However, you requested 13000 tokens "
         "(5000 in the messages, 8000 in the completion). Please reduce the length.", 3192),
        ("This model's maximum context length is 8191 tokens, however you requested 13000 tokens "
         "(5000 in your prompt; 8000 for the completion).", 3191),
        ("input length and `max_tokens` exceed context limit: 188240 + 8000 > 192000, decrease "
         "input "
         "length or `max_tokens` and try again", 3760),
        ("'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum context "
         "length is 8192 tokens and your request has 1000 input tokens (8000 > 8192 - "
         "1000).", 7192),
        ("This endpoint's maximum context length is 32,768 tokens. However, you requested about "
         "40000 "
         "tokens (25000 of text input, 1000 of tool input, 8000 in the output).", 6768),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3000 `inputs` tokens and 8000 "
         "`max_new_tokens`", 1096),
        ("Requested token count exceeds the model's maximum context length of 32768 tokens. You "
         "requested a total of 34000 tokens: 26000 tokens from the input messages and 8000 tokens "
         "for "
         "the completion.", 6768),
        ("You passed 1000 input tokens and requested 8000 output tokens. However, the model's "
         "context "
         "length is only 8192 tokens.", 7192),
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
         7192),
        ("This model's maximum context length is 8192 tokens. However, your messages resulted in "
         "9000 "
         "tokens.", None),
        ("input length and `max_tokens` exceed context limit: 191900 + 8000 > 192000", None),
        ("input length and `max_tokens` exceed context limit: 193000 + 8000 > 192000", None),
        ("You passed 202753 input tokens and requested 0 output tokens. However, the model's "
         "context "
         "length is only 202752 tokens.", None),
        ("max_tokens is too large: 8000. This model supports at most 4096 completion "
         "tokens.", None),
    ],
)  # fmt: skip
def test_what_is_left_of_a_window(message: str, left: int | None) -> None:
    assert what_is_left(message, 8000) == left
