// How a run is ended from its page, and what its end brings. What may be done with an ended run tells
// of all of it: the server has it, as part of the page.

import { regain } from "console/focus";
import { settle } from "console/run/columns";
import { fillFollowUp } from "console/run/drafts";

const main = document.getElementById("run");
let ended = false;

export function end() {
  if (ended) return;
  ended = true;
  for (const form of main.querySelectorAll(".while-running")) form.remove();
  document.getElementById("run-asking")?.setAttribute("hidden", "");
  regain();
  document.body.dispatchEvent(new Event("run-ended")); // htmx fetches it; so does a reload
  settle();
}

main.addEventListener("htmx:afterSwap", fillFollowUp);

// Stop, Stop A, Fuse without C leave the page where it is: this is loaded before htmx looks for its own.
for (const form of main.querySelectorAll(".while-running")) form.setAttribute("hx-post", form.getAttribute("action"));

// Who carries the run out hears of a press within half a second: until then it is seen that it has
// been sent, and it is not sent twice. The focus stays: a disabled button would lose it.
main.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = event.detail;
  if (!elt.matches(".while-running")) return;
  if (elt.hasAttribute("data-is-sent")) event.preventDefault();
  else mark(elt, true);
});
main.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful && detail.elt.matches(".while-running")) mark(detail.elt, false);
});

function mark(form, isSent) {
  form.toggleAttribute("data-is-sent", isSent);
  for (const button of form.elements) { // also those that stand elsewhere
    if (button.type !== "submit") continue;
    if (isSent) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}
