package launch

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestTheAPIIsThatOfARealCluster checks the parts of a cluster that the operator's tests build on.
func TestTheAPIIsThatOfARealCluster(t *testing.T) {
	t.Parallel()
	i := command(t).begin(t)
	t.Run("rules of a schema", i.testSchemaRules)
	t.Run("admission policies", i.testAdmissionPolicies)
	t.Run("tokens and roles", i.testTokens)
	t.Run("token audiences", i.testAudiences)
	t.Run("owned objects are collected, namespaces go away", i.testControllers)
	t.Run("audit log", i.testAuditLog)
}

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.test}
spec:
  group: example.test
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {size: {type: integer}}
              x-kubernetes-validations:
                - {rule: "self.size <= 10", message: "no widget is larger than 10", fieldPath: ".size"}
            status:
              type: object
              default: {observedGeneration: -1}
              properties: {observedGeneration: {type: integer}}
`

func widget(name, size string) string {
	return "{apiVersion: example.test/v1, kind: Widget, metadata: {name: " + name + "}, spec: {size: " + size + "}}"
}

func (i *instance) testSchemaRules(t *testing.T) {
	i.must(t, widgets, "apply", "-f", "-")
	i.must(t, "", "wait", "--for=condition=Established", "crd/widgets.example.test")
	i.must(t, widget("small", "3"), "apply", "-f", "-")
	output, err := i.kubectl(widget("large", "11"), "apply", "-f", "-")
	if err == nil || !strings.Contains(output, "no widget is larger than 10") {
		t.Errorf("%v: %s", err, output)
	}
	if got := i.must(t, "", "get", "widget", "small", "-o", "jsonpath={.status.observedGeneration}"); got != "-1" {
		t.Errorf("observedGeneration is %q, want the schema's default", got)
	}
}

const policy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: keep-widgets}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{apiGroups: [example.test], apiVersions: ["*"], resources: [widgets], operations: [DELETE]}]
  validations: [{expression: "oldObject.metadata.name != 'small'", message: "small widgets stay"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: keep-widgets}
spec: {policyName: keep-widgets, validationActions: [Deny]}
`

func (i *instance) testAdmissionPolicies(t *testing.T) {
	i.must(t, policy, "apply", "-f", "-")
	// A policy takes effect a moment after it is stored; a dry run asks without deleting.
	eventually(t, "the policy refuses", func() bool {
		output, err := i.kubectl("", "delete", "widget", "small", "--dry-run=server")
		return err != nil && strings.Contains(output, "small widgets stay")
	})
}

func (i *instance) testTokens(t *testing.T) {
	i.must(t, "", "create", "serviceaccount", "robot")
	token := strings.TrimSpace(i.must(t, "", "create", "token", "robot"))
	if got := i.as(t, token, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"); got != "system:serviceaccount:default:robot" {
		t.Errorf("the token's user is %q", got)
	}
	if output := i.as(t, token, "get", "secrets"); !strings.Contains(output, "Forbidden") {
		t.Errorf("without a role: %s", output)
	}
	i.must(t, "", "create", "role", "reader", "--verb=list", "--resource=secrets")
	i.must(t, "", "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:robot")
	eventually(t, "the role is in force", func() bool {
		return strings.Contains(i.as(t, token, "get", "secrets"), "No resources found")
	})
}

// as runs kubectl with a token and no other credential, and returns what it prints, failed or not.
func (i *instance) as(t *testing.T, token string, arguments ...string) string {
	t.Helper()
	other := *i
	other.Kubeconfig = os.DevNull
	output, _ := other.kubectl("", append([]string{"--server", i.URL, "--certificate-authority", i.CAFile, "--token", token}, arguments...)...)
	return output
}

// A token for another audience opens that one and only that one: the API itself refuses it, as a real cluster does.
func (i *instance) testAudiences(t *testing.T) {
	token := strings.TrimSpace(i.must(t, "", "create", "token", "default", "--audience=ado-operator"))
	if output := i.as(t, token, "auth", "whoami"); !strings.Contains(output, "Unauthorized") {
		t.Errorf("the API says %q to a token for another audience", output)
	}
	for audience, want := range map[string]string{`["ado-operator"]`: "true", `["another"]`: "", `[]`: ""} {
		review := `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"` + token + `","audiences":` + audience + `}}`
		got := i.must(t, review, "create", "-f", "-", "-o", "jsonpath={.status.authenticated}")
		if got != want {
			t.Errorf("authenticated for %s is %q, want %q", audience, got, want)
		}
	}
}

const owned = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  namespace: short-lived
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: gone, uid: 00000000-0000-0000-0000-000000000000}]
`

func (i *instance) testControllers(t *testing.T) {
	i.must(t, "", "create", "namespace", "short-lived")
	i.must(t, owned, "apply", "-f", "-")
	i.must(t, "", "wait", "--for=delete", "configmap/owned", "--namespace=short-lived", "--timeout=60s")
	i.must(t, widget("inside", "1"), "apply", "--namespace=short-lived", "-f", "-")
	i.must(t, "", "delete", "namespace", "short-lived", "--timeout=60s")
}

// auditEvent is the part of an audit.k8s.io/v1 Event that tests count requests by.
type auditEvent struct {
	Level, Stage, Verb string
	User               struct{ Username string }
	ObjectRef          struct{ Resource, Namespace, Name string }
	ResponseStatus     struct{ Code int }
	RequestObject      json.RawMessage
}

func (i *instance) testAuditLog(t *testing.T) {
	i.must(t, "", "create", "configmap", "audited", "--from-literal=secret=value-that-must-not-be-logged")
	eventually(t, "the request is in the audit log", func() bool { return i.countAudited(t, "create", "audited") > 0 })
	if got := i.countAudited(t, "create", "audited"); got != 1 {
		t.Errorf("one request stands in the log %d times", got)
	}
}

// countAudited checks every line of the log and counts those of one kind of request for ConfigMaps.
func (i *instance) countAudited(t *testing.T, verb, name string) int {
	t.Helper()
	log, err := os.Open(i.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	count := 0
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if err != nil { // the rest is a line that is just being written
			return count
		}
		var event auditEvent
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if event.Level != "Metadata" || event.Stage != "ResponseComplete" || event.RequestObject != nil ||
			strings.Contains(line, "value-that-must-not-be-logged") {
			t.Fatalf("unexpected line: %s", line)
		}
		if event.Verb == verb && event.ObjectRef.Resource == "configmaps" && event.ObjectRef.Name == name &&
			event.User.Username == "admin" && event.ResponseStatus.Code == 201 {
			count++
		}
	}
}
