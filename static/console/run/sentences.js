// Sentences of the fused answer, as the map knows them: which mark belongs to which, which claims it
// says, and where it stands. What a claim, a mark and a sentence have in common is lit together.

import { FoldedText } from "console/run/folded";

const main = document.getElementById("run");
const text = main.querySelector(".fused [data-text]");
const MARKS = ".source";

let read = null; // as long as neither text nor map has changed
const forget = () => {
  read = null;
};
new MutationObserver(forget).observe(text, { childList: true, subtree: true });
new MutationObserver(forget).observe(document.getElementById("analysis"), { childList: true, subtree: true });

function known() {
  if (read) return read;
  const data = JSON.parse(document.querySelector("#analysis .mapped")?.dataset.sentences ?? "[]");
  const shown = new FoldedText(text, MARKS);
  const sentences = new Map();
  let from = 0;
  for (const sentence of data) {
    // In their order; one that is not found where it should be is looked for in the whole.
    const place = shown.find(sentence.text, from) ?? shown.find(sentence.text);
    if (!place) continue;
    from = Math.max(from, place[1]);
    sentences.set(sentence.number, { ...sentence, place });
  }
  read = { shown, sentences };
  return read;
}

// The sentence that a mark stands in or behind, else the one that it stands before.
export function sentenceOf(mark) {
  const { shown, sentences } = known();
  const at = shown.marks.get(mark);
  const all = [...sentences.values()];
  return all.find(({ place }) => place[0] < at && at <= place[1]) ?? all.find(({ place }) => place[0] === at) ?? null;
}

export function marksOf(numbers) {
  const { shown } = known();
  return [...shown.marks.keys()].filter((mark) => numbers.includes(sentenceOf(mark)?.number));
}

export function rangesOf(numbers) {
  const { shown, sentences } = known();
  return numbers.filter((number) => sentences.has(number)).map((number) => shown.range(sentences.get(number).place));
}

export const claimsOf = (sentence) =>
  (sentence?.claims ?? []).map((id) => main.querySelector(`#analysis [data-claim="${CSS.escape(id)}"]`)).filter(Boolean);

export const usesOf = (claim) =>
  [...claim.querySelectorAll(".use")].flatMap((link) => link.dataset.sentences.trim().split(" ").map(Number));

// ---- lit: for a moment, under pointer or focus, and as long as something is open ----

let kept = [];

function draw(numbers) {
  for (const mark of text.querySelectorAll(".source.is-near")) mark.classList.remove("is-near");
  for (const mark of marksOf(numbers)) mark.classList.add("is-near");
  if (!window.Highlight || !CSS.highlights) return;
  if (numbers.length) CSS.highlights.set("sentence", new Highlight(...rangesOf(numbers)));
  else CSS.highlights.delete("sentence");
}

export function lightSentences(numbers) {
  draw(numbers.length ? numbers : kept);
}

export function keepLit(numbers) {
  kept = numbers;
  draw(kept);
}

export function lightClaims(claims) {
  for (const claim of main.querySelectorAll("#analysis .claim.is-near")) claim.classList.remove("is-near");
  for (const claim of claims) claim.classList.add("is-near");
}
