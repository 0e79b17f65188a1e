// Where a quote stands in its answer, and that it is lit there; marks in the fused answer can be
// hidden. Without this both can still be read.

import { inWords } from "console/run/card";
import { FoldedText } from "console/run/folded";
import { ACROSS, oneStop } from "console/stops";

const main = document.getElementById("run");
const KEPT = "fusion.sources";

// ---- a quote in its answer ----

export function find(root, raw) {
  const text = new FoldedText(root);
  const place = text.find(raw);
  return place && text.range(place);
}

export function show(range) {
  if (window.Highlight && CSS.highlights) {
    CSS.highlights.set("evidence", new Highlight(range));
  } else {
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
}

// Passing over a quote lights it where it stands; nothing moves. A click opens its passage.
let chosen = null;

// The quote whose passage is open stays lit there; null when there is none.
export function lit(link) {
  chosen = link;
  if (!link) window.CSS.highlights?.delete("evidence");
}

function light(link) {
  const answer = link === chosen ? document.querySelector(".passage-body") : document.querySelector(`${link.hash} .reading`);
  const range = answer && find(answer, link.dataset.find);
  if (range) show(range);
}

if (window.Highlight && CSS.highlights) {
  main.addEventListener("pointerover", ({ target }) => {
    const link = target.closest("a.quote[data-find]");
    if (link) light(link);
  });
  main.addEventListener("pointerout", ({ target }) => {
    if (!target.closest("a.quote[data-find]")) return;
    CSS.highlights.delete("evidence");
    if (chosen?.isConnected) light(chosen);
  });
}

main.addEventListener("click", (event) => {
  if (event.target.closest("[data-sources-toggle]")) toggle();
});

// ---- marks shown or hidden ----

function toggle() {
  const off = main.dataset.sources !== "off";
  main.dataset.sources = off ? "off" : "on";
  try {
    localStorage.setItem(KEPT, main.dataset.sources);
  } catch {
    // Not remembered where nothing may be stored.
  }
  dress();
}

// All marks of the fused answer are one stop.
const fused = main.querySelector(".fused");
const MARKS = ".source";
const seeToStops = oneStop(fused, ACROSS, MARKS);

// Parts of the page are replaced while a run goes on.
function dress() {
  const sources = main.querySelectorAll(".fused .source");
  const bare = fused.querySelectorAll(`${MARKS}:not([role])`);
  for (const source of bare) {
    const isOfSeat = "seat" in source.dataset;
    const says = source.textContent;
    source.setAttribute("role", isOfSeat ? "link" : "button");
    source.setAttribute("aria-label", isOfSeat ? `Answer ${says}` : `${says}: ${inWords(source)}`);
  }
  if (bare.length) seeToStops();
  for (const button of main.querySelectorAll("[data-sources-toggle]")) {
    const pressed = String(main.dataset.sources !== "off");
    if (button.hidden !== !sources.length) button.hidden = !sources.length;
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
  }
}

try {
  main.dataset.sources = localStorage.getItem(KEPT) ?? "on";
} catch {
  main.dataset.sources = "on";
}
new MutationObserver(dress).observe(fused, { childList: true, subtree: true });
dress();
