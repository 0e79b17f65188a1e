import { OpenRouter } from "@openrouter/sdk";
import { KEY, MODEL, PICTURE, PROMPT, REPORT, SCHEMA, URL, WEATHER, carryOut, weather } from "./asked.mjs";

const client = new OpenRouter({ apiKey: KEY, serverURL: URL });
const asked = [{ role: "user", content: PROMPT }];
const getWeather = { type: "function", function: { name: "get_weather", parameters: WEATHER } };
// Its request stood at the top level until it was put in a field of its own.
const send = (request) => client.chat.send({ chatRequest: { model: MODEL, messages: asked, ...request } });

async function plain() {
  const answer = await send({});
  return { text: answer.choices[0].message.content, error: answer.usage ? "" : "no usage" };
}

async function stream() {
  let text = "", usage;
  for await (const chunk of await send({ stream: true })) {
    if (chunk.error) throw new Error(chunk.error.message);
    usage = chunk.usage ?? usage;
    text += chunk.choices[0]?.delta.content ?? "";
  }
  return { text, error: usage ? "" : "no usage" };
}

async function tools() {
  const messages = [...asked];
  for (let called = 0, toolChoice = "required"; ; toolChoice = "auto") {
    const answer = await send({ messages, tools: [getWeather], toolChoice });
    const message = answer.choices[0].message;
    if (!message.toolCalls?.length) return { text: message.content, called };
    messages.push(message);
    for (const call of message.toolCalls) {
      called += 1;
      const content = weather(JSON.parse(call.function.arguments));
      messages.push({ role: "tool", toolCallId: call.id, content });
    }
  }
}

async function structured() {
  const responseFormat = { type: "json_schema", jsonSchema: { name: "weather", schema: SCHEMA } };
  return { structured: JSON.parse((await send({ responseFormat })).choices[0].message.content) };
}

async function files() {
  const content = [
    { type: "text", text: PROMPT },
    { type: "image_url", imageUrl: { url: PICTURE } },
    { type: "file", file: { filename: "report.pdf", fileData: REPORT } },
  ];
  const answer = await send({ messages: [{ role: "user", content }] });
  return { text: answer.choices[0].message.content };
}

await carryOut({
  plain, stream, tools, structured, error: stream, "error whole": plain, silence: plain,
  "silence stream": stream, "one failed seat": stream, agent: tools, files,
});
