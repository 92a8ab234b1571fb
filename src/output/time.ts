/** An instant for a human: local date and minute, and how far off it is. */
export function renderInstant(at: number, now: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())} (${renderSpan(at - now)})`;
}

/** A span of milliseconds in its two largest units: `in 7 h 52 min`, `3 days ago`. */
export function renderSpan(milliseconds: number): string {
  const minutes = Math.round(Math.abs(milliseconds) / 60_000);
  const days = Math.floor(minutes / 1440);
  const hours = Math.floor(minutes / 60);
  const text =
    days >= 2 ? `${days} days` : hours >= 1 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
  if (milliseconds < 0) return minutes === 0 ? "just now" : `${text} ago`;
  return `in ${text}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
