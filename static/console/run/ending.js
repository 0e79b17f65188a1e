// What may be done with an ended run tells of all of it: the server has it, as part of the page.

import { regain } from "console/focus";
import { settle } from "console/run/columns";
import { fillFollowUp } from "console/run/drafts";

const main = document.getElementById("run");
let ended = false;

export function end() {
  if (ended) return;
  ended = true;
  for (const form of main.querySelectorAll(".while-running")) form.remove();
  regain();
  document.body.dispatchEvent(new Event("run-ended")); // htmx fetches it; so does a reload
  settle();
}

main.addEventListener("htmx:afterSwap", fillFollowUp);
