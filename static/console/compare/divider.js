// The divider between the texts: dragged, or moved by the arrow keys; Home and End are its ends.

const [LEAST, MOST, STEP] = [25, 75, 2];
const KEYS = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -100, End: 100 };

export function divide(changed) {
  const divider = document.getElementById("divider");
  const panes = document.querySelector(".panes");

  function set(share) {
    const left = Math.round(Math.min(Math.max(share, LEAST), MOST));
    divider.setAttribute("aria-valuenow", String(left));
    panes.style.setProperty("--left", `${left}fr`);
    panes.style.setProperty("--right", `${100 - left}fr`);
    changed();
  }

  divider.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    set(Number(divider.getAttribute("aria-valuenow")) + KEYS[event.key]);
  });
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.preventDefault();
    divider.focus();
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const { left, width } = panes.getBoundingClientRect();
    set(((event.clientX - left) / width) * 100);
  });
}
