// Package launch runs the programs of a Kubernetes control plane together: keys, ports, start, readiness and end.
package launch

import (
	"context"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Info tells the users of a control plane that is ready how to reach it.
type Info struct {
	// URL of kube-apiserver, without a trailing slash.
	URL string `json:"url"`
	// Kubeconfig is a file for a cluster administrator (a client certificate); it refers to no other file.
	Kubeconfig string `json:"kubeconfig"`
	// CAFile holds the certificate authority, PEM.
	CAFile string `json:"ca_file"`
	// AuditLog is kube-apiserver's audit log: one JSON object of kind audit.k8s.io/v1 Event per line and answered request.
	AuditLog string `json:"audit_log"`
	// Kubectl is an executable of this control plane's version.
	Kubectl string `json:"kubectl"`
	// Version is kube-apiserver's, such as v1.35.4.
	Version string `json:"version"`
	// Dir holds all files, the programs' logs among them.
	Dir string `json:"dir"`
}

// Files below the folder of a control plane.
const (
	adminConfig     = "admin.kubeconfig"
	auditLog        = "audit.log"
	auditPolicyFile = "audit-policy.yaml"
	caFile          = "ca.crt"
	// kube-apiserver reads public keys from no PKCS #8 file, hence the second one.
	serviceAccountKey    = "service-account.key"
	serviceAccountPublic = "service-account.pub"
)

// The ports of a control plane, indices of controlPlane.ports.
const (
	etcdClients = iota
	etcdPeers
	apiServer
	portCount
)

// readyTimeout bounds each step of a start. A start takes seconds; this is for machines that are busy with a build.
const (
	readyTimeout = 2 * time.Minute
	pollInterval = 25 * time.Millisecond
)

//go:embed audit-policy.yaml
var auditPolicy []byte

type controlPlane struct {
	dir         string
	executables executables
	ports       [portCount]*reservation
	client      kubernetes.Interface
	children    []*process
	// childEnded cancels the run with the reason, see Run.
	childEnded context.CancelCauseFunc
}

// Run starts a control plane, calls ready once it can be used, and returns when ctx ends (nil), ready fails, or a program
// fails to start or ends on its own (an error with the end of its log). All children are gone when it returns.
//
// An empty dir means a temporary folder that is removed at the end; another one must be absent or empty and is kept.
func Run(ctx context.Context, dir string, ready func(Info) error) error {
	// The kernel ties the children to the life of the thread that starts them, not to the process (see prctl(2),
	// PR_SET_PDEATHSIG): this goroutine keeps its thread to the end.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	ctx, childEnded := context.WithCancelCause(ctx)
	defer childEnded(nil)
	dir, remove, err := prepareDir(dir)
	if err != nil {
		return err
	}
	defer remove()
	c := &controlPlane{dir: dir, childEnded: childEnded}
	defer c.close()
	info, err := c.start(ctx)
	if err == nil {
		err = ready(info)
	}
	if err == nil {
		<-ctx.Done()
	}
	// A child that ended is the reason for whatever else went wrong.
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// prepareDir returns the absolute folder and what to do with it at the end.
func prepareDir(dir string) (string, func(), error) {
	if dir == "" {
		dir, err := os.MkdirTemp("", "controlplane-")
		return dir, func() { _ = os.RemoveAll(dir) }, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return dir, func() {}, err
}

func (c *controlPlane) file(name string) string { return filepath.Join(c.dir, name) }

func (c *controlPlane) url() string { return "https://" + c.ports[apiServer].address() }

// start returns when the API serves and a namespace's objects can be created: the default ServiceAccount, which the
// admission of pods needs, is the controller manager's first visible work.
func (c *controlPlane) start(ctx context.Context) (Info, error) {
	if err := c.prepare(); err != nil {
		return Info{}, err
	}
	if err := c.startProgram(Etcd, c.etcdArguments()); err != nil {
		return Info{}, err
	}
	if err := c.await(ctx, "listens", c.etcdListens); err != nil {
		return Info{}, err
	}
	if err := c.startProgram(APIServer, c.apiServerArguments()); err != nil {
		return Info{}, err
	}
	if err := c.await(ctx, "is ready", c.apiServerReady); err != nil {
		return Info{}, err
	}
	if err := c.startProgram(ControllerManager, c.controllerManagerArguments()); err != nil {
		return Info{}, err
	}
	if err := c.await(ctx, "made the default ServiceAccount", c.defaultServiceAccountExists); err != nil {
		return Info{}, err
	}
	version, err := c.client.Discovery().ServerVersion()
	if err != nil {
		return Info{}, fmt.Errorf("ask for the version: %w", err)
	}
	return Info{
		URL:        c.url(),
		Kubeconfig: c.file(adminConfig),
		CAFile:     c.file(caFile),
		AuditLog:   c.file(auditLog),
		Kubectl:    c.kubectl(),
		Version:    version.GitVersion,
		Dir:        c.dir,
	}, nil
}

// prepare makes everything that the programs need before they start.
func (c *controlPlane) prepare() (err error) {
	if c.executables, err = findExecutables(); err != nil {
		return err
	}
	for i := range c.ports {
		if c.ports[i], err = reservePort(); err != nil {
			return err
		}
	}
	if err := c.writeKeys(); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	if err := os.WriteFile(c.file(auditPolicyFile), auditPolicy, 0o600); err != nil {
		return err
	}
	// The executable dispatches on the name, so kubectl needs a link of that name.
	if err := os.Mkdir(filepath.Dir(c.kubectl()), 0o700); err != nil {
		return err
	}
	return os.Symlink(c.executables[Kubectl], c.kubectl())
}

func (c *controlPlane) kubectl() string { return filepath.Join(c.dir, "bin", Kubectl) }

func (c *controlPlane) writeKeys() error {
	ca, err := newAuthority()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.file(caFile), ca.pem, 0o600); err != nil {
		return err
	}
	if err := c.writeServiceAccountKeys(); err != nil {
		return err
	}
	if err := c.writeServerKeys(ca); err != nil {
		return err
	}
	return c.writeKubeconfigs(ca)
}

func (c *controlPlane) writeServiceAccountKeys() error {
	key, err := newKey()
	if err != nil {
		return err
	}
	private, err := encodeKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.file(serviceAccountKey), private, 0o600); err != nil {
		return err
	}
	return os.WriteFile(c.file(serviceAccountPublic), encodePEM("PUBLIC KEY", public), 0o600)
}

func (c *controlPlane) writeServerKeys(ca *authority) error {
	etcd, err := ca.server(Etcd)
	if err != nil {
		return err
	}
	if err := etcd.write(c.dir, "etcd"); err != nil {
		return err
	}
	apiserver, err := ca.server(APIServer, apiserverIP,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
	if err != nil {
		return err
	}
	return apiserver.write(c.dir, "apiserver")
}

// writeKubeconfigs also makes the administrator's client.
func (c *controlPlane) writeKubeconfigs(ca *authority) error {
	manager, err := ca.client("system:kube-controller-manager")
	if err != nil {
		return err
	}
	if err := c.writeKubeconfig("controller-manager.kubeconfig", "controller-manager", ca, manager); err != nil {
		return err
	}
	admin, err := ca.client("admin", "system:masters")
	if err != nil {
		return err
	}
	if err := c.writeKubeconfig(adminConfig, "admin", ca, admin); err != nil {
		return err
	}
	c.client, err = kubernetes.NewForConfig(&rest.Config{
		Host:            c.url(),
		TLSClientConfig: rest.TLSClientConfig{CAData: ca.pem, CertData: admin.certificate, KeyData: admin.key},
		Timeout:         5 * time.Second,
		QPS:             -1,
	})
	return err
}

func (c *controlPlane) writeKubeconfig(file, user string, ca *authority, keys pair) error {
	const cluster = "controlplane"
	config := clientcmdapi.NewConfig()
	config.Clusters[cluster] = &clientcmdapi.Cluster{Server: c.url(), CertificateAuthorityData: ca.pem}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{ClientCertificateData: keys.certificate, ClientKeyData: keys.key}
	config.Contexts[cluster] = &clientcmdapi.Context{Cluster: cluster, AuthInfo: user}
	config.CurrentContext = cluster
	return clientcmd.WriteToFile(*config, c.file(file))
}

func (c *controlPlane) startProgram(name string, args []string) error {
	child, err := startProcess(c.dir, name, c.executables[name], c.childEnded, args...)
	if err != nil {
		return err
	}
	c.children = append(c.children, child)
	return nil
}

// await polls for something that the program which was started last is to do.
func (c *controlPlane) await(ctx context.Context, what string, condition wait.ConditionWithContextFunc) error {
	err := wait.PollUntilContextTimeout(ctx, pollInterval, readyTimeout, true, condition)
	if err != nil && ctx.Err() == nil {
		child := c.children[len(c.children)-1]
		return fmt.Errorf("%s has not got so far that it %s within %s\n%s", child.name, what, readyTimeout, child.tail())
	}
	return err
}

func (c *controlPlane) etcdListens(ctx context.Context) (bool, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.ports[etcdClients].address())
	if err != nil {
		return false, nil
	}
	return true, connection.Close()
}

func (c *controlPlane) apiServerReady(ctx context.Context) (bool, error) {
	err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	return err == nil, nil
}

func (c *controlPlane) defaultServiceAccountExists(ctx context.Context) (bool, error) {
	_, err := c.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	return err == nil, nil
}

// close ends the children, the last first, so that none loses what it depends on, and frees the ports.
func (c *controlPlane) close() {
	for i := len(c.children) - 1; i >= 0; i-- {
		c.children[i].stop()
	}
	for _, port := range c.ports {
		if port != nil {
			port.release()
		}
	}
}
