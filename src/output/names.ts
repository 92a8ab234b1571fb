/** Names of hosts for a line: all of them when they are few, else the first and how many more. */
export function renderNames(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(", ")
    : `${names.slice(0, 4).join(", ")} and ${names.length - 4} more`;
}
