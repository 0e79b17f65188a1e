// A claim's words in their answer, without losing one's place: the passage stands in the margin
// between fused answer and map, over the map where there is no margin, on a phone as a sheet from
// below. Nothing else moves for it, and Back, here or the browser's, leads back.

import { reachWideThings } from "console/run/columns";
import { find, lit, show } from "console/run/evidence";

const main = document.getElementById("run");
const pane = document.getElementById("passage");
const body = pane.querySelector(".passage-body");
const QUOTES = "#analysis a.quote[data-find]";

let opener = null; // what was pressed, to come back to

const isOpen = () => !pane.hidden;

// ---- what is shown ----

function fill(seat, { claim, found, words, range }) {
  const article = document.getElementById(`seat-${seat}`);
  pane.dataset.seat = seat;
  pane.querySelector(".chip").textContent = article.querySelector(".chip").textContent;
  pane.querySelector("h2").textContent = article.querySelector("h2").textContent.replace(/^.+?: /, "");
  pane.querySelector(".passage-of").textContent = claim;
  pane.querySelector(".passage-found").textContent = found;
  // What the page shows already, once more: nothing is made of text here.
  const text = article.querySelector("[data-text]");
  body.replaceChildren(text.cloneNode(true));
  body.firstChild.removeAttribute("data-text");
  pane.hidden = false;
  const place = words ? find(body, words) : range?.(body);
  if (words && !place) pane.querySelector(".passage-found").textContent = "It stands in an earlier answer of this seat.";
  body.scrollTop = 0;
  if (place) {
    if (words) show(place);
    body.scrollTop = place.getBoundingClientRect().top - body.getBoundingClientRect().top - body.clientHeight / 3;
  }
  reachWideThings();
}

function light(link) {
  for (const row of main.querySelectorAll("#analysis .is-lit")) row.classList.remove("is-lit");
  link?.closest("tr, .injections")?.classList.add("is-lit");
}

function openQuote(link) {
  const row = link.closest("tr, .injections");
  const stance = link.closest(".stances > li")?.querySelector("div")?.firstChild?.textContent.trim();
  const claim = row.querySelector("summary")?.firstChild?.textContent.trim() ?? "";
  fill(link.hash.slice(6), {
    claim: stance ? `${claim}: ${stance}` : claim,
    found: "✓ its words, found",
    words: link.dataset.find,
  });
  light(link);
  lit(link);
}

// ---- a mark in the fused answer: the quote, or else the paragraph, nearest to its sentence ----

const WORD = /[\p{L}\p{N}]{3,}/gu;
const wordsOf = (text) => new Set(text.toLowerCase().match(WORD) ?? []);
const common = (words, text) => [...wordsOf(text)].filter((word) => words.has(word)).length;

function sentenceBefore(source) {
  const block = source.closest("p, li, td, th, h1, h2, h3, h4, h5, h6, blockquote") ?? source.parentElement;
  const range = new Range();
  range.setStart(block, 0);
  range.setEndBefore(source);
  const sentences = range.toString().split(/(?<=[.!?。！？])\s+/u);
  return sentences.findLast((sentence) => wordsOf(sentence).size) ?? "";
}

// Two words in common are chance.
function nearest(words, elements) {
  const ranked = Array.from(elements, (element) => [common(words, element.textContent), element]);
  return ranked.reduce((best, one) => (one[0] > best[0] ? one : best), [2, null])[1];
}

function openSource(source) {
  const { seat } = source.dataset;
  const sentence = sentenceBefore(source);
  const words = wordsOf(sentence);
  const link = nearest(words, main.querySelectorAll(`${QUOTES}[href="#seat-${seat}"]`));
  if (link) {
    openQuote(link);
    return;
  }
  light(null);
  fill(seat, {
    claim: sentence,
    found: "Not linked to a quote: the paragraph that has most words in common stands first.",
    range: (root) => nearest(words, root.querySelectorAll("p, li, td, pre")),
  });
}

// ---- opened, and back ----

function enter(from, fillPane) {
  const already = isOpen();
  if (!already) opener = from;
  fillPane(from);
  if (already) history.replaceState({ passage: true }, "");
  else history.pushState({ passage: true }, "");
  pane.focus({ preventScroll: true });
}

function close() {
  if (!isOpen()) return;
  pane.hidden = true;
  body.replaceChildren();
  light(null);
  lit(null);
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

export function closePassage() {
  if (!isOpen()) return false;
  if (history.state?.passage) history.back();
  else close();
  return true;
}
addEventListener("popstate", ({ state }) => {
  if (!state?.passage) close();
});
// After a reload there is no passage, and no way back to one.
if (history.state?.passage) history.replaceState(null, "");

// The first quote of the next claim, or of the one before.
export function stepClaim(step) {
  const rows = [...main.querySelectorAll("#analysis .map tr:has(a.quote[data-find])")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.matches(".is-lit"));
  const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : (at + step + rows.length) % rows.length;
  enter(rows[to].querySelector("a.quote[data-find]"), openQuote);
}

main.addEventListener("click", (event) => {
  // Those of earlier fusions stand far below: they lead to the column, as without this.
  const link = event.target.closest(".outcome a.quote[data-find]");
  const source = event.target.closest(".fused .source[data-seat]");
  if (link) {
    event.preventDefault();
    enter(link, openQuote);
  } else if (source) enter(source, openSource);
  if (event.target.closest("[data-passage-back]")) closePassage();
  if (event.target.closest("[data-passage-next]")) stepClaim(1);
});

main.addEventListener("keydown", (event) => {
  const source = event.key === "Enter" && event.target.closest?.(".fused .source[data-seat]");
  if (source) enter(source, openSource);
});
