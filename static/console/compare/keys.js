// Keys of two texts side by side: L and X switch what stands above them, the keys of a run's parts
// lead to them, and Esc leads back to the run, where one was.

import { act } from "console/keys";

const main = document.getElementById("compare");
const result = main.querySelector("[data-key='2']");

act("l", () => document.getElementById("scroll-together").click());
act("x", () => document.getElementById("compare-form").elements.differs.click());

const at = (look, part) => () => location.assign(`${result.pathname}?look=${look}&part=${part}`);
act("0", at("result", "fused-answer"));
act("m", at("result", "analysis"));
act("r", at("result", "receipt"));
for (const { value } of document.querySelectorAll("#choose-left option")) {
  if (/^[A-H]$/.test(value)) act(value.toLowerCase(), at("answers", `seat-${value.charCodeAt(0) - 65}`));
}

act("escape", () => {
  const from = document.referrer && new URL(document.referrer);
  const isOfIt = from && from.origin === location.origin && from.pathname === new URL(result.href).pathname;
  if (isOfIt && history.length > 1) history.back();
  else result.click();
});
