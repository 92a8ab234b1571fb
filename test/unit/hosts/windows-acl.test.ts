import { describe, expect, test } from "vitest";
import { aclQuestion, findOpenAccess, renderAclCure } from "../../../src/hosts/windows-acl.ts";

describe("who may do what", () => {
  test("a file of a profile belongs to its user, the system and the administrators", () => {
    const sddl =
      "O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;S-1-5-21-1-2-3-1001)";
    expect(findOpenAccess(sddl)).toEqual([]);
  });

  test.each([
    ["(A;;FR;;;WD)", "S-1-1-0", true, false],
    ["(A;;FR;;;S-1-1-0)", "S-1-1-0", true, false],
    ["(A;ID;0x1200a9;;;BU)", "S-1-5-32-545", true, false],
    ["(A;ID;0x1301bf;;;S-1-5-11)", "S-1-5-11", true, true],
    ["(A;;FW;;;AN)", "S-1-5-7", false, true],
    ["(A;;CCDCLC;;;BG)", "S-1-5-32-546", true, true],
    ["(A;;GA;;;AU)", "S-1-5-11", true, true],
    ["(A;;GR;;;AU)", "S-1-5-11", true, false],
    ["(A;;0x80000000;;;AU)", "S-1-5-11", true, false],
    ["(A;;WD;;;BU)", "S-1-5-32-545", false, true],
    ["(A;OICIID;FA;;;BU)", "S-1-5-32-545", true, true],
    ['(XA;;FX;;;AN;(@User.Title=="PM"))(A;;FR;;;BU)', "S-1-5-32-545", true, false],
  ])("%s", (entries, sid, mayRead, mayWrite) => {
    expect(findOpenAccess(`O:BAG:DUD:PAI${entries}\r\n`)).toMatchObject([
      { sid, mayRead, mayWrite },
    ]);
  });

  test.each([
    ["a denial", "D:(D;;FA;;;WD)"],
    ["what only children inherit", "D:(A;OICIIO;GA;;;AU)"],
    ["the right to execute", "D:(A;;FX;;;BU)"],
    ["an entry of the audit list", "D:(A;;FA;;;SY)S:(AU;SAFA;FA;;;WD)"],
    ["an empty list", "O:BAG:BAD:P"],
    ["no answer", ""],
  ])("%s opens nothing", (_, sddl) => {
    expect(findOpenAccess(sddl)).toEqual([]);
  });

  test("rights of several entries add up", () => {
    expect(findOpenAccess("D:(A;;FR;;;BU)(A;;0x4;;;S-1-5-32-545)")).toMatchObject([
      { mayRead: true, mayWrite: true },
    ]);
  });

  test("a file without any list is open to everyone", () => {
    expect(findOpenAccess("O:BAG:BAD:NO_ACCESS_CONTROL")).toMatchObject([
      { sid: "S-1-1-0", mayRead: true, mayWrite: true },
    ]);
  });
});

test("the question quotes what PowerShell takes for a quote, and trusts no folder but the system's", () => {
  const [program, argv] = aclQuestion(String.raw`C:\Ann's ‘x’\ф`, {
    SystemRoot: String.raw`D:\Win`,
  });
  expect(program).toBe(String.raw`D:\Win\System32\WindowsPowerShell\v1.0\powershell.exe`);
  expect(argv.at(-1)).toBe(
    String.raw`$env:PSModulePath = $PSHOME + '\Modules'; (Get-Acl -LiteralPath 'C:\Ann''s ‘‘x’’\ф').Sddl`,
  );
});

test("the cure names groups by number, whatever the language", () => {
  const groups = findOpenAccess("D:(A;;FA;;;WD)(A;;FR;;;BU)");
  expect(renderAclCure(String.raw`C:\a b\f`, "Ümit", groups)).toBe(
    String.raw`icacls "C:\a b\f" /inheritance:r /grant:r "Ümit:F" /remove:g *S-1-1-0 *S-1-5-32-545`,
  );
});
