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

// stackOf is the stack of an error without the runtime's own frames.
const stackOf = (error) => typeof error.stack !== 'string' ? ''
  : error.stack.split('\n').filter((frame) => frame !== '' && !frame.includes('<eval>') && !frame.includes('(native)')).join('\n');

// describe writes a value for the log.
const describe = (value) => {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return describeError(value);
  if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`;
  if (typeof value === 'bigint') return value + 'n';
  if (typeof value !== 'object' || value === null) return String(value);
  const seen = new Set();
  try {
    return JSON.stringify(value, (_, v) => {
      if (typeof v === 'bigint') return v + 'n';
      if (v instanceof Map) return { Map: [...v] };
      if (v instanceof Set) return { Set: [...v] };
      if (v instanceof Error) return String(v);
      if (typeof v === 'object' && v !== null) {
        if (seen.has(v)) return '[Circular]';
        seen.add(v);
      }
      return v;
    }) ?? String(value);
  } catch (error) {
    return Object.prototype.toString.call(value);
  }
};

const counters = new Map(), clocks = new Map();
const write = (level) => (...values) => { host.log(level, formatLog(values)); };
const formatLog = (values) => {
  if (typeof values[0] !== 'string' || !values[0].includes('%')) return values.map(describe).join(' ');
  let next = 1;
  const text = values[0].replace(/%([sdifjoO%])/g, (all, c) => {
    if (c === '%') return '%';
    if (next >= values.length) return all;
    const v = values[next++];
    return c === 'd' ? String(Number(v)) : c === 'i' ? String(Math.trunc(Number(v))) : c === 'f' ? String(parseFloat(v)) : describe(v);
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
