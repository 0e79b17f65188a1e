// Marks stand in the margin, at the line on which their sentence ends: nothing interrupts reading.
// Their line is theirs by the style sheet; only where two stand on one line is told here.

const text = document.querySelector("#run .fused [data-text]");
const STEP = 1.4; // rem, from one mark to the next
const ROOM = 6.4;

function place() {
  const marks = [...text.querySelectorAll(".source")];
  const lines = new Map();
  for (const mark of marks) {
    const top = Math.round(mark.offsetTop / 4);
    lines.set(top, [...(lines.get(top) ?? []), mark]);
  }
  for (const line of lines.values()) {
    const step = Math.min(STEP, ROOM / line.length);
    line.forEach((mark, at) => mark.style.setProperty("--at", `${(at * step).toFixed(2)}rem`));
  }
}

// Told when the page has been laid out, so that asking how it lies costs nothing.
new ResizeObserver(place).observe(text);
