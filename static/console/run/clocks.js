// Seconds that run, up and down, by the server's clock.

const main = document.getElementById("run");
const offset = Number(main.dataset.now) * 1000 - Date.now(); // the server's clock minus ours

export function tick() {
  const now = (Date.now() + offset) / 1000;
  for (const element of main.querySelectorAll("[data-until]")) {
    element.textContent = `${Math.max(0, Math.ceil(Number(element.dataset.until) - now))} s`;
  }
  for (const element of main.querySelectorAll("[data-since]")) {
    const seconds = Math.max(0, now - Number(element.dataset.since));
    element.textContent = seconds < 60
      ? `${seconds.toFixed(1)} s`
      : `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
  }
}

export function keepTicking() {
  setInterval(tick, 100);
}
