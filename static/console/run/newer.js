// While another fusion is made the one before it stays in view. When it is there, who has not yet
// touched the page sees it; everybody else stays where they are, and is told.

const main = document.getElementById("run");
const ready = main.querySelector("[data-newer-link]");

if (ready) {
  let isTouched = false;
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(type, () => (isTouched = true), { passive: true, capture: true, once: true });
  }
  new MutationObserver(() => {
    if (main.dataset.newer === "done" && !isTouched) location.replace(ready.href);
  }).observe(main, { attributeFilter: ["data-newer"] });
}
