"""In which words servers refuse, and what they mean by it.

Statuses differ from vendor to vendor, and many say 400 for everything, so a refusal is
told by the codes of its error and by its sentence. An entry is one server's, with where
it can be read; many write OpenAI's. The first that fits decides: what is certain comes
before what is usual. Only refusals are looked up here, never an answer or a prompt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from console.engine.errors import Reason

from .error_body import ErrorBody

ANY = range(200, 600)  # an error within an answer of 200 has no status of its own
REFUSED = range(400, 500)


@dataclass(frozen=True)
class Wording:
    """`codes`: one of them is among the error's; `says`: a pattern of its sentence. Where both
    are given, both must fit. `but` is what it must not say."""

    reason: Reason
    server: str
    source: str
    codes: str = ""  # separated by spaces
    says: str = ""
    but: str = ""
    statuses: range = REFUSED
    rates: bool = False  # of a limit on requests or tokens a minute, which passes


GROQ = "https://console.groq.com/docs/errors"
OPENAI = "https://platform.openai.com/docs/guides/error-codes"
AZURE = "https://learn.microsoft.com/azure/ai-services/openai/how-to/quota"
ANTHROPIC = "https://docs.anthropic.com/en/api/errors"
GOOGLE = "https://ai.google.dev/gemini-api/docs/troubleshooting"
BEDROCK = (
    "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html"
)
XAI = "https://github.com/continuedev/continue/issues/10373"
DEEPSEEK = "https://api-docs.deepseek.com/quick_start/error_codes"
MOONSHOT = "https://platform.moonshot.ai/docs/api/chat#error-description"
DASHSCOPE = "https://www.alibabacloud.com/help/en/model-studio/error-code"
ZHIPU = "https://docs.bigmodel.cn/cn/api/api-code"
COHERE = "https://docs.cohere.com/reference/errors"
TOGETHER = "https://docs.together.ai/docs/error-codes"
FIREWORKS = "https://docs.fireworks.ai/guides/inference-error-codes"
SILICONFLOW = "https://docs.siliconflow.com/en/faqs/error-code"
OPENROUTER = "https://openrouter.ai/docs/api-reference/errors"
MISTRAL = "https://docs.mistral.ai/api/"
OLLAMA = "https://docs.ollama.com/api/errors"
LLAMA_CPP = "https://github.com/ggml-org/llama.cpp/pull/15780"
VLLM = "https://github.com/vllm-project/vllm/issues/20409"
TGI = "https://huggingface.co/docs/text-generation-inference/basic_tutorials/using_cli"
SGLANG = "https://docs.sglang.ai/"
LM_STUDIO = "https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues"

CREDITS, KEY, MODEL = Reason.INSUFFICIENT_CREDITS, Reason.UNAUTHORIZED, Reason.INVALID_MODEL
LENGTH, FILTER, LIMITED = Reason.CONTEXT_LENGTH, Reason.CONTENT_FILTER, Reason.RATE_LIMITED
# Within one sentence: a dot in the name of a model ends none.
S = r"(?:[^.\n]|\.(?=\w)){0,200}"
OF_A_FIELD = r"parameter|argument|field|option|function|\btools?\b"
PER_TIME = r"per (?:min|hour|day|second|month)|\b[RT]P[MDS]\b|rate.?limit"

# fmt: off
WORDINGS: tuple[Wording, ...] = (
    # What stays the same however often one asks: no money
    Wording(CREDITS, "OpenAI", OPENAI, "insufficient_quota billing_hard_limit_reached "
            "billing_not_active access_terminated_billing", statuses=ANY),
    Wording(CREDITS, "OpenRouter", OPENROUTER, "payment_required "
            "insufficient_credits", statuses=ANY),
    Wording(CREDITS, "OpenRouter", OPENROUTER, says=r"insufficient credits|requires more credits"),
    Wording(CREDITS, "Anthropic", ANTHROPIC, "billing_error enforced_spend_limit_reached",
            statuses=ANY),
    Wording(CREDITS, "LiteLLM, Cline", "https://docs.litellm.ai/docs/proxy/users",
            "budget_exceeded spend_limit_exceeded credit_limit_exceeded", statuses=ANY),
    Wording(CREDITS, "Anthropic", ANTHROPIC, says=r"credit balance is too low|"
            r"reached your specified (?:api )?usage limits"),
    Wording(CREDITS, "Google", GOOGLE, says=r"(?:prepay\w*|prepaid) (?:credits?|balance|funds) "
            r"(?:are|is|has been|have been) depleted|requires billing to be enabled|"
            r"billing (?:account|is) (?:for the project |of the project )?(?:is )?(?:disabled|not "
            r"active)"),
    Wording(CREDITS, "xAI", XAI, says=r"used all available credits|run out of credits|"
            r"reached (?:its|your|the) monthly spending limit"),
    Wording(CREDITS, "Moonshot", MOONSHOT, "exceeded_current_quota_error", statuses=ANY),
    Wording(CREDITS, "DashScope", DASHSCOPE, "arrearage "
            "allocationquota.freetieronly", statuses=ANY),
    Wording(CREDITS, "DashScope", DASHSCOPE, says=r"account is in good standing|"
            r"free (?:tier|quota) of the model has been exhausted"),
    Wording(CREDITS, "Zhipu", ZHIPU, "1113 1309", statuses=ANY),
    Wording(CREDITS, "Zhipu", ZHIPU, says=r"余额不足|已欠费|欠费|无可用资源包"),
    Wording(CREDITS, "SiliconFlow", SILICONFLOW, "30001 30011 insufficient_balance", statuses=ANY),
    Wording(CREDITS, "Fireworks", FIREWORKS, says=r"(?:suspended|disabled|blocked)[^.]*"
            r"(?:spending limit|unpaid|past invoices|billing)"),
    Wording(CREDITS, "Together", TOGETHER, "credit_limit", statuses=ANY),
    Wording(CREDITS, "Cohere", COHERE, says=r"trial key[^.]*limited to \d+ api calls / month"),
    Wording(CREDITS, "Bedrock", BEDROCK,
            says=r"invalid_payment_instrument|valid payment instrument"),
    Wording(CREDITS, "DeepSeek", DEEPSEEK, says=r"insufficient[ _](?:account[ _])?"
            r"(?:balance|credits?|funds|quota)|(?:balance|credits?|funds?)[^.]{0,30} (?:is|are) "
            r"(?:insufficient|exhausted|depleted|used up|not enough|too low|negative)|"
            r"(?:run|ran) out of (?:credits?|funds|balance|money)|out of (?:credits?|funds)\b|"
            r"no (?:credits?|funds|balance|money) (?:left|remaining|available)|"
            r"not enough (?:credits?|funds|balance|money)|exceeded (?:its|your|the) (?:monthly )?"
            r"(?:budget|spend(?:ing)? (?:limit|cap))|(?:add|purchase|buy) (?:more )?(?:credits|"
            r"funds)|"
            r"(?:hard|monthly|spend(?:ing)?|credit) (?:spend(?:ing)? )?limit (?:has been |was |is "
            r")?"
            r"(?:reached|exceeded)|top up (?:your|the) (?:account|balance)|payment (?:is "
            r")?required",
            but=PER_TIME),
    # The same words for what passes in a minute (with a code, a time to come back) and for what
    # does not: without either they are meant as OpenAI means them.
    Wording(LIMITED, "Google", GOOGLE, "resource_exhausted", statuses=ANY, rates=True),
    Wording(CREDITS, "OpenAI", OPENAI, says=r"exceeded your current quota|"
            r"check your (?:plan and )?billing details"),
    # A key that is refused again whatever is asked
    Wording(KEY, "OpenAI", OPENAI, "invalid_api_key incorrect_api_key invalid_authentication "
            "account_deactivated authentication_error invalid_authentication_error "
            "incorrect_api_key_error missing_api_key invalidapikey", statuses=ANY),
    Wording(KEY, "Google", GOOGLE, "api_key_invalid api_key_expired unauthenticated "
            "api_key_service_blocked", statuses=ANY),
    Wording(KEY, "Zhipu", ZHIPU, "1000 1001 1002 1003 1004", statuses=ANY),
    Wording(KEY, "Bedrock", BEDROCK, "unrecognizedclientexception expiredtokenexception "
            "invalidsignatureexception missingauthenticationtokenexception "
            "incompletesignatureexception", statuses=ANY),
    Wording(KEY, "Google", GOOGLE, says=r"api[- ]?key (?:is |was )?(?:not valid|invalid|expired|"
            r"missing|not found|revoked|disabled|incorrect)|api[- ]?key (?:has )?(?:expired|been "
            r"(?:revoked|disabled|deleted))|(?:invalid|incorrect|wrong|missing|no|expired|unknown|"
            r"malformed|bad) (?:x-)?api[- _]?(?:key|token)|reported as leaked|unregistered callers|"
            r"(?:invalid|incorrect|expired|missing|bad) (?:authorization|authentication|bearer|"
            r"access) "
            r"(?:token|credentials?|header|key)|invalid (?:credentials|subscription key|x-api-key)|"
            r"authentication (?:fail(?:s|ed)|error|required)|security token included in the "
            r"request is "
            r"(?:invalid|expired)|token (?:is )?expired|could not be authenticated"),
    # Refused for what it says
    Wording(FILTER, "OpenAI", OPENAI, "content_policy_violation content_filter content_filtered "
            "invalid_prompt responsibleaipolicyviolation moderation_blocked", statuses=ANY),
    Wording(FILTER, "DashScope", DASHSCOPE, "datainspectionfailed data_inspection_failed "
            "datainspection", statuses=ANY),
    Wording(FILTER, "Zhipu", ZHIPU, "1301", statuses=ANY),
    Wording(FILTER, "Azure", "https://learn.microsoft.com/azure/ai-services/openai/concepts/"
            "content-filter", says=r"content (?:management|filter\w*|moderation) polic|"
            r"triggering [^.]*content (?:management|filter)"),
    Wording(FILTER, "Anthropic", ANTHROPIC, says=r"blocked by (?:our |the |its )?"
            r"(?:content|safety|usage|moderation)[- ]?\w* ?(?:filter\w*|polic\w*|system)?"),
    Wording(FILTER, "DeepSeek", "https://github.com/deepseek-ai/DeepSeek-V3/issues",
            says=r"content exists? risk"),
    Wording(FILTER, "Moonshot", MOONSHOT, says=r"considered high risk"),
    Wording(FILTER, "OpenRouter", OPENROUTER, says=r"(?:input|prompt|request|message|content) "
            r"(?:was|has been|is|were) (?:flagged|moderated|blocked by)|"
            r"violat\w* (?:our |the |openai's )?(?:usage|content|safety|acceptable use) polic|"
            r"inappropriate content|sensitive (?:content|words)|敏感内容"),
    # A prompt that is longer than what may be read
    Wording(LENGTH, "OpenAI", OPENAI, "context_length_exceeded string_above_max_length "
            "context_length prompt_too_long "
            "context_too_long context_window_exceeded", statuses=ANY),
    Wording(LENGTH, "OpenAI, Groq", "https://github.com/cline/cline/issues/4971",
            says=rf"request too large for {S} (?:on|per) {S}(?:token|TPM)|"
            r"tokens? must be reduced in order to run"),
    Wording(LENGTH, "llama.cpp", LLAMA_CPP, "exceed_context_size_error", statuses=ANY),
    Wording(LENGTH, "GitHub Models", "https://docs.github.com/github-models",
            "tokens_limit_reached",
            statuses=ANY),
    Wording(LENGTH, "Anthropic", ANTHROPIC, "request_too_large", statuses=ANY),
    Wording(LENGTH, "Zhipu", ZHIPU, "1261", statuses=ANY),
    Wording(LENGTH, "Zhipu", ZHIPU, says=r"prompt ?超长|超长|超出[^。]*(?:长度|上下文)"),
    Wording(LENGTH, "OpenAI, vLLM, DeepSeek, OpenRouter", VLLM,
            says=r"maximum context length (?:is|of) "
            r"(?:only )?\d|context length is (?:only )?\d+ tokens|exceeds? (?:the |this |its )?"
            r"(?:model'?s? )?(?:maximum |max |available )?context|longer than the (?:maximum "
            r"model length|"
            r"model'?s context)|max_tokens must be at least 1, got -\d", statuses=ANY),
    Wording(LENGTH, "Anthropic", "https://github.com/anthropics/claude-code/issues/228",
            says=r"(?:prompt|input|request|message|conversation)s? (?:is|are|was|were) too "
            r"(?:long|large)\b|"
            r"exceeds? context limit|prompt too long"),
    Wording(LENGTH, "Google", "https://github.com/google-gemini/gemini-cli/issues/6678",
            says=r"(?:input|prompt) token count \S* ?(?:of \d+ )?exceed|(?:input|prompt|"
            r"request)[^.]{0,40} "
            r"exceeds? (?:the )?(?:maximum|max|limit|model)[^.]*tokens?"),
    Wording(LENGTH, "xAI", "https://docs.x.ai",
            says=r"maximum (?:prompt|input|request) length (?:is|of) \d"),
    Wording(LENGTH, "Groq", GROQ,
            says=r"reduce the length of (?:the |your )?(?:messages|prompt|input)|"
            r"reduce (?:your )?message size"),
    Wording(LENGTH, "Mistral", "https://github.com/continuedev/continue/issues",
            says=r"prompt contains "
            r"\d+ tokens[^.]*too large|too large for model with \d+ maximum context"),
    Wording(LENGTH, "Moonshot", "https://github.com/MoonshotAI/kimi-cli/issues/2011",
            says=r"exceeded model token limit|token limit exceeded|exceeds? (?:the )?(?:model )?"
            r"token limit", but=PER_TIME),
    Wording(LENGTH, "DashScope", DASHSCOPE, says=r"range of input length should be"),
    Wording(LENGTH, "Cohere", COHERE, says=r"too many tokens: (?:total|the|size)[^.]*(?:prompt|"
            r"tokens)", but=PER_TIME),
    Wording(LENGTH, "TGI, Together", TGI, says=r"`?inputs`? (?:must have less than|tokens \+ "
            r"`?max_new_tokens`? must be)"),
    Wording(LENGTH, "SGLang", SGLANG,
            says=r"token count exceeds the model|input \(\d+ tokens\) is longer"),
    Wording(LENGTH, "LM Studio", LM_STUDIO,
            says=r"greater than the context length|context the overflows|"
            r"context (?:size|length|window) has been exceeded", statuses=ANY),
    Wording(LENGTH, "Ollama, MiniMax", OLLAMA,
            says=r"(?:exceed|larger than|longer than|greater than|"
            r"over(?:flow)?s?)[^.]{0,40}context[ _](?:length|window|size|limit)|context[ "
            r"_](?:length|"
            r"window|size|limit)[^.]{0,40}(?:exceed|overflow|too (?:long|large|small))|"
            r"exceeded max context", but=PER_TIME, statuses=ANY),
    Wording(LENGTH, "any", OPENAI,
            says=r"(?:prompt|input)s?\b[^.]{0,40}(?:exceed|longer than|larger than)"
            r"[^.]{0,40}(?:limit|maximum|allowed)[^.]{0,20}\btokens?\b", but=PER_TIME),
    # A model that is not there, or no longer
    Wording(MODEL, "OpenAI", OPENAI, "model_not_found model_not_available model_deprecated "
            "unknown_model invalid_model_id unavailable_model modelnotfound model_does_not_exist",
            statuses=ANY),
    Wording(MODEL, "Groq", GROQ, "model_decommissioned", statuses=ANY),
    Wording(MODEL, "Azure", AZURE, "deploymentnotfound modeldeprecated "
            "model_retired", statuses=ANY),
    Wording(MODEL, "Mistral", MISTRAL, "invalid_model 1500", statuses=ANY),
    Wording(MODEL, "Moonshot", MOONSHOT, "resource_not_found_error", says="model", statuses=ANY),
    Wording(MODEL, "SiliconFlow", SILICONFLOW, "20012", statuses=ANY),
    Wording(MODEL, "Zhipu", ZHIPU, "1211 1221 1222", statuses=ANY),
    Wording(MODEL, "Zhipu", ZHIPU, says=r"模型不存在|模型已下线"),
    Wording(MODEL, "Groq, OpenAI, Google, Bedrock, Cohere",
            "https://console.groq.com/docs/deprecations",
            says=rf"\bmodels?\b{S}(?:decommissioned|deprecated|retired|discontinued|sunset|"
            r"end[- ]of[- ](?:its )?life|no longer (?:available|supported|offered|served|exists?)|"
            r"(?:was|has been|been) removed|marked by provider as legacy|shut ?down)|"
            r"(?:retired|decommissioned|deprecated|discontinued) model", but=OF_A_FIELD),
    Wording(MODEL, "OpenAI, vLLM, Ollama, DeepSeek, Fireworks", OPENAI,
            says=rf"\bmodels?\b{S}(?:does ?n[o']t exist|do not exist|not exist|not found|"
            r"not a valid|is unknown|could not be found|not available to you|is not available in)|"
            r"not a valid model|unable to access model|no such model|model identifier is invalid|"
            r"not found the model|(?:unknown|invalid|unrecognized|unsupported) model\b",
            but=OF_A_FIELD),
    Wording(MODEL, "OpenRouter", OPENROUTER, says=r"no endpoints found (?:for|that support)|"
            r"no (?:allowed )?providers are available"),
    Wording(MODEL, "Bedrock", BEDROCK, says=r"on-demand throughput isn.t supported|"
            r"have access to the model with the specified model id"),
    Wording(MODEL, "OpenAI", OPENAI, says=r"not a chat model|only supported in v1/responses"),
    Wording(FILTER, "OpenRouter", OPENROUTER, "refusal", statuses=ANY),
    # What passes: too many requests, too busy
    Wording(LIMITED, "OpenAI", OPENAI, "rate_limit_exceeded rate_limit_error "
            "rate_limit_reached_error "
            "rate_limited requests tokens_per_minute too_many_requests "
            "toomanyrequests", statuses=ANY,
            rates=True),
    Wording(LIMITED, "Bedrock", BEDROCK, "throttlingexception", statuses=ANY, rates=True),
    Wording(LIMITED, "DashScope", DASHSCOPE, "throttling throttling.ratequota "
            "throttling.allocationquota throttling.burstrate", statuses=ANY, rates=True),
    Wording(LIMITED, "Zhipu", ZHIPU, "1302 1303 1305 1308 1310 1313", statuses=ANY, rates=True),
    Wording(LIMITED, "Mistral, Groq, Cohere", MISTRAL, says=r"rate limit (?:is |was |has been )?"
            r"(?:exceeded|reached)|requests rate limit|too many requests|(?:being|is|are) "
            r"throttled|"
            r"exceeded (?:the |your )?(?:token |request )?rate limit|quota exceeded "
            r"for", rates=True),
    Wording(Reason.UPSTREAM_ERROR, "Anthropic, Moonshot", ANTHROPIC, "overloaded_error "
            "engine_overloaded_error engine_overloaded overloaded server_overloaded "
            "model_overloaded unavailable modelnotreadyexception slow_down 1312 3505 "
            "service_unavailable service_tier_capacity_exceeded", statuses=ANY, rates=True),
    Wording(Reason.UPSTREAM_ERROR, "Google, OpenAI, TGI", GOOGLE,
            says=r"(?:model|engine|server|service|"
            r"system) (?:is|are) (?:currently |temporarily )?(?:overloaded|at capacity|"
            r"experiencing high)|"
            r"^(?:overloaded|server (?:is )?busy)|service tier capacity exceeded", rates=True),
)
# fmt: on


def wording_of(status: int, error: ErrorBody) -> Wording | None:
    return next((w for w in WORDINGS if _fits(w, status, error)), None)


def _fits(wording: Wording, status: int, error: ErrorBody) -> bool:
    if status not in wording.statuses:
        return False
    if wording.codes and not error.codes.intersection(wording.codes.split()):
        return False
    if wording.says and not re.search(wording.says, error.message, re.IGNORECASE):
        return False
    return not (wording.but and re.search(wording.but, error.message, re.IGNORECASE))
