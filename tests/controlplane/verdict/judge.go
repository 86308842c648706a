package main

import (
	"bytes"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// scriptKey is what argocd-cm's resource.customizations.health.ado.testops.dev_* becomes inside Argo CD.
const scriptKey = "ado.testops.dev/*"

// verdict is what the tools make of one object.
type verdict struct {
	// KStatus is one of Current, InProgress, Failed, Terminating, NotFound and Unknown (the object cannot be judged).
	KStatus        string `json:"kstatus"`
	KStatusMessage string `json:"kstatusMessage"`
	// ArgoCD is one of Healthy, Progressing, Degraded, Suspended, Missing and Unknown (the check failed), "" for a script
	// that returned nothing, and null for a kind that Argo CD does not judge.
	ArgoCD        *string `json:"argocd"`
	ArgoCDMessage string  `json:"argocdMessage"`
}

// judge holds the health script as Argo CD would after reading its configuration.
type judge struct{ overrides health.HealthOverride }

func newJudge(script string) judge {
	return judge{lua.ResourceHealthOverrides{scriptKey: v1alpha1.ResourceOverride{HealthLua: script}}}
}

// parse reads one object; nil means that it does not exist.
func parse(line []byte) (*unstructured.Unstructured, error) {
	if bytes.Equal(bytes.TrimSpace(line), []byte("null")) {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(line)
}

func (j judge) verdict(object *unstructured.Unstructured) verdict {
	var v verdict
	v.KStatus, v.KStatusMessage = kstatus(object)
	v.ArgoCD, v.ArgoCDMessage = j.argoCD(object)
	return v
}

func kstatus(object *unstructured.Unstructured) (string, string) {
	if object == nil {
		return string(status.NotFoundStatus), "Resource not found"
	}
	result, err := status.Compute(object)
	if err != nil {
		return string(status.UnknownStatus), err.Error()
	}
	return string(result.Status), result.Message
}

// argoCD goes through the function that Argo CD calls for each live object: deletion first, then the configured script in
// Argo CD's own Lua machine with its libraries closed, then Argo CD's checks for the kinds that it knows.
func (j judge) argoCD(object *unstructured.Unstructured) (*string, string) {
	code, message := string(health.HealthStatusMissing), ""
	if object != nil {
		result, err := health.GetResourceHealth(object, j.overrides)
		if err != nil {
			code, message = string(health.HealthStatusUnknown), err.Error()
		} else if result == nil {
			return nil, ""
		} else {
			code, message = string(result.Status), result.Message
		}
	}
	return &code, message
}
