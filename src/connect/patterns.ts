/**
 * Whether a comma-separated list of ssh_config(5) PATTERNS matches a lower-case name: `*` and `?` are
 * wildcards, and one negated match (`!pattern`) overrules every other.
 */
export function matchesPatternList(list: string, name: string): boolean {
  const patterns = list.toLowerCase().split(",");
  const negated = patterns.filter((pattern) => pattern.startsWith("!"));
  const positive = patterns.filter((pattern) => !pattern.startsWith("!"));
  return (
    positive.some((pattern) => matchesPattern(pattern, name)) &&
    !negated.some((pattern) => matchesPattern(pattern.slice(1), name))
  );
}

/** Walks both texts with one step back to the last `*`: linear memory, no regular expression to blow up. */
function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let lastStar = -1;
  let resume = 0;
  for (let index = 0; index < name.length;) {
    if (pattern[at] === "*") {
      lastStar = at++;
      resume = index;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[index])) {
      at++;
      index++;
    } else if (lastStar !== -1) {
      at = lastStar + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
