// What may be done with an ended run tells of all of it: the server's page has it.

import { reachWideThings, showBeginnings } from "console/run/columns";
import { fillFollowUp } from "console/run/drafts";

const main = document.getElementById("run");
let ended = false;

export function end() {
  if (ended) return;
  ended = true;
  for (const form of main.querySelectorAll(".while-running")) form.remove();
  offerWhatFollows();
  reachWideThings();
  showBeginnings();
}

async function offerWhatFollows() {
  const answer = await fetch(location.href).catch(() => null);
  if (!answer?.ok) return; // a reload has it
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const place of main.querySelectorAll("[data-when-ended]")) {
    const found = page.getElementById(place.id);
    if (found) place.replaceWith(found);
  }
  fillFollowUp();
}
