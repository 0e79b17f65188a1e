// The socket: opened, heard, acknowledged, and opened anew until the run is over.

const main = document.getElementById("run");
const FINAL = ["completed", "failed", "cancelled"];
const SILENCE = 45_000; // the server says something every 15 s
const SOON = 300;

let over = FINAL.includes(main.dataset.status);
let socket = null;
let delay = SOON;
let lastHeard = 0;
let show = null;

export const isOver = () => over;

// `whatToDo` is called with each frame.
export function follow(whatToDo) {
  show = whatToDo;
  connect();
  setInterval(watchForSilence, 5000);
  addEventListener("offline", giveUp);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${main.dataset.socket}`);
  lastHeard = Date.now();
  let parts = ""; // of a long frame: "+…" goes on, "=…" is the last
  socket.addEventListener("message", (event) => {
    lastHeard = Date.now();
    if (event.data[0] === "+") {
      parts += event.data.slice(1);
      return;
    }
    const frame = JSON.parse(event.data[0] === "=" ? parts + event.data.slice(1) : event.data);
    parts = "";
    delay = SOON;
    over ||= Boolean(frame.end);
    show(frame);
    socket.send(JSON.stringify({ ack: frame.n }));
    main.dataset.live = over ? "over" : "yes";
  });
  socket.addEventListener("close", (event) => {
    if (event.target !== socket) return; // one we had given up
    if (event.code === 4404) location.reload();
    else reconnect();
  });
}

function reconnect() {
  if (over) return;
  main.dataset.live = "no";
  setTimeout(connect, delay * (0.75 + Math.random() / 2));
  delay = Math.min(delay * 2, 5000);
}

function watchForSilence() {
  if (socket?.readyState === WebSocket.OPEN && Date.now() - lastHeard > SILENCE) giveUp();
}

// A closing handshake over a dead line takes a minute: nobody waits for it.
function giveUp() {
  if (over || !socket) return;
  const silent = socket;
  socket = null;
  silent.close();
  reconnect();
}
