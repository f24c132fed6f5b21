// Runs one file of the web-platform-tests inside the runtime: its scripts are
// evaluated as one classic script, and the answer lists what became of its tests.
// SCRIPTS and ADDRESS are put in by the Go side.

const scripts = SCRIPTS, address = ADDRESS;

const scope = globalThis;
scope.GLOBAL = { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false };
scope.location = new URL(address);

// A routine has no base URL; the tests count on that of their file.
const absolute = (input) => (typeof input === 'string' || typeof input === 'function') && URL.canParse(input, address) ? new URL(input, address).href : input;
const { fetch: plainFetch, Request: PlainRequest } = scope;
scope.fetch = (input, init) => plainFetch(absolute(input), init);
scope.Request = new Proxy(PlainRequest, {
  construct(target, args, newTarget) {
    if (args.length > 0) args[0] = absolute(args[0]);
    return Reflect.construct(target, args, newTarget === scope.Request ? target : newTarget);
  },
});

// The tests take SharedArrayBuffer from a WebAssembly memory, and read blobs with
// FileReader; the runtime has neither.
scope.WebAssembly = { Memory: class { buffer = new SharedArrayBuffer(0); } };
scope.FileReader = class {
  #read(promise) {
    promise.then((result) => { this.result = result; this.onload?.({ target: this }); this.onloadend?.({ target: this }); });
  }
  readAsText(blob) { this.#read(blob.text()); }
  readAsArrayBuffer(blob) { this.#read(blob.arrayBuffer()); }
};

// What a test waits for in vain is given up after this many milliseconds without
// any result.
const patience = 60000;

const run = () => new Promise((resolve, reject) => {
  scope.__report = (harness) => {
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => harness.timeout(), patience);
    };
    harness.add_result_callback(wait);
    harness.add_completion_callback((tests, status) => {
      clearTimeout(timer);
      const all = tests.filter((t) => t.status !== t.PRECONDITION_FAILED).map((t) => ({ name: String(t.name).toWellFormed(), status: t.status, message: t.message === null ? '' : String(t.message).toWellFormed() }));
      if (status.status !== 0) all.push({ name: '(the file)', status: status.status, message: String(status.message) });
      resolve(all);
    });
    wait();
  };
  try {
    (0, eval)(scripts);
  } catch (error) {
    reject(error);
  }
});

export default {
  async fetch() { return Response.json(await run()); },
};
