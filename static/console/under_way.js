// How many runs are under way stands at the head of every page. It is asked for again only while
// there are any and the page is looked at.

const EVERY = 10_000;

async function look() {
  const place = document.getElementById("under-way");
  if (document.hidden || !place?.firstElementChild) return;
  const answer = await fetch(place.dataset.from).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...made.getElementById("under-way").childNodes);
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
document.body.addEventListener("run-ended", look);
