// The controls of the page: what they choose stands in the address, as without a script.

import { show } from "console/compare/statements";

const main = document.getElementById("compare");
const form = document.getElementById("compare-form");

export function choose(changed) {
  for (const select of main.querySelectorAll(".pane-head select")) {
    select.addEventListener("change", () => form.requestSubmit());
  }
  form.elements.differs.addEventListener("change", ({ target }) => {
    main.classList.toggle("only-differs", target.checked);
    const address = new URL(location.href);
    if (target.checked) address.searchParams.set("differs", "1");
    else address.searchParams.delete("differs");
    history.replaceState(null, "", address);
    changed();
  });
  for (const tab of main.querySelectorAll(".pane-tabs input")) tab.addEventListener("change", changed);
  // A sentence leads to its counterpart; who is marking text is not led anywhere.
  main.addEventListener("click", ({ target }) => {
    const said = target.closest("[data-with]");
    if (!said || target.closest("a") || !getSelection().isCollapsed) return;
    show(said);
    changed();
  });
  // What is opposed leads to the two statements that are.
  for (const link of main.querySelectorAll(".legend-of a")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const said = document.getElementById(link.hash.slice(1));
      const left = main.querySelector('.pane-tabs [value="left"]');
      left.checked = true;
      said.scrollIntoView({ block: "center", behavior: "instant" });
      show(said);
      left.checked = true; // where one text is shown at a time, this one
      changed();
    });
  }
}
