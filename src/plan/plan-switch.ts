import { editOnce } from "../edits/edit-once.ts";
import type { Host, Switch } from "../hosts/host.ts";
import { octalOf } from "../remote/host-files.ts";
import type { HostFile } from "../remote/host-files.ts";
import type { ProbeReport } from "../remote/probe-report.ts";
import { Secret } from "../secret.ts";
import { findObstacle, refuse } from "./plan.ts";
import type { Plan } from "./plan.ts";
import * as refusal from "./refusals.ts";
import { findUnsafe } from "./unsafe-files.ts";

export interface SwitchQuestion {
  /** With the restart and the wrapper of the switch, where it has its own. */
  readonly host: Host;
  readonly report: ProbeReport;
}

/**
 * What turning a switch on or off comes to. The baseline is not asked: an app whose provider is down may answer anything,
 * and the switch is there to cure that.
 */
export function planSwitch(
  { host, report }: SwitchQuestion,
  { name, to }: { readonly name: string; readonly to: "on" | "off" },
): Plan {
  const obstacle = findObstacle(host, report, "other");
  if (obstacle !== undefined) return obstacle;
  const edit = host.switches[name];
  if (edit === undefined) throw new Error(`${host.name} has no switch ${name}`);
  const path = pathOf(edit, report);
  const seen = report.files.get(path);
  if (seen === undefined) return { kind: "look-closer", path };
  if (seen.kind === "absent") return refuse("refused", refusal.noFile(path, name));
  const unsafe = findUnsafe({ path, asRoot: false }, report);
  if (unsafe !== undefined) return refuse("refused", unsafe);
  const text = decode(seen);
  if (text === undefined) return refuse("refused", refusal.unfitFile(path, "it is not UTF-8"));
  const edited = editOnce(text, edit, to);
  if (edited.kind === "already") return { kind: "unchanged" };
  if (edited.kind !== "edited") {
    const times = edited.kind === "missing" ? 0 : edited.times;
    return refuse("refused", refusal.unclearSwitch(path, { name, to, times }));
  }
  const change = {
    path,
    mode: octalOf(seen.mode),
    before: seen.bytes,
    after: new Secret(edited.text),
  };
  const lines = [`${path}: the switch ${name} goes ${to}`];
  return { kind: "change", changes: [change], recipe: {}, lines, brings: {} };
}

/** The file of a switch as an absolute path. */
export function pathOf({ file }: Switch, { home }: ProbeReport): string {
  return file.replace(/^~(?=\/)/, () => home);
}

/** How a switch stands, in one word, and why that cannot be said where it cannot. */
export function stateOf(edit: Switch, seen: HostFile | undefined): string {
  if (seen === undefined || seen.kind === "absent") return "unclear: there is no such file";
  const text = decode(seen);
  if (text === undefined)
    return `unclear: a ${seen.kind} of mode ${seen.mode} that is no readable text`;
  const [on, off] = [editOnce(text, edit, "on"), editOnce(text, edit, "off")];
  if (on.kind === "already") return "on";
  if (off.kind === "already") return "off";
  const times = on.kind === "ambiguous" ? on.times : off.kind === "ambiguous" ? off.times : 0;
  return times === 0
    ? "unclear: neither text stands there"
    : `unclear: the text stands there ${times} times`;
}

function decode({ bytes }: HostFile): string | undefined {
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
