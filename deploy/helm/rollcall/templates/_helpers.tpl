{{- define "rollcall.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "rollcall.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rollcall.labels" -}}
{{ include "rollcall.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "rollcall.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "rollcall.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "rollcall.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where the data is: of the server and of the migration alike. */}}
{{- define "rollcall.databaseEnv" -}}
{{- if .Values.database.url }}
- {name: ROLLCALL_DATABASE, value: {{ .Values.database.url | quote }}}
{{- if .Values.database.passwordSecret }}
- {name: ROLLCALL_DATABASE_PASSWORD_FILE, value: /run/rollcall/database/password}
{{- end }}
{{- else }}
- {name: ROLLCALL_DATA, value: /var/lib/rollcall}
{{- end }}
{{- end }}

{{- define "rollcall.databaseMounts" -}}
{{- if and .Values.database.url .Values.database.passwordSecret }}
- {name: database, mountPath: /run/rollcall/database, readOnly: true}
{{- end }}
{{- if and .Values.database.url .Values.database.caSecret }}
- {name: database-ca, mountPath: /run/rollcall/database-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "rollcall.databaseVolumes" -}}
{{- if and .Values.database.url .Values.database.passwordSecret }}
- name: database
  secret:
    secretName: {{ .Values.database.passwordSecret }}
    defaultMode: 0440
    items: [{key: password, path: password}]
{{- end }}
{{- if and .Values.database.url .Values.database.caSecret }}
- name: database-ca
  secret:
    secretName: {{ .Values.database.caSecret }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}

{{/* Combinations that would only fail later, or be unsafe. */}}
{{- define "rollcall.check" -}}
{{- if and (not .Values.tls.secret) (not .Values.trustedProxies) }}
{{- fail "who ends TLS? Set tls.secret, or trustedProxies to the addresses of the proxy in front" }}
{{- end }}
{{- if regexMatch "^[a-z]+://[^/@]*:[^/@]*@" .Values.database.url }}
{{- fail "database.url holds a password: put it into the secret that database.passwordSecret names" }}
{{- end }}
{{- range $key := list "database" "database-password-file" "data" "listen" "admin-listen" "admin-allow-remote" "tls" "tls-cert" "tls-key" "trusted-proxies" "public-url" "drain-delay" "shutdown-timeout" }}
{{- if hasKey $.Values.settings $key }}
{{- fail (printf "settings.%s: the chart sets it from values of its own" $key) }}
{{- end }}
{{- end }}
{{- end }}
