// Parts of a run that can be spoken of: an answer, the fused one, a claim. Who says what stands
// there, and the address that leads back to it, whoever may read the run, also without this.

const main = document.getElementById("run");
const clean = (element) => element?.textContent.replace(/\s+/g, " ").trim() ?? "";
const nameOf = (seat) => `${clean(seat.querySelector(".chip"))} · ${clean(seat.querySelector("h2")).replace(/^.+?: /, "")}`;

function whoFused() {
  const by = clean(document.querySelector("#fused-head .fused-by"));
  const number = main.querySelectorAll(".fusion-tabs li").length ? ` ${main.dataset.fusion}` : "";
  return `${clean(document.getElementById("fused-title"))}${number}${by ? ` (${by})` : ""}`;
}

// Of an element, or of nothing that can be spoken of: null. In the map a quote is its seat's.
export function partOf(element) {
  const seat = element.closest(".seat") ?? seatOfPassage(element);
  const claim = element.closest("#analysis .claim");
  const quoted = claim && element.closest(".evidence li[data-seat]");
  if (seat) return { id: seat.id, look: "answers", who: nameOf(seat) };
  if (claim?.id) {
    const who = quoted ? nameOf(document.getElementById(`seat-${quoted.dataset.seat}`)) : "Analysis";
    return { id: claim.id, look: "result", who };
  }
  if (element.closest("#analysis")) return { id: "analysis", look: "result", who: "Analysis" };
  if (element.closest(".fused")) return { id: "fused-answer", look: "result", who: whoFused() };
  return null;
}

function seatOfPassage(element) {
  const pane = element.closest("#passage");
  return pane && document.getElementById(`seat-${pane.dataset.seat}`);
}

// Whatever is fused later, a fusion's number says which was meant.
export function addressOf({ id, look }) {
  const address = new URL(location.pathname, location.origin);
  address.searchParams.set("look", look);
  const isOfFusion = look === "result" || "older" in main.dataset;
  if (isOfFusion && main.dataset.fusion) address.searchParams.set("fusion", main.dataset.fusion);
  address.hash = id;
  return address.href;
}
