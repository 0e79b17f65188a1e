import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { KEY, MODEL, PICTURE, PROMPT, REPORT, URL, carryOut, weather } from "./asked.mjs";

const options = { baseURL: URL, apiKey: KEY };
const model = {
  "ai-sdk-chat": () => createOpenAI(options).chat(MODEL),
  "ai-sdk-chat-openrouter": () => createOpenAI(options).chat(MODEL),
  "ai-sdk-responses": () => createOpenAI(options)(MODEL),
  "ai-sdk-compatible": () => createOpenAICompatible({ name: "fusion", supportsStructuredOutputs: true, ...options })(MODEL),
  "ai-sdk-openrouter": () => createOpenRouter(options)(MODEL),
}[process.env.ASKED_CLIENT]();

async function plain() {
  return { text: (await generateText({ model, prompt: PROMPT })).text };
}

async function stream() {
  let text = "", error;
  const result = streamText({ model, prompt: PROMPT, onError: (event) => { error = event.error; } });
  for await (const piece of result.textStream) text += piece;
  if (error) throw error;
  return { text };
}

async function tools() {
  let called = 0;
  const get_weather = tool({
    description: "How warm it is.", inputSchema: z.object({ city: z.string() }),
    execute: (input) => { called += 1; return weather(input); },
  });
  const answer = await generateText({
    model, prompt: PROMPT, tools: { get_weather }, stopWhen: stepCountIs(8),
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber ? "auto" : "required" }),
  });
  return { text: answer.text, called };
}

async function structured() {
  const schema = z.object({ city: z.string(), degrees: z.number() });
  const answer = await generateText({ model, prompt: PROMPT, output: Output.object({ schema }) });
  return { structured: answer.output };
}

const bytes = (uri) => Buffer.from(uri.split(",")[1], "base64");

async function files() {
  const content = [
    { type: "text", text: PROMPT },
    { type: "file", data: bytes(PICTURE), mediaType: "image/png" },
    { type: "file", data: bytes(REPORT), mediaType: "application/pdf", filename: "report.pdf" },
  ];
  const answer = await generateText({ model, messages: [{ role: "user", content }] });
  return { text: answer.text, structured: answer.response.headers?.["x-fusion-warnings"] ?? "nothing" };
}

await carryOut({
  plain, stream, tools, structured, error: stream, "error whole": plain, silence: plain,
  "silence stream": stream, "one failed seat": stream, agent: tools, files,
});
