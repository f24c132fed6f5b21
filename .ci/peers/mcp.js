// mcp-server-esa, Alibaba's own MCP server for ESA. Its endpoint is built in, so
// redirect.js leads it to the local ESA.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');
const { info, modules, step, page } = require('./common');
const esa = require(`${modules}/@alicloud/esa20240910`);
const { $OpenApiUtil } = require(`${modules}/@alicloud/openapi-core`);

const server = spawn(process.execPath, [path.join(modules, 'mcp-server-esa/dist/index.js')], {
  stdio: ['pipe', 'pipe', 'ignore'], // it logs every call on standard error
  env: {
    PATH: process.env.PATH, HOME: process.env.PEER_WORK, PEER_TLS: new URL(info.endpoint_tls).host, NODE_EXTRA_CA_CERTS: info.ca_file,
    NODE_OPTIONS: `--require ${path.join(__dirname, 'redirect.js')}`,
    ALIBABA_CLOUD_ACCESS_KEY_ID: info.access_key_id, ALIBABA_CLOUD_ACCESS_KEY_SECRET: info.access_key_secret,
  },
});
const waiting = new Map();
readline.createInterface({ input: server.stdout }).on('line', (line) => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});

let last = 0;
function request(method, params) {
  const id = ++last;
  server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} got no answer`)), 60_000);
    waiting.set(id, (message) => {
      clearTimeout(timer);
      if (message.error) reject(new Error(`${method}: ${message.error.message}`)); else resolve(message.result);
    });
  });
}

// tool calls a tool and returns its text, which must not tell of a failure.
async function tool(name, args) {
  const result = await request('tools/call', { name, arguments: args });
  const text = result.content.map((c) => c.text).join('\n');
  assert.ok(!result.isError, `${name}: ${text}`);
  assert.doesNotMatch(text, /"statusCode":\s*[45]|"success":\s*false|[Ff]ailed/, `${name}: ${text}`);
  return text;
}

async function main() {
  const client = new esa.default(new $OpenApiUtil.Config({
    accessKeyId: info.access_key_id, accessKeySecret: info.access_key_secret, endpoint: new URL(info.endpoint).host, protocol: 'http',
  }));
  await step('the handshake', async () => {
    await request('initialize', { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'peers', version: '1' } });
    server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    assert.ok((await request('tools/list', {})).tools.length > 20);
  });
  const siteId = await step('a site', async () => {
    const plans = (await client.listUserRatePlanInstances(new esa.ListUserRatePlanInstancesRequest({}))).body;
    await tool('create_site', { siteName: 'mcp.example', accessType: 'NS', coverage: 'overseas', instanceId: plans.instanceInfo[0].instanceId });
    const site = (await client.listSites(new esa.ListSitesRequest({ siteName: 'mcp.example' }))).body.sites[0];
    await client.verifySite(new esa.VerifySiteRequest({ siteId: site.siteId }));
    assert.match(await tool('list_sites', {}), /mcp\.example/);
    assert.match(await tool('site_active_list', {}), /mcp\.example/);
    assert.match(await tool('site_match', { recordName: 'www.mcp.example' }), /mcp\.example/);
    return site.siteId;
  });
  await step('records', async () => {
    await tool('create_site_a_or_aaaa_record', {
      siteId, recordName: 'www.mcp.example', type: 'A/AAAA', proxied: true, bizName: 'web', ttl: 1, data: { value: '203.0.113.1' },
    });
    await tool('create_site_txt_record', { siteId, recordName: 'txt.mcp.example', type: 'TXT', ttl: 1, data: { value: 'hello' } });
    const list = await tool('list_records', { siteId });
    assert.match(list, /www\.mcp\.example/);
    assert.match(list, /txt\.mcp\.example/);
  });
  await step('a page from HTML', async () => {
    await tool('html_deploy', { name: 'mcp-page', html: '<h1>by mcp-server-esa</h1>' });
    const routine = (await client.getRoutine(new esa.GetRoutineRequest({ name: 'mcp-page' }))).body;
    const token = (await client.getRoutineAccessToken(new esa.GetRoutineAccessTokenRequest({ name: 'mcp-page' }))).body.token;
    const got = await page(routine.defaultRelatedRecord, `/?esa_er_token=${token}`);
    assert.equal(got.status, 200);
    assert.match(got.body, /by mcp-server-esa/);
  });
  await step('a routine and its route', async () => {
    await tool('routine_create', { name: 'mcp-routine', description: 'by mcp-server-esa' });
    assert.match(await tool('routine_list', {}), /mcp-routine/);
    assert.match(await tool('routine_get', { name: 'mcp-routine' }), /mcp-routine/);
    await tool('route_create', { siteId, routineName: 'mcp-routine', routeName: 'api', routeEnable: 'on', mode: 'simple', route: 'api.mcp.example/*', bypass: 'off' });
    assert.match(await tool('routine_route_list', { routineName: 'mcp-routine' }), /api/);
    assert.match(await tool('site_route_list', { siteId }), /api/);
    await tool('er_record_create', { name: 'mcp-routine', recordName: 'er.mcp.example', siteId });
    assert.match(await tool('er_record_list', { Name: 'mcp-routine' }), /er\.mcp\.example/);
    await tool('routine_delete', { name: 'mcp-routine' });
  });
}

main().then(() => { server.kill(); }, (error) => { console.error(error); server.kill(); process.exitCode = 1; });
