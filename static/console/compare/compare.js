// Two texts side by side. The page is whole without this; it then has no bars in the margin, no
// ribbons, and its texts scroll alone.

import { choose } from "console/compare/choosing";
import { divide } from "console/compare/divider";
import { draw } from "console/compare/drawing";
import "console/compare/keys";
import { scrollTogether } from "console/compare/scrolling";
import "console/compare/selected";
import { ACROSS, oneStop } from "console/stops";

const main = document.getElementById("compare");
main.classList.add("has-script");
for (const control of main.querySelectorAll(".with-script")) control.hidden = false;

oneStop(main.querySelector(".looks"), ACROSS);
choose(draw);
divide(draw);
scrollTogether(draw);
document.fonts?.ready.then(draw);
addEventListener("resize", draw);
draw();
