// *Ask about this*: words come into the box of the next question, quoted and with who said them,
// below whatever is written there already.

import { addressOf, partOf } from "console/run/parts";
import { closePassage, passageWords } from "console/run/passage";
import { showPart } from "console/run/looks";
import { offer, quotation } from "console/selected";

const main = document.getElementById("run");
const SHEET = matchMedia("(width <= 62.5em)"); // there an open passage covers the box

const box = () => document.getElementById("follow-prompt");

const canAsk = () => Boolean(box());

function askAbout({ who, words }) {
  if (SHEET.matches) closePassage(() => put(who, words));
  else put(who, words);
}

function put(who, words) {
  const field = box();
  if (!field) return;
  if (!field.checkVisibility()) showPart("fused-answer"); // on a phone one part is shown at a time
  const written = field.value.trimEnd().length;
  const added = `${written ? "\n\n" : ""}${quotation(who, words)}`;
  field.focus();
  field.setSelectionRange(written, field.value.length);
  // As if it had been typed, so that it can be undone.
  if (!document.execCommand("insertText", false, added)) {
    field.setRangeText(added, field.selectionStart, field.value.length, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.scrollTop = field.scrollHeight;
  field.scrollIntoView({ block: "nearest", behavior: "instant" });
}

main.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-passage-ask]");
  if (button) askAbout({ who: partOf(button).who, words: passageWords() });
});

offer({
  texts: ".seat-body, .fused-body, #analysis, .passage-body",
  rooms: ".seat-body, .fused, .aside, .passage-body",
  partOf,
  addressOf,
  askAbout,
  canAsk,
});
