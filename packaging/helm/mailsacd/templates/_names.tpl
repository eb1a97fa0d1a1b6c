{{- define "mailsacd.labels" -}}
app.kubernetes.io/name: mailsacd
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "mailsacd.selector" -}}
app.kubernetes.io/name: mailsacd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
