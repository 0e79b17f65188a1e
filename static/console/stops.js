// Rows of the page that are one stop of the keyboard: arrows go from one to the next within them.

function stepTo(stops, event, [back, on]) {
  const at = stops.indexOf(document.activeElement);
  const to = { [back]: at - 1, [on]: at + 1, Home: 0, End: stops.length - 1 }[event.key];
  if (to === undefined || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return null;
  event.preventDefault();
  return stops.at(to % stops.length);
}

function stopAt(stops, stop) {
  for (const other of stops) other.tabIndex = other === stop ? 0 : -1;
}

export const ACROSS = ["ArrowLeft", "ArrowRight"];
export const DOWN = ["ArrowUp", "ArrowDown"];

// Of buttons that are replaced now and then: whoever replaces them says which is the stop.
export function stepWithin(row, event, arrows) {
  const stops = [...row.querySelectorAll("button")];
  const next = stepTo(stops, event, arrows);
  if (!next) return;
  stopAt(stops, next);
  next.focus();
}

const isSeen = (stop) => stop.checkVisibility?.({ visibilityProperty: true }) ?? true;

// Of `selected` within `row`. What is called returned sees to those that came since. Where some come
// and go without being replaced (`hides`), one that is hidden is no stop and may become the only one.
export function oneStop(row, arrows, selected = "a, button", { hides = false } = {}) {
  const stops = () => [...row.querySelectorAll(selected)];
  const see = () => {
    const [all, shown] = [stops(), hides ? stops().filter(isSeen) : stops()];
    stopAt(shown, shown.find((stop) => stop.matches("[aria-current]")) ?? shown.find((stop) => stop.tabIndex === 0) ?? shown[0]);
    for (const stop of all) if (!shown.includes(stop)) stop.tabIndex = 0;
  };
  row.addEventListener("focusin", ({ target }) => {
    if (target.matches(selected)) stopAt(stops(), target);
  });
  row.addEventListener("keydown", (event) => {
    if (event.target.matches(selected)) stepTo(stops().filter(isSeen), event, arrows)?.focus();
  });
  see();
  return see;
}

// When the page has been laid out the next time: then asking what is seen costs nothing.
export function whenLaidOut(act) {
  const once = new ResizeObserver(() => {
    once.disconnect();
    act();
  });
  requestAnimationFrame(() => once.observe(document.documentElement));
}
