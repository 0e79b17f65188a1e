// Keys of a run's page beyond those that stand on it: from claim to claim, from fusion to fusion, a
// text pinned, and back.

import { act } from "console/keys";
import { closeCard } from "console/run/card";
import { stepClaim } from "console/run/claims";
import { back, stepFusion } from "console/run/looks";
import { closePassage } from "console/run/passage";
import { pin } from "console/run/pins";
import { closeAlone } from "console/run/sheet";
import { closeUse } from "console/run/uses";

act("p", () => pin());
act("[", () => stepFusion(-1));
act("]", () => stepFusion(1));
act("j", () => stepClaim(1), { repeats: true });
act("k", () => stepClaim(-1), { repeats: true });
// The last that was opened is closed first.
act("escape", () => [closeCard, closePassage, closeUse, back, closeAlone].some((close) => close()));
