import { errorCodeOf } from "../hosts/local-path.ts";
import type { FileSnapshot, Ports } from "../ports.ts";

const ATTEMPTS = 5;
const PAUSE_MS = 100;

/**
 * The content of a file that another program may be rewriting: read twice, and given only when both
 * readings agree. While it does not, or looks `halfWritten`, it is read again, five times in all; what
 * then still looks half-written is given as it is. `undefined` when there is no such file. Errors: Node's
 * own, and `EBUSY` when the file never came to rest.
 */
export async function readStable(
  path: string,
  { files, sleep }: Pick<Ports, "files" | "sleep">,
  halfWritten: (bytes: Buffer) => boolean,
): Promise<FileSnapshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    const first = await readIfThere(path, files);
    if (first === undefined && attempt === 1) return undefined;
    const again = await readIfThere(path, files);
    const isAtRest = first !== undefined && again !== undefined && isSame(first, again);
    if (isAtRest && !halfWritten(again.bytes)) return again;
    if (attempt === ATTEMPTS) {
      if (isAtRest || again === undefined) return again;
      throw Object.assign(new Error(`EBUSY: ${path} keeps changing`), { code: "EBUSY" });
    }
    await sleep(PAUSE_MS);
  }
}

async function readIfThere(path: string, files: Ports["files"]): Promise<FileSnapshot | undefined> {
  try {
    return await files.read(path);
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** The bytes too: a coarse clock gives two writes the same time. */
function isSame(one: FileSnapshot, other: FileSnapshot): boolean {
  return (
    one.inode === other.inode &&
    one.modifiedAt === other.modifiedAt &&
    one.size === other.size &&
    one.bytes.equals(other.bytes)
  );
}
