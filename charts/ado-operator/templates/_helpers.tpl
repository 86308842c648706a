{{/* Name of the objects, at most 63 characters. */}}
{{- define "ado-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels by which the Deployment and the Service find the pod; they never change. */}}
{{- define "ado-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "ado-operator.labels" -}}
{{ include "ado-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name of the ServiceAccount. */}}
{{- define "ado-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ado-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Name of the claim that holds the store. */}}
{{- define "ado-operator.claimName" -}}
{{- default (printf "%s-data" (include "ado-operator.fullname" .)) .Values.persistence.existingClaim -}}
{{- end -}}

{{/* Reference of the image. */}}
{{- define "ado-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Proxies as the operator reads them: NAME=URL, separated by commas. Checked here and not in the schema, which would print a
password that was put into the URL. */}}
{{- define "ado-operator.serviceHosts" -}}
{{- $all := list -}}
{{- range $service, $host := .Values.serviceHosts -}}
{{- $all = append $all (printf "%s=%s" $service $host) -}}
{{- end -}}
{{- join "," $all -}}
{{- end -}}

{{- define "ado-operator.proxies" -}}
{{- $all := list -}}
{{- range $name, $url := .Values.proxies -}}
{{- if not (regexMatch "^https?://[^\\s,/@]+/?$" $url) -}}
{{- fail (printf "proxies.%s must be http://HOST:PORT or https://HOST:PORT; a proxy with a password belongs into a Secret, see extraEnvFrom" $name) -}}
{{- end -}}
{{- $all = append $all (printf "%s=%s" $name $url) -}}
{{- end -}}
{{- join "," $all -}}
{{- end -}}

{{/* What the operator may do in the namespaces that it serves. Nothing here lets it create, change the spec of, or delete an object. */}}
{{- define "ado-operator.servedRules" -}}
# Both kinds: what people declare.
- apiGroups: [ado.testops.dev]
  resources: [adointegrations, adoprojectconfigs]
  verbs: [get, list, watch]
# The verdicts, by server-side apply.
- apiGroups: [ado.testops.dev]
  resources: [adointegrations/status, adoprojectconfigs/status]
  verbs: [patch]
# The finalizer of an integration, which waits for its project configs. Kubernetes has no narrower right for it.
- apiGroups: [ado.testops.dev]
  resources: [adointegrations]
  verbs: [patch]
# Credentials and private CAs. A changed Secret is to be noticed within seconds, hence list and watch. Only metadata is
# listed and watched, values are read by name; but RBAC knows no such difference: whoever may list may read.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
# Private CAs, in the same way.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
# The labels of a namespace, where spec.allowedNamespaces has a selector.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
# Events about both kinds.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}
