/** The lines of `--json`, as a schema. `docs/events.schema.json` is rendered from it. */
import * as z from "zod/mini";
import type { BackupSummary, HostResult, Outcome, RunEvent, Step } from "../outcome.ts";

// Types and schema are held together by the compiler: a word that one has and the other lacks is an error.
const OUTCOMES = {
  verified: "verified",
  unchanged: "unchanged",
  planned: "planned",
  "rolled-back": "rolled-back",
  unverified: "unverified",
  "rollback-failed": "rollback-failed",
  conflict: "conflict",
  busy: "busy",
  unreachable: "unreachable",
  refused: "refused",
  failed: "failed",
  "not-attempted": "not-attempted",
} as const satisfies { readonly [Name in Outcome]: Name };

const STEPS = {
  connect: "connect",
  probe: "probe",
  plan: "plan",
  recover: "recover",
  install: "install",
  restart: "restart",
  smoke: "smoke",
  commit: "commit",
  rollback: "rollback",
} as const satisfies { readonly [Name in Step]: Name };

const instant = () => z.int().check(z.describe("epoch milliseconds"));
const text = (meaning: string) => z.string().check(z.describe(meaning));
const lines = (meaning: string) => z.array(z.string()).check(z.describe(meaning));
const host = () => text("its name in hosts.json");
const version = z.literal(1).check(z.describe("grows when a reader of the former one could break"));

const backup: z.ZodMiniType<BackupSummary> = z.object({
  id: text("for `rollback --to`"),
  at: instant(),
  who: text("who made the change, from where"),
  what: text("`push`, `rollback`, `switch fallback on`"),
  fingerprint: z.exactOptional(text("of the credentials in it")),
  holds: text("the same, or what is there instead"),
  files: lines("absolute paths on the host"),
});

const result: z.ZodMiniType<HostResult> = z.object({
  host: host(),
  outcome: z.enum(OUTCOMES).check(z.describe("how the host ended")),
  code: z.optional(text("stable: an error's code, or what the wrapper's answer means")),
  fingerprint: z.optional(text("of what the host runs on now, where known")),
  validUntil: z.optional(instant()),
  what: z.optional(text("what happened, in one line")),
  why: z.optional(text("the cause")),
  next: lines("what to do, in this order"),
  state: z.optional(text("how the host is now, where the outcome does not say it")),
  logTail: z.optional(lines("the end of the wrapper's log")),
  durationMs: z.number(),
  plan: z.optional(lines("what would change: `plan`, `--dry-run`")),
  backups: z.optional(z.array(backup).check(z.describe("`backups`: newest first"))),
});

const step = z.object({
  type: z.literal("step"),
  schemaVersion: version,
  host: host(),
  step: z.enum(STEPS).check(z.describe("what begins on that host")),
  at: instant(),
});
const note = z.object({
  type: z.literal("note"),
  schemaVersion: version,
  host: z.exactOptional(host()),
  text: text("a remark for a person"),
  at: instant(),
});
const ended = z.object({
  type: z.literal("host"),
  schemaVersion: version,
  result,
  at: instant(),
});

const event: z.ZodMiniType<RunEvent> = z.union([step, note, ended]);

const last = z.object({
  type: z.literal("result"),
  schemaVersion: version,
  exitCode: z.int().check(z.describe("the exit status of the command")),
  error: z.optional(
    z
      .object({
        code: text("stable"),
        what: text("what happened"),
        why: z.optional(text("the cause")),
        next: lines("what to do, in this order"),
      })
      .check(z.describe("what ended the command before any host was gone to")),
  ),
  hosts: z.array(result).check(z.describe("in the order of hosts.json")),
});

/** One line of `--json`: an event, or the result, which is the last one. */
export const lineSchema = z.union([event, last]);
