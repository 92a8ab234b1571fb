import { fileURLToPath } from "node:url";

/** For the environment of laptops: they share what V8 has compiled of the program, so that not each of them has to begin anew. */
export const SHARED_CACHE = {
  XDG_CACHE_HOME: fileURLToPath(new URL("../../build/test-cache", import.meta.url)),
};
