// node:async_hooks: AsyncLocalStorage and AsyncResource.
//
// The engine does not tell when a function goes on after await. A machine serves
// one request at a time, so a store stays in force until what run() returned has
// settled. Two runs of one request that wait at the same time cannot be told
// apart.
export class AsyncLocalStorage {
  #store = undefined; #name;
  constructor(options) { this.#name = options?.name ?? ''; }
  get name() { return this.#name; }
  getStore() { return this.#store; }
  enterWith(store) { this.#store = store; }
  disable() { this.#store = undefined; }
  run(store, callback, ...args) {
    const before = this.#store;
    const restore = () => { this.#store = before; };
    this.#store = store;
    let result;
    try { result = args.length === 0 ? callback() : callback(...args); } catch (error) { restore(); throw error; }
    if (result instanceof Promise) result.then(restore, restore); else restore();
    return result;
  }
  exit(callback, ...args) { return this.run(undefined, callback, ...args); }
  static bind(callback) { return callback; }
  static snapshot() { return (callback, ...args) => callback(...args); }
}
export class AsyncResource {
  constructor(type) { this.type = type; }
  runInAsyncScope(callback, self, ...args) { return callback.apply(self, args); }
  emitDestroy() { return this; }
  asyncId() { return 1; }
  triggerAsyncId() { return 0; }
  bind(callback) { return callback.bind(this); }
  static bind(callback) { return callback; }
}
export const executionAsyncId = () => 1, triggerAsyncId = () => 0;
export const createHook = () => ({ enable() { return this; }, disable() { return this; } });
export default { AsyncLocalStorage, AsyncResource, executionAsyncId, triggerAsyncId, createHook };
