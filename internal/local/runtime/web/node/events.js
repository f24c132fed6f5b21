// node:events: EventEmitter.
export class EventEmitter {
  static defaultMaxListeners = 10;
  static EventEmitter = EventEmitter;
  static once(emitter, name) { return once(emitter, name); }
  #listeners = new Map();
  #add(name, listener, called, first) {
    if (typeof called !== 'function') throw new TypeError('The listener must be a function.');
    if (this.#listeners.has('newListener')) this.emit('newListener', name, listener);
    const list = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, first ? [{ listener, called }, ...list] : [...list, { listener, called }]);
    return this;
  }
  #once(name, listener, first) {
    const called = (...args) => { this.removeListener(name, listener); return listener.apply(this, args); };
    return this.#add(name, listener, called, first);
  }
  on(name, listener) { return this.#add(name, listener, listener, false); }
  addListener(name, listener) { return this.on(name, listener); }
  prependListener(name, listener) { return this.#add(name, listener, listener, true); }
  once(name, listener) { return this.#once(name, listener, false); }
  prependOnceListener(name, listener) { return this.#once(name, listener, true); }
  off(name, listener) { return this.removeListener(name, listener); }
  removeListener(name, listener) {
    const list = this.#listeners.get(name) ?? [], at = list.findLastIndex((l) => l.listener === listener);
    if (at < 0) return this;
    if (list.length === 1) this.#listeners.delete(name); else this.#listeners.set(name, list.toSpliced(at, 1));
    if (this.#listeners.has('removeListener')) this.emit('removeListener', name, listener);
    return this;
  }
  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear(); else this.#listeners.delete(name);
    return this;
  }
  emit(name, ...args) {
    const list = this.#listeners.get(name);
    if (list === undefined) {
      if (name !== 'error') return false;
      throw args[0] instanceof Error ? args[0] : new Error('Unhandled error. (' + String(args[0]) + ')');
    }
    for (const { called } of list) called.apply(this, args);
    return true;
  }
  listeners(name) { return (this.#listeners.get(name) ?? []).map((l) => l.listener); }
  rawListeners(name) { return (this.#listeners.get(name) ?? []).map((l) => l.called); }
  listenerCount(name) { return this.#listeners.get(name)?.length ?? 0; }
  eventNames() { return [...this.#listeners.keys()]; }
  setMaxListeners() { return this; }
  getMaxListeners() { return EventEmitter.defaultMaxListeners; }
}
export const once = (emitter, name) => new Promise((resolve, reject) => {
  const failed = (error) => { emitter.removeListener(name, done); reject(error); };
  const done = (...args) => { emitter.removeListener('error', failed); resolve(args); };
  emitter.once(name, done);
  if (name !== 'error') emitter.once('error', failed);
});
export const defaultMaxListeners = 10;
export default EventEmitter;
