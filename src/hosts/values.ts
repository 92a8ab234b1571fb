/** The kinds of text and number that hosts.json is made of. What a pattern lets through cannot hurt. */
import * as z from "zod/mini";

/** The name of a host, group, tag or stored token. */
export const name = text(
  64,
  /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  "must start with a letter or digit and hold only letters, digits, `.`, `_` and `-`",
);

/** The name of an environment variable. */
export const variableName = text(
  128,
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  "must be the name of an environment variable: letters, digits and `_`",
);

/** The name of an account on a host. */
export const accountName = text(
  32,
  /^[A-Za-z_][A-Za-z0-9_.-]*$/,
  "must be an account name: letters, digits, `_`, `.` and `-`",
);

/** A path on the host. */
export const remotePath = text(
  1024,
  /^(?:\/|~\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\p{C}\p{Zl}\p{Zp}]*$/u,
  "must be a path that starts with `/` or `~/`, without `..` or control characters",
);

/** A path on this computer: absolute, `~/…`, or relative to the folder of hosts.json. */
export const localPath = text(
  1024,
  /^(?!-)[^\p{C}\p{Zl}\p{Zp}]+$/u,
  "must be a path that does not start with `-`, without control characters",
);

/** A systemd unit. */
export const unitName = text(
  255,
  /^(?!-)[A-Za-z0-9:_.@\\-]+$/,
  "must be the name of a systemd unit, such as `claude-wrapper.service`",
);

/** What a supervisor calls a process, a container or a service. */
export const processName = text(
  128,
  /^[A-Za-z0-9][A-Za-z0-9:_.@-]*$/,
  "must start with a letter or digit and hold only letters, digits, `:`, `_`, `.`, `@` and `-`",
);

/** Text to find or to put in a file of the host. Never shown as part of a command. */
export const fileText = z
  .string()
  .check(z.minLength(1), z.maxLength(8192), z.regex(/^[^\0]*$/, { error: "must not hold a NUL" }));

/** The user's own shell text. Characters that reorder or hide a line would make the plan lie about it. */
export const shellLine = text(
  4096,
  /^(?=.*\S)(?:\t|[^\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029])+$/u,
  "must be one line of shell text, without control characters",
);

/** A path of the wrapper's HTTP interface. Two slashes in front would name another host. */
export const urlPath = text(
  512,
  /^\/(?!\/)[!"$-[\]-~]*$/,
  "must be a URL path that starts with one `/`, without spaces or `#`",
);

/** Plain printable text, such as the name of a model. */
export const label = text(
  128,
  /^[^\s\p{C}](?:[^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$/u,
  "must be printable text without spaces around it",
);

/** A host key as `ssh-keygen -l` prints it. */
export const hostKeyFingerprint = text(
  50,
  /^SHA256:[A-Za-z0-9+/]{43}$/,
  "must be `SHA256:` and 43 characters, as `ssh-keygen -l -f KEYFILE` prints it",
);

/** Whole milliseconds, an hour at most. `initial` is the default, for editors. */
export function milliseconds(least: number, initial: number, description: string) {
  return z
    .int()
    .check(z.minimum(least), z.maximum(3_600_000), z.meta({ description, default: initial }));
}

/** Text of at most `most` characters that matches a pattern; `otherwise` is the sentence if it does not. */
export function text(most: number, pattern: RegExp, otherwise: string) {
  // The length comes first and ends the check: no pattern ever runs over a megabyte.
  return z
    .string()
    .check(z.maxLength(most, { abort: true }), z.regex(pattern, { error: otherwise }));
}
