package deploy

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const chart = "helm/rollcall"

// renderings are values that operators give, each with the kinds that it leads to.
var renderings = map[string]struct {
	values string
	kinds  []string
}{
	"embedded database": {
		values: "trustedProxies: [10.0.0.0/8]",
		kinds:  []string{"ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service", "Service", "ServiceAccount"},
	},
	"an existing volume": {
		values: "{tls: {secret: cert}, persistence: {existingClaim: mine}, networkPolicy: {enabled: false}}",
		kinds:  []string{"ConfigMap", "Deployment", "Service", "Service", "ServiceAccount"},
	},
	"PostgreSQL": {
		values: "{tls: {secret: cert}, database: {url: 'postgres://rollcall@db:5432/rollcall', passwordSecret: db}}",
		kinds:  []string{"ConfigMap", "Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service", "Service", "ServiceAccount"},
	},
	"everything": {
		values: `
image: {tag: "1.2.3", digest: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
imagePullSecrets: [{name: registry}]
database: {url: "postgres://rollcall@db:5432/rollcall?sslmode=verify-full", passwordSecret: db, caSecret: db-ca}
replicas: 5
trustedProxies: [10.0.0.0/8, 192.0.2.1]
publicURL: https://users.example.com
settings: {users-per-minute: 300, log-level: debug, v1beta1: false}
service: {type: LoadBalancer, port: 8443, annotations: {a: b}}
ingress: {enabled: true, className: nginx, tlsSecret: front, annotations: {a: b}}
disruptionBudget: {maxUnavailable: 25%}
networkPolicy:
  from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]
  monitoringFrom: [{namespaceSelector: {}}]
  egress: [{to: [{ipBlock: {cidr: 10.1.0.0/16}}], ports: [{port: 5432}]}]
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboard: {enabled: true}
serviceAccount: {annotations: {a: b}}
podAnnotations: {a: b}
podLabels: {team: identity}
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {}}
priorityClassName: high
`,
		kinds: []string{"ConfigMap", "ConfigMap", "Deployment", "Ingress", "Job", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule",
			"Service", "Service", "ServiceAccount", "ServiceMonitor"},
	},
}

// object is a manifest, or a part of one.
type object map[string]any

// at walks down to a member: at("spec", "template").
func (o object) at(path ...string) object {
	for _, key := range path {
		next, _ := o[key].(map[string]any)
		o = next
	}
	return o
}

func (o object) text(key string) string { s, _ := o[key].(string); return s }

func (o object) list(key string) (objects []object) {
	items, _ := o[key].([]any)
	for _, item := range items {
		member, _ := item.(map[string]any)
		objects = append(objects, member)
	}
	return objects
}

// render is what the chart makes of some values.
func render(t *testing.T, values string) []object {
	t.Helper()
	file := write(t, filepath.Join(t.TempDir(), "values.yaml"), values)
	cmd := exec.CommandContext(t.Context(), tool(t, "kube", "helm"), "template", "example", chart, "--namespace", "identity", "--kube-version", "1.30.0", "--values", file)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, stderrOf(err))
	}
	return documents(t, out)
}

func documents(t *testing.T, text []byte) (objects []object) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var parsed map[string]any
		if err := decoder.Decode(&parsed); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(parsed) > 0 {
			objects = append(objects, parsed)
		}
	}
}

func TestChartIsLinted(t *testing.T) {
	t.Parallel()
	for name, r := range renderings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, filepath.Join(t.TempDir(), "values.yaml"), r.values)
			output(t, tool(t, "kube", "helm"), "lint", "--strict", "--kube-version", "1.30.0", chart, "--values", file)
		})
	}
}

func TestChart(t *testing.T) {
	t.Parallel()
	schemas := map[string]kubernetes{}
	for _, version := range []string{"1.27", "1.30"} {
		schemas[version] = loadKubernetes(t, version)
	}
	for name, r := range renderings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var kinds []string
			for _, o := range render(t, r.values) {
				kinds = append(kinds, o.text("kind"))
				for version, schema := range schemas {
					if err := schema.validate(o); err != nil {
						t.Errorf("Kubernetes %s: %s: %v", version, o.text("kind"), err)
					}
				}
				switch o.text("kind") {
				case "Deployment", "Job":
					isRestricted(t, o.at("spec", "template", "spec"))
				case "Secret":
					t.Error("the chart makes a secret: then it would be in the values")
				}
			}
			slices.Sort(kinds)
			if want := strings.Join(r.kinds, " "); want != strings.Join(kinds, " ") {
				t.Errorf("kinds\nwant %s\ngot  %s", want, strings.Join(kinds, " "))
			}
		})
	}
}

// isRestricted asks for what the Pod Security Standard "restricted" asks for, a read-only root, and bounded memory.
func isRestricted(t *testing.T, spec object) {
	t.Helper()
	pod := spec.at("securityContext")
	if pod["runAsNonRoot"] != true || pod["runAsUser"] == 0 || pod.at("seccompProfile").text("type") != "RuntimeDefault" {
		t.Errorf("the pod's security context is %v", pod)
	}
	if spec["automountServiceAccountToken"] != false {
		t.Error("the pod gets a token of the cluster")
	}
	for _, container := range spec.list("containers") {
		security := container.at("securityContext")
		drop, _ := security.at("capabilities")["drop"].([]any)
		if security["allowPrivilegeEscalation"] != false || security["readOnlyRootFilesystem"] != true || len(drop) != 1 || drop[0] != "ALL" {
			t.Errorf("%s: the security context is %v", container.text("name"), security)
		}
		if container.at("resources", "limits")["memory"] == nil || container.at("resources", "requests")["cpu"] == nil {
			t.Errorf("%s: resources are %v", container.text("name"), container.at("resources"))
		}
	}
	for _, volume := range spec.list("volumes") {
		if volume["hostPath"] != nil {
			t.Errorf("%v is of the host", volume)
		}
	}
}

// TestChartRefuses: what would fail later, or silently be unsafe, is refused at once and with a reason.
func TestChartRefuses(t *testing.T) {
	t.Parallel()
	refused := map[string]struct{ values, why string }{
		"nobody ends TLS":      {"{}", "who ends TLS?"},
		"a password in values": {"{tls: {secret: a}, database: {url: 'postgres://rollcall:secret@db/rollcall'}}", "passwordSecret"},
		"another database":     {"{tls: {secret: a}, database: {url: 'mysql://db/rollcall'}}", "database"},
		"a misspelt value":     {"{tls: {secret: a}, replica: 3}", "replica"},
		"no replica":           {"{tls: {secret: a}, replicas: 0}", "replicas"},
		"a setting of its own": {"{tls: {secret: a}, settings: {listen: ':1'}}", "settings.listen"},
		"a digest that is none": {
			"{tls: {secret: a}, image: {digest: latest}}", "digest"},
	}
	for name, tt := range refused {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, filepath.Join(t.TempDir(), "values.yaml"), tt.values)
			out, err := try(t, tool(t, "kube", "helm"), "template", "x", chart, "--kube-version", "1.30.0", "--values", file)
			if err == nil || !strings.Contains(out, tt.why) {
				t.Errorf("got %v, want a refusal that says %q:\n%s", err, tt.why, out)
			}
		})
	}
}

// TestChartConfigurationIsServed: the configuration that the chart writes is one the image serves with.
func TestChartConfigurationIsServed(t *testing.T) {
	t.Parallel()
	var config string
	var args, env []string
	for _, o := range render(t, "{trustedProxies: [10.0.0.0/8], publicURL: 'https://users.example.com', settings: {users-per-minute: 300, v1beta1: false}}") {
		switch o.text("kind") {
		case "ConfigMap":
			config = o.at("data").text("rollcall.yaml")
		case "Deployment":
			container := o.at("spec", "template", "spec").list("containers")[0]
			for _, arg := range container["args"].([]any) {
				args = append(args, arg.(string))
			}
			for _, variable := range container.list("env") {
				if value := variable.text("value"); value != "" {
					env = append(env, variable.text("name")+"="+value)
				}
			}
		}
	}
	file := write(t, filepath.Join(t.TempDir(), "rollcall.yaml"), config)
	cmd := inImage(t, newVolume(t), map[string]string{"/etc/rollcall/rollcall.yaml": file}, args...)
	cmd.Env = append(cmd.Env, env...)
	cmd.Env = append(cmd.Env, "ROLLCALL_LISTEN=127.0.0.1:0", "ROLLCALL_ADMIN_LISTEN=127.0.0.1:0", "ROLLCALL_DRAIN_DELAY=0s") // the machine is shared
	s := serve(t, cmd)
	if status, body := get(t, "http://"+s.api+"/.well-known/oauth-authorization-server"); status != 200 || !strings.Contains(body, "https://users.example.com/v1/") || strings.Contains(body, "v1beta1") {
		t.Errorf("metadata: %d %s", status, body)
	}
}
