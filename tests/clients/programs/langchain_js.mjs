import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import { KEY, MODEL, PROMPT, URL, carryOut, weather } from "./asked.mjs";

const model = new ChatOpenAI({ model: MODEL, apiKey: KEY, configuration: { baseURL: URL } });
const getWeather = tool(weather, {
  name: "get_weather", description: "How warm it is.", schema: z.object({ city: z.string() }),
});

async function plain() {
  return { text: (await model.invoke(PROMPT)).text };
}

async function stream() {
  let text = "";
  for await (const chunk of await model.stream(PROMPT)) text += chunk.text;
  return { text };
}

async function tools() {
  const messages = [new HumanMessage(PROMPT)];
  for (let called = 0; ; ) {
    const bound = model.bindTools([getWeather], called ? {} : { tool_choice: "any" });
    const answer = await bound.invoke(messages);
    if (!answer.tool_calls?.length) return { text: answer.text, called };
    messages.push(answer);
    for (const call of answer.tool_calls) {
      called += 1;
      messages.push(new ToolMessage({ content: weather(call.args), tool_call_id: call.id }));
    }
  }
}

async function structured() {
  const schema = z.object({ city: z.string(), degrees: z.number() });
  return { structured: await model.withStructuredOutput(schema, { name: "weather" }).invoke(PROMPT) };
}

await carryOut({
  plain, stream, tools, structured, error: stream, "error whole": plain, silence: plain,
  "silence stream": stream, "one failed seat": stream, agent: tools,
});
