// DOMException, Event, EventTarget, AbortController and AbortSignal.

const exceptionNames = ['IndexSize', '', 'HierarchyRequest', 'WrongDocument', 'InvalidCharacter', '', 'NoModificationAllowed', 'NotFound',
  'NotSupported', 'InUseAttribute', 'InvalidState', 'Syntax', 'InvalidModification', 'Namespace', 'InvalidAccess', '', 'TypeMismatch', 'Security',
  'Network', 'Abort', 'URLMismatch', 'QuotaExceeded', 'Timeout', 'InvalidNodeType', 'DataClone'];
const exceptionConstants = ['INDEX_SIZE', 'DOMSTRING_SIZE', 'HIERARCHY_REQUEST', 'WRONG_DOCUMENT', 'INVALID_CHARACTER', 'NO_DATA_ALLOWED',
  'NO_MODIFICATION_ALLOWED', 'NOT_FOUND', 'NOT_SUPPORTED', 'INUSE_ATTRIBUTE', 'INVALID_STATE', 'SYNTAX', 'INVALID_MODIFICATION', 'NAMESPACE',
  'INVALID_ACCESS', 'VALIDATION', 'TYPE_MISMATCH', 'SECURITY', 'NETWORK', 'ABORT', 'URL_MISMATCH', 'QUOTA_EXCEEDED', 'TIMEOUT',
  'INVALID_NODE_TYPE', 'DATA_CLONE'];

class DOMException {
  #message; #name;
  constructor(message = '', name = 'Error') {
    this.#message = String(message);
    this.#name = String(name);
    const { stack } = new Error();
    Object.defineProperty(this, 'stack', { value: stack, writable: true, configurable: true, enumerable: false });
  }
  get message() { return this.#message; }
  get name() { return this.#name; }
  get code() { return this.#name === '' ? 0 : exceptionNames.indexOf(this.#name.replace(/Error$/, '')) + 1; }
  static {
    Object.setPrototypeOf(this.prototype, Error.prototype);
    exceptionConstants.forEach((name, i) => {
      for (const on of [this, this.prototype]) Object.defineProperty(on, name + '_ERR', { value: i + 1, enumerable: true });
    });
  }
}
globalClass(DOMException);

const NO_PHASE = 0, AT_TARGET = 2;
let stateOfEvent;
class Event {
  #state;
  constructor(type, init) {
    if (arguments.length === 0) throw new TypeError('Event needs a type.');
    type = String(type);
    if (init !== undefined && init !== null && typeof init !== 'object' && typeof init !== 'function') throw new TypeError('The second argument of Event is an object.');
    this.#state = {
      type, bubbles: !!init?.bubbles, cancelable: !!init?.cancelable, composed: !!init?.composed, trusted: false,
      target: null, phase: NO_PHASE, stopped: false, stoppedNow: false, prevented: false, passive: false, dispatching: false, at: performance.now(),
    };
    Object.defineProperty(this, 'isTrusted', { get: trusted, enumerable: true });
  }
  get type() { return this.#state.type; }
  get target() { return this.#state.target; }
  get srcElement() { return this.#state.target; }
  get currentTarget() { return this.#state.phase === NO_PHASE ? null : this.#state.target; }
  get eventPhase() { return this.#state.phase; }
  get bubbles() { return this.#state.bubbles; }
  get cancelable() { return this.#state.cancelable; }
  get composed() { return this.#state.composed; }
  get defaultPrevented() { return this.#state.prevented; }
  get timeStamp() { return this.#state.at; }
  get cancelBubble() { return this.#state.stopped; }
  set cancelBubble(value) { if (value) this.#state.stopped = true; }
  get returnValue() { return !this.#state.prevented; }
  set returnValue(value) { if (!value) this.preventDefault(); }
  composedPath() { return this.currentTarget ? [this.currentTarget] : []; }
  preventDefault() { if (this.#state.cancelable && !this.#state.passive) this.#state.prevented = true; }
  stopPropagation() { this.#state.stopped = true; }
  stopImmediatePropagation() { this.#state.stopped = this.#state.stoppedNow = true; }
  initEvent(type, bubbles = false, cancelable = false) {
    if (arguments.length === 0) throw new TypeError('initEvent needs a type.');
    if (this.#state.dispatching) return;
    Object.assign(this.#state, { type: String(type), bubbles: !!bubbles, cancelable: !!cancelable, stopped: false, stoppedNow: false, prevented: false, target: null });
  }
  static {
    stateOfEvent = (event) => event.#state;
    ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].forEach((name, i) => {
      for (const on of [this, this.prototype]) Object.defineProperty(on, name, { value: i, enumerable: true });
    });
  }
}
const trusted = Object.getOwnPropertyDescriptor({ get isTrusted() { return stateOfEvent(this).trusted; } }, 'isTrusted').get;
globalClass(Event);

// trustedEvent is an event that the runtime itself fires.
const trustedEvent = (type) => {
  const event = new Event(type);
  stateOfEvent(event).trusted = true;
  return event;
};

class CustomEvent extends Event {
  #detail;
  constructor(type, init) { super(type, init); this.#detail = init?.detail ?? null; }
  get detail() { return this.#detail; }
  initCustomEvent(type, bubbles, cancelable, detail = null) { this.initEvent(type, bubbles, cancelable); this.#detail = detail; }
}
globalClass(CustomEvent);

class EventTarget {
  #listeners = [];
  addEventListener(type, callback, options) {
    if (arguments.length < 2) throw new TypeError('addEventListener needs a type and a listener.');
    type = String(type);
    const given = typeof options === 'object' && options !== null || typeof options === 'function' ? options : { capture: options };
    const capture = !!given.capture, once = !!given.once, passive = !!given.passive, { signal } = given;
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('The option signal is an AbortSignal.');
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'object' && typeof callback !== 'function') throw new TypeError('A listener is a function or an object.');
    if (signal?.aborted || this.#find(type, callback, capture)) return;
    const listener = { type, callback, capture, once, passive, removed: false };
    this.#listeners.push(listener);
    if (signal !== undefined) onAbort(signal, () => this.#drop(listener));
  }
  removeEventListener(type, callback, options) {
    if (arguments.length < 2) throw new TypeError('removeEventListener needs a type and a listener.');
    const listener = this.#find(String(type), callback, !!(typeof options === 'object' || typeof options === 'function' ? options?.capture : options));
    if (listener) this.#drop(listener);
  }
  #find(type, callback, capture) { return this.#listeners.find((l) => l.type === type && l.callback === callback && l.capture === capture); }
  #drop(listener) {
    listener.removed = true;
    this.#listeners = this.#listeners.filter((l) => l !== listener);
  }
  dispatchEvent(event) {
    if (!(event instanceof Event)) throw new TypeError('dispatchEvent takes an Event.');
    const state = stateOfEvent(event);
    if (state.dispatching) throw new DOMException('The event is being dispatched already.', 'InvalidStateError');
    if (!state.trustedNow) state.trusted = false;
    Object.assign(state, { dispatching: true, target: this, phase: AT_TARGET });
    const handler = this['on' + state.type];
    const first = this.#listeners.filter((l) => l.type === state.type);
    const list = [...first.filter((l) => l.capture), ...first.filter((l) => !l.capture)];
    if (typeof handler === 'function' && !state.stopped) report(() => { if (handler.call(this, event) === false) event.preventDefault(); });
    for (const l of list) {
      if (state.stoppedNow || state.stopped) break;
      if (l.removed) continue;
      if (l.once) this.#drop(l);
      state.passive = l.passive;
      report(() => {
        if (typeof l.callback === 'function') { l.callback.call(this, event); return; }
        const { handleEvent } = l.callback;
        if (typeof handleEvent !== 'function') throw new TypeError('The listener has no function handleEvent.');
        handleEvent.call(l.callback, event);
      });
      state.passive = false;
    }
    Object.assign(state, { dispatching: false, phase: NO_PHASE, stopped: false, stoppedNow: false });
    return !state.prevented;
  }
}
globalClass(EventTarget);

// fire dispatches an event of the runtime itself.
const fire = (target, event) => {
  stateOfEvent(event).trustedNow = true;
  target.dispatchEvent(event);
};

// report runs a callback whose exceptions are nobody's to catch.
const report = (callback) => {
  try { callback(); } catch (error) { host.log('error', 'Uncaught ' + describeError(error)); }
};

const internalKey = {};
let abortSignal, onAbort;
class AbortSignal extends EventTarget {
  #aborted = false; #reason = undefined; #actions = []; #followers = []; #sources = null;
  constructor(key) {
    super();
    if (key !== internalKey) throw new TypeError('Illegal constructor');
    Object.defineProperty(this, 'onabort', { value: null, writable: true, configurable: true, enumerable: false });
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
    const all = new AbortSignal(internalKey), list = [...signals];
    for (const s of list) if (!(s instanceof AbortSignal)) throw new TypeError('AbortSignal.any takes a list of AbortSignal.');
    const first = list.find((s) => s.aborted);
    if (first) { all.#aborted = true; all.#reason = first.reason; return all; }
    all.#sources = new Set(list.flatMap((s) => s.#sources === null ? [s] : [...s.#sources]));
    for (const s of all.#sources) s.#followers.push(all);
    return all;
  }
  #set(reason) { this.#aborted = true; this.#reason = reason; }
  #run() {
    const actions = this.#actions;
    this.#actions = [];
    for (const action of actions) action();
    fire(this, trustedEvent('abort'));
  }
  static {
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#set(reason === undefined ? new DOMException('The operation was aborted.', 'AbortError') : reason);
      const followers = signal.#followers.filter((f) => !f.#aborted);
      for (const f of followers) f.#set(signal.#reason);
      signal.#run();
      for (const f of followers) f.#run();
    };
    // onAbort runs an action of the runtime before the listeners.
    onAbort = (signal, action) => { signal.#actions.push(action); };
  }
}
globalClass(AbortSignal);

class AbortController {
  #signal = new AbortSignal(internalKey);
  get signal() { return this.#signal; }
  abort(reason) { abortSignal(this.#signal, reason); }
}
globalClass(AbortController);
