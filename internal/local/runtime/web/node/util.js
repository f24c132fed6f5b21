// node:util.
const { describe } = globalThis[Symbol.for('esa.runtime')];
export const inspect = Object.assign((value) => typeof value === 'string' ? `'${value}'` : describe(value), { custom: Symbol.for('nodejs.util.inspect.custom') });
export const format = (first, ...rest) => {
  if (typeof first !== 'string') return [first, ...rest].map((v) => typeof v === 'string' ? v : inspect(v)).join(' ');
  let next = 0;
  const text = first.replace(/%([sdifjoO%])/g, (all, kind) => {
    if (kind === '%') return '%';
    if (next >= rest.length) return all;
    const v = rest[next++];
    switch (kind) {
      case 'd': return String(Number(v));
      case 'i': return String(parseInt(v));
      case 'f': return String(parseFloat(v));
      case 'j': return JSON.stringify(v);
      case 's': return typeof v === 'object' && v !== null ? inspect(v) : String(v);
      default: return inspect(v);
    }
  });
  return [text, ...rest.slice(next).map((v) => typeof v === 'string' ? v : inspect(v))].join(' ');
};
export const promisify = (f) => f[promisify.custom] ?? function (...args) {
  return new Promise((resolve, reject) => f.call(this, ...args, (error, value) => error ? reject(error) : resolve(value)));
};
promisify.custom = Symbol.for('nodejs.util.promisify.custom');
export const callbackify = (f) => function (...args) {
  const callback = args.pop();
  f.apply(this, args).then((value) => queueMicrotask(() => callback(null, value)), (error) => queueMicrotask(() => callback(error)));
};
export const inherits = (type, parent) => {
  Object.defineProperty(type, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(type.prototype, parent.prototype);
};
export const deprecate = (f) => f;
export const debuglog = () => Object.assign(() => {}, { enabled: false });
export const isArray = Array.isArray;
export const stripVTControlCharacters = (text) => text.replace(/\u001B\[[0-9;]*[A-Za-z]/g, '');
export const toUSVString = (text) => String(text).toWellFormed();

const isA = (name) => (value) => Object.prototype.toString.call(value) === `[object ${name}]`;
export const types = {
  isDate: isA('Date'), isRegExp: isA('RegExp'), isMap: isA('Map'), isSet: isA('Set'), isWeakMap: isA('WeakMap'), isWeakSet: isA('WeakSet'),
  isPromise: (v) => v instanceof Promise, isNativeError: (v) => v instanceof Error, isArrayBuffer: (v) => v instanceof ArrayBuffer, isAnyArrayBuffer: (v) => v instanceof ArrayBuffer,
  isTypedArray: (v) => ArrayBuffer.isView(v) && !(v instanceof DataView), isUint8Array: (v) => v instanceof Uint8Array, isArrayBufferView: ArrayBuffer.isView,
  isAsyncFunction: isA('AsyncFunction'), isGeneratorFunction: isA('GeneratorFunction'), isGeneratorObject: isA('Generator'), isProxy: () => false, isBoxedPrimitive: (v) => typeof v === 'object' && v !== null && typeof v.valueOf() !== 'object',
};
export const isDeepStrictEqual = (a, b, seen = new Map()) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  if (a instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && (a.name !== b.name || a.message !== b.message)) return false;
  if (a instanceof Map) return a.size === b.size && [...a].every(([k, v]) => b.has(k) && isDeepStrictEqual(v, b.get(k), seen));
  if (a instanceof Set) return a.size === b.size && [...a].every((v) => b.has(v) || [...b].some((w) => isDeepStrictEqual(v, w, seen)));
  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length && keys.every((k) => Object.hasOwn(b, k) && isDeepStrictEqual(a[k], b[k], seen));
};
const { TextEncoder, TextDecoder } = globalThis;
export { TextEncoder, TextDecoder };
export default { inspect, format, promisify, callbackify, inherits, deprecate, debuglog, isArray, types, isDeepStrictEqual, stripVTControlCharacters, toUSVString, TextEncoder, TextDecoder };
