// The compose page: shortcut, draft. All of it works without this too.

import "console/attach";
import { COMPOSE, keep, kept } from "console/draft";
import "console/compose/elsewhere";
import "console/compose/like";
import "console/picker/picker";
import "console/compose/presets";
import "console/compose/quote";
import "console/compose/seats";
import { act } from "console/keys";
import { DOWN, oneStop } from "console/stops";

const form = document.querySelector("form.compose");
const prompt = form.elements.prompt;

// ---- submitting ----
if (/Mac|iPhone|iPad/.test(navigator.platform)) form.querySelector(".shortcut").textContent = "⌘ ↵";
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});
// Some are replaced when what is chosen changes.
const submits = () => form.querySelectorAll(".fuse [type=submit]");
let sent = false;
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
  for (const button of submits()) button.setAttribute("aria-disabled", "true");
});
// Back from the run's page: the next one is a new run.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  sent = false;
  form.elements.client_run_id.value = newId();
  for (const button of submits()) button.removeAttribute("aria-disabled");
});

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- the draft stays until its run is read ----
prompt.value ||= kept(COMPOSE);
prompt.addEventListener("input", () => keep(COMPOSE, prompt.value));
const blank = form.querySelector("[data-sentence] :is(input, select, textarea)");
act("n", () => (blank ?? prompt).focus());

// ---- the list of recent runs is one stop ----
const recent = document.querySelector("#recent .run-rows");
if (recent) oneStop(recent, DOWN);
