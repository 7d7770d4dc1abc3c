// Reads one call a line (JSON: secret, headers, body in base64) and answers each with a line: "ok" and what the body
// says happened, or "refused" and why.
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  try {
    const event = new Webhook(call.secret).verify(Buffer.from(call.body, "base64").toString("utf8"), call.headers);
    console.log("ok " + event.type + " " + event.data.message);
  } catch (error) {
    console.log("refused " + error.message);
  }
}
