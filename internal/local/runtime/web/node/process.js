export default process;
export const { env, argv, nextTick, cwd, platform, version, versions, hrtime, uptime } = process;
