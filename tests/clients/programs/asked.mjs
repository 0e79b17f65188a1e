// As asked.py, for programs in JavaScript.
export const URL = process.env.ASKED_URL;
export const KEY = process.env.ASKED_KEY;
export const MODEL = process.env.ASKED_MODEL;
export const SCENARIO = process.env.ASKED_SCENARIO;
export const PROMPT = process.env.ASKED_PROMPT;
// A picture and a document, where they are asked about.
export const PICTURE = process.env.ASKED_PICTURE;
export const REPORT = process.env.ASKED_REPORT;
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "integer" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};
export const WEATHER = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const weather = ({ city }) => `7 degrees in ${city}`;

export async function carryOut(scenarios) {
  let told = { text: "", error: "", called: 0, structured: null };
  try {
    Object.assign(told, await scenarios[SCENARIO]());
  } catch (error) {
    console.error(error);
    told.error = `${error?.name}: ${error?.message ?? error}`;
  }
  console.log(JSON.stringify(told));
  process.exit(0);
}
