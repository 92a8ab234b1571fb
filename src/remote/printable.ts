/**
 * A text that a host or a program gave us, for use inside a message: one line of at most 200 characters
 * without control, bidi or invisible ones.
 */
export function printable(text: string): string {
  const plain = text.replace(/[\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return plain.length <= 200 ? plain : `${plain.slice(0, 199)}…`;
}
