import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Ended, Laptop } from "./laptop.ts";
import { findProgram } from "./programs.ts";

const BIN = fileURLToPath(new URL("../../bin/sync-creds.js", import.meta.url));

/** Whether a Secret Service of a test's own can be had here: GNOME's, on a bus that nobody else is on. */
export const hasKeyring: boolean =
  process.platform === "linux" &&
  [findProgram("dbus-run-session"), findProgram("gnome-keyring-daemon")].every(Boolean);

/**
 * Runs shell lines on a bus and with a keyring below the laptop's home, which this user's own programs do not know.
 * `$CLI` is the built command line. Unless it is unlocked nobody can open the keyring.
 */
export function runWithKeyring(
  { laptop }: Laptop,
  state: "unlocked" | "locked",
  script: string,
): Promise<Ended> {
  const unlock = `printf CANARYpassword | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1\n`;
  const lines = `exec 2>&3\n${state === "unlocked" ? unlock : ""}${script}`;
  // The bus and the keyring talk on stderr; what the script says there is kept apart.
  const whole = `exec 3>&2; exec dbus-run-session -- /bin/sh -c "$SCRIPT" 2>/dev/null`;
  const env = {
    HOME: laptop,
    XDG_RUNTIME_DIR: laptop,
    PATH: process.env["PATH"],
    CLI: `${process.execPath} ${BIN}`,
    SCRIPT: lines,
  };
  return new Promise((resolve) => {
    const child = execFile("/bin/sh", ["-c", whole], { cwd: laptop, env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
