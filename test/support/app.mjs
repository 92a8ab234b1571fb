// An app in front of a wrapper, like the one that a switch is for: its config.py names a provider, read when it starts.
//
//   node app.mjs --port N --config FILE --wrapper URL [--perplexity fails|unavailable|slow]
//
// With "claude" it passes each question on to the wrapper at URL and answers with what comes back. With "perplexity" it
// answers by itself, with the last word of the question, as a model would; or it cannot, or takes fifteen seconds, when told
// so. With anything else it does not start. POST /chat {"message"}, GET /health.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const provider = /"provider": "(\w+)"/.exec(readFileSync(option("config"), "utf8"))?.[1];
if (provider !== "claude" && provider !== "perplexity") {
  console.log(`unknown provider ${provider}`);
  process.exit(1);
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => void reply());
  const reply = async () => {
    const send = (status, json) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    };
    if (request.url === "/health") return send(200, { provider, pid: process.pid });
    if (request.url !== "/chat") return send(404, {});
    try {
      const { message } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      return send(200, { response: await answer(message) });
    } catch (error) {
      return send(option("perplexity") === "unavailable" ? 502 : 500, {
        detail: String(error.message),
      });
    }
  };
}).listen(Number(option("port")), "127.0.0.1");

async function answer(message) {
  if (provider === "perplexity") {
    if (["fails", "unavailable"].includes(option("perplexity")))
      throw new Error("perplexity does not answer");
    if (option("perplexity") === "slow")
      await new Promise((resolve) => setTimeout(resolve, 15_000));
    return /(\S+)\s*$/.exec(message)[1];
  }
  const reply = await fetch(`${option("wrapper")}/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message }),
  });
  return (await reply.json()).response;
}

function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? "" : process.argv[at + 1];
}
