// Where the fused answer says a claim: the link shows the sentence and lights it, and Back, here or
// the browser's, leads to where one was.

import { showPart } from "console/run/looks";
import { keepLit, rangesOf } from "console/run/sentences";

const main = document.getElementById("run");
const fused = main.querySelector(".fused");
const NARROW = matchMedia("(width <= 62.5em)"); // there the page scrolls, not its parts

let before = null; // how far was scrolled, and what was pressed

function reveal([range]) {
  if (!range) return;
  const box = range.getBoundingClientRect();
  const top = NARROW.matches ? 0 : fused.getBoundingClientRect().top;
  const room = NARROW.matches ? innerHeight : fused.clientHeight;
  if (box.top >= top + room * 0.1 && box.bottom <= top + room) return; // it is seen already
  const by = box.top - top - room / 3;
  if (NARROW.matches) scrollBy({ top: by, behavior: "instant" });
  else fused.scrollTop += by;
}

function go(link) {
  const numbers = link.dataset.sentences.trim().split(" ").map(Number);
  before ??= { fused: fused.scrollTop, page: scrollY, part: main.dataset.part, link };
  if (history.state?.use) history.replaceState({ ...history.state, use: true }, "");
  else history.pushState({ ...history.state, use: true }, "");
  if (!fused.checkVisibility()) showPart("fused-answer"); // on a phone one part is shown at a time
  reveal(rangesOf(numbers));
  keepLit(numbers);
}

export function closeUse() {
  if (!history.state?.use) return false;
  history.back();
  return true;
}

main.addEventListener("click", (event) => {
  const link = event.target.closest("#analysis .use");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link);
});

addEventListener("popstate", ({ state }) => {
  if (state?.use || !before) return;
  const { fused: top, page, part, link } = before;
  before = null;
  keepLit([]);
  if (part && part !== main.dataset.part) showPart(part);
  fused.scrollTop = top;
  if (NARROW.matches) scrollTo({ top: page, behavior: "instant" });
  if (link.isConnected) link.focus({ preventScroll: true });
});
if (history.state?.use) history.replaceState(null, "");
