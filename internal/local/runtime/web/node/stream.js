// node:stream: Readable, Writable, Duplex, Transform, PassThrough, pipeline and
// finished, as far as code at the edge uses them.
import { EventEmitter } from 'node:events';
import { Buffer } from 'node:buffer';

const toChunk = (chunk, objects, encoding) => objects || typeof chunk !== 'string' ? chunk : Buffer.from(chunk, encoding);

class Stream extends EventEmitter {
  destroyed = false; errored = null; closed = false;
  destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    const done = (failed) => {
      this.closed = true;
      if (failed ?? error) this.emit('error', failed ?? error);
      this.emit('close');
    };
    queueMicrotask(() => this._destroy(error ?? null, done));
    return this;
  }
  _destroy(error, callback) { callback(error); }
}

// schedule lets a stream hand on what it has, after the code that runs now.
const schedule = (stream) => {
  const s = stream._readable;
  if (s.scheduled) return;
  s.scheduled = true;
  queueMicrotask(() => { s.scheduled = false; flow(stream); });
};
const flow = (stream) => {
  const s = stream._readable;
  if (stream.destroyed) return;
  while (s.flowing && s.chunks.length > 0) stream.emit('data', takeChunk(s));
  if (!s.flowing && s.chunks.length > 0 && !s.announced) { s.announced = true; stream.emit('readable'); }
  if (s.ended && s.chunks.length === 0 && !s.done && (s.flowing || stream.listenerCount('readable') > 0)) {
    s.done = true;
    stream.readableEnded = true;
    stream.emit('end');
    if (stream._writable === undefined || stream._writable.done) stream.destroy();
    return;
  }
  if (!s.ended && !s.reading && s.chunks.length < s.mark && (s.flowing || stream.listenerCount('readable') > 0)) {
    s.reading = true;
    stream._read(s.mark);
  }
};
const takeChunk = (s) => {
  const chunk = s.chunks.shift();
  s.announced = false;
  return s.decode === null ? chunk : chunk.toString(s.decode);
};

const initReadable = (stream, options = {}) => {
  stream._readable = { chunks: [], ended: false, done: false, reading: false, flowing: false, scheduled: false, announced: false, encoding: options.encoding,
    decode: options.encoding ?? null, objects: !!(options.objectMode ?? options.readableObjectMode), mark: options.highWaterMark ?? 16 };
  stream.readable = true;
  stream.readableEnded = false;
  if (options.read) stream._read = options.read;
  if (options.destroy) stream._destroy = options.destroy;
};
const asReadable = {
  _read() {},
  push(chunk, encoding) {
    const s = this._readable;
    if (chunk === null) s.ended = true; else s.chunks.push(toChunk(chunk, s.objects, encoding));
    s.reading = false;
    schedule(this);
    return s.chunks.length < s.mark;
  },
  read() {
    const s = this._readable;
    if (s.chunks.length === 0) { schedule(this); return null; }
    const chunk = takeChunk(s);
    schedule(this);
    return chunk;
  },
  setEncoding(encoding) { this._readable.decode = encoding; return this; },
  resume() { this._readable.flowing = true; schedule(this); return this; },
  pause() { this._readable.flowing = false; return this; },
  isPaused() { return !this._readable.flowing; },
  pipe(target, options) {
    this.on('data', (chunk) => { if (target.write(chunk) === false) { this.pause(); target.once('drain', () => this.resume()); } });
    if (options?.end !== false) this.once('end', () => target.end());
    target.emit('pipe', this);
    this.resume();
    return target;
  },
  unpipe() { this.removeAllListeners('data'); return this.pause(); },
  async *[Symbol.asyncIterator]() {
    let wake = () => {}, failed = null, over = false;
    this.on('readable', () => wake());
    this.on('end', () => { over = true; wake(); });
    this.on('error', (error) => { failed = error; wake(); });
    this.on('close', () => { over = true; wake(); });
    try {
      for (;;) {
        const chunk = this.read();
        if (chunk !== null) { yield chunk; continue; }
        if (failed) throw failed;
        if (over) return;
        await new Promise((resolve) => { wake = resolve; });
      }
    } finally { this.destroy(); }
  },
};

const initWritable = (stream, options = {}) => {
  stream._writable = { queue: [], busy: false, ending: false, done: false, needDrain: false, objects: !!(options.objectMode ?? options.writableObjectMode), mark: options.highWaterMark ?? 16 };
  stream.writable = true;
  stream.writableEnded = stream.writableFinished = false;
  if (options.write) stream._write = options.write;
  if (options.final) stream._final = options.final;
  if (options.destroy) stream._destroy = options.destroy;
};
const asWritable = {
  _write(chunk, encoding, callback) { callback(); },
  _final(callback) { callback(); },
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    const s = this._writable;
    if (s.ending) {
      this.destroy(Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' }));
      return false;
    }
    s.queue.push({ chunk: toChunk(chunk, s.objects, encoding), encoding: encoding ?? 'buffer', callback });
    writeNext(this);
    if (s.queue.length < s.mark) return true;
    s.needDrain = true;
    return false;
  },
  end(chunk, encoding, callback) {
    if (typeof chunk === 'function') [chunk, callback] = [undefined, chunk];
    if (typeof encoding === 'function') [encoding, callback] = [undefined, encoding];
    if (chunk !== undefined && chunk !== null) this.write(chunk, encoding);
    if (callback) this.once('finish', callback);
    this._writable.ending = this.writableEnded = true;
    writeNext(this);
    return this;
  },
  cork() {}, uncork() {}, setDefaultEncoding() { return this; },
};
const writeNext = (stream) => {
  const s = stream._writable;
  if (s.busy || stream.destroyed) return;
  const next = s.queue.shift();
  if (next === undefined) {
    if (s.needDrain) { s.needDrain = false; queueMicrotask(() => stream.emit('drain')); }
    if (!s.ending || s.done) return;
    s.busy = true;
    stream._final((error) => {
      if (error) return stream.destroy(error);
      s.done = stream.writableFinished = true;
      queueMicrotask(() => {
        stream.emit('finish');
        if (stream._readable === undefined || stream._readable.done) stream.destroy();
      });
    });
    return;
  }
  s.busy = true;
  stream._write(next.chunk, next.encoding, (error) => {
    s.busy = false;
    next.callback?.(error ?? null);
    if (error) stream.destroy(error); else queueMicrotask(() => writeNext(stream));
  });
};

const withReading = (type) => {
  // Listening for data makes a stream flow.
  type.prototype.on = function (name, listener) {
    EventEmitter.prototype.on.call(this, name, listener);
    if (name === 'data') this.resume();
    if (name === 'readable') schedule(this);
    return this;
  };
  type.prototype.addListener = type.prototype.on;
  Object.defineProperties(type.prototype, Object.getOwnPropertyDescriptors(asReadable));
};

export class Readable extends Stream {
  constructor(options) { super(); initReadable(this, options); }
  static from(source) {
    const items = typeof source === 'string' || ArrayBuffer.isView(source) ? [source] : source;
    const iterator = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
    return new Readable({ objectMode: true, read() {
      Promise.resolve(iterator.next()).then(async ({ done, value }) => this.push(done ? null : await value)).catch((error) => this.destroy(error));
    } });
  }
  static fromWeb(stream) {
    const reader = stream.getReader();
    return new Readable({ read() { reader.read().then(({ done, value }) => this.push(done ? null : Buffer.from(value)), (error) => this.destroy(error)); } });
  }
  static toWeb(stream) {
    const iterator = stream[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close(); else controller.enqueue(value);
      },
      cancel() { stream.destroy(); },
    });
  }
}
withReading(Readable);
export class Writable extends Stream {
  constructor(options) { super(); initWritable(this, options); }
}
Object.defineProperties(Writable.prototype, Object.getOwnPropertyDescriptors(asWritable));
export class Duplex extends Stream {
  constructor(options) { super(); initReadable(this, options); initWritable(this, options); }
}
withReading(Duplex);
Object.defineProperties(Duplex.prototype, Object.getOwnPropertyDescriptors(asWritable));
export class Transform extends Duplex {
  constructor(options = {}) {
    super(options);
    if (options.transform) this._transform = options.transform;
    if (options.flush) this._flush = options.flush;
  }
  _transform(chunk, encoding, callback) { callback(null, chunk); }
  _flush(callback) { callback(); }
  _write(chunk, encoding, callback) {
    this._transform(chunk, encoding, (error, out) => {
      if (error) return callback(error);
      if (out !== undefined && out !== null) this.push(out);
      callback();
    });
  }
  _final(callback) {
    this._flush((error, out) => {
      if (error) return callback(error);
      if (out !== undefined && out !== null) this.push(out);
      this.push(null);
      callback();
    });
  }
}
export class PassThrough extends Transform {}

export const finished = (stream, options, callback = options) => {
  let called = false;
  const done = (error) => { if (!called) { called = true; callback(error); } };
  stream.once('error', done);
  stream.once('end', () => { if (stream._writable === undefined || stream._writable.done) done(); });
  stream.once('finish', () => { if (stream._readable === undefined || stream._readable.done) done(); });
  stream.once('close', () => done());
  return () => { called = true; };
};
export const pipeline = (...streams) => {
  const callback = typeof streams.at(-1) === 'function' ? streams.pop() : () => {};
  if (Array.isArray(streams[0])) streams = streams[0];
  let over = false;
  const done = (error) => {
    if (over) return;
    over = true;
    if (error) for (const s of streams) s.destroy();
    callback(error);
  };
  for (const s of streams) s.on('error', done);
  streams.reduce((from, to) => from.pipe(to));
  streams.at(-1).once('finish', () => done());
  return streams.at(-1);
};
export const promises = {
  pipeline: (...streams) => new Promise((resolve, reject) => pipeline(...streams, (error) => error ? reject(error) : resolve())),
  finished: (stream) => new Promise((resolve, reject) => finished(stream, (error) => error ? reject(error) : resolve())),
};
export default Object.assign(Stream, { Stream, Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished, promises });
export { Stream };
