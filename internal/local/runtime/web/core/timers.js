// Timers, the console, performance.

let lastTimer = 0;
const timers = new Map(); // the number of the operation that waits, by timer

const startTimer = (callback, ms, args, repeats) => {
  if (typeof callback !== 'function') throw new TypeError('a timer needs a function');
  const id = ++lastTimer;
  ms = Math.max(0, Number(ms) | 0);
  const wait = () => {
    const done = operate('timer', String(ms));
    timers.set(id, lastOperation);
    done.then(() => {
      if (!timers.has(id)) return;
      if (repeats) wait(); else timers.delete(id);
      report(() => callback(...args));
    });
  };
  wait();
  return id;
};
const stopTimer = (id) => {
  id = Number(id);
  if (timers.has(id)) host.cancel(timers.get(id));
  timers.delete(id);
};
define('setTimeout', function setTimeout(callback, ms, ...args) { return startTimer(callback, ms, args, false); });
define('setInterval', function setInterval(callback, ms, ...args) { return startTimer(callback, ms, args, true); });
define('clearTimeout', function clearTimeout(id) { stopTimer(id); });
define('clearInterval', function clearInterval(id) { stopTimer(id); });
define('queueMicrotask', function queueMicrotask(callback) {
  if (typeof callback !== 'function') throw new TypeError('queueMicrotask needs a function');
  Promise.resolve().then(() => report(callback));
});

const startedAt = Date.now();
class Performance extends EventTarget {
  constructor(key) {
    super();
    if (key !== internalKey) throw new TypeError('Illegal constructor');
  }
  get timeOrigin() { return startedAt; }
  now() { return Date.now() - startedAt; }
  mark() {}
  measure() {}
  toJSON() { return { timeOrigin: startedAt }; }
}
globalClass(Performance);
define('performance', new Performance(internalKey));

const describeError = (error) => {
  if (!(error instanceof Error)) return describe(error);
  const head = String(error), stack = stackOf(error);
  return stack ? head + '\n' + stack : head;
};

// stackOf is the top of an error's stack, without the runtime's own frames.
const MOST_FRAMES = 20;
const stackOf = (error) => typeof error.stack !== 'string' ? ''
  : error.stack.split('\n').filter((frame) => frame !== '' && !frame.includes('<eval>') && !frame.includes('(native)')).slice(0, MOST_FRAMES).join('\n');

// describe writes a value for the log.
const describe = (value) => {
  if (value instanceof Error) return describeError(value);
  try { return show(value, []); } catch (error) { return '[object]'; }
};

// show writes a value much as JSON does, and what JSON has no words for as code
// does. around are the objects that it is in.
const show = (value, around) => {
  switch (typeof value) {
    case 'string': return around.length === 0 ? value : JSON.stringify(value);
    case 'function': return `[Function ${value.name || 'anonymous'}]`;
    case 'bigint': return value + 'n';
    case 'number': return Object.is(value, -0) ? '-0' : String(value);
    case 'object': if (value !== null) return showObject(value, around);
  }
  return String(value);
};
const showObject = (value, around) => {
  if (around.includes(value)) return '[Circular]';
  if (value instanceof Error) return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp || value instanceof URL || value instanceof URLSearchParams) return String(value);
  const within = [...around, value];
  const list = (values) => '[' + Array.from(values, (v) => show(v, within)).join(',') + ']';
  const record = (pairs) => '{' + Array.from(pairs, ([name, v]) => JSON.stringify(name) + ':' + show(v, within)).join(',') + '}';
  if (Array.isArray(value)) return list(value);
  if (value instanceof Map) return '{"Map":' + list(value) + '}';
  if (value instanceof Set) return '{"Set":' + list(value) + '}';
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}(${value.length}) ${list(value.subarray(0, MOST_ELEMENTS))}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;
  if (value instanceof Headers || value instanceof FormData) return value.constructor.name + ' ' + record(value);
  if (value instanceof Request) return 'Request ' + record([['method', value.method], ['url', value.url]]);
  if (value instanceof Response) return 'Response ' + record([['status', value.status], ['url', value.url]]);
  if (typeof value.toJSON === 'function') return show(value.toJSON(), within);
  const type = Object.getPrototypeOf(value)?.constructor?.name;
  return (type === undefined || type === 'Object' ? '' : type + ' ') + record(Object.entries(value));
};
const MOST_ELEMENTS = 50;

const counters = new Map(), clocks = new Map();
const write = (level) => (...values) => { host.log(level, formatLog(values)); };
const formatLog = (values) => {
  if (typeof values[0] !== 'string' || !values[0].includes('%')) return values.map(describe).join(' ');
  let next = 1;
  const text = values[0].replace(/%([sdifjoOc%])/g, (all, c) => {
    if (c === '%') return '%';
    if (next >= values.length) return all;
    const v = values[next++];
    return c === 'c' ? '' : c === 'd' ? String(Number(v)) : c === 'i' ? String(Math.trunc(Number(v))) : c === 'f' ? String(parseFloat(v)) : describe(v);
  });
  return [text, ...values.slice(next).map(describe)].join(' ');
};
const consoleMethods = {
  log: write('info'), info: write('info'), debug: write('debug'), warn: write('warn'), error: write('error'), dir: write('info'), table: write('info'),
  trace(...values) { host.log('debug', formatLog(values) + '\n' + new Error().stack); },
  assert(ok, ...values) { if (!ok) host.log('error', 'Assertion failed: ' + formatLog(values)); },
  count(label = 'default') { label = String(label); counters.set(label, (counters.get(label) ?? 0) + 1); host.log('info', `${label}: ${counters.get(label)}`); },
  countReset(label = 'default') { counters.delete(String(label)); },
  time(label = 'default') { clocks.set(String(label), Date.now()); },
  timeLog(label = 'default') { label = String(label); host.log('info', `${label}: ${Date.now() - (clocks.get(label) ?? Date.now())} ms`); },
  timeEnd(label = 'default') { label = String(label); console.timeLog(label); clocks.delete(label); },
  group: write('info'), groupCollapsed: write('info'), groupEnd() {},
};
define('console', Object.assign(Object.create(Object.create(Object.prototype)), consoleMethods));
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });

// MessageChannel, which libraries use to run something a little later.
let join;
class MessagePort extends EventTarget {
  #other = null; #closed = false;
  constructor(key) {
    super();
    if (key !== internalKey) throw new TypeError('Illegal constructor');
    Object.defineProperty(this, 'onmessage', { value: null, writable: true, enumerable: false });
  }
  postMessage(data, options) {
    const to = this.#other;
    data = structuredClone(data, Array.isArray(options) ? { transfer: options } : options);
    if (this.#closed || to === null) return;
    setTimeout(() => {
      if (to.#closed) return;
      const event = trustedEvent('message');
      Object.defineProperty(event, 'data', { value: data });
      fire(to, event);
    }, 0);
  }
  start() {}
  close() { this.#closed = true; }
  static { join = (a, b) => { a.#other = b; b.#other = a; }; }
}
globalClass(MessagePort);
class MessageChannel {
  #port1 = new MessagePort(internalKey); #port2 = new MessagePort(internalKey);
  constructor() { join(this.#port1, this.#port2); }
  get port1() { return this.#port1; }
  get port2() { return this.#port2; }
}
globalClass(MessageChannel);
