import OpenAI from "openai";
import { KEY, MODEL, PROMPT, SCHEMA, URL, WEATHER, carryOut, weather } from "./asked.mjs";

const client = new OpenAI({ baseURL: URL, apiKey: KEY });
const tool = { type: "function", function: { name: "get_weather", parameters: WEATHER } };
const asked = [{ role: "user", content: PROMPT }];
const ask = (more) => client.chat.completions.create({ model: MODEL, messages: asked, ...more });

async function plain() {
  return { text: (await ask()).choices[0].message.content };
}

async function stream() {
  let text = "";
  for await (const chunk of await ask({ stream: true })) text += chunk.choices[0]?.delta.content ?? "";
  return { text };
}

async function tools() {
  const messages = [...asked];
  for (let called = 0, choice = "required"; ; choice = "auto") {
    const answer = await client.chat.completions.create({
      model: MODEL, messages, tools: [tool], tool_choice: choice,
    });
    const message = answer.choices[0].message;
    if (!message.tool_calls?.length) return { text: message.content, called };
    messages.push(message);
    for (const call of message.tool_calls) {
      called += 1;
      const content = weather(JSON.parse(call.function.arguments));
      messages.push({ role: "tool", tool_call_id: call.id, content });
    }
  }
}

async function structured() {
  const response_format = { type: "json_schema", json_schema: { name: "weather", schema: SCHEMA } };
  return { structured: JSON.parse((await ask({ response_format })).choices[0].message.content) };
}

await carryOut({
  plain, stream, tools, structured, error: stream, "error whole": plain, silence: plain,
  "silence stream": stream, "one failed seat": stream, agent: tools,
});
