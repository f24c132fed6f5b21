// DOMException, Event, EventTarget, AbortController and AbortSignal.

const exceptionCodes = {
  IndexSizeError: 1, NotFoundError: 8, NotSupportedError: 9, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13,
  InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, QuotaExceededError: 22,
  TimeoutError: 23, DataCloneError: 25, InvalidCharacterError: 5,
};

class DOMException extends Error {
  #name;
  constructor(message = '', name = 'Error') {
    super(String(message));
    this.#name = String(name && typeof name === 'object' && 'name' in name ? name.name : name);
  }
  get name() { return this.#name; }
  get code() { return exceptionCodes[this.#name] ?? 0; }
}
globalClass(DOMException);

let isStopped;
class Event {
  #type; #init; #stopped = false; #prevented = false; #at = Date.now();
  target = null;
  currentTarget = null;
  constructor(type, init = {}) {
    if (arguments.length === 0) throw new TypeError("Event needs a type");
    this.#type = String(type);
    this.#init = init ?? {};
  }
  get type() { return this.#type; }
  get bubbles() { return !!this.#init.bubbles; }
  get cancelable() { return !!this.#init.cancelable; }
  get composed() { return !!this.#init.composed; }
  get defaultPrevented() { return this.#prevented; }
  get eventPhase() { return this.currentTarget ? 2 : 0; }
  get timeStamp() { return this.#at; }
  get isTrusted() { return false; }
  composedPath() { return this.currentTarget ? [this.currentTarget] : []; }
  preventDefault() { if (this.cancelable) this.#prevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this.#stopped = true; }
  static { isStopped = (event) => event.#stopped; }
}
globalClass(Event);

class CustomEvent extends Event {
  #detail;
  constructor(type, init = {}) { super(type, init); this.#detail = init?.detail ?? null; }
  get detail() { return this.#detail; }
}
globalClass(CustomEvent);

class EventTarget {
  #listeners = new Map();
  addEventListener(type, listener, options) {
    if (!listener) return;
    const signal = typeof options === 'object' ? options?.signal : undefined;
    if (signal?.aborted) return;
    const list = this.#listeners.get(String(type)) ?? [];
    if (list.some((l) => l.listener === listener)) return;
    list.push({ listener, once: typeof options === 'object' && !!options?.once });
    this.#listeners.set(String(type), list);
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener));
  }
  removeEventListener(type, listener) {
    const list = this.#listeners.get(String(type));
    if (list) this.#listeners.set(String(type), list.filter((l) => l.listener !== listener));
  }
  dispatchEvent(event) {
    event.target = event.currentTarget = this;
    const handler = this['on' + event.type];
    if (typeof handler === 'function') report(() => handler.call(this, event));
    for (const l of this.#listeners.get(event.type) ?? []) {
      if (isStopped(event)) break;
      if (l.once) this.removeEventListener(event.type, l.listener);
      report(() => typeof l.listener === 'function' ? l.listener.call(this, event) : l.listener.handleEvent(event));
    }
    event.currentTarget = null;
    return !event.defaultPrevented;
  }
}
globalClass(EventTarget);

// report runs a callback whose exceptions are nobody's to catch.
const report = (callback) => {
  try { callback(); } catch (error) { host.log('error', 'Uncaught ' + describeError(error)); }
};

const internalKey = {};
let abortSignal;
class AbortSignal extends EventTarget {
  #aborted = false; #reason = undefined; #followers = [];
  onabort = null;
  constructor(key) {
    super();
    if (key !== internalKey) throw new TypeError('Illegal constructor');
    Object.defineProperty(this, 'onabort', { enumerable: false });
  }
  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }
  static abort(reason) {
    const signal = new AbortSignal(internalKey);
    abortSignal(signal, reason);
    return signal;
  }
  static timeout(ms) {
    const signal = new AbortSignal(internalKey);
    setTimeout(() => abortSignal(signal, new DOMException('The operation timed out.', 'TimeoutError')), ms);
    return signal;
  }
  static any(signals) {
    const all = new AbortSignal(internalKey);
    for (const s of signals) {
      if (s.aborted) { abortSignal(all, s.reason); break; }
      s.#followers.push(all);
    }
    return all;
  }
  static {
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('The operation was aborted.', 'AbortError') : reason;
      signal.dispatchEvent(new Event('abort'));
      for (const follower of signal.#followers) abortSignal(follower, signal.#reason);
    };
  }
}
globalClass(AbortSignal);

class AbortController {
  #signal = new AbortSignal(internalKey);
  get signal() { return this.#signal; }
  abort(reason) { abortSignal(this.#signal, reason); }
}
globalClass(AbortController);
