import OpenAI from "openai";
import { KEY, MODEL, PROMPT, SCHEMA, URL, WEATHER, carryOut, weather } from "./asked.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY });
const tool = { type: "function", name: "get_weather", parameters: WEATHER, strict: true };

async function plain() {
  return { text: (await client.responses.create({ model: MODEL, input: PROMPT })).output_text };
}

async function stream() {
  let text = "";
  const events = client.responses.stream({ model: MODEL, input: PROMPT });
  for await (const event of events) if (event.type === "response.output_text.delta") text += event.delta;
  const { status, error } = await events.finalResponse();
  return { text, error: status === "failed" ? error.message : "" };
}

async function tools() {
  const input = [{ role: "user", content: PROMPT }];
  for (let called = 0, choice = "required"; ; choice = "auto") {
    const answer = await client.responses.create({
      model: MODEL, input, tools: [tool], tool_choice: choice,
    });
    const calls = answer.output.filter((item) => item.type === "function_call");
    if (!calls.length) return { text: answer.output_text, called };
    input.push(...answer.output);
    for (const call of calls) {
      called += 1;
      const output = weather(JSON.parse(call.arguments));
      input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
}

async function structured() {
  const text = { format: { type: "json_schema", name: "weather", schema: SCHEMA } };
  const answer = await client.responses.create({ model: MODEL, input: PROMPT, text });
  return { structured: JSON.parse(answer.output_text) };
}

await carryOut({
  plain, stream, tools, structured, error: stream, "error whole": plain, silence: plain,
  "silence stream": stream, "one failed seat": stream, agent: tools,
});
