// The least that a client on Node can spend: the bare script of push.sh through ssh2, one connection to each host and nothing
// else. No configuration is read, no host key is known, nothing is looked at.
//
//   node ssh2-push.cjs SCRIPT KEY USER PORT ADDRESS...
const { readFileSync } = require("node:fs");
const { connect } = require("node:net");
const { Client } = require("ssh2");

const [script, keyFile, username, port, ...addresses] = process.argv.slice(2);
const text = readFileSync(script);
const key = readFileSync(keyFile);

for (const host of addresses) {
  const client = new Client();
  client.on("error", (error) => fail(host, error.message));
  client.on("ready", () => {
    client.exec("sh -s", (error, channel) => {
      if (error) return fail(host, error.message);
      channel.on("exit", (code) => code === 0 || fail(host, `exit status ${code}`));
      channel.on("close", () => client.end());
      channel.resume();
      channel.stderr.resume();
      channel.end(text);
    });
  });
  const authHandler = [{ type: "publickey", username, key }];
  const sock = connect({ host, port: Number(port), noDelay: true });
  client.connect({ sock, username, authHandler });
}

function fail(host, why) {
  console.error(`${host}: ${why}`);
  process.exitCode = 1;
}
