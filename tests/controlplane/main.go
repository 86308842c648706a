// Command controlplane is a Kubernetes control plane for tests in one executable. It looks at the name it is called by:
// as etcd, kube-apiserver, kube-controller-manager or kubectl it is that program, unchanged; as anything else it is the
// launcher, whose command "up" runs the first three together until its standard input closes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"

	"controlplane/launch"
)

const usage = `usage: controlplane up [--dir DIR]
       controlplane version
`

func main() {
	switch filepath.Base(os.Args[0]) {
	case launch.Etcd:
		etcdmain.Main(os.Args)
	case launch.APIServer:
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case launch.ControllerManager:
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case launch.Kubectl:
		os.Exit(cli.Run(kubectl.NewDefaultKubectlCommand()))
	default:
		os.Exit(launcher(os.Args[1:]))
	}
}

// launcher runs one of the launcher's own commands and returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func launcher(args []string) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "up":
		return up(args[1:])
	case "version":
		fmt.Println(version.Get().GitVersion)
		return 0
	default:
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
}

// up runs a control plane until standard input closes or a signal asks for the end.
func up(args []string) int {
	flags := flag.NewFlagSet("controlplane up", flag.ContinueOnError)
	dir := flags.String("dir", "", "an absent or empty `folder` for keys, data and logs that is kept at the end (default: a temporary one, removed)")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		fmt.Fprint(os.Stderr, usage)
		return 2
	}
	// SIGPIPE is among them so that a reader of standard output that went away ends the children in the ordinary way.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	err := launch.Run(ctx, *dir, func(info launch.Info) error { return json.NewEncoder(os.Stdout).Encode(info) })
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		return 1
	}
	return 0
}
