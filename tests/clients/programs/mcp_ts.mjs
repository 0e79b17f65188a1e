import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { KEY, PROMPT, SCENARIO, URL as at, carryOut } from "./asked.mjs";

const presets = { "error whole": "failing", "one failed seat": "degraded", silence: "silent" };

async function ask() {
  const url = new URL(at.replace(/\/v1$/, "/mcp"));
  const requestInit = { headers: { Authorization: `Bearer ${KEY}` } };
  const client = new Client({ name: "tried", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  const preset = presets[SCENARIO] ?? "good";
  let result = await client.callTool({ name: "fusion_ask", arguments: { prompt: PROMPT, preset } });
  const text = () => result.content.map((part) => part.text ?? "").join(" ");
  while (!result.isError && text().includes("fusion_get_run")) {
    const { run_id } = result.structuredContent;
    await new Promise((soon) => setTimeout(soon, 5000));
    result = await client.callTool({ name: "fusion_get_run", arguments: { run_id } });
  }
  return result.isError ? { error: text() } : { text: text() };
}

await carryOut({ plain: ask, "error whole": ask, silence: ask, "one failed seat": ask });
