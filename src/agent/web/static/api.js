// Speaks to the server that served this page, with the token of whoever sits before it.

const KEPT = "desk.token"; // in this tab alone, and gone with it; so is what is kept under names that begin like it
const PATIENCE = 30_000; // milliseconds that a call may take
const ROOT = new URL("..", document.baseURI);

/** A call that did not do what it should. `status` is HTTP's; 0: no answer came, so it may have been done, or not. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** Whether the server may answer otherwise when it is asked again. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  me = null;

  /** `onRefusedToken` is told when the server does not take the token any more; `onAnswer`, whether it answers. */
  constructor({ onRefusedToken, onAnswer, kept = KEPT }) {
    this.kept = kept;
    this.onRefusedToken = onRefusedToken;
    this.onAnswer = onAnswer;
    this.token = sessionStorage.getItem(kept);
  }

  /** Keep a token if the server knows it: who that is. */
  async signIn(token) {
    if (!/^[\x21-\x7e]+$/u.test(token)) throw new ApiError(401, "a token has no such characters");
    const me = await this.#call("GET", "ops/me", { token });
    this.token = token;
    this.me = me;
    sessionStorage.setItem(this.kept, token);
    return me;
  }

  /** Forget the token. */
  signOut() {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(this.kept)) sessionStorage.removeItem(name);
    this.token = this.me = null;
  }

  get(path, options = {}) {
    return this.#call("GET", path, options);
  }

  post(path, body, options = {}) {
    return this.#call("POST", path, { ...options, body });
  }

  async #call(method, path, { body, headers = {}, patience = PATIENCE, token = this.token }) {
    let response, answer;
    try {
      response = await fetch(new URL(path, ROOT), {
        method,
        headers: { "x-api-key": token ?? "", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
        cache: "no-store",
        credentials: "omit",
      });
      answer = await response.text();
    } catch (error) {
      const why = error.name === "TimeoutError" ? `no answer within ${patience / 1000} s` : "the server does not answer";
      this.onAnswer(false, why);
      throw new ApiError(0, why);
    }
    const said = parsed(answer);
    this.onAnswer(true);
    if (response.ok) return said;
    const error = new ApiError(response.status, inOneLine(said, response.status));
    if (response.status === 401 && token === this.token) this.onRefusedToken(error);
    throw error;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a refusal says, in the platform's form and in that of our own routes. */
function inOneLine(said, status) {
  const detail = said?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) return detail.map((each) => `${each.loc?.at(-1)}: ${each.msg}`).join("; ");
  return `the server answers with HTTP ${status}`;
}

/** Wait. */
export function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
