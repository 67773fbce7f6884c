// The alerts, recording rules and dashboards as a monitoring mixin, for those who build their monitoring with jsonnet.
// Everything comes from the chart's files; override `_config.runbooks` with the place where you read the runbooks.
local groups(text, runbooks) = std.parseYaml(std.strReplace(text, 'runbook_url: docs/runbooks/', 'runbook_url: ' + runbooks)).groups;
local all(runbooks) =
  groups(importstr '../charts/gemma-operator/files/rules/autoscaling.yaml', runbooks)
  + groups(importstr '../charts/gemma-operator/files/rules/engines.yaml', runbooks)
  + groups(importstr '../charts/gemma-operator/files/rules/operator.yaml', runbooks)
  + groups(importstr '../charts/gemma-operator/files/rules/promises.yaml', runbooks)
  + groups(importstr '../charts/gemma-operator/files/rules/service-levels.yaml', runbooks);

{
  _config+:: {
    runbooks: 'docs/runbooks/',
  },
  // Recording rules and alerts stand in one group each, in the order in which they are evaluated.
  prometheusAlerts+:: {
    groups+: all($._config.runbooks),
  },
  grafanaDashboards+:: {
    'gemma-fleet.json': import '../charts/gemma-operator/files/dashboards/gemma-fleet.json',
    'gemma-deployment.json': import '../charts/gemma-operator/files/dashboards/gemma-deployment.json',
    'gemma-operator.json': import '../charts/gemma-operator/files/dashboards/gemma-operator.json',
  },
}
