"""What to paste into a shell to try a new token.

The token stands in one line that sets a variable; the requests name the variable, so that it is
in no list of processes and in no script somebody keeps of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..models.tokens import Scope


@dataclass(frozen=True)
class Snippet:
    name: str
    text: str


_KEY = "export FUSION_TOKEN={token}"
_ASK = """\
curl {base_url}/chat/completions \\
  -H "Authorization: Bearer $FUSION_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "fusion",
       "messages": [{{"role": "user", "content": "Name one prime number."}}]}}'"""
_LOOK = """\
curl {base_url}/{path} -H "Authorization: Bearer $FUSION_TOKEN\""""
_PYTHON = """\
# After pip install openai, and with FUSION_TOKEN set as for curl.
import os
from openai import OpenAI

client = OpenAI(
    base_url="{base_url}", api_key=os.environ["FUSION_TOKEN"], timeout=900
)
answer = client.chat.completions.create(
    model="fusion", messages=[{{"role": "user", "content": "Name one prime number."}}]
)
print(answer.choices[0].message.content)"""
# What a token may only look at, the first that it may.
_LOOKS = {Scope.READ: "runs", Scope.MODELS: "models"}


def snippets(*, base_url: str, token: str, scopes: Iterable[str]) -> list[Snippet]:
    """By what the token may do: a request that it would be refused is none to try it with."""
    key, scopes = _KEY.format(token=token), set(scopes)
    if Scope.RUN in scopes:
        return [
            Snippet("curl", f"{key}\n{_ASK.format(base_url=base_url)}"),
            Snippet("Python", _PYTHON.format(base_url=base_url)),
        ]
    path = next(path for scope, path in _LOOKS.items() if scope in scopes)
    return [Snippet("curl", f"{key}\n{_LOOK.format(base_url=base_url, path=path)}")]
