{{- define "headtower.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
A release may be called 123 or my.release; a Service must begin with a letter and have no dot. 50 characters leave room for suffixes.
*/}}
{{- define "headtower.fullname" -}}
{{- $name := include "headtower.name" . }}
{{- $full := .Values.fullnameOverride }}
{{- if not $full }}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- end }}
{{- $full = regexReplaceAll "[^a-z0-9-]+" (lower $full) "-" | trimAll "-" }}
{{- if not (regexMatch "^[a-z]" $full) }}
{{- $full = printf "%s-%s" .Chart.Name $full }}
{{- end }}
{{- $full | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "headtower.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "headtower.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headtower.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "headtower.labels" -}}
helm.sh/chart: {{ include "headtower.chart" . | quote }}
{{ include "headtower.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{- define "headtower.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "headtower.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "headtower.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}

{{/* Whether Headscale's socket is used: "true" or nothing. */}}
{{- define "headtower.usesSocket" -}}
{{- if or .Values.headscale.sidecar.enabled .Values.headscale.socket.enabled }}true{{ end }}
{{- end }}

{{/* headtower.yaml: what the values say, and the settings over it. */}}
{{- define "headtower.config" -}}
{{- $headscale := dict "url" (.Values.headscale.url | default (ternary "http://127.0.0.1:8080" "http://headscale:8080"
  .Values.headscale.sidecar.enabled)) }}
{{- if include "headtower.usesSocket" . }}
{{- $_ := set $headscale "socket" .Values.headscale.socket.path }}
{{- else if .Values.existingSecret }}
{{- $_ := set $headscale "api_key_path" (printf "/run/secrets/headtower/%s" .Values.headscale.apiKeyName) }}
{{- end }}
{{- $server := dict "base_url" (printf "https://%s" .Values.host) "host" "0.0.0.0" "port" 3000 "data_path" "/var/lib/headtower" }}
{{- mustMergeOverwrite (dict "headscale" $headscale "server" $server) (deepCopy .Values.settings) | toYaml }}
{{- end }}

{{/* What cannot work is said before anything is changed. */}}
{{- define "headtower.check" -}}
{{- $config := include "headtower.config" . | fromYaml }}
{{- if ne (urlParse $config.server.base_url).hostname .Values.host }}
{{- fail (printf "settings.server.base_url is %s, and host is %s: give one name" $config.server.base_url .Values.host) }}
{{- end }}
{{- $shared := eq (dig "store" "kind" "sqlite" $config) "postgres" }}
{{- if and (gt (int .Values.replicaCount) 1) (or (not $shared) .Values.headscale.sidecar.enabled) }}
{{- fail "replicaCount above 1 needs settings.store.kind: postgres, and no sidecar: Headscale runs once" }}
{{- end }}
{{- if and .Values.headscale.sidecar.enabled (not .Values.headscale.sidecar.existingConfigMap) }}
{{- fail "headscale.sidecar.enabled needs headscale.sidecar.existingConfigMap, a ConfigMap with Headscale's config.yaml" }}
{{- end }}
{{- if and .Values.headscale.socket.enabled (not .Values.headscale.sidecar.enabled) (not .Values.headscale.socket.volume) }}
{{- fail "headscale.socket.enabled needs headscale.sidecar.enabled, or headscale.socket.volume with the socket's folder" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that the route belongs to" }}
{{- end }}
{{- end }}

{{/* Embedded stores and a sidecar keep their volumes for one pod: the old one has to go first. */}}
{{- define "headtower.strategy" -}}
{{- $config := include "headtower.config" . | fromYaml }}
{{- if and (eq (dig "store" "kind" "sqlite" $config) "postgres") (not .Values.headscale.sidecar.enabled) }}RollingUpdate
{{- else }}Recreate{{ end }}
{{- end }}

{{/* "true" where the gateway's data is in a claim. */}}
{{- define "headtower.usesClaim" -}}
{{- $config := include "headtower.config" . | fromYaml }}
{{- if and .Values.persistence.enabled (ne (dig "store" "kind" "sqlite" $config) "postgres") }}true{{ end }}
{{- end }}

{{- define "headtower.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels:
    {{- include "headtower.labels" .root | nindent 4 }}
  annotations:
    # Uninstalling the release leaves the data.
    helm.sh/resource-policy: keep
    {{- with .values.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  accessModes:
    {{- toYaml .values.accessModes | nindent 4 }}
  {{- if eq .values.storageClass "-" }}
  storageClassName: ""
  {{- else if .values.storageClass }}
  storageClassName: {{ .values.storageClass | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .values.size | quote }}
{{- end }}
