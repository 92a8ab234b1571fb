import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderCommand, renderPasswordCommand } from "../../../src/remote/command-line.ts";

const reading = [
  "whole=iflag=fullblock; sync_creds=$(dd bs=6 count=1 iflag=fullblock 2>/dev/null)",
  '{ whole=; sync_creds=$(dd bs=1 count=6 2>/dev/null); } && eval "$sync_creds"',
].join(" || ");

describe("the command line", () => {
  test("is a constant but for the length of the script", () => {
    expect(renderCommand("exit 0")).toBe(`exec /bin/sh -c '${reading}'`);
  });

  test("goes through sudo, which may not ask, when another account is wanted", () => {
    expect(renderCommand("exit 0", { runAs: "claude" })).toBe(
      `exec sudo -n -H -u claude -- /bin/sh -c '${reading}'`,
    );
  });

  test("lets perl read the script first, where that is wanted", () => {
    const command = renderCommand("exit 0", { withToolbox: true });
    expect(command).toMatch(
      /^exec \/bin\/sh -c '\[ -x \/usr\/bin\/perl \] && .* && exec \/usr\/bin\/perl -e "\$1" 6 "\$0"; whole=/,
    );
    expect(command).toContain(`${reading}' /bin/sh 'my (`);
  });

  test.each([
    ["plain", (script: string) => renderCommand(script)],
    ["with perl", (script: string) => renderCommand(script, { withToolbox: true })],
    ["with a password", (script: string) => renderPasswordCommand(script, "claude", "5c5c")],
  ])("has nothing that a login shell takes for its own: %s", (_, render) => {
    const quoted = render("exit 0").split("'");
    // Pairs of quotes, and between and around them plain words alone.
    expect(quoted.length % 2).toBe(1);
    expect(quoted.filter((__, at) => at % 2 === 0).join(" ")).toMatch(/^[\w /-]*$/);
    expect(quoted.filter((__, at) => at % 2 === 1).join(" ")).toMatch(/^[^!\\\n]*$/);
  });

  test("holds nothing of the script, whatever that says, and counts its bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (script) => {
        const length = Buffer.from(script).length;
        expect(renderCommand(script)).toBe(
          renderCommand("").replace("bs=0", `bs=${length}`).replace("count=0", `count=${length}`),
        );
      }),
    );
  });
});
