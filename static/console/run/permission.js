// A page left open is not to be read longer than the run may be. While the run goes on, the
// socket sees to that.

import { isOver } from "console/run/socket";

async function stillAllowed() {
  if (document.hidden || !isOver()) return;
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if ([404, 410].includes(answer?.status) || answer?.redirected) location.reload(); // to sign in
}

document.addEventListener("visibilitychange", stillAllowed);
setInterval(stillAllowed, 30_000);
