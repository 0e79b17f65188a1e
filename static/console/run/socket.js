// How frames come: by a socket, opened anew until the run is over, and where no socket comes
// through, by asking again and again.

const main = document.getElementById("run");
const FINAL = ["completed", "failed", "cancelled"];
const SILENCE = 45_000; // the server says something every 15 s
const FIRST_WORD = 10_000; // and at once when it has been reached
const FIRST_WORD_AGAIN = 3000; // meanwhile nobody asks: where none came before, that is short
const SOON = 300;
const TRIES = 2; // sockets that never said a word, before the page asks instead
const ASK_EVERY = 2000;
const AGAIN = [5000, 60_000]; // a socket is tried again meanwhile, after growing pauses

let over = FINAL.includes(main.dataset.status);
let socket = null;
let delay = SOON;
let lastHeard = 0;
let mute = 0; // how many sockets in a row said nothing
let wasHeard = false;
let watch = ""; // whose steps they are
let step = 0;
let wanted = null; // places whose texts are shown, null for all
let begunWith = ""; // what was wanted all the time since all was sent anew
let show = null;
let pause = AGAIN[0];
let again = 0; // when a socket is tried again, while the page asks

export const isOver = () => over;

// `whatToDo` is called with each frame.
export function follow(whatToDo) {
  show = whatToDo;
  connect();
  setInterval(watchForSilence, 2500);
  addEventListener("offline", giveUp);
}

export function want(places) {
  if (JSON.stringify(places) === JSON.stringify(wanted)) return;
  wanted = places;
  begunWith = ""; // the server forgets with its socket where texts were left
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ want: wanted }));
}

// Of a page that wanted the same all along: only that has all that lies before it.
function position() {
  if (watch && step && begunWith === JSON.stringify(wanted)) return `${watch}-${step}`;
  begunWith = JSON.stringify(wanted);
  step = 0;
  return "";
}

function take(frame) {
  delay = SOON;
  watch = frame.watch ?? watch;
  step = frame.at ?? step;
  over ||= Boolean(frame.end);
  show(frame);
  main.dataset.live = over ? "over" : "yes";
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const address = new URL(`${scheme}//${location.host}${main.dataset.socket}`);
  address.searchParams.set("after", position());
  address.searchParams.set("can", "keep");
  socket = new WebSocket(address);
  lastHeard = Date.now();
  wasHeard = false;
  let parts = ""; // of a long frame: "+…" goes on, "=…" is the last
  socket.addEventListener("open", ({ target }) => {
    if (!wanted) return;
    begunWith = "";
    target.send(JSON.stringify({ want: wanted }));
  });
  socket.addEventListener("message", ({ data, target }) => {
    lastHeard = Date.now();
    wasHeard = true;
    mute = 0;
    if (data[0] === "+") {
      parts += data.slice(1);
      return;
    }
    const frame = JSON.parse(data[0] === "=" ? parts + data.slice(1) : data);
    parts = "";
    take(frame);
    if (!frame.at) return;
    pause = AGAIN[0];
    document.getElementById("run-asking")?.setAttribute("hidden", "");
    target.send(JSON.stringify({ ack: frame.at }));
  });
  socket.addEventListener("close", ({ code, target }) => {
    if (target !== socket) return; // one we had given up
    if (code === 4404) location.reload();
    else if (code === 4429 && !over) askInstead(); // as many sockets are open as may be
    else reconnect();
  });
}

function reconnect() {
  if (over) return;
  main.dataset.live = "no";
  if (!wasHeard) mute += 1;
  const next = mute >= TRIES ? askInstead : connect;
  setTimeout(next, delay * (0.75 + Math.random() / 2));
  delay = Math.min(delay * 2, 5000);
}

function watchForSilence() {
  const first = mute < TRIES ? FIRST_WORD : FIRST_WORD_AGAIN;
  const patience = wasHeard ? SILENCE : first;
  if (socket && Date.now() - lastHeard > patience) giveUp();
}

// A closing handshake over a dead line takes a minute: nobody waits for it.
function giveUp() {
  if (over || !socket) return;
  const silent = socket;
  socket = null;
  silent.close();
  reconnect();
}

// ---- without a socket ----

function askInstead() {
  socket = null;
  again = Date.now() + pause * (0.75 + Math.random() / 4);
  pause = Math.min(pause * 2, AGAIN[1]);
  goOnAsking();
}

async function goOnAsking() {
  try {
    await ask();
  } catch {
    main.dataset.live = "no"; // nor does the server answer
  }
  if (over) return;
  const next = Date.now() < again ? goOnAsking : connect;
  setTimeout(next, ASK_EVERY);
}

async function ask() {
  const address = new URL(main.dataset.frames, location.href);
  address.searchParams.set("after", position());
  address.searchParams.set("can", "keep");
  if (wanted) address.searchParams.set("want", wanted.join(","));
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if ([404, 410].includes(answer.status) || answer.redirected) location.reload();
  if (!answer.ok) throw new Error(answer.statusText);
  take(await answer.json());
  document.getElementById("run-asking")?.removeAttribute("hidden");
}
