// Whether something like it was asked before, as one stops typing. What is asked in vain says nothing.

const WAIT = 900; // ms without a key
const SHORTEST = 12; // characters of a question

const form = document.querySelector("form.compose");
const place = document.getElementById("like");
let timer = 0;
let last = "";
let asked = new AbortController();

async function ask() {
  const prompt = form.elements.prompt.value.trim();
  const about = `${prompt}\n${form.elements.preset?.value}`;
  if (about === last) return;
  last = about;
  asked.abort();
  asked = new AbortController();
  if (prompt.length < SHORTEST) {
    place.replaceChildren();
    return;
  }
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  try {
    const headers = { "HX-Request": "true" }; // a part of the page is wanted
    const body = new URLSearchParams(fields);
    const response = await fetch(place.dataset.like, { method: "POST", headers, body, signal: asked.signal });
    const html = await response.text();
    if (response.status === 200 && !response.redirected) place.innerHTML = html;
  } catch {
    // Away, or asked anew: what stands there stays.
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, WAIT);
}

if (place && form.elements.prompt) {
  form.elements.prompt.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    asked.abort();
  });
}
