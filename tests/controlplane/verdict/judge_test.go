package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const scriptFile = "../../../charts/ado-operator/files/argocd-health.lua"

// condition is one entry of status.conditions; messages are "about <type>" throughout.
type condition struct{ kind, status, reason string }

// situation is a row of the table of states (docs of the kinds, "States, conditions, health"), or one of its moments.
type situation struct {
	row   string
	kinds []string
	// generation and observed are metadata.generation and status.observedGeneration; 0 means 1.
	generation, observed int64
	deleting             bool
	conditions           []condition
	kstatus, argoCD      string
	// message is part of Argo CD's message.
	message string
}

const (
	integration = "AdoIntegration"
	config      = "AdoProjectConfig"
)

var both = []string{integration, config}

// ready, reconciling and stalled are the conditions by which the table's words are spelled out.
func ready(status, reason string) condition { return condition{"Ready", status, reason} }
func reconciling(reason string) condition   { return condition{"Reconciling", "True", reason} }
func stalled(reason string) condition       { return condition{"Stalled", "True", reason} }

func waiting(reason string) []condition {
	return []condition{ready("Unknown", reason), reconciling(reason)}
}

func stuck(reason string) []condition {
	return []condition{ready("False", reason), stalled(reason)}
}

var situations = []situation{
	{row: "on the way into Archived, Saved, Disconnected", kinds: both, conditions: waiting("RemovingHooks"),
		kstatus: "InProgress", argoCD: "Progressing"},
	{row: "never seen", kinds: both, observed: -1, kstatus: "InProgress", argoCD: "Progressing", message: "not seen"},
	{row: "created, being validated", kinds: both, conditions: waiting("Validating"), kstatus: "InProgress", argoCD: "Progressing"},
	{row: "spec edited, good verdict before", kinds: both, generation: 2, conditions: []condition{ready("True", "Active")},
		kstatus: "InProgress", argoCD: "Progressing", message: "not seen"},
	{row: "spec edited, bad verdict before", kinds: both, generation: 2, conditions: stuck("CredentialRefused"),
		kstatus: "InProgress", argoCD: "Progressing", message: "not seen"},
	{row: "something named is absent, first 60 s", kinds: both, conditions: waiting("SecretNotFound"),
		kstatus: "InProgress", argoCD: "Progressing", message: "SecretNotFound: about Reconciling"},
	{row: "something named is absent, then", kinds: both, conditions: stuck("SecretNotFound"),
		kstatus: "Failed", argoCD: "Degraded", message: "SecretNotFound: about Stalled"},
	{row: "credential good", kinds: []string{integration}, conditions: []condition{
		ready("True", "Active"), {"CredentialValid", "True", "Accepted"}, {"FeaturesAvailable", "True", "Available"}},
		kstatus: "Current", argoCD: "Healthy", message: "Active: about Ready"},
	{row: "credential refused", kinds: []string{integration},
		conditions: append(stuck("CredentialRefused"), condition{"CredentialValid", "False", "CredentialRefused"}),
		kstatus:    "Failed", argoCD: "Degraded", message: "CredentialRefused"},
	{row: "another wanted feature False", kinds: []string{integration},
		conditions: append(stuck("FeatureUnavailable"), condition{"FeaturesAvailable", "False", "FeatureUnavailable"}),
		kstatus:    "Failed", argoCD: "Degraded", message: "FeatureUnavailable"},
	{row: "AzureRepos failing", kinds: []string{integration}, conditions: stuck("AzureReposUnavailable"),
		kstatus: "Failed", argoCD: "Degraded", message: "AzureReposUnavailable"},
	{row: "disconnected", kinds: []string{integration}, conditions: []condition{ready("True", "Disconnected")},
		kstatus: "Current", argoCD: "Healthy", message: "Disconnected: about Ready"},
	{row: "saved with an invalid mapping", kinds: []string{config},
		conditions: []condition{ready("True", "Saved"), {"MappingValid", "False", "UnknownState"}},
		kstatus:    "Current", argoCD: "Healthy", message: "MappingValid False, UnknownState: about MappingValid"},
	{row: "unreachable after a good verdict or none", kinds: both,
		conditions: append(waiting("Unreachable"), condition{"Unreachable", "True", "Unreachable"}),
		kstatus:    "InProgress", argoCD: "Progressing", message: "Unreachable"},
	{row: "unreachable after a bad verdict", kinds: both,
		conditions: append(stuck("CredentialRefused"), condition{"Unreachable", "True", "Unreachable"}),
		kstatus:    "Failed", argoCD: "Degraded", message: "CredentialRefused"},
	{row: "unreachable for 15 minutes", kinds: both, conditions: []condition{
		ready("False", "Unreachable"), reconciling("Unreachable"), {"Unreachable", "True", "Unreachable"}},
		kstatus: "InProgress", argoCD: "Degraded", message: "Unreachable: about Ready"},
	{row: "throttled when Active", kinds: both, conditions: []condition{ready("True", "Active"), {"Throttled", "True", "Throttled"}},
		kstatus: "Current", argoCD: "Healthy", message: "Throttled True, Throttled: about Throttled"},
	{row: "throttled when stuck", kinds: both,
		conditions: append([]condition{{"Throttled", "True", "Throttled"}}, stuck("CredentialRefused")...),
		kstatus:    "Failed", argoCD: "Degraded", message: "CredentialRefused"},
	{row: "throttled when waiting", kinds: both,
		conditions: append([]condition{{"Throttled", "True", "Throttled"}}, waiting("Validating")...),
		kstatus:    "InProgress", argoCD: "Progressing"},
	{row: "first sync done", kinds: []string{config}, conditions: []condition{
		ready("True", "Active"), {"MappingValid", "True", "Valid"}, {"Synced", "True", "Synced"}},
		kstatus: "Current", argoCD: "Healthy", message: "Active: about Ready"},
	{row: "both toggles off", kinds: []string{config}, conditions: []condition{ready("True", "NothingSelected")},
		kstatus: "Current", argoCD: "Healthy", message: "NothingSelected"},
	{row: "ADO changed under an accepted spec", kinds: []string{config},
		conditions: []condition{{"MappingValid", "False", "ProcessChanged"}, ready("True", "Active")},
		kstatus:    "Current", argoCD: "Healthy", message: "ProcessChanged: about MappingValid"},
	{row: "mass disappearance", kinds: []string{config},
		conditions: append(stuck("MassDisappearance"), condition{"Synced", "False", "MassDisappearance"}),
		kstatus:    "Failed", argoCD: "Degraded", message: "MassDisappearance"},
	{row: "hooks missing", kinds: []string{config},
		conditions: []condition{ready("True", "Active"), {"ServiceHooksReady", "False", "NotPermitted"}},
		kstatus:    "Current", argoCD: "Healthy", message: "NotPermitted: about ServiceHooksReady"},
	{row: "archived", kinds: []string{config}, conditions: []condition{ready("True", "Archived")},
		kstatus: "Current", argoCD: "Healthy", message: "Archived"},
	{row: "invalid mapping, unknown project", kinds: []string{config},
		conditions: append(stuck("ProjectNotFound"), condition{"MappingValid", "False", "ProjectNotFound"}),
		kstatus:    "Failed", argoCD: "Degraded", message: "ProjectNotFound"},
	{row: "integration disconnected", kinds: []string{config}, conditions: []condition{ready("True", "IntegrationInactive")},
		kstatus: "Current", argoCD: "Healthy", message: "IntegrationInactive"},
	{row: "integration without a verdict", kinds: []string{config}, conditions: waiting("IntegrationNotReady"),
		kstatus: "InProgress", argoCD: "Progressing", message: "IntegrationNotReady"},
	{row: "integration in Error, stuck", kinds: []string{config}, conditions: stuck("IntegrationError"),
		kstatus: "Failed", argoCD: "Degraded", message: "IntegrationError"},
	{row: "integration in Error, trying", kinds: []string{config},
		conditions: []condition{ready("False", "IntegrationError"), reconciling("IntegrationError")},
		kstatus:    "InProgress", argoCD: "Degraded", message: "IntegrationError"},
	{row: "being deleted", kinds: both, deleting: true, conditions: waiting("Deleting"),
		kstatus: "Terminating", argoCD: "Progressing"},
	{row: "being deleted when stuck", kinds: both, deleting: true, conditions: stuck("CredentialRefused"),
		kstatus: "Terminating", argoCD: "Progressing"},
}

// object writes the situation as the apiserver would.
func (s situation) object(t *testing.T, kind string) []byte {
	t.Helper()
	metadata := map[string]any{"name": "example", "namespace": "testops", "generation": max(s.generation, 1)}
	if s.deleting {
		metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
	}
	status := map[string]any{"observedGeneration": int64(1)}
	if s.observed != 0 {
		status["observedGeneration"] = s.observed
	}
	if len(s.conditions) > 0 {
		var list []map[string]any
		for _, c := range s.conditions {
			list = append(list, map[string]any{"type": c.kind, "status": c.status, "reason": c.reason, "message": "about " + c.kind})
		}
		status["conditions"] = list
	}
	encoded, err := json.Marshal(map[string]any{
		"apiVersion": "ado.testops.dev/v1alpha1", "kind": kind, "metadata": metadata, "status": status})
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func readScript(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

func TestEveryRowOfTheTableOfStates(t *testing.T) {
	judge := newJudge(readScript(t))
	for _, s := range situations {
		for _, kind := range s.kinds {
			t.Run(kind+"/"+s.row, func(t *testing.T) {
				object, err := parse(s.object(t, kind))
				if err != nil {
					t.Fatal(err)
				}
				got := judge.verdict(object)
				if got.KStatus != s.kstatus {
					t.Errorf("kstatus is %s (%s), want %s", got.KStatus, got.KStatusMessage, s.kstatus)
				}
				if got.ArgoCD == nil || *got.ArgoCD != s.argoCD {
					t.Errorf("Argo CD says %s, want %s", encode(t, got), s.argoCD)
				}
				if !strings.Contains(got.ArgoCDMessage, s.message) {
					t.Errorf("Argo CD's message is %q, want %q in it", got.ArgoCDMessage, s.message)
				}
			})
		}
	}
}

// Argo CD itself decides about objects that are being deleted, except where its hook finalizer is set: then our script does.
func TestTheScriptItselfHandlesDeletion(t *testing.T) {
	s := situation{deleting: true, conditions: waiting("Deleting")}
	object, err := parse(s.object(t, config))
	if err != nil {
		t.Fatal(err)
	}
	object.SetFinalizers([]string{"argocd.argoproj.io/hook-finalizer"})
	got := newJudge(readScript(t)).verdict(object)
	if got.ArgoCD == nil || *got.ArgoCD != "Progressing" || got.ArgoCDMessage != "Deleting: about Ready" {
		t.Errorf("got %s", encode(t, got))
	}
}

// The libraries that Argo CD closes to users' scripts are closed here too: otherwise a pass here would prove nothing.
func TestLibrariesAreClosed(t *testing.T) {
	s := situation{}
	object, err := parse(s.object(t, config))
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range []string{"string", "math", "io"} {
		script := "if " + library + " == nil then return {status = 'Healthy'} end return {status = 'Degraded'}"
		got := newJudge(script).verdict(object)
		if got.ArgoCD == nil || *got.ArgoCD != "Healthy" {
			t.Errorf("%s is open: %s", library, encode(t, got))
		}
	}
}

func encode(t *testing.T, v verdict) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
