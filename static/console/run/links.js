// An address that names a part opens the look where that stands. A link to a part also marks it, and
// one to a claim of another fusion than is shown leads to that one.

import { showClaim } from "console/run/claims";
import { showPart } from "console/run/looks";

const main = document.getElementById("run");
const asked = location.href; // before a part is shown, which tells the address
const WIDE = matchMedia("(width > 62.5em)");

function hashOf(address) {
  try {
    return decodeURIComponent(address.hash.slice(1));
  } catch {
    return ""; // nothing that was made here
  }
}

function show(id, { isLoaded = false } = {}) {
  const part = document.getElementById(id);
  if (part?.matches("#analysis .claim")) {
    showPart("analysis");
    showClaim(part);
  } else if (part?.matches("#follow-prompt")) {
    // Who comes to ask writes on.
    showPart("fused-answer");
    part.focus();
    part.setSelectionRange(part.value.length, part.value.length);
    return null;
  } else if (part?.matches("[data-said='found']")) {
    // What was looked for: in the middle of its text, wherever that scrolls.
    showPart(part.closest(".seat")?.id ?? "fused-answer");
    bringIn(part);
    return null;
  } else if (main.querySelector(`.rail [data-part="${CSS.escape(id)}"]`)) showPart(id, { isEntry: false, isLoaded });
  else return null;
  return part;
}

function bringIn(part) {
  part.scrollIntoView({ block: "center", behavior: "instant" });
  if (WIDE.matches) scrollTo({ top: 0, behavior: "instant" });
}

// Where each part scrolls alone, the page stands at its beginning, whatever the browser went to.
function stand() {
  const found = document.getElementById(hashOf(new URL(asked)));
  if (found?.matches("[data-said='found']")) bringIn(found);
  if (WIDE.matches && main.querySelector(".is-linked")) scrollTo({ top: 0, behavior: "instant" });
}

function open() {
  const id = hashOf(location);
  for (const linked of main.querySelectorAll(".is-linked")) linked.classList.remove("is-linked");
  show(id)?.classList.add("is-linked");
  stand();
  const [, fusion] = /^claim-(\d+)-/.exec(id) ?? [];
  if (fusion && !document.getElementById(id) && fusion !== main.dataset.fusion) elsewhere(fusion);
}

function elsewhere(fusion) {
  const address = new URL(location.href);
  address.searchParams.set("look", "result");
  address.searchParams.set("fusion", fusion);
  if (address.href !== location.href) location.replace(address);
}

addEventListener("hashchange", open);
addEventListener("load", stand);
const { hash, searchParams } = new URL(location.href);
if (hash) open();
else if (searchParams.has("part")) show(searchParams.get("part"), { isLoaded: true });
