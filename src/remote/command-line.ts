/** Of a script only its length in bytes goes into the command line. */
type Script = string | Buffer;

/** How a script may be started. */
export interface StartOptions {
  /** Account to act as, through sudo. */
  readonly runAs?: string | undefined;
  /** Whether perl, where the host has it, reads the script and starts the toolbox that the script begins with. */
  readonly withToolbox?: boolean;
}

/**
 * The command line that starts a script on a host: a constant but for the script's length and the account's name. It means
 * the same to every login shell: in one pair of quotes neither a quote nor a backslash, nor an exclamation mark, of which
 * csh makes something.
 */
export function renderCommand(
  script: Script,
  { runAs, withToolbox = false }: StartOptions = {},
): string {
  const shell = renderShell("", script, withToolbox);
  return runAs === undefined ? `exec ${shell}` : `exec sudo -n -H -u ${runAs} -- ${shell}`;
}

/** What sudo asks with on stderr, when it wants a password. */
export const PASSWORD_PROMPT = "sync-creds:password-of-the-login?";

/**
 * The same through a sudo that may ask for a password on stdin (`-S`), remembered passwords aside (`-k`). The account's
 * shell says that it is ready: before that line whatever is sent could be taken for a password.
 */
export function renderPasswordCommand(script: Script, runAs: string, nonce: string): string {
  const shell = renderShell(`echo; echo ${nonce} ready; `, script, true);
  return `exec sudo -k -S -p '${PASSWORD_PROMPT}' -H -u ${runAs} -- ${shell}`;
}

// The toolbox is what stands between the script's first two quotes; the shell has no use for it. The process that began becomes the shell: it is the one
// whose end sshd tells.
const PERL = [
  `my ($size, $shell) = @ARGV;`,
  `my $script = "";`,
  `while (length $script < $size) {`,
  ` sysread STDIN, $script, $size - length $script, length $script or exit 1;`,
  `}`,
  `$^F = 9;`, // both pipes outlive `exec`
  `pipe my $asked, my $asking and pipe my $heard, my $reply or exit 1;`,
  `my $tools = (split chr 39, $script, 3)[1];`,
  `my $server = fork;`,
  `if (defined $server && $server == 0) {`,
  ` close $asking;`,
  ` close $heard;`,
  ` eval $tools;`,
  ` exit;`,
  `}`,
  `close $asked;`,
  `close $reply;`,
  `substr $script, index($script, $tools), length $tools, "";`,
  `$ENV{sync_creds} = $script;`,
  `$ENV{sync_creds_tools} = $server && fileno $asking == 4 && fileno $heard == 5 ? "yes" : "no";`,
  `exec $shell, "-c", q(eval "$sync_creds"), $shell or exit 127;`,
].join("");
const HAS_PERL = `[ -x /usr/bin/perl ] && [ -z "\${PERL5OPT-}\${PERL_UNICODE-}\${PERLIO-}" ]`;

/**
 * Where perl does not read the script, `dd` reads exactly that, in one go where it knows how to fill a block (`whole`
 * remembers how), and byte by byte elsewhere; `head -c` of busybox would read on.
 */
function renderShell(first: string, script: Script, withToolbox: boolean): string {
  const length = Buffer.byteLength(script);
  const perl = withToolbox ? `${HAS_PERL} && exec /usr/bin/perl -e "$1" ${length} "$0"; ` : "";
  const atOnce = `whole=iflag=fullblock; sync_creds=$(dd bs=${length} count=1 iflag=fullblock 2>/dev/null)`;
  const bytewise = `whole=; sync_creds=$(dd bs=1 count=${length} 2>/dev/null)`;
  const reading = `${perl}${atOnce} || { ${bytewise}; } && eval "$sync_creds"`;
  const words = withToolbox ? ` /bin/sh '${PERL}'` : "";
  return `/bin/sh -c '${first}${reading}'${words}`;
}
