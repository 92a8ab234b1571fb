/**
 * Whether the text of a file of ssh_config(5) applies to all of some host names alike. The names are plain: lower-case
 * letters, digits, dots and hyphens, the first a letter or digit.
 *
 * Nothing is interpreted here. Which lines apply is decided by `Host` and `Match` alone; a `Host` is let through when each
 * of its patterns takes in every plain name or none of these, a `Match` when its criterion is `all`. A line that is not
 * written in the simplest way counts as one that tells hosts apart: quotes, comments behind patterns, other wildcards.
 */
export function isUniform(config: string, names: ReadonlySet<string>): boolean {
  return config.split(/\r?\n/).every((line) => {
    if (/^[ \t]*(?:#|$)/.test(line)) return true;
    const [, keyword = "", value = ""] = /^[ \t]*([a-z0-9]+)(?=[ \t=]|$)(.*)$/is.exec(line) ?? [];
    switch (keyword.toLowerCase()) {
      case "":
        return false;
      case "host":
        return patternsOf(value).every((pattern) => isForAllOrNone(pattern, names));
      case "match":
        return /^[ \t]+(?:final[ \t]+)?all[ \t]*$/i.test(value);
      // `HostName %h` may make an address of one name and not of another; an `Include` is read if its file exists.
      case "hostname":
      case "include":
        return !value.includes("%");
      default:
        // Even where names are not canonicalized, CanonicalizePermittedCNAMEs looks them up.
        return !/^canonical/i.test(keyword);
    }
  });
}

function patternsOf(value: string): string[] {
  return value
    .replace(/^[ \t]*=?/, "")
    .split(/[ \t]+/)
    .filter((pattern) => pattern !== "");
}

function isForAllOrNone(pattern: string, names: ReadonlySet<string>): boolean {
  if (pattern === "*") return true;
  const isName = /^!?[\w.:-]+$/.test(pattern);
  if (isName) return !names.has(pattern.replace("!", "").toLowerCase());
  // What systemd adds: `.host`, `unix/*`, `vsock%*`. No plain name has such characters.
  return /^[\w.*:-]*[/%][\w.*:/%-]*$/.test(pattern);
}
