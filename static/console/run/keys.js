// Seats are letters, so letters are seats; digits are places to look from. They can be switched
// off, and none acts while somebody writes in a field.

import { closeCard } from "console/run/card";
import { stepClaim } from "console/run/claims";
import { showLook, showPart, stepFusion } from "console/run/looks";
import { closePassage } from "console/run/passage";
import { pin, showPinned } from "console/run/pins";
import { closeAlone } from "console/run/sheet";
import { closeUse } from "console/run/uses";

const main = document.getElementById("run");
const dialog = document.getElementById("keys");
const on = document.getElementById("keys-on");
const KEPT = "fusion.keys";

const acts = new Map([
  ["1", () => showLook("answers")],
  ["2", () => showLook("result")],
  ["3", showPinned],
  ["p", pin],
  ["[", () => stepFusion(-1)],
  ["]", () => stepFusion(1)],
  ["j", () => stepClaim(1)],
  ["k", () => stepClaim(-1)],
  ["?", () => dialog.showModal()],
]);
for (const { dataset } of main.querySelectorAll(".rail [data-key]")) {
  acts.set(dataset.key, () => showPart(dataset.part));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  if (event.key === "Escape" && !closeCard() && !closePassage() && !closeUse()) closeAlone();
  const act = on.checked && acts.get(event.key.toLowerCase());
  if (!act) return;
  event.preventDefault();
  act();
});

dialog.querySelector("button").addEventListener("click", () => dialog.close());
main.querySelector("[data-keys]").addEventListener("click", () => dialog.showModal());
on.addEventListener("change", () => {
  try {
    localStorage.setItem(KEPT, on.checked ? "on" : "off");
  } catch {
    // Not remembered where nothing may be stored.
  }
});
try {
  on.checked = localStorage.getItem(KEPT) !== "off";
} catch {
  // Then they act.
}
