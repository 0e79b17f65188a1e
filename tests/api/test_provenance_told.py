"""What sentences rest on, in the run that programs read."""

from __future__ import annotations

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api
from .test_runs import ended, start


def test_a_finished_run_says_of_each_sentence_whose_it_is_and_which_claims_it_says(
    api: Api,
) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(text="Plain answer: forty-two sheep, and a dog."))
    run = ended(api, start(api)["id"])
    fusion = run["fusions"][0]
    assert fusion["provenance"], fusion
    for sentence in fusion["provenance"]:
        said = fusion["answer"][sentence["start"] : sentence["end"]]
        assert said.strip() == said != ""
        assert sentence["linked"] is bool(sentence["claims"])
