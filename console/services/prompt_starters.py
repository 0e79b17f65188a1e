"""The templates that come along: for everybody, nobody's, and changed with the product only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Starter:
    key: str
    name: str
    description: str
    text: str
    version: int = 1


STARTERS = (
    Starter(
        "research",
        "Research a question",
        "What is known, how well, and what is open",
        "Research this question: {question: long text = Do heat pumps pay off in unrenovated houses"
        " from the 1970s?}\n\n"
        "What I know already: {known = the house needs 180 kWh per square metre and year}. Go by "
        "what was known on {as of: date = 2026-11-01}, for a reader who is {reader: choice of "
        "new to the field | familiar with the field | an expert = familiar with the field}.\n\n"
        "Say first what the answer is and how sure it is. Then what speaks for it and against it, "
        "with figures and where each comes from, where good sources disagree, and what nobody has "
        "found out yet. Keep apart what is measured, what is estimated and what is opinion.",
    ),
    Starter(
        "criticise",
        "Criticise this plan",
        "What would make it fail, the gravest first",
        "Criticise this plan:\n\n"
        "{plan: long text = We move our billing from one program to six services, in one weekend "
        "in March, with two people on call.}\n\n"
        "It is to achieve {goal = releases every day instead of every month}. Fixed, and not to be "
        "argued with, is {fixed = the team of six}.\n\n"
        "Name the {most: number = 5} things most likely to make it fail, the gravest first. For "
        "each: what would happen, how one would see it early, and the smallest change of the plan "
        "that prevents it. Say which assumptions are not backed by anything. If the plan is "
        "sound, say so and do not look for faults.",
    ),
    Starter(
        "decide",
        "Decide between options",
        "One recommendation, and what would change it",
        "Decide between these options:\n\n"
        "{options: long text = 1. Repair the van for 4,200. 2. Lease an electric one for 380 a "
        "month. 3. Use a delivery service.}\n\n"
        "It is about {about = deliveries of a bakery, 60 km a day}. What counts most is {criterion "
        "= the cost over five years}, then {second criterion = never missing a day}. The decision "
        "is hard to take back: {hard to take back: choice of yes | partly | no = partly}.\n\n"
        "Recommend one, in the first sentence. Then compare all of them by what counts, in a "
        "table; say what you had to assume, and what would have to be different for another "
        "option to win.",
    ),
)
BY_KEY = {starter.key: starter for starter in STARTERS}
