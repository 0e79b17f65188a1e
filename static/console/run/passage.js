// A claim's words in their answer, without losing one's place: the passage stands in the margin
// between fused answer and map, over the map where there is no margin, on a phone as a sheet from
// below. Nothing else moves for it, and Back, here or the browser's, leads back.

import { describe, successorOf } from "console/focus";
import { claimFor, evidenceOf, leave } from "console/run/card";
import { reachWideThings } from "console/run/columns";
import { find, lit, show } from "console/run/evidence";
import { keepLit, sentenceOf, usesOf } from "console/run/sentences";

const main = document.getElementById("run");
const pane = document.getElementById("passage");
const FROM_BELOW = matchMedia("(width <= 62.5em)"); // as passage.css
const body = pane.querySelector(".passage-body");
const ask = pane.querySelector("[data-passage-ask]");

let opener = null; // what was pressed, to come back to, or to what came in its place
let spoken = ""; // the words that it was opened for
let afterwards = null; // what is done once it is closed

const isOpen = () => !pane.hidden;

// ---- what is shown ----

function fill(seat, { claim, found, against = [], words, range }) {
  const article = document.getElementById(`seat-${seat}`);
  pane.dataset.seat = seat;
  pane.querySelector(".chip").textContent = article.querySelector(".chip").textContent;
  pane.querySelector("h2").textContent = article.querySelector("h2").textContent.replace(/^.+?: /, "");
  pane.querySelector(".passage-of").textContent = claim;
  pane.querySelector(".passage-found").textContent = found;
  pane.querySelector(".passage-against").textContent = against.length ? `Says otherwise: ${against.join(" · ")}` : "";
  // What the page shows already, once more: nothing is made of text here.
  const text = article.querySelector("[data-text]");
  body.replaceChildren(text.cloneNode(true));
  body.firstChild.removeAttribute("data-text");
  pane.hidden = false;
  const place = words ? find(body, words) : range?.(body);
  if (words && !place) pane.querySelector(".passage-found").textContent = "It stands in an earlier answer of this seat.";
  spoken = place ? (place.textContent ?? place.toString()).trim() : claim;
  ask.hidden = !document.getElementById("follow-prompt");
  body.scrollTop = 0;
  if (place) {
    if (words) show(place);
    body.scrollTop = place.getBoundingClientRect().top - body.getBoundingClientRect().top - body.clientHeight / 3;
  }
  reachWideThings();
}

function light(row, numbers) {
  for (const other of main.querySelectorAll("#analysis .is-lit")) other.classList.remove("is-lit");
  row?.classList.add("is-lit");
  keepLit(numbers);
}

const ROWS = ".claim, .injections";
// A topic that is a question ends as one.
const withStance = (topic, stance) => (stance ? `${topic}${/[?!:.…]$/.test(topic) ? "" : ":"} ${stance}` : topic);
const about = (claim) => claim?.querySelector(".claim-says th").textContent.trim() ?? "";
const uses = (row) => (row?.matches(".claim") ? usesOf(row) : []);

function openQuote(link, numbers = null) {
  const row = link.closest(ROWS);
  const stance = link.closest(".stances > li")?.querySelector(".stance-text").textContent.trim();
  const seat = link.hash.slice(6);
  const claim = about(row.matches(".claim") ? row : null);
  fill(seat, {
    claim: withStance(claim, stance),
    found: "✓ its words, found",
    against: stance ? evidenceOf(row, seat).against : [],
    words: link.dataset.find,
  });
  light(row, numbers ?? uses(row));
  lit(link);
}

// ---- where there is no quote: the paragraph that has most words in common ----

const WORD = /[\p{L}\p{N}]{3,}/gu;
const wordsOf = (text) => new Set(text.toLowerCase().match(WORD) ?? []);
const common = (words, text) => [...wordsOf(text)].filter((word) => words.has(word)).length;

// Two words in common are chance.
function nearest(words, elements) {
  const ranked = Array.from(elements, (element) => [common(words, element.textContent), element]);
  return ranked.reduce((best, one) => (one[0] > best[0] ? one : best), [2, null])[1];
}

function openNearest(seat, row, { claim, found, against = [] }, numbers) {
  const words = wordsOf(claim);
  fill(seat, {
    claim,
    found: `${found} The paragraph that has most words in common stands first.`,
    against,
    range: (root) => nearest(words, root.querySelectorAll("p, li, td, pre")),
  });
  light(row, numbers);
  lit(null);
}

function blockBefore(source) {
  const block = source.closest("p, li, td, th, h1, h2, h3, h4, h5, h6, blockquote") ?? source.parentElement;
  const range = new Range();
  range.setStart(block, 0);
  range.setEndBefore(source);
  return range.toString();
}

// A mark opens the words that its seat has for the claim of its sentence.
function openSource(source) {
  const { seat } = source.dataset;
  const sentence = sentenceOf(source);
  const numbers = sentence ? [sentence.number] : [];
  const claim = claimFor(sentence, seat);
  const { quote, against, stance } = claim ? evidenceOf(claim, seat) : {};
  const link = quote?.querySelector("a.quote[data-find]");
  if (link) openQuote(link, numbers);
  else if (claim) {
    const found = quote ? "Its quote was not found." : "The judge gave no quote.";
    openNearest(seat, claim, { claim: withStance(about(claim), stance), found, against }, numbers);
  } else {
    const said = sentence?.text.replace(/[*_`]/g, "") ?? blockBefore(source);
    openNearest(seat, null, { claim: said, found: "Not linked to a claim." }, numbers);
  }
}

// A claim opens the first words that were found for it, else the answer of who says it.
function openClaim(row) {
  const link = row.querySelector("a.quote[data-find]");
  if (link) {
    openQuote(link);
    return;
  }
  const mark = row.querySelector('.mark:not([data-mark="silent"])');
  openNearest(mark.dataset.seat, row, { claim: about(row), found: "No quote of it was found." }, uses(row));
}

// ---- opened, and back ----

function enter(from, fillPane) {
  const already = isOpen();
  leave();
  if (!already) opener = describe(from);
  fillPane(from);
  if (already) history.replaceState({ passage: true }, "");
  else history.pushState({ passage: true }, "");
  pane.focus({ preventScroll: true });
  keepAbove(from);
}

// Where it rises from below, what was touched, a mark with its paragraph or a claim's row, stays in
// view above it; the browser's Back, which closes it, also leads back to where the page was.
function keepAbove(from) {
  if (!FROM_BELOW.matches) return;
  const hidden = from.getBoundingClientRect().bottom - pane.getBoundingClientRect().top;
  if (hidden <= 0) return;
  main.style.paddingBottom = `${pane.offsetHeight}px`; // below the last claim, too, there is room
  scrollBy({ top: hidden, behavior: "instant" });
}

function close() {
  if (!isOpen()) return;
  pane.hidden = true;
  main.style.paddingBottom = "";
  body.replaceChildren();
  light(null, []);
  lit(null);
  pane.dispatchEvent(new Event("left"));
  if (opener) successorOf(opener)?.focus({ preventScroll: true });
  // The browser leads back to where the page was first.
  if (afterwards) setTimeout(afterwards);
  afterwards = null;
}

export function closePassage(then = null) {
  if (!isOpen()) {
    then?.();
    return false;
  }
  afterwards = then;
  if (history.state?.passage) history.back();
  else close();
  return true;
}
addEventListener("popstate", ({ state }) => {
  if (!state?.passage) close();
});
// After a reload there is no passage, and no way back to one.
if (history.state?.passage) history.replaceState(null, "");

export const passageIsOpen = isOpen;
export const passageWords = () => spoken;

// Of a claim that somebody said; what nobody said has no passage.
export function enterClaim(row) {
  const isSaid = row.querySelector('a.quote[data-find], .mark:not([data-mark="silent"])');
  if (isSaid) enter(row.querySelector(".claim-says"), () => openClaim(row));
  return Boolean(isSaid);
}

main.addEventListener("click", (event) => {
  // Those of earlier fusions stand far below: they lead to the column, as without this.
  const link = event.target.closest(".outcome a.quote[data-find]");
  const source = event.target.closest(".fused .source[data-seat]");
  if (link) {
    event.preventDefault();
    enter(link, () => openQuote(link));
  } else if (source) enter(source, openSource);
  if (event.target.closest("[data-passage-back]")) closePassage();
});

main.addEventListener("keydown", (event) => {
  const source = event.key === "Enter" && event.target.closest?.(".fused .source[data-seat]");
  if (source) enter(source, openSource);
});
