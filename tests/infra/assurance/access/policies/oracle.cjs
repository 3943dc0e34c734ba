// Decides many requests in one process: simulations on standard input, results on standard output, both JSON arrays.
// The engine is called without what the package does around it: that drops a request's keys which a service does not
// document, and needs a second per thousand requests.
const path = require("node:path");

const found = require.resolve("@cloud-copilot/iam-simulate");
const own = (file) => require(path.join(path.dirname(found), file));
const { authorize } = own("core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = own("request/request.js");
const { RequestContextImpl } = own("requestContext.js");
const { DiscoveryContextKeyConstraints } = own("context_keys/discoveryContextKeyConstraints.js");
const { loadPolicy } = require(require.resolve("@cloud-copilot/iam-policy", { paths: [found] }));

const load = (policy) => loadPolicy(policy, { name: "policy" });
const parameters = {
  simulationMode: "Strict",
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
};

function decide(each) {
  const context = new RequestContextImpl(each.context);
  const request = new AwsRequestImpl(each.principal, { resource: each.resource, accountId: each.account }, each.action, context);
  return authorize({
    request,
    sessionPolicy: each.session && load(each.session),
    identityPolicies: each.identity.map(load),
    serviceControlPolicies: each.organisation.map((policy) => ({ orgIdentifier: "level", policies: [load(policy)] })),
    resourceControlPolicies: [],
    resourcePolicy: each.resourcePolicy && load(each.resourcePolicy),
    permissionBoundaries: each.boundary && [load(each.boundary)],
    vpcEndpointPolicies: undefined,
    simulationParameters: parameters,
    serviceSettings: {},
  }).result;
}

let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => console.log(JSON.stringify(JSON.parse(text).map(decide))));
