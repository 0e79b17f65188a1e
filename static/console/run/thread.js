// The questions of a thread are one stop of the keyboard, and of a long thread the one that is
// read is in view.

import { DOWN, oneStop } from "console/stops";

const main = document.getElementById("run");

function enter() {
  const list = main.querySelector("#thread ol");
  const read = list?.querySelector("[aria-current]");
  if (!read) return;
  oneStop(list, DOWN);
  const laidOut = new ResizeObserver(() => {
    laidOut.disconnect();
    if (list.scrollHeight > list.clientHeight) list.scrollTop = read.offsetTop - list.offsetTop - list.clientHeight / 2;
  });
  laidOut.observe(list);
}

main.addEventListener("htmx:oobAfterSwap", ({ detail }) => {
  if (detail.target.id === "thread") enter();
});
enter();
