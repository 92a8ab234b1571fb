import type { Ports } from "../ports.ts";
import { aclQuestion, findOpenAccess } from "./windows-acl.ts";
import type { OpenAccess } from "./windows-acl.ts";

const PATIENCE_MS = 5_000;

/**
 * Which groups that anybody may belong to can read or write a file on Windows. None where Windows does not say: without
 * PowerShell, or with one that is too slow, nothing is held against the file.
 */
export async function askForOpenAccess(
  path: string,
  { env, run }: Pick<Ports, "env" | "run">,
): Promise<OpenAccess[]> {
  const [program, argv] = aclQuestion(path, env);
  try {
    const { code, stdout } = await run(program, argv, { timeoutMs: PATIENCE_MS });
    return code === 0 ? findOpenAccess(stdout) : [];
  } catch {
    return [];
  }
}
