{{- /* The name of everything: clear in `kubectl get` also when the release is called "prod". */ -}}
{{- define "gemma-operator.name" -}}
{{- $name := contains "gemma-operator" .Release.Name | ternary .Release.Name (printf "%s-gemma-operator" .Release.Name) -}}
{{- .Values.fullnameOverride | default $name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "gemma-operator.account" -}}
{{- .Values.serviceAccount.name | default (include "gemma-operator.name" .) -}}
{{- end }}

{{- /* Selectors can't be changed: these two labels stay what they are for ever. */ -}}
{{- define "gemma-operator.selector" -}}
app.kubernetes.io/name: gemma-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "gemma-operator.labels" -}}
{{- $own := dict
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/component" "operator"
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version) -}}
{{- merge (include "gemma-operator.selector" . | fromYaml) $own .Values.commonLabels | toYaml -}}
{{- end }}

{{- define "gemma-operator.image" -}}
{{- $image := .Values.image -}}
{{- with .Values.global.imageRegistry | default $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* A short-lived token with what a client needs beside it, where clients look. */ -}}
{{- define "gemma-operator.token" -}}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap:
          name: kube-root-ca.crt
          items: [{key: ca.crt, path: ca.crt}]
      - downwardAPI:
          items:
            - {path: namespace, fieldRef: {fieldPath: metadata.namespace}}
{{- end }}
