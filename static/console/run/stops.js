// A row of buttons that is one stop of the keyboard: keys of arrows go from one to the next.

export function stepWithin(row, event, [back, on]) {
  const stops = [...row.querySelectorAll("button")];
  const at = stops.indexOf(document.activeElement);
  const to = { [back]: at - 1, [on]: at + 1, Home: 0, End: stops.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const next = stops.at(to % stops.length);
  for (const stop of stops) stop.tabIndex = stop === next ? 0 : -1;
  next.focus();
}
