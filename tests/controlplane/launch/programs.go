package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The programs of a control plane, by the names that the executable dispatches on.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Kubectl           = "kubectl"
)

// assetsVariable names the folder of other builds of the programs, as envtest lays them out.
const assetsVariable = "KUBEBUILDER_ASSETS"

const (
	serviceRange    = "10.96.0.0/16"
	apiserverIP     = "10.96.0.1" // first address of the range: the Service "kubernetes"
	serviceIssuer   = "https://kubernetes.default.svc.cluster.local"
	auditMegabytes  = "1048576" // a rotated log would lose the lines that a test reads; the default is 100
	controllerQPS   = "500"     // the default of 20 makes deletions of many namespaces wait
	controllerBurst = "1000"
)

// executables maps each program to its file.
type executables map[string]string

// findExecutables takes the programs from KUBEBUILDER_ASSETS where it is set, and from this executable otherwise. etcd and
// kube-apiserver must be there then; the other two are taken from there if they exist (envtest's archives have no
// kube-controller-manager).
func findExecutables() (executables, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	found := executables{Etcd: self, APIServer: self, ControllerManager: self, Kubectl: self}
	assets := os.Getenv(assetsVariable)
	if assets == "" {
		return found, nil
	}
	if assets, err = filepath.Abs(assets); err != nil {
		return nil, err
	}
	for program := range found {
		path, err := exec.LookPath(filepath.Join(assets, program))
		switch {
		case err == nil:
			found[program] = path
		case program == Etcd || program == APIServer:
			return nil, fmt.Errorf("%s is set: %w", assetsVariable, err)
		}
	}
	return found, nil
}

// etcdArguments run a store that nobody but holders of a certificate of our authority can read: a test against a real
// organization may keep a real token in it.
func (c *controlPlane) etcdArguments() []string {
	client, peer := "https://"+c.ports[etcdClients].address(), "https://"+c.ports[etcdPeers].address()
	certificate, key := c.file("etcd.crt"), c.file("etcd.key")
	return []string{
		"--data-dir=" + c.file("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=default=" + peer,
		"--cert-file=" + certificate, "--key-file=" + key,
		"--trusted-ca-file=" + c.file(caFile), "--client-cert-auth",
		"--peer-cert-file=" + certificate, "--peer-key-file=" + key,
		"--peer-trusted-ca-file=" + c.file(caFile), "--peer-client-cert-auth",
		"--socket-reuse-port",
		"--unsafe-no-fsync",
	}
}

// apiServerArguments keep what a real cluster has by default (admission plugins, RBAC, fairness), so that a test sees what
// a user would see. The audience of tokens is the issuer alone: a token made for another one, say the operator's own API,
// must pass a TokenReview that names this audience and must not open the Kubernetes API.
func (c *controlPlane) apiServerArguments() []string {
	return []string{
		"--etcd-servers=https://" + c.ports[etcdClients].address(),
		"--etcd-cafile=" + c.file(caFile),
		"--etcd-certfile=" + c.file("etcd.crt"), "--etcd-keyfile=" + c.file("etcd.key"),
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.ports[apiServer].port), "--permit-port-sharing",
		// The Service "kubernetes" would refuse a loopback address as its endpoint, and no pod is there to use it.
		"--endpoint-reconciler-type=none",
		"--service-cluster-ip-range=" + serviceRange,
		"--tls-cert-file=" + c.file("apiserver.crt"), "--tls-private-key-file=" + c.file("apiserver.key"),
		"--client-ca-file=" + c.file(caFile),
		"--authorization-mode=RBAC",
		"--service-account-issuer=" + serviceIssuer,
		"--service-account-key-file=" + c.file(serviceAccountPublic),
		"--service-account-signing-key-file=" + c.file(serviceAccountKey),
		"--audit-policy-file=" + c.file(auditPolicyFile),
		"--audit-log-path=" + c.file(auditLog),
		"--audit-log-format=json",
		"--audit-log-mode=blocking",
		"--audit-log-maxsize=" + auditMegabytes,
	}
}

func (c *controlPlane) controllerManagerArguments() []string {
	return []string{
		"--kubeconfig=" + c.file("controller-manager.kubeconfig"),
		"--use-service-account-credentials=true",
		"--leader-elect=false",
		"--secure-port=0", // nobody asks it for health or metrics, so it needs no port
		"--service-account-private-key-file=" + c.file(serviceAccountKey),
		"--root-ca-file=" + c.file(caFile),
		"--kube-api-qps=" + controllerQPS, "--kube-api-burst=" + controllerBurst,
		"--concurrent-namespace-syncs=20",
	}
}
