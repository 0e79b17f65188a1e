"""Web pages that a server says an answer rests on: how they come, and what is no link."""

import json

import pytest

from tests.upstream import Script

ONE, TWO = "https://a.example/1", "http://b.example/2?q=a%20b#top"


def event(delta, **more):
    return b"data: " + json.dumps({"choices": [{"delta": delta}], **more}).encode() + b"\n\n"


END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


def note(url, title="", **more):
    return {"type": "url_citation", "url_citation": {"url": url, "title": title, **more}}


def cited(got):
    return [(c["url"], c["title"]) for c in got.finish.citations]


async def test_a_list_that_is_repeated_with_every_chunk_counts_once(ask):
    got = await ask(Script(text="Rain is wet [1][2].", chunk={"citations": [ONE, TWO]}))
    assert got.text == "Rain is wet [1][2]."
    assert cited(got) == [(ONE, ""), (TWO, "")]


async def test_annotations_come_with_the_text_or_after_it(ask):
    nested = event({"content": "Wet.", "annotations": [note(ONE, "One", start_index=0)]})
    flat = event({"annotations": [{"type": "url_citation", "url": TWO, "title": "Two\nlines"}]})
    got = await ask(Script(raw=[nested + flat + END]))
    assert cited(got) == [(ONE, "One"), (TWO, "Two lines")]


async def test_a_title_that_comes_later_belongs_to_its_address(ask):
    first = event({"content": "Wet."}, citations=[ONE, TWO])
    got = await ask(Script(raw=[first + event({"annotations": [note(TWO, "Two")]}) + END]))
    assert cited(got) == [(ONE, ""), (TWO, "Two")]


async def test_an_answer_in_one_document_has_them_too(ask):
    message = {"content": "Wet.", "annotations": [note(ONE, "One")]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
    got = await ask(Script(body=body))
    assert cited(got) == [(ONE, "One")]


async def test_perplexity_names_titles_beside_its_list(ask):
    results = [{"url": TWO, "title": "Two"}, {"url": ONE, "title": "One", "date": "2026"}]
    chunk = {"citations": [ONE, TWO], "search_results": results}
    got = await ask(Script(text="Rain is wet [1][2].", chunk=chunk))
    assert cited(got) == [(ONE, "One"), (TWO, "Two")]


@pytest.mark.parametrize("place", ["chunk", "choice"])
async def test_google_says_what_an_answer_is_grounded_on(ask, place):
    chunks = [{"web": {"uri": ONE, "title": "One"}}, {"retrievedContext": {}}, {"web": None}, 3]
    grounds = {"groundingMetadata": {"groundingChunks": chunks}}
    other = {"vertex_ai_grounding_metadata": [{"grounding_chunks": [{"web": {"uri": TWO}}]}]}
    more = grounds | other
    said = {"delta": {"content": "Wet."}} | (more if place == "choice" else {})
    body = {"choices": [said]} | (more if place == "chunk" else {})
    got = await ask(Script(raw=[b"data: " + json.dumps(body).encode() + b"\n\n" + END]))
    assert cited(got) == [(ONE, "One"), (TWO, "")]


@pytest.mark.parametrize(
    "said",
    [
        "https://a.example",
        {"url": ONE},
        [None, 3, True, ["https://a.example"], {"url": 3}, {"url_citation": "x"}, {}],
        ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.example", "/a", ""],
        ["https://", "https://[::1", "https://a b.example", "https://a.example/\n", "https://\0"],
        ["https://good.example@evil.example/", "https://evil.example\\@good.example/"],
        ["https://a.example/\ud800", "https://a.example/\u202egnp.exe"],
        ["https://a.example/" + "x" * 2000],
        ["https://a.example/?key=sk-or-0123456789abcdef"],
    ],
)
async def test_what_is_no_plain_web_address_is_no_source(ask, said):
    got = await ask(Script(chunk={"citations": said}))
    assert cited(got) == [] and got.finish.finish_reason == "stop"


async def test_of_very_many_sources_and_long_titles_the_beginning_is_kept(ask):
    many = [{"url": f"https://a.example/{n}", "title": "t" * 999} for n in range(500)]
    got = await ask(Script(text="x", chunk={"citations": many}))
    assert len(got.finish.citations) == 100
    assert {len(c["title"]) for c in got.finish.citations} == {200}


async def test_a_title_that_quotes_a_key_is_not_shown(ask):
    said = [{"url": ONE, "title": "Bearer sk-or-0123456789abcdef"}, {"url": TWO, "title": 7}]
    got = await ask(Script(chunk={"citations": said}))
    assert cited(got) == [(ONE, ""), (TWO, "")]


async def test_pages_of_a_list_keep_the_numbers_that_the_text_has_for_them(ask):
    cited = ["javascript:pwned()", ONE, ONE, TWO]
    got = await ask(Script(text="Wet [2][4].", chunk={"citations": cited}))
    assert [c.get("number") for c in got.finish.citations] == ["2", "4"]
