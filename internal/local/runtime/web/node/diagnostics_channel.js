// node:diagnostics_channel.
const channels = new Map();
export class Channel {
  #subscribers = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0; }
  subscribe(f) { this.#subscribers = [...this.#subscribers, f]; }
  unsubscribe(f) {
    const at = this.#subscribers.indexOf(f);
    this.#subscribers = this.#subscribers.filter((_, i) => i !== at);
    return at >= 0;
  }
  publish(message) { for (const f of this.#subscribers) f(message, this.name); }
}
export const channel = (name) => {
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
};
export const hasSubscribers = (name) => channels.get(name)?.hasSubscribers ?? false;
export const subscribe = (name, f) => channel(name).subscribe(f);
export const unsubscribe = (name, f) => channel(name).unsubscribe(f);
export default { Channel, channel, hasSubscribers, subscribe, unsubscribe };
