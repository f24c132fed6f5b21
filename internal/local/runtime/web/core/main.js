// How the machine enters: begin loads the routine, dispatch gives it a request,
// settle ends an operation.

let handle = null; // (request, context) => Response or a promise of one
const fetchListeners = [];

define('addEventListener', function addEventListener(type, listener) {
  if (type === 'fetch' && typeof listener === 'function') fetchListeners.push(listener);
});
define('removeEventListener', function removeEventListener(type, listener) {
  const at = fetchListeners.indexOf(listener);
  if (at >= 0) fetchListeners.splice(at, 1);
});
define('dispatchEvent', function dispatchEvent() { return true; });

// Context is the second argument of a handler. What it waits for goes on after
// the response.
let waitedFor = null; // of the request being served; null: nothing
class Context {
  get env() { return env; }
  waitUntil(promise) { (waitedFor ??= []).push(promise); }
  passThroughOnException() {}
}

let answerOf;
class FetchEvent extends Event {
  #request; #answer = undefined;
  constructor(type, init) { super(type, init); this.#request = init.request; }
  get request() { return this.#request; }
  respondWith(answer) {
    if (this.#answer !== undefined) throw new DOMException('respondWith() was called already.', 'InvalidStateError');
    this.#answer = { promise: Promise.resolve(answer) };
  }
  waitUntil(promise) { (waitedFor ??= []).push(promise); }
  passThroughOnException() {}
  static { answerOf = (event) => event.#answer?.promise; }
}
globalClass(FetchEvent);

const handleByListeners = (request) => {
  const event = new FetchEvent('fetch', { request });
  for (const listener of fetchListeners) {
    listener.call(globalThis, event);
    if (answerOf(event) !== undefined) return answerOf(event);
  }
  throw new TypeError('No fetch listener called event.respondWith().');
};

const handlerOf = (module) => {
  const exported = module.default;
  if (typeof exported === 'function') return (request, context) => exported(request, context, env);
  if (exported && typeof exported.fetch === 'function') return (request, context) => exported.fetch(request, context, env);
  if (fetchListeners.length > 0) return handleByListeners;
  throw new TypeError('The routine has no handler. It must export default { async fetch(request) { ... } } or call addEventListener("fetch", ...).');
};

const fail = (error) => {
  if (error instanceof Error) host.fail(String(error.name), String(error.message), stackOf(error));
  else host.fail('', describe(error) + (error === null ? ', which the engine throws too where it has no room left for an error' : ''), '');
};

const respond = (response) => {
  if (!(response instanceof Response)) { host.fail('', '', ''); return; }
  const s = stateOf(response), lines = linesOfHeaders(s.headers);
  if (s.status === 0) { host.fail('', 'The handler returned Response.error().', ''); return; }
  if (s.data !== null && (response.bodyUsed || s.stream?.locked)) {
    fail(new TypeError('The handler returned a Response whose body was read already.'));
    return;
  }
  const last = waitedFor === null;
  if (isStream(s.data)) {
    host.respond(s.status, lines, NONE, '', true, false);
    pump(s.data).then(finish, fail);
    return;
  }
  s.used = true;
  host.respond(s.status, lines, kindOf(s.data), textOf(s.data), false, last);
  if (!last) finish();
};

const respondOrFail = (response) => {
  try { respond(response); } catch (error) { fail(error); }
};

// leave tells a stream that the visitor has left.
const leave = (reader) => reader.cancel(new DOMException('The visitor has left.', 'AbortError'))
  .catch((error) => { host.log('error', 'Uncaught (in cancel) ' + describeError(error)); });

// pump writes a stream to the visitor, as fast as that one takes it.
const pump = async (stream) => {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const bytes = chunkBytes(value);
      try { await operate('write', '', '', bytes); } catch (error) {
        await leave(reader);
        return;
      }
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
  await operate('write');
};

// finish waits for what was to be waited for.
const finish = async () => {
  while (waitedFor !== null) {
    const promises = waitedFor;
    waitedFor = null;
    for (const result of await Promise.allSettled(promises)) {
      if (result.status === 'rejected') host.log('error', 'Uncaught (in waitUntil) ' + describeError(result.reason));
    }
  }
  host.finish();
};

// The engine has a shape for each sequence of properties that some object has. It
// makes an object faster if others have the shapes that it goes through, so some
// that do are kept, of the kinds that requests make most.
const kept = [];
const keepShapes = (object) => {
  const names = Object.keys(object);
  names.forEach((_, last) => kept.push(Object.fromEntries(names.slice(0, last + 1).map((name) => [name, null]))));
};
const keepObjects = () => {
  const response = new Response('');
  for (const object of [new Request('http://localhost/'), response, response.headers, response.headers.entries()]) kept.push(object, Object.create(Object.getPrototypeOf(object)));
  for (const object of [stateOf(response), newList([], false), { value: null, done: false }]) keepShapes(object);
};

const entries = {
  begin() {
    import('routine.mjs').then((module) => { handle = handlerOf(module); keepObjects(); }).then(host.finish, fail);
  },
  dispatch(method, url, lines, kind, text) {
    if (operations.size > 0) operations.clear();
    if (timers.size > 0) timers.clear();
    waitedFor = null;
    const state = {
      url, method, headers: headersOfLines(lines), data: kind === NONE ? null : valueOf(kind, text), stream: null, used: false,
      redirect: 'manual', signal: null, decompress: undefined,
    };
    try {
      const answer = handle(new Request(null, fromHost, state), new Context());
      if (answer instanceof Response) respond(answer); else Promise.resolve(answer).then(respondOrFail, fail);
    } catch (error) {
      fail(error);
    }
  },
  settle(number, error, kind, text, handle) {
    const operation = operations.get(number);
    if (operation === undefined) return;
    operations.delete(number);
    if (error !== undefined) operation.reject(new TypeError(error));
    else operation.resolve(handle === '' ? valueOf(kind, text) : [valueOf(kind, text), new HostBody(handle)]);
  },
};
