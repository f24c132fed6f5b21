// esa-cli with its documented variables and CUSTOM_ENDPOINT, by HTTPS.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { info, modules, step, page } = require('./common');
const esa = require(`${modules}/@alicloud/esa20240910`);
const { $OpenApiUtil } = require(`${modules}/@alicloud/openapi-core`);

const project = path.join(process.env.PEER_WORK, 'cli-app');
const home = path.join(process.env.PEER_WORK, 'home');

// cli runs esa-cli in the project and returns what it printed.
function cli(...args) {
  const run = spawnSync(process.execPath, [path.join(modules, 'esa-cli/dist/bin/enter.cjs'), ...args], {
    cwd: project, encoding: 'utf8', timeout: 120_000, input: '',
    env: {
      PATH: process.env.PATH, HOME: home, NODE_EXTRA_CA_CERTS: info.ca_file, CUSTOM_ENDPOINT: new URL(info.endpoint_tls).host,
      ESA_ACCESS_KEY_ID: info.access_key_id, ESA_ACCESS_KEY_SECRET: info.access_key_secret,
    },
  });
  return `${run.stdout}${run.stderr}`.replace(/\u001b\[[0-9;]*m/g, '');
}

function write(name, text) {
  fs.mkdirSync(path.dirname(path.join(project, name)), { recursive: true });
  fs.writeFileSync(path.join(project, name), text);
}

async function main() {
  fs.mkdirSync(home, { recursive: true });
  write('esa.jsonc', JSON.stringify({
    name: 'cli-app', description: 'by esa-cli', entry: './src/index.js',
    assets: { directory: './dist', notFoundStrategy: 'singlePageApplication' },
  }));
  write('src/index.js', 'export default { fetch() { return new Response("from the function"); } };\n');
  write('dist/index.html', '<h1>by esa-cli</h1>\n');
  const client = new esa.default(new $OpenApiUtil.Config({
    accessKeyId: info.access_key_id, accessKeySecret: info.access_key_secret, endpoint: new URL(info.endpoint).host, protocol: 'http',
  }));

  await step('login', () => assert.match(cli('login'), /Login success/));
  await step('commit', () => assert.match(cli('commit', '-d', 'first'), /generated successfully/));
  await step('deploy', () => {
    assert.match(cli('deploy', '-e', 'staging', '-d', 'second'), /Deploy Success/);
    assert.match(cli('deploy', '-e', 'production', '-d', 'third'), /Deploy Success/);
  });
  await step('what was deployed is served', async () => {
    const routine = (await client.getRoutine(new esa.GetRoutineRequest({ name: 'cli-app' }))).body;
    const token = (await client.getRoutineAccessToken(new esa.GetRoutineAccessTokenRequest({ name: 'cli-app' }))).body.token;
    const got = await page(routine.defaultRelatedRecord, `/?esa_er_token=${token}`);
    assert.equal(got.status, 200);
    assert.match(got.body, /by esa-cli/);
  });
  await step('deployments', () => {
    const list = cli('deployments', 'list');
    for (const word of ['first', 'second', 'third', 'Active']) assert.match(list, new RegExp(word));
  });
  await step('projects', () => assert.match(cli('project', 'list'), /cli-app/));
  await step('a site, for what follows', async () => {
    const plans = (await client.listUserRatePlanInstances(new esa.ListUserRatePlanInstancesRequest({}))).body;
    const made = (await client.createSite(new esa.CreateSiteRequest({
      siteName: 'cli.example', accessType: 'NS', coverage: 'overseas', instanceId: plans.instanceInfo[0].instanceId,
    }))).body;
    await client.verifySite(new esa.VerifySiteRequest({ siteId: made.siteId }));
    assert.match(cli('site', 'list'), /cli\.example/);
  });
  await step('domains', () => {
    assert.match(cli('domain', 'add', 'www.cli.example'), /successfully/);
    assert.match(cli('domain', 'list'), /www\.cli\.example/);
    assert.match(cli('domain', 'delete', 'www.cli.example'), /success/);
    assert.doesNotMatch(cli('domain', 'list'), /www\.cli\.example/);
  });
  await step('routes', () => {
    assert.match(cli('route', 'add', '-r', 'api.cli.example/*', '-s', 'cli.example', '-a', 'api'), /success/i);
    assert.match(cli('route', 'list'), /api\.cli\.example\/\*/);
    assert.match(cli('route', 'delete', 'api'), /success/i);
  });
}

main().catch((error) => { console.error(error); process.exit(1); });
