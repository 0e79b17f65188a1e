"""What a program is asked to do, and how it says what came of it: one line of JSON, the last.

It is given by the environment, since a program runs in a Python of its own: only the standard
library can be used here.
"""

import json
import os
import sys
import traceback

URL = os.environ["ASKED_URL"]
KEY = os.environ["ASKED_KEY"]
MODEL = os.environ["ASKED_MODEL"]
SCENARIO = os.environ["ASKED_SCENARIO"]
PROMPT = os.environ["ASKED_PROMPT"]
# A picture and a document, where they are asked about.
PICTURE, REPORT = os.environ.get("ASKED_PICTURE", ""), os.environ.get("ASKED_REPORT", "")
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def weather(city):
    return f"7 degrees in {city}"


def tell(text="", error="", called=0, structured=None):
    """`called`: how often a tool was called."""
    told = {"text": text, "error": error, "called": called, "structured": structured}
    print(json.dumps(told), flush=True)  # noqa: T201 - this is how it answers


def carry_out(scenarios):
    """Whatever the client raises is what it shows for a failure."""
    try:
        tell(**scenarios[SCENARIO]())
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        tell(error=f"{type(error).__name__}: {error}")
