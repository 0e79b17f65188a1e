// What the rulings that are set will do to the fused answer, before they are paid for: which of its
// sentences fall away and which are written anew, as far as they are linked to claims.

import { rangesOf, usesOf } from "console/run/sentences";

const many = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// Of each claim that is ruled on so that something must change: [claim, whether it is ruled out].
function changing(form) {
  const found = [];
  for (const field of form.elements) {
    const name = /^verdict-(.+)$/.exec(field.name)?.[1];
    // One that was set when the page came is in the text already.
    if (!name || !field.checked || field.defaultChecked || field.value === "right" || !field.value) continue;
    const claim = field.closest(".claim");
    if (claim) found.push([claim, field.value === "wrong" || field.value === "none"]);
  }
  return found;
}

function light(name, numbers) {
  if (!window.Highlight || !CSS.highlights) return;
  if (numbers.length) CSS.highlights.set(name, new Highlight(...rangesOf(numbers)));
  else CSS.highlights.delete(name);
}

export function showEffect(form) {
  const falls = new Set();
  const anew = new Set();
  let unlinked = 0;
  for (const [claim, isOut] of changing(form)) {
    const sentences = usesOf(claim);
    if (!sentences.length) unlinked += 1;
    for (const number of sentences) (isOut ? falls : anew).add(number);
  }
  const rewritten = [...anew].filter((number) => !falls.has(number));
  light("falls", [...falls]);
  light("anew", rewritten);
  const said = [
    falls.size && `${many(falls.size, "sentence")} ${falls.size === 1 ? "falls" : "fall"} away`,
    rewritten.length && `${many(rewritten.length, "sentence")} will be written anew`,
    unlinked && `${many(unlinked, "ruling")} not linked to a sentence`,
  ].filter(Boolean);
  const line = document.getElementById("again-effect");
  line.textContent = said.length ? `${said.join(" · ")}. Nothing is promised of the rest.` : "";
}
