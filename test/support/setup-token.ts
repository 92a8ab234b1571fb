/** A plainly fake setup token, as long as a real one (108 characters). */
export function fakeSetupToken(mark = "a"): string {
  return `sk-ant-oat01-CANARY${mark}-`.padEnd(108, "0123456789_abcdefghij-ABCDEFGHIJ");
}

/** What `claude setup-token` leaves on the screen, in our own words but for the lines that are looked for. */
export function setupFrame(token: string): string {
  return [
    "✓ Long-lived authentication token created successfully!",
    "",
    "Your OAuth token (valid for 1 year):",
    "",
    token,
    "",
    "Keep it safe: it is shown this once.",
    "",
    "Use it by setting: export CLAUDE_CODE_OAUTH_TOKEN=<token>",
    "",
  ].join("\n");
}

/** A text as a terminal of that many columns breaks it. */
export function wrapped(text: string, columns: number, margin = ""): string {
  const pattern = new RegExp(`.{1,${columns}}`, "g");
  return text
    .split("\n")
    .flatMap((line) => (line === "" ? [""] : (line.match(pattern) ?? [])))
    .map((line) => margin + line)
    .join("\n");
}
