// node:assert.
import { isDeepStrictEqual, inspect } from 'node:util';
export class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message ?? `${inspect(actual)} ${operator} ${inspect(expected)}`);
    this.name = 'AssertionError';
    this.code = 'ERR_ASSERTION';
    Object.assign(this, { actual, expected, operator, generatedMessage: message === undefined });
  }
}
const check = (holds, message, actual, expected, operator) => {
  if (holds) return;
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, actual, expected, operator });
};
const looselyEqual = (a, b) => a == b || (a !== a && b !== b) || isDeepStrictEqual(a, b);
const matchesError = (error, expected) => {
  if (expected === undefined || typeof expected === 'string') return true;
  if (expected instanceof RegExp) return expected.test(String(error));
  if (typeof expected === 'function') return expected.prototype !== undefined && error instanceof expected || expected.prototype === undefined && expected(error) === true;
  return Object.keys(expected).every((k) => expected[k] instanceof RegExp && typeof error[k] === 'string' ? expected[k].test(error[k]) : isDeepStrictEqual(error[k], expected[k]));
};
const assert = (value, message) => check(value, message, value, true, '==');
export const ok = assert;
export const equal = (a, b, message) => check(a == b || (a !== a && b !== b), message, a, b, '==');
export const notEqual = (a, b, message) => check(a != b, message, a, b, '!=');
export const strictEqual = (a, b, message) => check(Object.is(a, b), message, a, b, 'strictEqual');
export const notStrictEqual = (a, b, message) => check(!Object.is(a, b), message, a, b, 'notStrictEqual');
export const deepEqual = (a, b, message) => check(looselyEqual(a, b), message, a, b, 'deepEqual');
export const deepStrictEqual = (a, b, message) => check(isDeepStrictEqual(a, b), message, a, b, 'deepStrictEqual');
export const notDeepEqual = (a, b, message) => check(!looselyEqual(a, b), message, a, b, 'notDeepEqual');
export const notDeepStrictEqual = (a, b, message) => check(!isDeepStrictEqual(a, b), message, a, b, 'notDeepStrictEqual');
export const match = (text, pattern, message) => check(pattern.test(text), message, text, pattern, 'match');
export const doesNotMatch = (text, pattern, message) => check(!pattern.test(text), message, text, pattern, 'doesNotMatch');
export const fail = (message = 'Failed') => check(false, message);
export const ifError = (value) => { if (value !== null && value !== undefined) throw value; };
export const throws = (f, expected, message) => {
  try { f(); } catch (error) {
    if (matchesError(error, expected)) return;
    throw error;
  }
  check(false, message ?? 'Missing expected exception.');
};
export const doesNotThrow = (f) => { f(); };
export const rejects = async (promise, expected, message) => {
  try { await (typeof promise === 'function' ? promise() : promise); } catch (error) {
    if (matchesError(error, expected)) return;
    throw error;
  }
  check(false, message ?? 'Missing expected rejection.');
};
export const doesNotReject = async (promise) => { await (typeof promise === 'function' ? promise() : promise); };
export const strict = Object.assign((value, message) => assert(value, message), {
  AssertionError, ok, equal: strictEqual, notEqual: notStrictEqual, strictEqual, notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual,
  deepStrictEqual, notDeepStrictEqual, match, doesNotMatch, fail, ifError, throws, doesNotThrow, rejects, doesNotReject,
});
strict.strict = strict;
export default Object.assign(assert, { ...strict, equal, notEqual, deepEqual, notDeepEqual, strict });
