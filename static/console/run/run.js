// A run's page. It is whole without this; it then shows what a reload finds.

import "console/attach";
import "console/run/announcing";
import "console/run/asking";
import "console/run/choosing";
import { keepTicking, tick } from "console/run/clocks";
import "console/run/code";
import "console/run/columns";
import "console/run/copy_menu";
import "console/run/drafts";
import { end } from "console/run/ending";
import "console/run/evidence";
import "console/run/explanations";
import { apply } from "console/run/frames";
import "console/run/keys";
import "console/run/links";
import "console/run/margin";
import "console/run/newer";
import "console/run/permission";
import { tellRates } from "console/run/rates";
import "console/run/ruling";
import { follow, isOver } from "console/run/socket";
import "console/run/telling";
import "console/run/thread";
import "console/run/verdict";

function show(frame) {
  apply(frame);
  if (isOver()) end();
  if (frame.fragments) tick();
  if (frame.fragments || frame.figures) tellRates();
}

if (!isOver()) {
  follow(show);
  keepTicking();
}
tick();
tellRates();
