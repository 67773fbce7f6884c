{{- define "gemma-operator.name" -}}
{{- if contains "gemma-operator" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-gemma-operator" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "gemma-operator.account" -}}
{{ .Values.serviceAccount.name | default (include "gemma-operator.name" .) }}
{{- end }}

{{- define "gemma-operator.selector" -}}
app.kubernetes.io/name: gemma-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gemma-operator.labels" -}}
{{ include "gemma-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/component: operator
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "gemma-operator.image" -}}
{{- $image := .Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* What the operator does in the namespaces that it serves. */ -}}
{{- define "gemma-operator.rules" -}}
- apiGroups: [gemma-operator.io]
  resources: [gemmadeployments]
  verbs: [get, list, watch]
- apiGroups: [gemma-operator.io]
  resources: [gemmadeployments/status]
  verbs: [patch]
# Needed where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [gemma-operator.io]
  resources: [gemmadeployments/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, update]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch]
# The serving label and the drain's annotations, when the autoscaler takes a pod away.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, get, patch]
{{- end }}
