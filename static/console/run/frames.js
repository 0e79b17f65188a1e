// Frames are put in place, in order. docs/frames.md describes them.
//
// Nothing here asks how the page lies: whatever follows from that is done when it has been laid out.

import { regain } from "console/focus";
import { lookIn, named, write } from "console/run/figures";

const main = document.getElementById("run");
// What the page shows of an earlier fusion stays while the new one is written.
const ofTheNewOne = new Set(
  "older" in main.dataset ? ["fused", "fused-head", "fused-note", "fused-sources", "analysis", "receipt"] : [],
);

const containers = new Map(); // by the place on the page
const bound = new Map(); // by the text that stands there
for (const element of document.querySelectorAll("[data-text]")) {
  if (ofTheNewOne.has(element.dataset.text)) continue;
  containers.set(element.dataset.text, {
    final: element.querySelector("[data-final]"),
    block: element.querySelector("[data-block]"),
    html: "",
    line: "",
    slot: null,
  });
}

export function apply(frame) {
  for (const [place, text] of Object.entries(frame.places ?? {})) bound.set(text, containers.get(place));
  for (const text of frame.texts ?? []) applyText(text);
  for (const [id, html] of Object.entries(frame.fragments ?? {})) applyFragment(id, html);
  for (const [name, value] of Object.entries(frame.figures ?? {})) applyFigure(name, value);
  if (frame.status) main.dataset.status = frame.status;
  regain();
}

function applyText({ id, reset, keep, final, patch, block, line, tail }) {
  const place = bound.get(id);
  if (!place) return;
  if (reset) {
    place.final.textContent = place.line = "";
    block ??= "";
  }
  // Text of models: the server has rendered and sanitised it, and the strict
  // content security policy lets nothing run that might have come through.
  if (keep) final = place.html.slice(0, keep) + (final ?? "");
  if (final) place.final.insertAdjacentHTML("beforeend", final);
  if (patch) block = place.html.slice(0, patch[0]) + patch[1];
  if (block !== undefined) {
    place.block.innerHTML = place.html = block;
    place.slot = place.block.querySelector("[data-line]");
  }
  place.line = line ?? place.line + (tail ?? "");
  if (!place.slot) return;
  if (tail && place.slot.firstChild && block === undefined) place.slot.firstChild.appendData(tail);
  else place.slot.textContent = place.line;
}

function applyFragment(id, html) {
  if (ofTheNewOne.has(id)) {
    if (id === "fused-head") main.dataset.newer = /data-state="(\w+)"/.exec(html)?.[1] ?? "";
    return;
  }
  const element = document.getElementById(id);
  if (!element) return;
  const open = keptOpen(element);
  // Our own templates, in which everything somebody else wrote is escaped.
  element.innerHTML = html;
  lookIn(element);
  for (const details of element.querySelectorAll("details[data-keep]")) {
    if (open.has(details.dataset.keep)) details.open = open.get(details.dataset.keep);
  }
}

function applyFigure(name, value) {
  for (const element of named(name)) write(element, value);
}

function keptOpen(element) {
  const all = element.querySelectorAll("details[data-keep]");
  return new Map(Array.from(all, (details) => [details.dataset.keep, details.open]));
}
