/** What a run is for. */
export type Purpose =
  | { readonly kind: "push" }
  /** Onto the API key that lies ready on the host, or off it. */
  | { readonly kind: "failover"; readonly to: "on" | "off" }
  /** The text edit of that name in hosts.json. */
  | { readonly kind: "switch"; readonly name: string; readonly to: "on" | "off" }
  /** Files as they were before a change: the newest one, or the one named. */
  | { readonly kind: "restore"; readonly backup?: string | undefined };

/** How the endings of a run speak of the two states of a host. */
export interface Words {
  /** The change is in: `the new credentials are in place`. */
  readonly fresh: string;
  /** It is out again: `back on its former credentials`. */
  readonly former: string;
  /** What is put back: `credentials`. */
  readonly things: string;
}

/** What a host keeps beside a backup: `push`, `switch fallback on`. One line. */
export function renderPurpose(purpose: Purpose): string {
  switch (purpose.kind) {
    case "push":
      return "push";
    case "failover":
      return `failover ${purpose.to}`;
    case "switch":
      return `${SWITCH}${purpose.name} ${purpose.to}`;
    case "restore":
      return "rollback";
  }
}

/** Whether a line that `renderPurpose` gave is of a switch: its name, or undefined. */
export function switchIn(line: string): string | undefined {
  if (!line.startsWith(SWITCH)) return undefined;
  return line.slice(SWITCH.length).replace(/ (?:on|off)$/, "");
}

const SWITCH = "switch ";

/** The words for a purpose. */
export function wordsFor(purpose: Purpose): Words {
  switch (purpose.kind) {
    case "push":
      return {
        fresh: "the new credentials are in place",
        former: "back on its former credentials",
        things: "credentials",
      };
    case "failover":
      return purpose.to === "on"
        ? { fresh: "the backup API key is in use", former: "back on its login", things: "files" }
        : { fresh: "its login is in use", former: "back on the backup API key", things: "files" };
    case "switch": {
      const { name, to } = purpose;
      const other = to === "on" ? "off" : "on";
      return {
        fresh: `the switch ${name} is ${to}`,
        former: `the switch ${name} is ${other} again`,
        things: "files",
      };
    }
    case "restore":
      return {
        fresh: "what the backup held is in place",
        former: "back to what it had before the rollback",
        things: "files",
      };
  }
}
