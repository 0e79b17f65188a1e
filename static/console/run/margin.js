// Marks stand in the margin, at the line on which their sentence ends: nothing interrupts reading.
// Their line is theirs by the style sheet; only where two stand on one line is told here.

const text = document.querySelector("#run .fused [data-text]");
const APART = 2; // px, from one mark to the next
const ROOM = 102;

function place() {
  const marks = [...text.querySelectorAll(".source")];
  const lines = new Map();
  for (const mark of marks) {
    const top = Math.round(mark.offsetTop / 4);
    lines.set(top, [...(lines.get(top) ?? []), mark]);
  }
  for (const line of lines.values()) {
    const widths = line.map((mark) => mark.offsetWidth + APART);
    const all = widths.reduce((sum, width) => sum + width, 0);
    const part = Math.min(1, (ROOM - widths.at(-1)) / (all - widths.at(-1) || 1));
    let at = 0;
    line.forEach((mark, n) => {
      mark.style.setProperty("--at", `${(at / 16).toFixed(2)}rem`);
      at += widths[n] * part;
    });
  }
}

// Told when the page has been laid out, so that asking how it lies costs nothing.
new ResizeObserver(place).observe(text);
