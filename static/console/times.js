// Times in the zone of whoever reads. Without this they stand in the server's, which is named.

const DAY = { day: "numeric", month: "short" };
const YEAR = { ...DAY, year: "numeric" };
const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const write = (moment, form) => new Intl.DateTimeFormat("en-GB", form).format(moment);

// On the day itself the time, else the day: as `when` in templatetags/figures.py.
function short(moment) {
  const now = new Date();
  if (moment.toDateString() === now.toDateString()) return write(moment, TIME);
  return write(moment, moment.getFullYear() === now.getFullYear() ? DAY : YEAR);
}

function localTimes() {
  for (const time of document.querySelectorAll("time[data-form]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.textContent = time.dataset.form === "short" ? short(moment) : write(moment, { ...YEAR, ...TIME });
    time.title = write(moment, { ...YEAR, ...TIME, timeZoneName: "short" });
    delete time.dataset.form;
  }
}

addEventListener("htmx:afterSettle", localTimes);
localTimes();
