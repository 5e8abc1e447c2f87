// How things are said: text without what would hide or reorder it, amounts, times.

const UNSEEN = /[\p{Cf}\p{Cs}\p{Cc}]/gu;
const KEPT = "\n\t\u200c\u200d"; // Persian, Hindi and emoji are written with the two joiners

/** `value` as text without control and format characters: they could reorder what an approver reads. */
export function clean(value) {
  return String(value ?? "").replace(UNSEEN, (c) => (KEPT.includes(c) ? c : ""));
}

/** `value` as clean text on one line. */
export function oneLine(value) {
  return clean(value).split(/\s+/u).filter(Boolean).join(" ");
}

/** A name of the program's as words: `refund_payment` is "Refund payment". */
export function inWords(name) {
  return capital(oneLine(name).replaceAll("_", " "));
}

/** A text that begins a sentence. */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Roles as one phrase. */
export function either(roles) {
  return roles.map((role) => oneLine(role).replaceAll("_", " ")).join(" or ");
}

/** How far a moment is: "in 3 h", "2 h overdue". */
export function dueIn(due, now = Date.now()) {
  const seconds = Math.trunc((Date.parse(due) - now) / 1000);
  return seconds >= 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} overdue`;
}

/** How long a moment is ago: "3 h"; nothing, for none. */
export function ago(iso, now = Date.now()) {
  return iso ? duration(Math.max(0, Math.trunc((now - Date.parse(iso)) / 1000))) : "";
}

/** A time in its largest fitting unit. */
function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}

/** A moment in the reader's own time. */
export function moment(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return oneLine(iso);
  return at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** "1 request", "3 requests". */
export function count(number, one, more = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : more}`;
}
