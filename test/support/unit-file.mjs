// The texts of systemd 252, as far as a wrapper's unit needs them: unit files, env files, and what `systemctl show` prints.

/** The settings of one section in their order: `[name, value]`. Comments and continued lines as systemd takes them. */
export function parseSection(text, wanted) {
  let section = "";
  const settings = [];
  for (const line of text.replace(/\\\n/g, " ").split("\n")) {
    const [, title] = /^\[(.*)\]\s*$/.exec(line) ?? [];
    if (title !== undefined) section = title;
    const [, name, value] = /^\s*([A-Za-z]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === wanted && name !== undefined) settings.push([name, value]);
  }
  return settings;
}

/** The values of a list setting: an empty one forgets those before it. */
export function listOf(settings, wanted) {
  let values = [];
  for (const [name, value] of settings) {
    if (name === wanted) values = value === "" ? [] : [...values, value];
  }
  return values;
}

/** Words as systemd splits them: quotes may stand anywhere, a backslash escapes as in C. */
export function splitWords(text) {
  const words = [];
  let word;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\\" && at + 1 < text.length) {
      at++;
      word = (word ?? "") + ({ n: "\n", t: "\t", s: " " }[text[at]] ?? text[at]);
    } else if (letter === quote) quote = "";
    else if (quote === "" && /["']/.test(letter)) {
      quote = letter;
      word ??= "";
    } else if (quote === "" && /\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + letter;
  }
  return word === undefined ? words : [...words, word];
}

/** An env file's variables: no `export`, no `$`; quotes and backslashes nearly as in a shell; other lines are passed over. */
export function parseEnvFile(text) {
  const variables = [];
  const assignment =
    /^[ \t]*(?:[#;](?:\\\n|[^\n])*|([^=\n]*)=((?:\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|[^\n\\])*))$/gm;
  for (const [, name, value] of text.matchAll(assignment)) {
    if (name === undefined || !/^[A-Za-z_]\w*$/.test(name.trim())) continue;
    const parts = value
      .trim()
      .matchAll(/'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^'"\\]+|.)/g);
    const plain = [...parts].map(([, single, double, escaped, bare]) => {
      if (double !== undefined) return double.replace(/\\\n/g, "").replace(/\\(["\\$`])/g, "$1");
      return single ?? bare ?? (escaped === "\n" ? "" : escaped);
    });
    variables.push([name.trim(), plain.join("")]);
  }
  return variables;
}

/** A list of strings as `systemctl show` prints it. */
export function renderWords(words) {
  return words
    .map((word) =>
      /[\s"\\`$*?['()<>|&;!]/.test(word) ? `"${word.replace(/["\\`$]/g, String.raw`\$&`)}"` : word,
    )
    .join(" ");
}
