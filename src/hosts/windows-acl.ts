import { win32 } from "node:path";
import type { Ports } from "../ports.ts";

/** What a group that anybody may belong to is allowed to do with a file. */
export interface OpenAccess {
  /** SID of the group: the same in every language of Windows. */
  readonly sid: string;
  readonly group: string;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

/** By SID and by the two letters that SDDL has for it. */
const OPEN_GROUPS: readonly { sid: string; alias: string; group: string }[] = [
  { sid: "S-1-1-0", alias: "WD", group: "everyone" },
  { sid: "S-1-5-11", alias: "AU", group: "everyone with an account" },
  { sid: "S-1-5-32-545", alias: "BU", group: "all users" },
  { sid: "S-1-5-32-546", alias: "BG", group: "guests" },
  { sid: "S-1-5-7", alias: "AN", group: "anonymous callers" },
];

const GENERIC_ALL = 0x1000_0000;
const READ = 0x8000_0000 | GENERIC_ALL | 0x1;
/** Content, or the list that protects it: FILE_WRITE_DATA, FILE_APPEND_DATA, WRITE_DAC, WRITE_OWNER. */
const WRITE = 0x4000_0000 | GENERIC_ALL | 0x2 | 0x4 | 0x4_0000 | 0x8_0000;

const RIGHTS: Readonly<Record<string, number>> = {
  GA: GENERIC_ALL,
  GX: 0x2000_0000,
  GW: 0x4000_0000,
  GR: 0x8000_0000,
  FA: 0x1f_01ff,
  FR: 0x12_0089,
  FW: 0x12_0116,
  FX: 0x12_00a0,
  RC: 0x2_0000,
  SD: 0x1_0000,
  WD: 0x4_0000,
  WO: 0x8_0000,
  CC: 0x1,
  DC: 0x2,
  LC: 0x4,
  SW: 0x8,
  RP: 0x10,
  WP: 0x20,
  DT: 0x40,
  LO: 0x80,
  CR: 0x100,
};

/**
 * The groups that a security descriptor lets read or write although anybody may be in them. Entries that only children
 * inherit do not count; a denial elsewhere in the list is not weighed.
 */
export function findOpenAccess(sddl: string): OpenAccess[] {
  // Without any list Windows lets everybody in.
  const isBare = /D:[A-Z]*NO_ACCESS_CONTROL/.test(sddl);
  const entries = isBare ? [{ trustee: "WD", rights: GENERIC_ALL }] : parseAllowances(sddl);
  return OPEN_GROUPS.map(({ sid, alias, group }) => {
    const rights = entries
      .filter(({ trustee }) => trustee === sid || trustee === alias)
      .reduce((all, entry) => all | entry.rights, 0);
    return { sid, group, mayRead: (rights & READ) !== 0, mayWrite: (rights & WRITE) !== 0 };
  }).filter(({ mayRead, mayWrite }) => mayRead || mayWrite);
}

/** The command line that prints the security descriptor of a file. */
export function aclQuestion(path: string, env: Ports["env"]): [program: string, argv: string[]] {
  // By its whole path: Windows would look into the current folder first.
  const system = win32.join(env["SystemRoot"] || String.raw`C:\Windows`, "System32");
  const program = win32.join(system, "WindowsPowerShell", "v1.0", "powershell.exe");
  // PowerShell takes typographic quotes for quotes as well.
  const quoted = `'${path.replace(/['\u2018-\u201B]/g, "$&$&")}'`;
  // From PowerShell 7 it inherits module folders whose `Get-Acl` it cannot load, and would say nothing.
  const command = String.raw`$env:PSModulePath = $PSHOME + '\Modules'; (Get-Acl -LiteralPath ${quoted}).Sddl`;
  return [program, ["-NoProfile", "-NonInteractive", "-Command", command]];
}

/** The command that leaves a file to one user: neither what it inherits nor these groups stay. */
export function renderAclCure(
  path: string,
  userName: string,
  groups: readonly OpenAccess[],
): string {
  const sids = groups.map(({ sid }) => `*${sid}`).join(" ");
  return `icacls "${path}" /inheritance:r /grant:r "${userName}:F" /remove:g ${sids}`;
}

/** Entries look like `(A;ID;0x1301bf;;;BU)`; further fields belong to kinds that files have not. */
function parseAllowances(sddl: string): { trustee: string; rights: number }[] {
  const entries = sddl.matchAll(/\(X?A;([A-Z]*);([^;()]*);[^;()]*;[^;()]*;([^;()]*)/g);
  return [...entries]
    .filter(([, flags = ""]) => !pairsIn(flags).includes("IO"))
    .map(([, , rights = "", trustee = ""]) => ({ trustee, rights: parseRights(rights) }));
}

function parseRights(text: string): number {
  if (/^(?:0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
  return pairsIn(text).reduce((all, code) => all | (RIGHTS[code] ?? 0), 0);
}

function pairsIn(text: string): string[] {
  return [...text.matchAll(/../g)].map(([pair]) => pair);
}
