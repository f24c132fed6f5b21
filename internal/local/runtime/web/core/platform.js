// Small globals: self, navigator, process, crypto's simple parts, structuredClone.

const randomBytes = (size) => Uint8Array.fromBase64(host.random(size));
const randomHex = (size) => randomBytes(size).toHex();

define('self', globalThis);
define('navigator', Object.freeze({ userAgent: 'ESA-EdgeRoutine', hardwareConcurrency: 1, language: 'en' }));

const env = JSON.parse(environment);
define('process', {
  env, argv: [], pid: 1, platform: 'linux', version: 'v20.0.0', versions: { node: '20.0.0' }, browser: false,
  cwd: () => '/', nextTick: (callback, ...args) => queueMicrotask(() => callback(...args)),
  hrtime: Object.assign(() => { const now = performance.now(); return [Math.floor(now / 1000), Math.floor(now % 1000 * 1e6)]; },
    { bigint: () => BigInt(Math.floor(performance.now() * 1e6)) }),
  uptime: () => performance.now() / 1000, emitWarning: (warning) => console.warn(String(warning)),
  on() { return this; }, once() { return this; }, off() { return this; }, emit() { return false; },
});
