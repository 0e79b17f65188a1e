// Words that are selected in one of two texts. They are asked about under the run, where its next
// question is written.

import { followOf, keep, kept } from "console/draft";
import { offer, quotation } from "console/selected";

const main = document.getElementById("compare");
const result = main.querySelector("[data-key='2']");

function partOf(element) {
  const pane = element.closest(".pane");
  const [shown] = pane.querySelector("select").selectedOptions;
  return { id: shown.value, who: shown.text };
}

// A text is named as in this page's address: `B`, `fused-2`, `analysis-2`.
// Of another run `with.B`.
function addressOf({ id: named }) {
  const isOther = named.startsWith("with.");
  const id = isOther ? named.slice("with.".length) : named;
  const address = new URL(isOther ? main.dataset.with : result.pathname, location.origin);
  const [kind, fusion] = id.split("-");
  const isSeat = /^[A-H]$/.test(id);
  address.searchParams.set("look", isSeat ? "answers" : "result");
  if (fusion) address.searchParams.set("fusion", fusion);
  if (isSeat) address.hash = `seat-${id.charCodeAt(0) - 65}`;
  else address.hash = kind === "fused" ? "fused-answer" : kind;
  return address.href;
}

function askAbout({ who, words }) {
  const draft = followOf(result.pathname);
  const before = kept(draft).trimEnd();
  keep(draft, `${before ? `${before}\n\n` : ""}${quotation(who, words)}`);
  location.assign(`${result.pathname}?look=result#follow-prompt`);
}

offer({ texts: ".pane-text", rooms: ".pane-body", partOf, addressOf, askAbout, canAsk: () => "asks" in main.dataset });
